"""Manual pages: help as roff, for `man gv-log`.

Made from the same click commands as `--help`, so that the two cannot differ.

Source: groff_man(7), the macros TH, SH, TP, PP, nf and fi.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from gvstore.cli import table, themes
from gvstore.cli.command import EVERYWHERE
from gvstore.version import __version__


def page_names() -> list[str]:
    """Returns the names of all pages: gv, one a command, one a theme."""
    return [
        "gv",
        *(f"gv-{name}" for name in table.names()),
        *(f"gv-{name}" for name in themes.TITLES if name not in table.names()),
    ]


def page_of(name: str) -> str:
    """Returns the roff text of a page; `name` is one of `page_names`."""
    from gvstore.cli.program import program

    with program.make_context("gv", ["status"]) as ctx:
        if name == "gv":
            return "\n".join(_whole(ctx)) + "\n"
        word = name.removeprefix("gv-")
        if word not in table.names():
            return "\n".join(_theme(word)) + "\n"
        command = program.get_command(ctx, word)
        assert command is not None, word
        return "\n".join(_command(word, command, ctx)) + "\n"


def _whole(ctx: click.Context) -> Iterator[str]:
    yield from _head("gv", "git for executions")
    yield from _section("SYNOPSIS", [_bold("gv") + " [" + _plain("OPTIONS") + "] " + _plain("COMMAND [ARGS]...")])
    yield from _section("DESCRIPTION", _paragraphs(ctx.command.help or ""))
    for title, commands in table.SECTIONS.items():
        yield from _section(title.upper(), _list((f"gv-{name}(1)", line) for name, line in commands.items()))
    yield from _section("THEMES", _list((f"gv help {name}", line) for name, line in themes.TITLES.items()))
    yield from _section("OPTIONS", _options(ctx.command, ctx))


def _theme(name: str) -> Iterator[str]:
    yield from _head(f"gv-{name}", themes.TITLES[name])
    yield from _section("DESCRIPTION", _paragraphs("\b\n" + themes.text_of(name)))
    yield from _section("SEE ALSO", [_plain("gv(1)")])


def _command(name: str, command: click.Command, parent: click.Context) -> Iterator[str]:
    first, _, rest = (command.help or "").partition("\n")
    yield from _head(f"gv-{name}", first)
    ctx = click.Context(command, parent, name)
    yield from _section("SYNOPSIS", _usages(command, ctx))
    text, _, examples = rest.partition("\b\nExample:\n")
    yield from _section("DESCRIPTION", _paragraphs(text.strip() or first))
    if isinstance(command, click.Group):
        for sub_name, sub in command.commands.items():
            inner = click.Context(sub, ctx, sub_name)
            yield from _section(f"gv {name} {sub_name}".upper(), [*_paragraphs(sub.help or ""), *_options(sub, inner)])
    else:
        yield from _section("OPTIONS", [*_options(command, ctx), ".PP", _plain(EVERYWHERE)])
    if examples:
        yield from _section("EXAMPLES", _paragraphs("\b\n" + examples))
    yield from _section("SEE ALSO", [_plain("gv(1), gv-exit-codes(1), gv-revs(1)")])


def _usages(command: click.Command, ctx: click.Context) -> Iterator[str]:
    contexts = [ctx]
    if isinstance(command, click.Group):
        contexts = [click.Context(sub, ctx, name) for name, sub in command.commands.items()]
    for number, each in enumerate(contexts):
        if number:
            yield ".br"
        pieces = " ".join(each.command.collect_usage_pieces(each))
        yield f"{_bold(each.command_path)} {_plain(pieces)}"


def _head(name: str, line: str) -> Iterator[str]:
    yield f'.TH "{_plain(name.upper())}" 1 "" "gvstore {__version__}" "gv manual"'
    yield from _section("NAME", [f"{_plain(name)} \\- {_plain(line)}"])


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield f'.SH "{_plain(title)}"'
        yield from found


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    records = (each.get_help_record(ctx) for each in command.get_params(ctx) if isinstance(each, click.Option))
    yield from _list(record for record in records if record is not None)


def _list(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    for term, text in rows:
        yield ".TP"
        yield _bold(term)
        yield _plain(text)


def _paragraphs(text: str) -> Iterator[str]:
    r"""Yields the paragraphs of a help text; those that `\b` opens keep their lines, as click has it."""
    import inspect

    kept = False
    for block in inspect.cleandoc(text).split("\n\n"):
        kept = kept or block.startswith("\b")
        lines = block.removeprefix("\b\n").split("\n")
        yield ".PP"
        if kept or any(line.startswith("  ") for line in lines):
            yield from (".nf", *(_plain(line) or "\\&" for line in lines), ".fi")
        else:
            yield _plain(" ".join(line.strip() for line in lines))


def _plain(text: str) -> str:
    """Returns a text as roff prints it: backslashes and hyphens escaped, no line a command."""
    shown = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace('"', "\\(dq")
    )
    return "\\&" + shown if shown.startswith(".") else shown


def _bold(text: str) -> str:
    return f"\\fB{_plain(text)}\\fR"
