"""gv redo: does again what the last undo took back."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext


@click.command("redo", cls=Command)
@click.option("--keep-files", is_flag=True, help="Move the refs alone, and leave the work tree as it is")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing")
@pass_context
def command(cx: CommandContext, keep_files: bool, dry_run: bool) -> None:
    """Do again what the last undo took back

    Each redo takes the newest undo back, until another command is typed.

    \b
    Example:
      gv redo
    """
    from gvstore import host
    from gvstore.cli.undone import show_undone
    from gvstore.repo.undo import redo

    repo = cx.repository
    done = redo(repo, keep_files=keep_files, dry_run=dry_run, author=repo.author(), now=host.now_us())
    cx.output.result(show_undone(cx, repo, done, dry_run=dry_run))
