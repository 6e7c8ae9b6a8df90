"""Takes runs out of the list: their refs go, and with them what is said of them.

`gv undo` brings them back.  What else leads to a run keeps it: a tag.  Links of commits and of runs
that were derived from it are weak: they go on naming it, and `gv gc` takes it when the reflog's window is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import BadRev, WouldLose
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import BRANCHES, HEAD, notes_ref, run_ref
from gvstore.refs.value import value_oid

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


class StillRunning(WouldLose):
    """A run that is being recorded was to be removed."""

    hint = "Wait for it to end, or stop it."

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(f"run/{number} is still running")


@dataclass(frozen=True, slots=True)
class Removal:
    """A run that goes: `commits` still name it, `tags` still lead to it."""

    number: int
    oid: ObjectId
    commits: tuple[ObjectId, ...] = ()
    tags: tuple[str, ...] = ()


def plan_removal(repo: Repository, numbers: Sequence[int]) -> list[Removal]:
    """Returns what would go, and what would still name it.

    Raises:
        StillRunning: one of them is being recorded.
        BadRev: one of them is not there.
    """
    oids: dict[int, ObjectId] = {}
    for number in dict.fromkeys(numbers):
        row = repo.refs.run(number)
        if row is None or row.removed:
            raise BadRev(f"there is no run/{number}", hint="`gv runs` lists the runs.")
        if row.oid is None:
            raise StillRunning(number)
        oids[number] = row.oid
    holders, tagged = _commits(repo, set(oids.values())), _tags(repo)
    return [Removal(n, oid, holders.get(oid, ()), tagged.get(oid, ())) for n, oid in oids.items()]


def remove_runs(repo: Repository, runs: Sequence[Removal], *, author: str, now: int) -> None:
    """Removes the runs with what is said of them, as one operation.

    Raises:
        RefMoved: another process changed one of them meanwhile; nothing was removed.
    """
    names = " ".join(f"run/{each.number}" for each in runs[:20]) + (f" and {len(runs) - 20} more" if len(runs) > 20 else "")
    with repo.transaction(f"rm {names}", author=author, now=now) as transaction:
        for each in runs:
            transaction.delete(run_ref(each.number), expected=each.oid, message="rm: removed")
            if (notes := repo.refs.read(notes_ref(each.number))) is not None:
                transaction.delete(notes_ref(each.number), expected=notes, message="rm: removed with its run")
        if repo.refs.current_run() in {each.number for each in runs}:
            transaction.set_run(None, message="rm: its run was removed")


def _tags(repo: Repository) -> dict[ObjectId, tuple[str, ...]]:
    from gvstore.repo.tag import names_by_target

    return names_by_target(repo)


def _commits(repo: Repository, wanted: set[ObjectId]) -> dict[ObjectId, tuple[ObjectId, ...]]:
    """Returns the commits of all branches that name these runs."""
    from gvstore.repo.history import log

    heads = {value_oid(value) for value in repo.refs.list(BRANCHES).values()} | {repo.refs.resolve(HEAD)}
    found: dict[ObjectId, tuple[ObjectId, ...]] = {}
    for oid, commit in log(repo.objects, [head for head in heads if head is not None]):
        for run in wanted.intersection(commit.runs):
            found[run] = (*found.get(run, ()), oid)
    return found
