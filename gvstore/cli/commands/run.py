"""gv run: executes a function and records every call."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext


@click.command("run", cls=Command, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("-m", "--message", metavar="WHY", default="", help="Say why, for `gv runs`")
@click.option("--group", metavar="NAME", default="", help="Put the run into a group; RUN does not move to it")
@click.argument("target")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
@pass_context
def command(cx: CommandContext, message: str, group: str, target: str, args: tuple[str, ...]) -> None:
    """Run a function and record every call

    TARGET is FILE.py:FUNCTION or package.module:FUNCTION.  What follows are its arguments, read as the function's
    annotations say: values in order, --name VALUE, name=VALUE; @FILE is the text of a file, of FILE.json its content.
    gv's own options stand before TARGET.  What the program prints goes to stderr.

    \b
    Example:
      gv run dice.py:roll_sum 2
      gv run story.py:write --topic otters
    """
    from gvstore.cli.execution import answer, program_speaks
    from gvstore.journal.arguments import parse_arguments
    from gvstore.journal.perform import live_component
    from gvstore.journal.running import RunOptions
    from gvstore.journal.target import load_target

    repo = cx.journal
    with repo:
        with program_speaks(cx):
            loaded = load_target(target, root=repo.path, folder=cx.folder)
            values, named = parse_arguments(live_component(loaded.subject), args, cx.folder)
            options = RunOptions(
                target=loaded.text, message=message, group=group, argv=("gv", *cx.arguments), move_run=not group
            )
            performed = repo.perform(loaded.subject, values, named, options)
        answer(cx, performed)
