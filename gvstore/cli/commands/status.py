"""gv status: how the work tree differs from the last commit, and which runs are in none yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.unfinished import Unfinished, unfinished
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.repo import Repository

_WORDS = {"added": "new", "modified": "modified", "deleted": "deleted", "renamed": "renamed"}
_ROLES = {"added": "added", "modified": "changed", "deleted": "removed", "renamed": "changed"}


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file that moved with its content unchanged."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something in the work tree that no commit can hold."""

    path: str
    why: str


@dataclass(frozen=True, slots=True)
class WorktreeStatus:
    """The work tree beside HEAD; `runs` are the runs that the next commit would take, `values` the names it adds or moves."""

    branch: str | None
    head: ObjectId | None
    added: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    renamed: tuple[Renamed, ...]
    skipped: tuple[Skipped, ...]
    runs: tuple[str, ...]
    values: tuple[str, ...]
    laid_over: str | None
    checkout_under_way: str | None
    unfinished: Unfinished | None = None

    def lines(self, paint: Paint) -> Iterator[str]:
        yield self._place(paint)
        if self.checkout_under_way:
            target = self.checkout_under_way
            what = f"`{target}`" if target.startswith("gv ") else f"a checkout of {target}"
            again = target if target.startswith("gv ") else f"gv checkout {target}"
            yield paint("warning", f"{what} did not end: `{again}` does it again, `gv undo` takes it back")
        if self.unfinished:
            yield from self.unfinished.lines(paint)
        if self.laid_over:
            yield f"the work tree has the code of {paint('run', self.laid_over)}"
        for name in ("added", "modified", "deleted"):
            for path in self._plain(name):
                yield f"  {paint(_ROLES[name], _WORDS[name].ljust(9))} {printable(path)}"
        for moved in self.renamed:
            yield f"  {paint('changed', 'renamed'.ljust(9))} {printable(moved.old)} → {printable(moved.new)}"
        for left in self.skipped:
            yield f"  {paint('quiet', 'left out'.ljust(9))} {printable(left.path)} ({left.why})"
        if not (self.added or self.modified or self.deleted or self.renamed or self.unfinished):
            yield "no changes"
        if self.runs:
            yield f"runs not committed yet: {' '.join(paint('run', run) for run in self.runs)}"
        if self.values:
            yield f"values not committed yet: {' '.join(paint('ref', name) for name in self.values)}"

    def _plain(self, name: str) -> Iterator[str]:
        """Yields the paths of a kind of change, but for those that are told as conflicts."""
        told = {each.path for each in self.unfinished.conflicts} if self.unfinished else set()
        return (path for path in getattr(self, name) if path not in told)

    def _place(self, paint: Paint) -> str:
        if self.branch is not None:
            first = "" if self.head else ", no commit yet"
            return f"on branch {paint('ref', self.branch)}{first}"
        assert self.head is not None
        return f"HEAD detached at {paint('oid', self.head.hex()[:8])}"


@dataclass(frozen=True, slots=True)
class ShortStatus(WorktreeStatus):
    """What `gv status -s` shows: as WorktreeStatus, a line a file."""

    with_branch: bool = field(default=False, metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.short_status import short_lines

        return short_lines(self, paint, branch=self.with_branch)


@click.command("status", cls=Command)
@click.option("-s", "--short", "--porcelain", "short", is_flag=True, help="Show a line a file, with git's letters: ` M` modified, `??` new")
@click.option("-b", "--branch", is_flag=True, help="With -s, show the branch too")
@click.option("--long", "-u", is_flag=True, hidden=True, expose_value=False, help="Habits of git's: what it does anyway")
@pass_context
def command(cx: CommandContext, short: bool, branch: bool) -> None:
    """Show what changed since the last commit

    \b
    Example:
      gv status
      gv status -s
    """
    status = worktree_status(cx.repository)
    if short:
        known = {each.name: getattr(status, each.name) for each in fields(WorktreeStatus)}
        status = ShortStatus(**known, with_branch=branch)
    cx.output.result(status)


def worktree_status(repo: Repository) -> WorktreeStatus:
    """Returns the work tree beside HEAD."""
    found = repo.status()
    mark = found.mark
    return WorktreeStatus(
        branch=found.branch,
        head=found.head,
        added=found.added,
        modified=found.modified,
        deleted=found.deleted,
        renamed=tuple(Renamed(old, new) for old, new in found.renamed),
        skipped=tuple(Skipped(each.path, each.why) for each in found.skipped),
        runs=_runs(repo),
        values=_values(repo),
        laid_over=mark.label if mark is not None and mark.done else None,
        checkout_under_way=mark.label if mark is not None and not mark.done else None,
        unfinished=unfinished(found.pending, found.undecided) if found.pending is not None else None,
    )


def _runs(repo: Repository) -> tuple[str, ...]:
    """Returns the names of the runs that the next commit takes, those whose process died among them."""
    from gvstore.journal.commit import dead_to_commit, runs_to_commit

    dead = dead_to_commit(repo)
    stored = repo.refs.run_numbers(runs_to_commit(repo))
    return tuple(f"run/{number}" for number in sorted([*dead, *stored.values()]))


def _values(repo: Repository) -> tuple[str, ...]:
    """Returns the named values that HEAD does not have, or has otherwise."""
    from gvstore.objects.commit import Commit
    from gvstore.repo.commit import named_values

    known = Commit.get(repo.objects, repo.head).values if repo.head is not None else {}
    return tuple(sorted(name for name, oid in named_values(repo).items() if known.get(name) != oid))
