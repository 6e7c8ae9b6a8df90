"""The keys of --json, read off the classes of results: docs/json-keys.md lists them, tests/vectors/json_keys.json holds them.

tests/test_docs.py compares.  Keys may come; `pytest --accept` notes them.
None goes, and none becomes another type: that no option accepts, for scripts
go by them.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import gvstore.cli
from gvstore.cli import table
from tests.transcript import ROOT

PAGE = ROOT / "docs" / "json-keys.md"
HELD = ROOT / "tests" / "vectors" / "json_keys.json"  # by class, then by key
HEADER = """# The keys of `--json`

Made from the results' classes by `pytest --accept tests/test_docs.py`; edit those, not this page. What kinds of values there
are, and what is promised about them, stands in [json.md](json.md). A class that a command prints has its name here; others stand
inside these. `?` means that the key may be null.
"""

Keys = dict[str, str]


@cache
def results() -> dict[str, type]:
    """Returns every class of the command line that becomes an object of a document, by name: those with `lines`, and those inside them."""
    for module in pkgutil.walk_packages(gvstore.cli.__path__, "gvstore.cli."):
        importlib.import_module(module.name)
    found: dict[str, type] = {}
    seen: set[type] = set()
    waiting = [
        each
        for name in sorted(sys.modules)
        if name.startswith("gvstore.cli.")
        for each in vars(sys.modules[name]).values()
        if inspect.isclass(each)
        and dataclasses.is_dataclass(each)
        and hasattr(each, "lines")
        and each.__module__ == name
    ]
    while waiting:
        each = waiting.pop(0)
        if found.setdefault(name_of(each), each) is each and each not in seen:
            seen.add(each)
            waiting += inside(each)
    return found


def name_of(result: type) -> str:
    """Returns how a class is held: by its file and name."""
    return f"{result.__module__.rpartition('.')[2]}.{result.__name__}"


def inside(result: type) -> list[type]:
    """Returns the classes of ours that stand in a result's fields."""
    module = sys.modules[result.__module__]
    names = {name for each in shown(result) for name in re.findall(r"[A-Za-z_]+", str(each.type))}
    found = []
    for name in sorted(names):
        each = vars(module).get(name) or _imported(module.__file__ or "", name)
        if inspect.isclass(each) and dataclasses.is_dataclass(each) and each.__module__.startswith("gvstore."):
            found.append(each)
    return found


def _imported(path: str, name: str) -> Any:
    """Returns what a module imports for type checkers alone."""
    module = _imports(path).get(name)
    return getattr(importlib.import_module(module), name, None) if module else None


@cache
def _imports(path: str) -> dict[str, str]:
    """Returns the names that a file imports from modules, with these."""
    nodes = [node for node in ast.walk(ast.parse(Path(path).read_text())) if isinstance(node, ast.ImportFrom)]
    return {alias.name: node.module or "" for node in nodes for alias in node.names}


def shown(result: type) -> list[dataclasses.Field[Any]]:
    """Returns the fields that stand in the document."""
    return [each for each in dataclasses.fields(result) if each.metadata.get("json", True)]


def keys_of(result: type) -> Keys:
    """Returns the keys of a result, each with its type."""
    return {each.name: kind(str(each.type)) for each in shown(result)}


def kind(annotation: str) -> str:
    """Returns a type as the docs have it: `text?`, `[oid]`, `{Renamed}`."""
    text = annotation.replace("typing.", "").strip()
    if text.endswith("| None"):
        return kind(text.removesuffix("| None")) + "?"
    if found := re.fullmatch(r"(?:tuple|list|Sequence|frozenset|set)\[(.*?)(?:, \.\.\.)?\]", text):
        return f"[{kind(found[1])}]"
    if found := re.fullmatch(r"(?:dict|Mapping)\[str, (.*)\]", text):
        return f"{{text: {kind(found[1])}}}"
    plain = {
        "str": "text", "int | float": "number", "int": "number", "float": "number", "bool": "true or false", "ObjectId": "oid", "datetime": "time", "Path": "text",
        "object": "any value", "Any": "any value", "bytes": "bytes", "Value": "any value",
    }  # fmt: skip
    return plain.get(text, text)


def owner(result: type) -> str:
    """Returns the command that a class belongs to, "" for those that several share."""
    module = result.__module__
    name = module.rpartition(".")[2].replace("_", "-")
    return name if module.startswith("gvstore.cli.commands.") and name in table.names() else ""


def page(found: dict[str, type]) -> str:
    """Returns docs/json-keys.md."""
    parts = [HEADER]
    for command in (*table.names(), ""):
        mine = [each for each in found.values() if owner(each) == command]
        if not mine:
            continue
        parts.append(f"## {f'gv {command}' if command else 'Shared'}\n")
        for each in sorted(mine, key=lambda result: result.__name__):
            about = (
                " ".join((inspect.getdoc(each) or "").split("\n\n")[0].split()).replace("|", "\\|").replace("<", "&lt;")
            )
            rows = [f"| `{key}` | {of.replace('|', 'or')} |" for key, of in keys_of(each).items()]
            parts.append(
                "\n".join([f"**{each.__name__}**: {about}\n", "| key | value |", "| --- | --- |", *rows]) + "\n"
            )
    return "\n".join(parts)
