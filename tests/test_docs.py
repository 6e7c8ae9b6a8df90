"""The docs say what is so: commands, exit codes, links.

docs/cli.md is generated from `--help`, docs/json-keys.md from the classes of
results, the tables of docs/config.md from the settings; `pytest --accept` rewrites them.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys

import click
import pytest

import gvstore
from gvstore.cli import table
from gvstore.cli.command import Command
from gvstore.cli.errors import INTERRUPTED, PIPE_CLOSED, snake
from gvstore.cli.program import program
from gvstore.cli.style import ROLES
from gvstore.errors import GvError
from gvstore.repo.config import KNOWN
from tests import json_keys
from tests.transcript import ROOT, steps

CLI_MD = ROOT / "docs" / "cli.md"
CONFIG_MD = ROOT / "docs" / "config.md"
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])
CLI_HEADER = """Made from `gv COMMAND --help` by `pytest --accept tests/test_docs.py`; edit the commands, not this page.

"""


def command(name: str) -> click.Command:
    """Returns a command by name, imported."""
    found = program.get_command(click.Context(program, info_name="gv"), name)
    assert found is not None
    return found


def context_of(found: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """Returns the context in which help is formatted, 90 columns wide."""
    return click.Context(
        found, parent, name, terminal_width=90, max_content_width=90, help_option_names=["-h", "--help"]
    )


def pages(ctx: click.Context) -> list[str]:
    """Returns the sections of cli.md about one command, its subcommands below it."""
    path = ctx.command_path
    sections = [f"{'#' * len(path.split())} {path}\n\n```text\n{ctx.command.get_help(ctx)}\n```\n"]
    if isinstance(ctx.command, click.Group) and ctx.command is not program:
        for name, sub in ctx.command.commands.items():
            sections += pages(context_of(sub, name, ctx))
    return sections


def test_cli_md_is_what_help_prints(accept: bool) -> None:
    """The reference cannot go stale."""
    gv = context_of(program, "gv")
    sections = pages(gv)
    for name in table.names():
        sections += pages(context_of(command(name), name, gv))
    expected = CLI_HEADER + "\n".join(sections)
    if accept:
        CLI_MD.write_text(expected)

    assert expected == CLI_MD.read_text()


@pytest.mark.parametrize("name", table.names())
class TestEveryCommand:
    """What a command must have before it is one."""

    def test_has_help(self, name: str) -> None:
        """The table's line is the help's first line: imperative, no final period; an example follows."""
        found = command(name)
        first = (found.help or "").split("\n\n")[0].replace("\n", " ").strip()

        line = {n: line for commands in table.SECTIONS.values() for n, line in commands.items()}[name]
        assert line == first
        assert not first.endswith(".")
        assert re.search(rf"Examples?:\n(.*\n)*?.*gv {name}\b", found.help or ""), "an example"
        for parameter in found.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{parameter.opts} has no help"
                assert not parameter.help.endswith("."), f"{parameter.opts}: no final period"
                assert not parameter.multiple or "(can be repeated)" in parameter.help, parameter.opts

    def test_has_a_transcript(self, name: str) -> None:
        """tests/cli/<name>.md shows it, once with --json and once failing."""
        text = (ROOT / "tests" / "cli" / f"{name}.md").read_text()

        assert f"$ gv {name}" in text
        assert "--json" in text
        assert re.search(r"^! .*error", text, re.MULTILINE), "a failure"

    def test_takes_json(self, name: str) -> None:
        """A command is one of ours, with the shared options."""
        found = command(name)
        commands = found.commands.values() if isinstance(found, click.Group) else [found]

        assert all(isinstance(c, Command) for c in commands)


def test_every_command_file_is_in_the_table() -> None:
    """No command lies about unused."""
    folder = importlib.import_module("gvstore.cli.commands").__path__
    files = {m.name.replace("_", "-") for m in pkgutil.iter_modules(folder)}

    assert sorted(table.names()) == sorted(files)


def errors() -> list[type[GvError]]:
    """Returns every error class of every room."""
    for module in pkgutil.walk_packages(gvstore.__path__, "gvstore."):
        if not module.name.endswith("__main__") and ".library." not in module.name:  # adapters need their library
            importlib.import_module(module.name)
    found, new = set[type[GvError]](), [GvError]
    while new:
        found.update(new)
        new = [sub for error in new for sub in error.__subclasses__() if sub.__module__.startswith("gvstore")]
    return sorted(found, key=lambda e: e.__name__)


STEMS = [error for error in GvError.__subclasses__() if error.__module__ == "gvstore.errors"]
NO = 1  # an answer, not a failure: a strict replay that diverged, nothing to commit


def test_exit_codes_are_documented() -> None:
    """docs/json.md lists each status of errors.py with its stem, and no other."""
    rows = re.findall(r"^\| (\d+) \|(?: `(\w+)`)? \|", (ROOT / "docs" / "json.md").read_text(), re.MULTILINE)
    stems = {snake(e.__name__): e.exit_code for e in STEMS}
    others = {"": {0, 1}, "interrupted": {INTERRUPTED}, "pipe_closed": {PIPE_CLOSED}}

    documented = {name: {int(code) for code, n in rows if n == name} for _, name in rows}
    assert {**{name: {code} for name, code in stems.items()}, **others} == documented


def test_errors_are_fit_for_users() -> None:
    """Every error has a docstring, a documented status, and a name of its own: it is the `error` of --json."""
    found = [
        e
        for e in errors()
        if e.__module__.startswith("gvstore.") and getattr(sys.modules.get(e.__module__), e.__name__, e) is e
    ]
    stems = {e.exit_code for e in STEMS} | {GvError.exit_code, NO}

    assert [] == [e.__name__ for e in found if not e.__doc__]
    assert [] == [e.__name__ for e in found if e.exit_code not in stems]
    assert len(found) == len({snake(e.__name__) for e in found})


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub makes of a page's headings."""
    titles = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_resolve() -> None:
    """A link in the docs leads to a file of the project, and its anchor to a heading there."""
    broken = []
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            path = (page.parent / name).resolve() if name else page
            if not path.exists() or (anchor and anchor not in anchors(path.read_text())):
                broken.append(f"{page.relative_to(ROOT)}: {target}")

    assert [] == broken


def test_every_setting_is_documented(accept: bool) -> None:
    """docs/config.md lists each key with its default; `pytest --accept` rewrites the table."""
    rows = [
        f"| `{key}` | {_default(known.default)} | {known.meaning}{_choices(known.choices)} |"
        for key, known in KNOWN.items()
    ]
    made = "\n".join(["| key | default | what it says |", "| --- | --- | --- |", *rows])
    text = CONFIG_MD.read_text()
    expected = re.sub(r"(?s)(?<=<!-- keys -->\n).*?(?=\n<!-- /keys -->)", lambda _: made, text)
    roles = ", ".join(f"`{role}`" for role in ROLES)
    expected = re.sub(r"(?s)(?<=<!-- roles -->\n).*?(?=\n<!-- /roles -->)", lambda _: roles, expected)
    if accept:
        CONFIG_MD.write_text(expected)

    assert expected == CONFIG_MD.read_text()


def _default(value: object) -> str:
    return f"`{str(value).lower() if isinstance(value, bool) else value}`" if value != "" else ""


def _choices(choices: tuple[str, ...]) -> str:
    return f": {', '.join(f'`{choice}`' for choice in choices)}" if choices else ""


def test_keys_stand_still(accept: bool) -> None:
    """No key that was promised is gone, and none has another type; new ones are noted."""
    held: dict[str, json_keys.Keys] = json.loads(json_keys.HELD.read_text()) if json_keys.HELD.exists() else {}
    now = {name: json_keys.keys_of(result) for name, result in json_keys.results().items()}

    gone = {
        f"{name}.{key}": of
        for name, keys in held.items()
        for key, of in keys.items()
        if now.get(name, {}).get(key) != of
    }
    assert {} == gone, "keys of --json that are gone, or of another type: scripts go by them"
    if accept:
        json_keys.HELD.write_text(json.dumps({name: now[name] for name in sorted(now)}, indent=1) + "\n")
    assert now == json.loads(json_keys.HELD.read_text()), "`pytest --accept tests/test_docs.py` notes new keys"


def test_every_key_is_documented(accept: bool) -> None:
    """docs/json-keys.md is what the classes are."""
    expected = json_keys.page(json_keys.results())
    if accept:
        json_keys.PAGE.write_text(expected)

    assert expected == json_keys.PAGE.read_text()


def test_keys_are_snake_case() -> None:
    """One style, and units in the names of amounts."""
    names = {key for result in json_keys.results().values() for key in json_keys.keys_of(result)}

    assert [] == [name for name in sorted(names) if not re.fullmatch(r"[a-z][a-z0-9_]*", name)]


def test_transcripts_show_documents() -> None:
    """What transcripts show of --json are documents, each on a line."""
    for path in sorted((ROOT / "tests" / "cli").glob("*.md")):
        lines = path.read_text().split("\n")
        for step in steps(lines):
            if not re.fullmatch(r"gv [^|;&>]*--json[^|;&>]*", step.command) or "gv run" in step.command:
                continue
            for line in lines[step.start : step.end]:
                if not line.startswith("[") and line not in ("!", ""):
                    told = line.removeprefix("! ")
                    assert (line.startswith("! ") and not told.startswith("{")) or json.loads(told) is not None, (
                        f"{path.name}: {line}"
                    )
