"""What `gv reset` does: the branch goes to another commit, and with `hard` the files too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import HEAD
from gvstore.repo.checkout import plan, write_mark
from gvstore.repo.files import read_files
from gvstore.repo.moved import Moved, move_files
from gvstore.repo.pending import check_none, pending_of, write_pending
from gvstore.repo.switch import known_files, lying_files, unsaved, written

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Reset:
    """What a reset did: `before` is where HEAD was, None before the first commit.

    `gave_way` are files that were overwritten or deleted although no commit has what they held.
    """

    commit: ObjectId
    before: ObjectId | None
    branch: str | None
    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    gave_way: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def reset(repo: Repository, oid: ObjectId, *, rev: str, hard: bool, author: str, now: int) -> Reset:
    """Moves HEAD's branch, or HEAD where it is detached, to a commit; `rev` is what it was called.

    The files stay as they are, unless `hard`: then they are brought to the commit's.
    What was edited gives way, stored before; files that neither commit speaks of stay.

    Raises:
        InTheMiddle: a merge, revert or cherry-pick is not finished, and not `hard`, which ends it.
        WouldOverwrite: something is in the way that no tree can hold, a socket say; nothing was touched.
        RefMoved, WorktreeBusy, BadPath, CannotWrite: as a checkout.
    """
    commit = Commit.get(repo.objects, oid)
    command = f"reset {'--hard ' if hard else ''}{rev}"
    with repo.worktree_lock():
        pending = pending_of(repo)
        if not hard:
            check_none(repo, f"`gv {command}`")
        ref, before = repo.refs.head_ref() or HEAD, repo.head
        moved, done = Moved(), Reset(oid, before, repo.branch)
        if hard:
            known = known_files(repo)
            target = read_files(repo.objects, commit.tree)
            lying = lying_files(repo)
            todo = plan(repo.worktree, target, known=known, delete=True, every=True, force=True, lying=lying)
            trees = pending.trees if pending is not None else ()
            moved = move_files(repo, todo, f"gv {command}", commit.tree, *trees)
            gone = tuple(moved.missing)
            done = Reset(oid, before, repo.branch, written(todo, moved), todo.delete, unsaved(todo, known), gone)
        with repo.transaction(command, author=author, now=now) as transaction:
            transaction.update(ref, oid, expected=before, message=f"reset: moving to {rev}")
            moved.note(transaction)
        if hard:
            write_pending(repo.gv, None)
            write_mark(repo.gv, None)
    return done
