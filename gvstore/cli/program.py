"""The click group: finds a command by name and imports it only then.

`gv --help` imports no command, `gv x` imports `gvstore.cli.commands.x` alone.
Contexts are made and invoked here rather than through `click.Group.main`,
which would answer a closed pipe with exit 1 and print errors its own way.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

import click

from gvstore.cli import table
from gvstore.cli.command import shared_options
from gvstore.cli.context import CommandContext
from gvstore.errors import UsageFault
from gvstore.version import __version__

ABOUT = """Git for executions: commit, look at, compare, rewind and replay what programs did.

\b
  gv init                          make a repository here
  gv run dice.py:roll_sum 2        run a function and record every call
  gv show run/1                    look at the calls
  gv replay                        run it again: what is unchanged is answered from the record
"""


class Program(click.Group):
    """The group `gv`, with commands imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return table.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in table.names():
            return None
        module = importlib.import_module("gvstore.cli.commands." + cmd_name.replace("-", "_"))
        command = module.command
        assert isinstance(command, click.Command), cmd_name
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        command = self.get_command(ctx, args[0])
        cx = ctx.ensure_object(CommandContext)
        if command is None:
            args, command = self._written_out(ctx, cx, args)
        if cx.bundle is not None or any(".gvb" in arg for arg in args):
            from gvstore.cli.bundled import take_bundle

            args = [args[0], *take_bundle(cx, command, args[1:])]
        return args[0], command, args[1:]

    def _written_out(
        self, ctx: click.Context, cx: CommandContext, args: list[str]
    ) -> tuple[list[str], click.Command]:
        """Returns what an alias stands for, with the arguments behind it; runs it here where it is a line for the shell.

        Raises:
            UsageFault: there is no such alias.
        """
        from gvstore.cli.alias import expanded, run_in_shell

        aliases = cx.settings.aliases()
        words = expanded(aliases, args, table.names())
        if words is None:
            raise _unknown(args[0], aliases)
        if words[0].startswith("!"):
            ctx.exit(run_in_shell(cx, words[0], words[1:]))
        command = self.get_command(ctx, words[0])
        if command is None:
            raise _unknown(words[0], aliases)
        return words, command

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        width = max((len(name) for name in table.names()), default=0)
        for title, commands in table.SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), line) for name, line in commands.items()])
        click.Command.format_options(self, ctx, formatter)


def _unknown(name: str, aliases: Iterable[str] = ()) -> UsageFault:
    """Returns what to say to a word that is no command and no alias."""
    from gvstore.cli.habits import HABITS

    if name in HABITS:
        why, instead = HABITS[name]
        return UsageFault(f"gv {name}: {why}", hint=instead)

    from difflib import get_close_matches

    near = get_close_matches(name, [*table.names(), *aliases], n=3, cutoff=0.6)
    hint = (
        "Did you mean " + " or ".join(f"`gv {n}`" for n in near) + "?" if near else "Run `gv --help` for all commands."
    )
    return UsageFault(f"gv has no command {name!r}", hint=hint)


def _read_bundle(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        from pathlib import Path

        ctx.ensure_object(CommandContext).bundle = Path(value)


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        click.echo(f"gv {__version__}")
        ctx.exit()


program = Program(
    "gv",
    help=ABOUT,
    params=[
        *shared_options(hidden=False),
        click.Option(
            ["--bundle"], metavar="FILE", expose_value=False, callback=_read_bundle,
            help="Read this bundle in place of a repository",
        ),
        click.Option(
            ["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
            help="Print the version",
        ),
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    subcommand_metavar="COMMAND [ARGS]...",
    no_args_is_help=True,
)  # fmt: skip


def run_program(arguments: list[str]) -> int:
    """Returns the exit status of `gv ARGUMENTS`; never raises."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    cx = CommandContext()
    cx.arguments = list(arguments)
    try:
        try:
            with program.make_context("gv", list(arguments), obj=cx) as ctx:
                ctx.call_on_close(cx.close)
                answer = program.invoke(ctx)
            status = answer if isinstance(answer, int) else 0
        except click.exceptions.Exit as e:
            status = e.exit_code
        sys.stdout.flush()
    except BaseException as e:  # the one place where everything ends: an exit status is all a shell understands
        from gvstore.cli.errors import report

        return report(e, cx)
    return status
