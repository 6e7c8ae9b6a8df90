"""The rooms keep to the table of imports of docs/architecture.md, function-level imports included.

The table is design, the test is its keeper: who needs a new edge changes both,
with the reason in the commit.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.transcript import ROOT

PACKAGE = ROOT / "gvstore"
FILES = sorted(PACKAGE.glob("**/*.py"))

FREE = {"errors", "version"}  # everything may import these
LOW = {"fs", "objects"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "version": set(),
    "fs": set(),
    "host": set(),
    "reads": set(),
    "expression": set(),
    "objects": set(),
    "compare": {"objects"},
    "odb": LOW,
    "store": LOW | {"odb"},
    "refs": LOW,
    "code": LOW | {"reads", "compare"},
    "repo": LOW | {"host", "compare", "odb", "store", "refs", "code"},
    "journal": LOW | {"host", "reads", "expression", "compare", "odb", "store", "repo", "code"},
    "models": LOW | {"host", "journal"},
    "machine": LOW | {"host", "expression", "compare", "store", "repo", "journal", "models"},
    "pipeline": LOW | {"host", "expression", "compare", "store", "repo", "journal", "models", "machine"},
}
ALLOWED["__init__"] = set(ALLOWED)
ALLOWED["cli"] = set(ALLOWED)
ALLOWED["__main__"] = {"cli"}

# Third parties, and what of the standard library only some rooms may use.
KEPT: dict[str, set[str]] = {
    "blake3": {"objects"},
    "msgspec": {"objects"},
    "pyfastcdc": {"objects"},
    "zstandard": {"odb"},
    "sqlite3": {"refs", "journal", "machine"},
    "tomlkit": {"repo"},
    "xllamacpp": {"models"},
    "httpx2": {"models"},
    "yaml": {"pipeline"},
    "typing_extensions": {"journal"},  # for type checkers, never loaded
    "click": {"cli"},
    "rich": {"cli"},
}
NEVER = {"pickle", "cloudpickle", "dill", "marshal", "shelve"}
ENVIRONMENT = {"host.py", "cli/context.py"}
TOLD = {PACKAGE / "store/pretty_print.py", PACKAGE / "machine/lifecycle_ready.py"}  # what a program asks to print


def room_of(path: Path) -> str:
    """Returns the room a file belongs to: a folder, or a file at the top."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yields (line, absolute module or module.name) of every import, wherever it stands."""
    package = ["gvstore", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def fault(path: Path, module: str) -> str:
    """Returns what is wrong with a file's importing `module`, or nothing."""
    room, (top, *rest) = room_of(path), module.split(".")
    if top in NEVER:
        return f"{top} is never used"
    if top == "gvstore":
        target = rest[0] if rest else "__init__"
        if target not in ALLOWED:  # `from gvstore import name`: the public face
            target = "__init__"
        return "" if target == room or target in FREE | ALLOWED[room] else f"{room} may not import {target}"
    if top in KEPT:
        return "" if room in KEPT[top] else f"{top} belongs to {', '.join(sorted(KEPT[top]))}"
    return "" if top in sys.stdlib_module_names else f"{top} stands in no table"


def test_every_room_is_in_the_table() -> None:
    """A new room is entered in the table before it is built."""

    assert set() == {room_of(p) for p in FILES} - set(ALLOWED)


def test_imports_keep_to_the_table() -> None:
    """Dependencies run one way."""
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {why}"
        for path in FILES
        for line, module in imports(path)
        if (why := fault(path, module))
    ]

    assert [] == faults


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Yields (line, name or dotted name) of everything a file mentions in its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node.lineno, f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize(
    ("forbidden", "where"),
    [
        ({"print", "sys.stdout", "sys.stderr"}, {p for p in FILES if room_of(p) == "cli"} | TOLD),
        ({"os.environ", "os.getenv", "os.environb", "Path.cwd", "os.getcwd"}, {PACKAGE / p for p in ENVIRONMENT}),
        ({"sys.argv"}, {PACKAGE / "host.py", PACKAGE / "cli/main.py"}),
        ({"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"}, {PACKAGE / "host.py"}),
    ],
    ids=["terminal", "environment", "argv", "clock"],
)
def test_the_world_is_reached_at_few_places(forbidden: set[str], where: set[Path]) -> None:
    """Terminal, environment, argv and clock are read where the table says, and handed down as arguments."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in FILES
        if path not in where
        for line, name in names(path)
        if name in forbidden
    ]

    assert [] == found


def test_nothing_is_imported_by_star() -> None:
    """Every name can be followed to where it is made."""

    assert [] == [f"{p.name}:{line}" for p in FILES for line, module in imports(p) if module.endswith(".*")]
