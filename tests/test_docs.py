"""The docs say what is so: commands, exit codes, links.

docs/cli.md is generated from `--help`; `pytest --accept` rewrites it.
"""

from __future__ import annotations

import importlib
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
from gvstore.errors import GvError
from tests.transcript import ROOT

CLI_MD = ROOT / "docs" / "cli.md"
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
        assert f"gv {name}" in (found.help or ""), "an example"
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
    found = [e for e in errors() if e.__module__.startswith("gvstore.") and getattr(sys.modules.get(e.__module__), e.__name__, e) is e]
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
