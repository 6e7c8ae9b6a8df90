"""gv undo: takes back what the last command did."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext


@click.command("undo", cls=Command)
@click.argument("operation", required=False)
@click.option("--to", metavar="OPERATION", help="Take back all commands after this one")
@click.option("--keep-files", is_flag=True, help="Move the refs alone, and leave the work tree as it is")
@click.option("--dry-run", is_flag=True, help="Say what would be taken back, and do nothing")
@pass_context
def command(cx: CommandContext, operation: str | None, to: str | None, keep_files: bool, dry_run: bool) -> None:
    """Take back what the last command did

    Refs, runs, tags and values go back, and so do files that the command moved; a file that was edited since is not
    overwritten.  The files of a commit stay as they are.  A second undo takes back the command before, `gv redo` does it
    again.  With OPERATION, a number of `gv op log`, that one alone is taken back, if nothing that it moved has moved since.

    What `gv forget` and `gv gc` deleted does not come back, and settings are not looked after.

    \b
    Example:
      gv undo
      gv undo --to 12
    """
    from gvstore import host
    from gvstore.cli.undone import show_undone
    from gvstore.errors import UsageFault
    from gvstore.repo.undo import undo

    if operation is not None and to is not None:
        raise UsageFault("either one operation is taken back, or all after one", hint="`gv undo 12`, or `gv undo --to 12`.")
    repo = cx.repository
    done = undo(
        repo, operation if to is None else to, to=to is not None, keep_files=keep_files, dry_run=dry_run,
        author=repo.author(), now=host.now_us(),
    )  # fmt: skip
    cx.output.result(show_undone(cx, repo, done, dry_run=dry_run))
