"""gv rm: takes runs out of the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository

_SHOWN = 20


class RemovesRuns(UsageFault):
    """A file was to be removed, as with git."""

    hint = "Delete the file, then `gv commit`: there is no staging area to tell."

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} is a file, and gv rm takes runs out of the list")


@dataclass(frozen=True, slots=True)
class RunRemoved:
    """A run that was removed; `commits` still name it, `tags` keep it."""

    run: str
    number: int
    oid: ObjectId
    commits: tuple[ObjectId, ...]
    tags: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        kept = f"  kept by the tag {', '.join(self.tags)}" if self.tags else ""
        if self.commits and not kept:
            more = f" and {len(self.commits) - 1} more" if len(self.commits) > 1 else ""
            kept = f"  still named by commit {self.commits[0].hex()[:8]}{more}"
        yield f"  {paint('run', self.run)}  {paint('oid', self.oid.hex()[:8])}{kept}"


@dataclass(frozen=True, slots=True)
class RunsRemoved:
    """The runs that were removed, or with `dry_run` would be."""

    removed: tuple[RunRemoved, ...]
    dry_run: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{'would remove' if self.dry_run else 'removed'} {units.count(len(self.removed), 'run')}"
        for each in self.removed[:_SHOWN]:
            yield from each.lines(paint)
        if len(self.removed) > _SHOWN:
            yield f"  … and {len(self.removed) - _SHOWN:,} more"


@click.command("rm", cls=Command)
@click.argument("revs", metavar="[RUN]...", nargs=-1)
@click.option("--group", metavar="NAME", help="The runs of this group")
@click.option("--where", metavar="QUERY", help="The runs of which this is true, as `gv runs --where` takes it")
@click.option("-n", "--dry-run", is_flag=True, help="Say what would be removed; change nothing")
@pass_context
def command(cx: CommandContext, revs: tuple[str, ...], group: str | None, where: str | None, dry_run: bool) -> None:
    """Take runs out of the list

    Notes and scores go along.  `gv undo` brings all of it back.  A run with a tag stays readable by that; what nothing
    leads to is taken by `gv gc` when the reflog's window (90 days) is over, also where a commit names it.
    RUN may be a range, run/3..run/9, both ends included.  `gv forget` takes runs away at once and for good.

    \b
    Example:
      gv rm run/7 run/8
      gv rm --group tries --dry-run
      gv rm --where 'status == "raised" and age > days(30)'
    """
    from gvstore import host
    from gvstore.cli.subject import run_name
    from gvstore.repo.removal import plan_removal, remove_runs

    repo = cx.journal
    if not revs and group is None and where is None:
        raise UsageFault("no run is named", hint="`gv rm run/7`, `gv rm --group NAME`; `gv runs` lists the runs.")
    runs = _selected(cx, repo, revs, group) if revs or group is not None else []
    if where is not None:
        runs += [run for run in repo.runs.where(where) if run.number not in {each.number for each in runs}]
    if not runs:
        raise BadRev("no run is like that", hint="`gv runs --where` shows what a query finds.")
    if unnumbered := [run for run in runs if not run.number]:
        raise BadRev(f"{run_name(unnumbered[0])} is not in the list", hint="`gv runs` lists the runs.")
    numbers = [repo.settled(run).number for run in runs]
    plan = plan_removal(repo, numbers)
    if not dry_run:
        remove_runs(repo, plan, author=repo.author(), now=host.now_us())
    told = tuple(RunRemoved(f"run/{each.number}", each.number, each.oid, each.commits, each.tags) for each in plan)
    cx.output.result(RunsRemoved(told, dry_run))


def _selected(cx: CommandContext, repo: Repository, revs: tuple[str, ...], group: str | None) -> list[RunOf]:
    from gvstore.cli.selection import selected_runs

    try:
        return selected_runs(repo, revs, group)
    except BadRev as e:
        for rev in revs:
            if (cx.folder / rev).exists() or rev in repo.head_files():
                raise RemovesRuns(rev) from e
        raise
