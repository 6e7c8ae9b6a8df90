"""What every command has: the shared options and the shape of its help.

The shared options stand on the group and on each command, so that
`gv --json show 7`, `gv show --json 7` and `gv show 7 --json` are one.  They
write into the `CommandContext`, which the group makes and commands inherit.
"""

from __future__ import annotations

import os

import click

from gvstore.cli.context import CommandContext
from gvstore.errors import BadRev

pass_context = click.make_pass_decorator(CommandContext, ensure=True)

EVERYWHERE = "Every command also takes -C DIR, --json, -q, --color WHEN and --no-pager: see `gv --help`."


def _change_folder(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is None:
        return
    try:
        os.chdir(value)
    except OSError as e:
        raise BadRev(f"cannot enter {value}: {e.strerror}") from e


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Notes an option that was given; one given before the command is not undone by its absence after it."""
    if value is not None and param.name is not None:
        setattr(ctx.ensure_object(CommandContext), param.name.removeprefix("_"), value)


def shared_options(*, hidden: bool) -> list[click.Option]:
    """Returns fresh options that every command takes; their names leave `folder` and the like to commands."""
    return [
        click.Option(
            ["-C", "_folder"], metavar="DIR", is_eager=True, expose_value=False, callback=_change_folder, hidden=hidden,
            help="Run as if started in DIR",
        ),
        click.Option(
            ["--json", "_json"], is_flag=True, flag_value=True, default=None, expose_value=False, callback=_remember,
            hidden=hidden, help="Print one JSON document (log and runs: one a line); docs/json.md is the contract",
        ),
        click.Option(
            ["-q", "--quiet", "_quiet"], is_flag=True, flag_value=True, default=None, expose_value=False, callback=_remember,
            hidden=hidden, help="Silence status lines; warnings and errors stay",
        ),
        click.Option(
            ["--color", "_color"], type=click.Choice(["auto", "always", "never"]), metavar="WHEN", expose_value=False,
            callback=_remember, hidden=hidden, help="Use colours: auto, always or never",
        ),
        click.Option(
            ["--no-pager", "_pager"], is_flag=True, flag_value=False, default=None, expose_value=False,
            callback=_remember, hidden=hidden, help="Never start a pager",
        ),
    ]  # fmt: skip


_SHARED = shared_options(hidden=True)


class Command(click.Command):
    """A click command with the shared options, hidden in its help, which closes by naming them."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Returns the command's own parameters, then the shared ones."""
        return [*super().get_params(ctx), *_SHARED]

    def make_parser(self, ctx: click.Context) -> click.parser._OptionParser:
        """Returns a parser that finds `-n` at once.

        click takes it for a long option first, and makes an error with a
        translated text and near names before it looks among the short ones.
        """
        parser = super().make_parser(ctx)
        parser._long_opt = parser._short_opt | parser._long_opt
        return parser

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes usage, text, options: spelled out here, so that docs/cli.md does not change with click's version."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        self.format_options(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text(EVERYWHERE)


class CommandGroup(click.Group):
    """A command with subcommands: `gv model pull`."""

    command_class = Command

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Returns the shared parameters: a group has none of its own."""
        return [*super().get_params(ctx), *_SHARED]

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes usage, text and the subcommands."""
        self.format_usage(ctx, formatter)
        self.format_help_text(ctx, formatter)
        with formatter.section("Commands"):
            formatter.write_dl([(name, sub.get_short_help_str(limit=80)) for name, sub in self.commands.items()])
        formatter.write_paragraph()
        formatter.write_text(EVERYWHERE)
