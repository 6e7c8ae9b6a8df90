"""Conflicts of merges, reverts and picks as commands tell them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo.conclude import Left
    from gvstore.repo.conflict import Conflict, ValueConflict
    from gvstore.repo.landing import Landed, Recipe
    from gvstore.repo.pending import Pending


@dataclass(frozen=True, slots=True)
class ConflictTold:
    """A conflict: of a file, with the lines of its markers, or of a named value."""

    kind: str
    path: str | None
    value: str | None
    lines: tuple[tuple[int, int], ...]
    note: str

    def line(self, paint: Paint) -> str:
        """Returns it as a line."""
        name = printable(self.path) if self.path is not None else f"value {self.value}"
        place = ", ".join(f"{first}-{last}" if first != last else str(first) for first, last in self.lines)
        more = f" (lines {place})" if place else f" ({self.note})" if self.note else ""
        return f"  {paint('warning', self.kind.ljust(15))} {name}{more}"


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A merge, revert or cherry-pick that is not finished; `conflicts` are those that nobody decided yet, `todo` the commits to come."""

    action: str
    rev: str
    state: str
    conflicts: tuple[ConflictTold, ...]
    todo: tuple[ObjectId, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields what is going on and what ends it, then a line a conflict."""
        name = f"gv {self.action}"
        words = {"merge": "merging", "revert": "reverting", "cherry-pick": "picking"}[self.action]
        after = f", {len(self.todo)} to come" if self.todo else ""
        if self.state == "moving":
            verb = {"merge": "merge", "revert": "revert", "cherry-pick": "cherry-pick"}[self.action]
            yield paint(
                "warning",
                f"the {verb} of {self.rev} was cut off: `{name} --continue` goes on, `{name} --abort` takes it back",
            )
            return
        if self.state == "between":
            yield f"{words} {self.rev}: {len(self.todo)} to come: `{name} --continue`, or `{name} --abort`"
            return
        ends = f"`{name} --continue`" if self.todo else f"`gv commit` or `{name} --continue`"
        left = f"{units.count(len(self.conflicts), 'conflict')} to decide{after}, then" if self.conflicts else f"all decided{after}:"
        yield f"{words} {self.rev}: {left} {ends}; `{name} --abort` takes it back"
        yield from (each.line(paint) for each in self.conflicts)


def unfinished(pending: Pending, left: Sequence[Left]) -> Unfinished:
    """Returns what `gv status` tells of an unfinished thing."""
    from gvstore.repo.pending import Action, State

    told = [
        ConflictTold(
            each.conflict.kind.value,
            each.conflict.path,
            None,
            each.lines,
            each.conflict.note,
        )
        for each in left
    ]
    values = conflicts_told((), pending.value_conflicts)
    waits = pending.state is State.WAITING and pending.action is not Action.MERGE
    rev = pending.theirs.hex()[:8] if waits else pending.label
    return Unfinished(pending.action.value, rev, pending.state.value, (*told, *values), pending.todo)


def conflicts_told(files: Sequence[Conflict], values: Sequence[ValueConflict]) -> tuple[ConflictTold, ...]:
    """Returns conflicts as commands tell them."""
    found = [ConflictTold(each.kind.value, each.path, None, each.regions, each.note) for each in files]
    for each in values:
        where = ", ".join(path for path in each.paths if path)
        note = f"at {where}; " if where else ""
        found.append(ConflictTold("both modified", None, each.name, (), f"{note}left as ours has it"))
    return tuple(found)


def moved_told(landed: Landed) -> str:
    """Returns how many files were written and deleted, or nothing."""
    counts = [f"{units.count(len(landed.written), 'file')} written"] if landed.written else []
    counts += [f"{len(landed.deleted):,} deleted"] if landed.deleted else []
    return f"   {', '.join(counts)}" if counts else ""


def warn_missing(cx: CommandContext, landed: Landed) -> None:
    """Says which files could not be brought, for their content was forgotten."""
    for path, told in landed.missing.items():
        cx.output.warning(f"{printable(path)} {told}; it is missing here")


def conflict_lines(conflicts: Sequence[ConflictTold], paint: Paint) -> Iterator[str]:
    """Yields a line a conflict."""
    return (each.line(paint) for each in conflicts)


def recipe_of(cx: CommandContext, repo: Repository) -> Recipe:
    """Returns how commits are made here."""
    from gvstore.journal.commit import recipe

    return recipe(
        repo,
        unread=lambda each: cx.output.warning(
            f"{each.path} is no Python ({each.why}{f', line {each.line}' if each.line else ''}): no components of it are known"
        ),
    )
