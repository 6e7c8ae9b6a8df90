"""Brings the work tree, and then the branch, to what a merge, revert or cherry-pick made.

`.gv/pending` is written before the first file is touched and goes after the
refs have moved, so a killed process leaves either nothing, or something that
`--continue` and `--abort` know how to end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gvstore.errors import Conflict as ConflictFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.refs.names import HEAD, value_ref
from gvstore.refs.transaction import ANYTHING, Transaction
from gvstore.repo.checkout import Known, Plan, carry_out, plan, write_mark
from gvstore.repo.conflict import Conflict, ValueConflict
from gvstore.repo.files import Files, differing, find, patched, read_files
from gvstore.repo.moved import Moved, move_files, present_mark
from gvstore.repo.pending import Pending, State, check_none, next_of, read_pending, told, write_pending
from gvstore.repo.switch import known_files
from gvstore.repo.worktree import NO_STOPS, Stops

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

Changes = dict[str, TreeEntry | None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """Who makes commits, when (microseconds UTC), and what they hold beside files.

    `components` is asked for those that files define, `runs` for the runs that a commit takes which
    has these parents beside HEAD.
    """

    author: str
    now: int
    components: Callable[[Files], Mapping[str, ObjectId]] = lambda files: {}
    runs: Callable[[Sequence[ObjectId]], Sequence[ObjectId]] = lambda parents: ()
    stops: Stops = NO_STOPS


@dataclass(frozen=True, slots=True)
class Landed:
    """What was brought: files written and deleted, those that were forgotten (and how), the commit HEAD is at now."""

    head: ObjectId | None
    written: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()
    value_conflicts: tuple[ValueConflict, ...] = ()


class CheckoutUnfinished(ConflictFault):
    """A checkout was cut off: what it left must be brought in order first."""

    def __init__(self, command: str) -> None:
        super().__init__(
            f"`{command}` did not end: files of it lie about",
            hint=f"`{command}` does it again, `gv undo` takes it back.",
        )


class HeadMoved(ConflictFault):
    """HEAD is elsewhere than where an unfinished merge, revert or cherry-pick began."""

    def __init__(self, pending: Pending, head: ObjectId | None) -> None:
        action = pending.action.value
        super().__init__(
            f"HEAD was at {short(pending.head)} when {told(pending)} began and is at {short(head)} now",
            hint=f"`gv {action} --abort` brings the files back that it touched, and leaves HEAD alone.",
        )


def check_ready(repo: Repository, wanted: str) -> None:
    """Lets pass where nothing is unfinished.

    Raises:
        InTheMiddle: a merge, revert or cherry-pick is.
        CheckoutUnfinished: a checkout is.
    """
    check_none(repo, wanted)
    mark = present_mark(repo)
    if mark is not None and not mark.done:
        raise CheckoutUnfinished(mark.command)


def land(repo: Repository, pending: Pending, tree: ObjectId, *, command: str, said: str, recipe: Recipe) -> Landed:
    """Brings files to `tree`, and, if the pending thing has a `result`, the branch to that.

    Without a result it waits then, unless it has no conflicts and no further parents are kept for it: then the files were all.
    `command` names the operation, `said` stands in the reflog.  The caller holds the work tree's lock.

    Raises:
        WouldOverwrite, BadPath: nothing was touched.
        CannotWrite, RefMoved: it stopped there; `--continue` goes on, `--abort` takes it back.
    """
    head_tree = tree_of(repo, pending.head)
    changed = differing(repo.objects, head_tree, tree)
    if present_mark(repo) is None and read_pending(repo.gv) is None:  # nothing lies about but HEAD's files
        target = {path: new for path, (_, new) in changed.items() if new is not None}
        known = Known({path: old for path, (old, _) in changed.items() if old is not None})
    else:
        target, known = read_files(repo.objects, tree), known_files(repo)
    todo = plan(repo.worktree, target, known=known, delete=True)
    touched = dict.fromkeys((*changed, *todo.write, *todo.delete))
    worktree = repo.worktree
    with worktree.caching():
        was: Changes = {path: todo.present.get(path) or worktree.entry(path) for path in touched}
    since = patched(repo.objects, head_tree, was)
    after = patched(repo.objects, since, {path: target.get(path) for path in touched})
    pending = _joined(repo, replace(pending, since=since, after=after, state=State.MOVING), was, target)
    repo.objects.sync()
    write_pending(repo.gv, pending)
    return _carry_out(repo, pending, todo, command=command, said=said, recipe=recipe)


def land_again(repo: Repository, pending: Pending, *, command: str, said: str, recipe: Recipe) -> Landed:
    """Does the rest of a landing that was cut off.

    Raises:
        WouldOverwrite: a file was edited since; nothing more was touched.
        CannotWrite, RefMoved: as `land`.
    """
    target = read_files(repo.objects, pending.after)
    todo = plan(repo.worktree, target, known=known_files(repo), delete=True)
    return _carry_out(repo, pending, todo, command=command, said=said, recipe=recipe)


def _carry_out(repo: Repository, pending: Pending, todo: Plan, *, command: str, said: str, recipe: Recipe) -> Landed:
    missing = carry_out(repo.worktree, repo.objects, todo)
    written = tuple(path for path in todo.write if path not in missing)
    landed = Landed(pending.head, written, todo.delete, missing, pending.conflicts, pending.value_conflicts)
    return finish_landing(repo, pending, landed, command=command, said=said, recipe=recipe)


def finish_landing(
    repo: Repository, pending: Pending, landed: Landed, *, command: str, said: str, recipe: Recipe
) -> Landed:
    """Moves the branch, or waits; the files are there."""
    if pending.result is None and (pending.conflicts or pending.value_conflicts or not pending.words.no_commit):
        write_pending(repo.gv, replace(pending, state=State.WAITING))
        return landed
    with repo.transaction(command, author=recipe.author, now=recipe.now) as transaction:
        if pending.result is not None:
            move(repo, transaction, pending, said)
        Moved(pending.since, pending.after).note(transaction)
    write_pending(repo.gv, next_of(pending, pending.result) if pending.result is not None else None)
    write_mark(repo.gv, None)
    return replace(landed, head=pending.result or pending.head)


def move(repo: Repository, transaction: Transaction, pending: Pending, said: str) -> None:
    """Lets the pending thing's branch, and the values it changed, go to where its result is."""
    if pending.result is None:
        raise ValueError("there is no result to move to")
    transaction.update(pending.ref, pending.result, expected=pending.head, message=said)
    for name, oid in pending.values.items():
        transaction.update(value_ref(name), oid, expected=ANYTHING, message=said)


def check_head(repo: Repository, pending: Pending) -> None:
    """Lets pass where HEAD is still where the pending thing began.

    Raises:
        HeadMoved: it is not.
    """
    if repo.head != pending.head or (repo.refs.head_ref() or HEAD) != pending.ref:
        raise HeadMoved(pending, repo.head)


def bring_back(
    repo: Repository, pending: Pending, tree: ObjectId, *, label: str, head: ObjectId | None = None
) -> tuple[Moved, Landed]:
    """Brings the files that the pending thing touched to what `tree` has, whatever they hold; that is saved first.

    Returns what is to be noted in the command's transaction, and which files moved.
    """
    touched = differing(repo.objects, tree, pending.after)
    for path in {path for each in pending.conflicts for path in (each.path, *each.also)} - touched.keys():
        entry = find(repo.objects, tree, path)  # left as it was, to be decided: whoever decided may have changed it
        if entry is not None and entry.mode != Mode.FOLDER:
            touched[path] = (entry, entry)
    wanted = {path: old for path, (old, _) in touched.items() if old is not None}
    lying = {path: new for path, (_, new) in touched.items() if new is not None}
    todo = plan(repo.worktree, wanted, known=Known(lying, (wanted,)), delete=True, every=True, force=True)
    moved = move_files(repo, todo, label, pending.after)
    landed = Landed(head, tuple(todo.write), todo.delete, moved.missing)
    return moved, landed


def tree_of(repo: Repository, commit: ObjectId | None) -> ObjectId | None:
    """Returns the tree of a commit; None has none."""
    return Commit.get(repo.objects, commit).tree if commit is not None else None


def _joined(repo: Repository, pending: Pending, was: Changes, target: Files) -> Pending:
    """Returns the pending thing with `before` and `after` telling of all it touched, earlier commits of a sequence among it."""
    if pending.before == pending.since or pending.started == pending.head:
        return replace(pending, before=pending.since)
    earlier = differing(repo.objects, pending.before, tree_of(repo, pending.head))
    before = patched(repo.objects, pending.before, {path: old for path, old in was.items() if path not in earlier})
    now: Changes = {path: target.get(path) for path in (*earlier, *was)}
    return replace(pending, before=before, after=patched(repo.objects, before, now))
