"""Cherry-pick and revert: what one commit changed, done or undone on HEAD.

A three-way merge with the commit's parent as base: picked, the commit is
theirs; reverted, it is the base and its parent theirs.  Of several commits all
are made in the object database first; the work tree and the branch move once,
at the end or at the first conflict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gvstore.compare.merge3 import Favour, Labels
from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import HEAD
from gvstore.repo.commit import named_values, subject
from gvstore.repo.conclude import Undecided, commit_touched, conclusion, current, touched_files, undecided
from gvstore.repo.files import patched
from gvstore.repo.landing import (
    Landed,
    Recipe,
    bring_back,
    check_head,
    check_ready,
    finish_landing,
    land,
    land_again,
    tree_of,
)  # fmt: skip
from gvstore.repo.merge import NO_TREE, put_commit
from gvstore.repo.merge_files import MergedFiles, MergeWords, merge_trees
from gvstore.repo.merge_values import MergedValues, merge_named
from gvstore.repo.pending import Action, Pending, PickWords, State, write_pending

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Picked:
    """What a pick or revert did: the commits it made, each with the one it came from; those that changed nothing.

    `stopped_at` is the commit whose conflicts are to be decided now.
    """

    before: ObjectId | None
    made: tuple[tuple[ObjectId, ObjectId], ...]
    dropped: tuple[ObjectId, ...]
    stopped_at: ObjectId | None
    landed: Landed


class NoMainline(UsageFault):
    """A merge commit has several parents: which of them is it to be compared with?"""

    def __init__(self, oid: ObjectId, parents: int, mainline: int) -> None:
        name = oid.hex()[:8]
        if parents < 2:
            super().__init__(f"{name} is no merge: it has no parent {mainline} to choose", hint="Leave --mainline out.")
        else:
            super().__init__(
                f"{name} is a merge of {parents} lines",
                hint=f"--mainline 1 takes what it brought to the first of them; 1 to {parents} are possible.",
            )


@dataclass(slots=True)
class _Work:
    """A sequence under way: the tree and commit it has come to, and what it made."""

    head: ObjectId | None
    tree: ObjectId | None
    made: list[tuple[ObjectId, ObjectId]]
    dropped: list[ObjectId]


def pick(
    repo: Repository,
    action: Action,
    commits: Sequence[ObjectId],
    words: PickWords,
    recipe: Recipe,
    *,
    message: str = "",
) -> Picked:
    """Picks, or reverts, commits in this order; `message` stands for that of a single one.

    Raises:
        NoMainline: one is a merge and no parent was chosen, or the other way round; nothing was touched.
        InTheMiddle, CheckoutUnfinished: something else is to be ended first.
        WouldOverwrite, BadPath: unsaved work is in the way; nothing was touched.
    """
    for oid in commits:
        _sides(repo, action, oid, words)
    label = " ".join(oid.hex()[:8] for oid in commits[:3]) + (" ..." if len(commits) > 3 else "")
    with repo.worktree_lock():
        check_ready(repo, f"`gv {action.value} {label}`")
        head = repo.head
        if head is None:
            raise UsageFault(f"there is no commit to {action.value} onto", hint="Make one first: `gv commit`.")
        pending = Pending(
            action, State.MOVING, label, repo.refs.head_ref() or HEAD, head, head, commits[0], NO_TREE, NO_TREE, NO_TREE,
            ours_label="HEAD", todo=tuple(commits), words=words, message=message,
        )  # fmt: skip
        return _go_on(repo, pending, tree_of(repo, head), recipe)


def carry_on(
    repo: Repository, action: Action, recipe: Recipe, *, allow_conflicts: bool = False, skip: bool = False
) -> Picked:
    """Concludes the commit that stopped, or with `skip` leaves it out, and goes on with those after it.

    Raises:
        NothingPending: no such thing is under way.
        Undecided: conflicts are left.
        RefMoved: HEAD moved meanwhile.
    """
    with repo.worktree_lock():
        pending = current(repo, action)
        if pending.state is State.BETWEEN:
            pending = replace(pending, head=repo.head)  # commits may come between
        check_head(repo, pending)
        before, made, tree = pending.head, list[tuple[ObjectId, ObjectId]](), tree_of(repo, pending.head)
        command = f"{action.value} --{'skip' if skip else 'continue'}"
        if pending.state is State.MOVING and not skip:
            landed = land_again(repo, pending, command=command, said=command, recipe=recipe)
            if pending.result is None and (pending.conflicts or pending.value_conflicts):
                return Picked(before, (), (), pending.theirs, landed)
            made += [(pending.theirs, pending.result)] if pending.result is not None else []
            pending = replace(pending, head=repo.head, state=State.BETWEEN, result=None)
        elif skip and pending.state is not State.BETWEEN:
            _skip(repo, pending, command, recipe)
        elif pending.state is State.WAITING and pending.words.no_commit:
            tree = _taken(repo, pending, recipe, allow_conflicts=allow_conflicts)
        elif pending.state is not State.BETWEEN:
            found = conclusion(repo, allow_conflicts=allow_conflicts)
            made.append((pending.theirs, commit_touched(repo, found, recipe)))
        head = repo.head
        if not pending.todo:
            write_pending(repo.gv, None)
            return Picked(before, tuple(made), (), None, Landed(head))
        pending = replace(pending, head=head, message="", author="", created_at=0, conflicts=(), value_conflicts=())
        done = _go_on(repo, pending, tree if pending.words.no_commit else tree_of(repo, head), recipe)
    return replace(done, before=before, made=(*made, *done.made))


def _skip(repo: Repository, pending: Pending, command: str, recipe: Recipe) -> None:
    """Brings the files back to what they were before this commit."""
    moved, _ = bring_back(repo, pending, pending.since, label=f"gv {command}")
    with repo.transaction(command, author=recipe.author, now=recipe.now) as transaction:
        moved.note(transaction)
    if pending.todo:
        write_pending(repo.gv, replace(pending, state=State.BETWEEN, result=None, conflicts=(), value_conflicts=()))


def _taken(repo: Repository, pending: Pending, recipe: Recipe, *, allow_conflicts: bool) -> ObjectId:
    """Returns the tree of files that were decided without a commit; the operation tells of them."""
    if not allow_conflicts and (left := undecided(repo, pending)):
        raise Undecided(pending, left)
    with repo.objects.batch():
        tree = patched(repo.objects, pending.after, touched_files(repo, pending, recipe))
    pending = replace(pending, after=tree, conflicts=(), value_conflicts=())
    command = f"{pending.action.value} --continue"
    finish_landing(repo, pending, Landed(pending.head), command=command, said=command, recipe=recipe)
    return tree


def _go_on(repo: Repository, pending: Pending, tree: ObjectId | None, recipe: Recipe) -> Picked:
    """Picks what is to be done; lands what it came to, and then the conflict that it stopped at."""
    work = _Work(pending.head, tree, [], [])
    todo, stopped = list(pending.todo), None
    values: dict[str, ObjectId] = {}
    with repo.objects.batch():
        while todo and stopped is None:
            this, merged, found = _merged(repo, replace(pending, theirs=todo[0]), work.tree, values)
            if merged.conflicts or found.conflicts:
                stopped = replace(
                    this, todo=tuple(todo[1:]), conflicts=merged.conflicts, values=values | found.moved, value_conflicts=found.conflicts
                )  # fmt: skip
                stopped_tree = merged.tree
                break
            _take(repo, replace(this, values=values | found.moved), merged, found, work, recipe)
            values |= found.moved
            todo.pop(0)
    command = f"{pending.action.value} {pending.label}"
    landed = Landed(pending.head)
    if work.tree != tree or work.made:
        result = work.made[-1][1] if work.made else None
        last = work.made[-1][0] if work.made else pending.theirs
        one = replace(pending, theirs=last, result=result, values=values, todo=tuple(todo), state=State.MOVING)
        said = f"{pending.action.value}: {_subject(repo, result)}" if result is not None else command
        landed = land(repo, one, work.tree or NO_TREE, command=command, said=said, recipe=recipe)
        if stopped is not None:
            stopped = replace(stopped, head=repo.head, before=_before(repo))
    elif stopped is None:
        write_pending(repo.gv, None)
    if stopped is not None:
        later = land(repo, stopped, stopped_tree, command=command, said=command, recipe=recipe)
        landed = replace(later, written=tuple(dict.fromkeys((*landed.written, *later.written))))
    at = stopped.theirs if stopped is not None else None
    return Picked(pending.started, tuple(work.made), tuple(work.dropped), at, landed)


def _before(repo: Repository) -> ObjectId:
    from gvstore.repo.pending import read_pending

    pending = read_pending(repo.gv)
    return pending.before if pending is not None else NO_TREE


def _take(
    repo: Repository, this: Pending, merged: MergedFiles, found: MergedValues, work: _Work, recipe: Recipe
) -> None:
    """Goes on to what one commit makes of the tree."""
    tree = merged.tree
    if tree == work.tree and not found.moved and not this.words.allow_empty:
        work.dropped.append(this.theirs)
        return
    work.tree = tree
    if this.words.no_commit:
        return
    made = put_commit(repo, replace(this, head=work.head), tree, MergedValues(dict(this.values), ()), recipe)
    work.head = made
    work.made.append((this.theirs, made))


def _merged(
    repo: Repository, pending: Pending, tree: ObjectId | None, values: dict[str, ObjectId]
) -> tuple[Pending, MergedFiles, MergedValues]:
    """Returns one commit merged into `tree`, and what there is to be said of it."""
    objects, action, oid = repo.objects, pending.action, pending.theirs
    commit = Commit.get(objects, oid)
    base, theirs = _sides(repo, action, oid, pending.words)
    name = f"{oid.hex()[:8]} ({subject(commit.message)})"
    label = name if action is Action.CHERRY_PICK else f"parent of {name}"
    favour = Favour(pending.words.favour) if pending.words.favour else None
    words = MergeWords(Labels("HEAD", label), favour)
    merged = merge_trees(objects, base.tree if base else None, tree, theirs.tree if theirs else None, words)
    found = merge_named(
        objects, base.values if base else {}, named_values(repo) | values, theirs.values if theirs else {}, favour
    )
    message = pending.message or _message(action, oid, commit, pending.words)
    author, created_at = (commit.author, commit.created_at) if action is Action.CHERRY_PICK else ("", 0)
    return replace(pending, message=message, theirs_label=label, author=author, created_at=created_at), merged, found


def _sides(repo: Repository, action: Action, oid: ObjectId, words: PickWords) -> tuple[Commit | None, Commit | None]:
    """Returns the base and theirs: the commit and the parent that it is compared with, or the other way round."""
    commit = Commit.get(repo.objects, oid)
    count = len(commit.parents)
    if (count > 1 and not 1 <= words.mainline <= count) or (count < 2 and words.mainline):
        raise NoMainline(oid, count, words.mainline)
    parent = Commit.get(repo.objects, commit.parents[max(words.mainline, 1) - 1]) if count else None
    return (parent, commit) if action is Action.CHERRY_PICK else (commit, parent)


def _message(action: Action, oid: ObjectId, commit: Commit, words: PickWords) -> str:
    """Returns the message that git gives such a commit."""
    if action is Action.CHERRY_PICK:
        line = f"(cherry picked from commit {oid.hex()})"
        if not words.name_source:
            return commit.message
        last = commit.message.rpartition("\n")[2]
        gap = "\n" if last.startswith("(cherry picked from commit ") else "\n\n"
        return f"{commit.message}{gap}{line}"
    first = subject(commit.message)
    if first.startswith('Revert "') and not first.startswith('Revert "Revert "'):
        title = "Reapply " + first.removeprefix("Revert ")
    else:
        title = f'Revert "{first}"'
    body = f"This reverts commit {oid.hex()}"
    if words.mainline:
        body += f", reversing\nchanges made to {commit.parents[words.mainline - 1].hex()}"
    return f"{title}\n\n{body}."


def _subject(repo: Repository, oid: ObjectId) -> str:
    return subject(Commit.get(repo.objects, oid).message)
