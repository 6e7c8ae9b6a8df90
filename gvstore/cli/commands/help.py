"""gv help: the manual, by command and by theme."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from gvstore.cli import table, themes
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault


@dataclass(frozen=True, slots=True)
class HelpText:
    """The help of a command or theme; `name` is null for the overview."""

    name: str | None
    text: str

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self.text


@dataclass(frozen=True, slots=True)
class ManualWritten:
    """The folder that manual pages were written to, and their names."""

    folder: str
    pages: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{len(self.pages)} manual pages in {self.folder}"


@click.command("help", cls=Command)
@click.option("--man", is_flag=True, help="Print the manual page, in roff: `gv help --man log | man -l -`")
@click.option("--install", is_flag=True, help="With --man, write all pages where `man gv-log` finds them")
@click.option("--into", metavar="DIR", help="With --install, write them to DIR/man1")
@click.argument("names", metavar="[THEME|COMMAND]", nargs=-1)
@pass_context
def command(cx: CommandContext, man: bool, install: bool, into: str | None, names: tuple[str, ...]) -> None:
    """Show the manual, by command and by theme

    Without a name all commands and themes are listed, your aliases too.  `gv help run` is `gv run --help`.

    \b
    Example:
      gv help revs
      gv help --man --install && man gv-log
    """
    if (install and not man) or (into and not install):
        raise UsageFault("--install is for --man, and --into for --install", hint="gv help --man --install")
    if install:
        cx.output.result(_install(cx, into))
    elif man:
        cx.output.result(_manual(names))
    elif not names:
        cx.output.result(HelpText(None, _overview(cx)), paged=True)
    else:
        cx.output.result(_help(cx, names), paged=True)


def _overview(cx: CommandContext) -> str:
    """Returns the list of commands, then themes and aliases."""
    ctx = click.get_current_context()
    assert ctx.parent is not None
    text = ctx.parent.get_help()
    formatter = ctx.parent.make_formatter()
    width = max(map(len, themes.TITLES))
    with formatter.section("Themes, as in `gv help revs`"):
        formatter.write_dl([(name.ljust(width), line) for name, line in themes.TITLES.items()])
    if aliases := cx.settings.aliases():
        with formatter.section("Aliases"):
            formatter.write_dl([(name, text) for name, text in aliases.items()])
    return f"{text}\n\n{formatter.getvalue().rstrip()}"


def _help(cx: CommandContext, names: tuple[str, ...]) -> HelpText:
    """Returns the help of a command, of a command's command, or of a theme.

    Raises:
        UsageFault: there is none; tells what is near.
    """
    from gvstore.cli.program import program

    ctx = click.get_current_context()
    assert ctx.parent is not None
    name = names[0]
    path, found = ctx.parent, program.get_command(ctx.parent, name)
    if found is None:
        aliases = cx.settings.aliases()
        if len(names) == 1 and name in themes.TITLES:
            return HelpText(name, f"{themes.TITLES[name]}\n\n{_text(name)}")
        if len(names) == 1 and name in aliases:
            return HelpText(name, f"gv {name} is an alias of: {aliases[name]}")
        raise _unknown(name, aliases)
    path = click.Context(found, path, name, **program.context_settings)
    for word in names[1:]:
        found = found.commands.get(word) if isinstance(found, click.Group) else None
        if found is None:
            raise UsageFault(f"{path.command_path} has no command {word!r}", hint=f"Run `{path.command_path} --help`.")
        path = click.Context(found, path, word)
    extra = (
        f"\n\nSee also `gv help --man`; the theme of that name: {themes.TITLES[name]}:\n\n{_text(name)}"
        if name in themes.TITLES
        else ""
    )
    return HelpText(" ".join(names), path.get_help() + extra)


def _text(name: str) -> str:
    """Returns the text of a theme, its paragraphs as wide as the terminal, and what is indented as it stands."""
    from textwrap import fill

    width = click.get_current_context().make_formatter().width
    blocks = themes.text_of(name).split("\n\n")
    return "\n\n".join(
        block if block.startswith(" ") or "\n " in block else fill(block, width, break_on_hyphens=False) for block in blocks
    )


def _unknown(name: str, aliases: dict[str, str]) -> UsageFault:
    from gvstore.cli.habits import HABITS

    if name in HABITS:
        why, instead = HABITS[name]
        return UsageFault(f"gv {name}: {why}", hint=instead)
    import difflib

    near = difflib.get_close_matches(name, [*table.names(), *themes.TITLES, *aliases], n=3)
    hint = (
        f"Did you mean {' or '.join(f'`gv help {each}`' for each in near)}?"
        if near
        else "`gv help` lists all there is."
    )
    return UsageFault(f"there is no help about {name[:80]!r}", hint=hint)


def _manual(names: tuple[str, ...]) -> HelpText:
    from gvstore.cli.manual import page_names, page_of

    name = f"gv-{names[0].removeprefix('gv-')}" if names and names[0] != "gv" else "gv"
    if name not in page_names():
        raise _unknown(name.removeprefix("gv-"), {})
    return HelpText(name, page_of(name).rstrip("\n"))


def _install(cx: CommandContext, into: str | None) -> ManualWritten:
    """Writes all pages beside the program, where `man` looks for what lies in the PATH; if that is not ours to write, below the home folder."""
    from gvstore.cli.manual import page_names, page_of

    places = [Path(into)] if into else [Path(sys.prefix) / "share" / "man", Path("~/.local/share/man").expanduser()]
    for number, place in enumerate(places):
        folder = place / "man1"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            names = page_names()
            for name in names:
                (folder / f"{name}.1").write_text(page_of(name), encoding="utf-8")
        except OSError as e:
            if number + 1 < len(places):
                continue
            raise UsageFault(
                f"{folder} cannot be written: {e.strerror}", hint="Give another folder with --into DIR."
            ) from e
        return ManualWritten(str(folder), tuple(names))
    raise AssertionError
