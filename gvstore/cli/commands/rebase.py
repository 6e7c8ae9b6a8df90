"""gv rebase: replays many runs by one code, each as a new run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import BadRev

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository


@click.command("rebase", cls=Command)
@click.option("--onto", metavar="REV", help="Replay by the code of this commit or run, not the work tree's")
@click.option("--group", metavar="NAME", help="The runs of this group")
@click.option("--plan", "only_plan", is_flag=True, help="Say of each run what would run, and what all would cost; run nothing")
@click.option(
    "--max-calls", metavar="N", type=click.IntRange(min=0), help="Stop before one more call is executed, of all runs together"
)
@click.option(
    "--budget", metavar="N|TIME", help="Stop when all together have spent so many tokens (5000), or so much time (30s, 2m)"
)
@click.option("-m", "--message", metavar="WHY", default="", help="Say why")
@click.argument("revs", metavar="[RUN]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, onto: str | None, group: str | None, only_plan: bool, max_calls: int | None, budget: str | None,
    message: str, revs: tuple[str, ...],
) -> int:  # fmt: skip
    """Replay many runs by one code, each as a new run

    Each run is replayed as `gv replay` does it: what is unchanged is answered from its record, the rest runs.  The new run
    is derived from the old one, which stays, and is in its group.  RUN may be a range, run/3..run/9, both ends included.
    What fails does not keep the others from being replayed; the status is 1 then.  RUN moves if there is one run only.

    \b
    Example:
      gv rebase --group golden --plan
      gv rebase run/3..run/9 --onto main --budget 20000
    """
    from gvstore.cli.budget import purse_of
    from gvstore.cli.rebased import Rebase
    from gvstore.cli.selection import selected_runs
    from gvstore.cli.stored_code import running_code

    repo, purse = cx.journal, purse_of(budget)
    with repo:
        _check_no_commits(repo, revs)
        runs = selected_runs(repo, revs, group)
        with running_code(cx, repo, onto):
            rebase = Rebase(cx, repo, only_plan, message, max_calls, purse, move_run=len(runs) == 1)
            result = rebase.carry_out(runs)
        cx.output.result(result)
    return result.status


def _check_no_commits(repo: Repository, revs: tuple[str, ...]) -> None:
    """Raises BadRev where somebody means git's rebase."""
    from gvstore.repo.resolve import Found

    for rev in revs:
        if ".." not in rev and repo.resolve(rev, wanted=frozenset({Found.RUN})).found is Found.COMMIT:
            raise BadRev(
                f"{rev} is a commit, and gv rebase replays runs",
                hint=f"Lines of commits are joined: `gv merge {rev}`; or their commits are picked, on a new branch: "
                f"`gv switch -c NAME {rev}`, `gv cherry-pick {rev}..BRANCH`.",
            )
