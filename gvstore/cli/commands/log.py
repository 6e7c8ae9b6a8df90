"""gv log: the commits that lead to one, the newest first."""

from __future__ import annotations

from collections.abc import Iterator

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.shown_commit import CommitShower, CommitShown


@click.command("log", cls=Command)
@click.argument("rev", default="HEAD")
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only")
@click.option("--oneline", is_flag=True, help="Show a commit on one line")
@click.option("-p", "--patch", is_flag=True, help="Show what each commit changed, line by line")
@click.option("--stat", is_flag=True, help="Show which files each commit changed")
@pass_context
def command(cx: CommandContext, rev: str, limit: int | None, oneline: bool, patch: bool, stat: bool) -> None:
    """Show the commits, the newest first

    \b
    Example:
      gv log --oneline -n 10
    """
    form = "oneline" if oneline else "patch" if patch else "stat" if stat else "full"
    cx.output.stream(_commits(cx, rev, limit, form), paged=True)


def _commits(cx: CommandContext, rev: str, limit: int | None, form: str) -> Iterator[CommitShown]:
    repo = cx.repository
    shower = CommitShower(repo)
    for number, entry in enumerate(repo.log(rev, limit=limit)):
        changes = shower.changes(entry.commit) if form in ("patch", "stat") else None
        yield shower.show(entry.oid, entry.commit, form=form, changes=changes, separated=number > 0)
