"""What `gv cherry-pick` and `gv revert` of commits share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.unfinished import (
    ConflictTold,
    conflict_lines,
    conflicts_told,
    moved_told,
    recipe_of,
    warn_missing,
)
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo.landing import Landed
    from gvstore.repo.pending import Action, PickWords
    from gvstore.repo.pick import Picked


@dataclass(frozen=True, slots=True)
class CommitMade:
    """A commit that was made, and the one that it came from."""

    oid: ObjectId
    source: ObjectId
    subject: str = field(metadata=HIDDEN)


@dataclass(frozen=True, slots=True)
class PickDone:
    """What a cherry-pick or revert came to; `dropped` are commits that changed nothing here, `stopped_at` is the one with conflicts."""

    action: str
    outcome: str
    branch: str | None
    commit: ObjectId | None
    made: tuple[CommitMade, ...]
    dropped: tuple[ObjectId, ...]
    stopped_at: ObjectId | None
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    conflicts: tuple[ConflictTold, ...]
    moved: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        place = paint("ref", self.branch) if self.branch else paint("head", "detached HEAD")
        for made in self.made:
            yield f"[{place} {paint('oid', made.oid.hex()[:8])}] {made.subject}"
        for oid in self.dropped:
            yield f"{paint('oid', oid.hex()[:8])} changes nothing here: left out"
        at = paint("oid", self.commit.hex()[:8]) if self.commit is not None else ""
        doing = "picking" if self.action == "cherry-pick" else "reverting"
        if self.stopped_at is not None:
            yield f"{doing} {paint('oid', self.stopped_at.hex()[:8])} on {place}: {units.count(len(self.conflicts), 'conflict')} to decide{self.moved}"
            yield from conflict_lines(self.conflicts, paint)
        elif self.outcome == "aborted":
            yield f"the {self.action} is taken back, HEAD is at {at}{self.moved}"
        elif self.outcome == "stopped":
            yield f"in the work tree, not committed{self.moved}"
        elif not (self.made or self.dropped):
            yield "nothing more to do"


@dataclass(frozen=True, slots=True)
class PickEnd:
    """How an unfinished sequence goes on: one of the three."""

    continuing: bool = False
    skip: bool = False
    abort: bool = False
    allow_conflicts: bool = False

    @property
    def wanted(self) -> bool:
        """Whether one of them was asked for."""
        return self.continuing or self.skip or self.abort

    def check(self, revs: Sequence[str], name: str) -> None:
        """Lets pass what makes sense.

        Raises:
            UsageFault: several were asked for, or revs beside them.
        """
        if revs or self.continuing + self.skip + self.abort != 1:
            raise UsageFault("--continue, --skip and --abort stand alone", hint=f"`gv {name} --help` shows how.")


def commits_of(repo: Repository, revs: Sequence[str], *, newest_first: bool) -> list[ObjectId]:
    """Returns the commits that revs name, in the order given; if a range (`A..B`) is among them, those of all of it, by history.

    Raises:
        BadRev: a rev names no commit, or a range is empty.
    """
    from gvstore.repo.rev_range import is_range_word, list_range, parse_range

    if not any(map(is_range_word, revs)):
        return [repo.resolve_commit(rev) for rev in revs]
    found = [entry.oid for entry in list_range(repo.objects, parse_range(repo, revs))]
    if not found:
        raise BadRev(f"{' '.join(revs)} holds no commit", hint="The older end stands first: `gv log A..B` shows them.")
    return found if newest_first else found[::-1]


def pick_commits(
    cx: CommandContext, action: Action, commits: Sequence[ObjectId], words: PickWords, message: str = ""
) -> int:
    """Picks or reverts, tells what came of it, and returns the exit code."""
    from gvstore.repo.pick import pick

    repo = cx.journal
    done = pick(repo, action, commits, words, recipe_of(cx, repo), message=message)
    return _tell(cx, repo, action, done)


def end_pick(cx: CommandContext, action: Action, end: PickEnd) -> int:
    """Continues, skips or aborts, tells what came of it, and returns the exit code."""
    from gvstore.repo.conclude import abort
    from gvstore.repo.pick import Picked, carry_on

    repo = cx.journal
    recipe = recipe_of(cx, repo)
    if end.abort:
        before = repo.head
        _, landed = abort(repo, action, recipe)
        return _tell(cx, repo, action, Picked(before, (), (), None, landed), outcome="aborted")
    done = carry_on(repo, action, recipe, allow_conflicts=end.allow_conflicts, skip=end.skip)
    return _tell(cx, repo, action, done)


def _tell(cx: CommandContext, repo: Repository, action: Action, done: Picked, *, outcome: str = "") -> int:
    from gvstore.objects.commit import Commit

    landed: Landed = done.landed
    warn_missing(cx, landed)
    if not outcome:
        moved = landed.written or landed.deleted
        outcome = "conflicts" if done.stopped_at else "done" if done.made or not moved else "stopped"
    made = tuple(
        CommitMade(oid, source, Commit.get(repo.objects, oid).message.partition("\n")[0]) for source, oid in done.made
    )
    conflicts = conflicts_told(landed.conflicts, landed.value_conflicts) if done.stopped_at else ()
    cx.output.result(
        PickDone(
            action.value,
            outcome,
            repo.branch,
            repo.head,
            made,
            done.dropped,
            done.stopped_at,
            landed.written,
            landed.deleted,
            conflicts,
            moved_told(landed),
        )
    )
    if done.stopped_at is None:
        return 0
    name = f"gv {action.value}"
    cx.output.hint(
        f"Decide them in the files, then `{name} --continue`; `{name} --skip` leaves this commit out, `{name} --abort` takes all back."
    )
    return 1
