"""What every command has: the shared options and the shape of its help.

The shared options stand on the group and on each command, so that
`gv --json show 7`, `gv show --json 7` and `gv show 7 --json` are one.  They
write into the `CommandContext`, which the group makes and commands inherit.
"""

from __future__ import annotations

import os
from functools import cached_property, partial

import click

from gvstore.cli.context import CommandContext
from gvstore.errors import BadRev

pass_context = click.make_pass_decorator(CommandContext, ensure=True)

EVERYWHERE = "Every command also takes -C DIR, --json, -q, --color WHEN and --no-pager: see `gv --help`."


def _change_folder(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    """Enters the folders of all `-C`, each counted from the one before, as in git."""
    for folder in value:
        try:
            os.chdir(folder)
        except OSError as e:
            raise BadRev(f"cannot enter {folder}: {e.strerror}") from e


def _remember(ctx: click.Context, param: click.Parameter, value: object) -> None:
    """Notes an option that was given; one given before the command is not undone by its absence after it."""
    if value is not None and param.name is not None:
        setattr(ctx.ensure_object(CommandContext), param.name.removeprefix("_"), value)


def shared_options(*, hidden: bool) -> list[click.Option]:
    """Returns fresh options that every command takes; their names leave `folder` and the like to commands."""
    return [
        click.Option(
            ["-C", "_folder"], metavar="DIR", multiple=True, is_eager=True, expose_value=False, callback=_change_folder, hidden=hidden,
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
        """Returns the command's own parameters, then the shared ones; its own `-C` stands in the place of the shared."""
        own = super().get_params(ctx)
        if any("-C" in each.opts for each in self.params):
            return [*own, *(each for each in _SHARED if "-C" not in each.opts)]
        return [*own, *_SHARED]

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


class PathCommand(Command):
    """A command that takes paths behind `--`: how many words stand there is kept, click itself forgets it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Takes the arguments apart; `-3` stands for `-n 3`, as in git."""
        end = args.index("--") if "--" in args else len(args)
        if "--" in args:
            ctx.meta[BEHIND] = len(args) - end - 1
        if any("-n" in each.opts for each in self.params):
            words = args[:end]
            args = [part for word in words for part in (("-n", word[1:]) if _is_count(word) else (word,))] + args[end:]
        return super().parse_args(ctx, args)


class RevCommand(PathCommand):
    """A command that takes ranges: `--all`, `--not` and the like stand among the revs, in their order."""

    @cached_property
    def rev_words(self) -> list[click.Parameter]:
        """The options that are words of a range."""
        options = {
            "--all": "Take all branches, tags, and HEAD",
            "--branches": "Take all branches",
            "--tags": "Take all tags",
            "--not": "Leave out what leads to the revs that follow, as ^REV does for one",
        }
        return [click.Option([name], is_flag=True, expose_value=False, help=text) for name, text in options.items()]

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Returns the command's own parameters, then those of ranges, then the shared ones."""
        return [*self.params, *self.rev_words, *super().get_params(ctx)[len(self.params) :]]

    def make_parser(self, ctx: click.Context) -> click.parser._OptionParser:
        """Returns a parser that leaves the words of ranges where they stand."""
        parser = super().make_parser(ctx)
        for option in self.rev_words:
            name = option.opts[0]
            parser._long_opt[name].process = partial(_leave, name)  # type: ignore[method-assign]
        return parser


BEHIND = "gvstore.behind"  # in click's meta: how many words stand behind `--`, if one was typed


def _leave(name: str, value: object, state: click.parser._ParsingState) -> None:
    state.largs.append(name)


def _is_count(word: str) -> bool:
    return word[:1] == "-" and word[1:].isascii() and word[1:].isdecimal()


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
