"""Branches: names of commits that move with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import WouldLose
from gvstore.objects.oid import ObjectId
from gvstore.refs.fault import RefMissing
from gvstore.refs.names import BRANCHES, HEAD, branch_ref
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
    """The branch to be deleted is the one that HEAD is on."""

    hint = "Check out another one first."

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is the current branch")


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


def create_branch(repo: Repository, name: str, start: ObjectId, *, author: str, now: int) -> None:
    """Makes a branch at a commit.

    Raises:
        RefExists, RefClash, BadRefName: the name is taken, clashes with another, or is none.
    """
    with repo.transaction(f"branch {name}", author=author, now=now) as transaction:
        transaction.create(branch_ref(name), start, message=f"branch: created at {start.hex()[:8]}")


def delete_branch(repo: Repository, name: str, *, force: bool, author: str, now: int) -> ObjectId:
    """Deletes a branch and returns where it was; its reflog stays.

    Raises:
        CurrentBranch: HEAD is on it.
        UnmergedBranch: no other branch leads to its commits, and not `force`.
        RefMissing: there is no such branch.
    """
    ref = branch_ref(name)
    oid = repo.refs.resolve(ref)
    if repo.refs.head_ref() == ref:
        raise CurrentBranch(name)
    if oid is None:
        raise RefMissing(name)
    if not force:
        others = {value_oid(value) for other, value in repo.refs.list(BRANCHES).items() if other != ref}
        others.add(repo.head)
        if not any(is_ancestor(repo.objects, oid, other) for other in others if other):
            raise UnmergedBranch(name)
    with repo.transaction(f"branch -d {name}", author=author, now=now) as transaction:
        transaction.delete(ref, expected=oid, message="branch: deleted")
    return oid


def rename_branch(repo: Repository, old: str, new: str, *, author: str, now: int) -> None:
    """Renames a branch; HEAD goes with it.

    Raises:
        RefMissing, RefExists, RefClash, BadRefName: there is no `old`, or no place for `new`.
    """
    source, target = branch_ref(old), branch_ref(new)
    on_it = repo.refs.head_ref() == source
    oid = repo.refs.resolve(source)
    if oid is None and not on_it:
        raise RefMissing(old)
    if source == target:
        return
    message = f"branch: renamed {old} to {new}"
    with repo.transaction(f"branch -m {old} {new}", author=author, now=now) as transaction:
        if oid is not None:
            transaction.delete(source, expected=oid, message=message)
            transaction.create(target, oid, message=message)
        if on_it:
            transaction.set_symbolic(HEAD, target, expected=format_symbolic(source), message=message)
