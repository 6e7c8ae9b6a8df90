"""Branches: names of commits that move with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import WouldLose
from gvstore.objects.oid import ObjectId
from gvstore.refs.fault import RefMissing
from gvstore.refs.names import BRANCHES, HEAD, branch_ref, short_name
from gvstore.refs.value import format_symbolic, value_oid
from gvstore.repo.history import is_ancestor

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch; `current` is the one that HEAD is on, which may have no commit yet."""

    name: str
    oid: ObjectId | None
    current: bool


class CurrentBranch(WouldLose):
    """The branch to be deleted or moved is the one that HEAD is on."""

    hint = "Check out another one first."

    def __init__(self, name: str, what: str, *, hint: str = "") -> None:
        self.name = name
        super().__init__(f"{name} is the current branch and cannot be {what}", hint=hint or self.hint)


class UnmergedBranch(WouldLose):
    """The branch to be deleted holds commits that no other branch leads to."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"{name} has commits that are on no other branch", hint=f"`gv branch -D {name}` deletes it all the same."
        )


def branches(repo: Repository) -> tuple[Branch, ...]:
    """Returns all branches by name, the current one also where it has no commit yet."""
    current = repo.refs.head_ref()
    values = repo.refs.list(BRANCHES)
    if current and current.startswith(BRANCHES):
        values.setdefault(current, "")
    return tuple(
        Branch(ref[len(BRANCHES) :], value_oid(value), ref == current) for ref, value in sorted(values.items())
    )


def create_branch(
    repo: Repository, name: str, start: ObjectId, *, author: str, now: int, force: bool = False
) -> ObjectId | None:
    """Makes a branch at a commit; with `force` moves it there if it is there, and returns where it was.

    Raises:
        RefExists, RefClash, BadRefName: the name is taken, clashes with another, or is none.
        CurrentBranch: it is to be moved, and HEAD is on it.
    """
    ref = branch_ref(name)
    before = repo.refs.resolve(ref) if force else None
    if force and repo.refs.head_ref() == ref:
        raise CurrentBranch(name, "moved", hint=f"`gv reset {start.hex()[:8]}` moves it.")
    with repo.transaction(f"branch {'-f ' * force}{name}", author=author, now=now) as transaction:
        if before is None:
            transaction.create(ref, start, message=f"branch: created at {start.hex()[:8]}")
        else:
            transaction.update(ref, start, expected=before, message=f"branch: moved to {start.hex()[:8]}")
    return before


def delete_branches(
    repo: Repository, names: Sequence[str], *, force: bool, author: str, now: int
) -> list[ObjectId]:
    """Deletes branches, all or none, and returns where each was; their reflogs stay.

    Raises:
        CurrentBranch: HEAD is on one.
        UnmergedBranch: no branch that stays leads to its commits, and not `force`.
        RefMissing: there is no such branch.
    """
    refs = {branch_ref(name): name for name in names}
    values = {ref: value_oid(value) for ref, value in repo.refs.list(BRANCHES).items()}
    stay = {oid for ref, oid in values.items() if ref not in refs and oid} | ({repo.head} if repo.head else set())
    gone = dict[str, ObjectId]()
    for ref, name in refs.items():
        if repo.refs.head_ref() == ref:
            raise CurrentBranch(name, "deleted")
        oid = values.get(ref)
        if oid is None:
            raise RefMissing(name, [short_name(each) for each in values])
        if not force and not any(is_ancestor(repo.objects, oid, other) for other in stay):
            raise UnmergedBranch(name)
        gone[ref] = oid
    with repo.transaction(f"branch -d {' '.join(names)}", author=author, now=now) as transaction:
        for ref, oid in gone.items():
            transaction.delete(ref, expected=oid, message="branch: deleted")
    return list(gone.values())


def rename_branch(repo: Repository, old: str, new: str, *, author: str, now: int) -> None:
    """Renames a branch; HEAD goes with it.

    Raises:
        RefMissing, RefExists, RefClash, BadRefName: there is no `old`, or no place for `new`.
    """
    source, target = branch_ref(old), branch_ref(new)
    on_it = repo.refs.head_ref() == source
    oid = repo.refs.resolve(source)
    if oid is None and not on_it:
        raise RefMissing(old, [short_name(each) for each in repo.refs.list(BRANCHES)])
    if source == target:
        return
    message = f"branch: renamed {old} to {new}"
    with repo.transaction(f"branch -m {old} {new}", author=author, now=now) as transaction:
        if oid is not None:
            transaction.delete(source, expected=oid, message=message)
            transaction.create(target, oid, message=message)
        if on_it:
            transaction.set_symbolic(HEAD, target, expected=format_symbolic(source), message=message)
