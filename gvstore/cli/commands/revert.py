"""gv revert: undoes what commits changed, by new commits."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import UsageFault


@click.command("revert", cls=Command)
@click.argument("revs", metavar="[COMMIT | A..B]...", nargs=-1)
@click.option("-m", "--mainline", metavar="N", type=click.IntRange(min=1), help="Of a merge: take back what it brought to its Nth parent")  # fmt: skip
@click.option("-n", "--no-commit", is_flag=True, help="Change the files and commit nothing")
@click.option("-X", "--strategy-option", "favour", metavar="SIDE", type=click.Choice(["ours", "theirs"]), help="Take the lines of SIDE, ours or theirs, where both changed them")  # fmt: skip
@click.option("--continue", "continuing", is_flag=True, help="Go on when the conflicts are decided")
@click.option("--skip", is_flag=True, help="Leave out the commit that has conflicts and go on")
@click.option("--abort", is_flag=True, help="Take an unfinished revert back")
@click.option("--allow-conflicts", is_flag=True, help="With --continue: take conflicts that are left as they are")
@click.option("--no-edit", is_flag=True, hidden=True, help="A habit of git's: what it does anyway")
@pass_context
def command(
    cx: CommandContext,
    revs: tuple[str, ...],
    mainline: int | None,
    no_commit: bool,
    favour: str | None,
    continuing: bool,
    skip: bool,
    abort: bool,
    allow_conflicts: bool,
    no_edit: bool,
) -> int:
    """Undo what commits changed, by new commits

    History stays: a new commit takes back what the old one did, wherever it stands.  Several are undone in the order
    given, a range from its newest on.  To take back the last command instead, files and all: `gv undo`.

    \b
    Example:
      gv revert HEAD~2
    """
    from gvstore.cli.picking import PickEnd, commits_of, end_pick, pick_commits
    from gvstore.repo.pending import Action, PickWords

    end = PickEnd(continuing, skip, abort, allow_conflicts)
    if end.wanted:
        end.check(revs, "revert")
        return end_pick(cx, Action.REVERT, end)
    if not revs:
        raise UsageFault("gv revert needs a COMMIT", hint="`gv revert HEAD` undoes the last one; `gv log` lists them.")
    commits = commits_of(cx.journal, revs, newest_first=True)
    words = PickWords(mainline or 0, no_commit, favour=favour or "")
    return pick_commits(cx, Action.REVERT, commits, words)
