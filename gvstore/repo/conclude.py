"""Ends an unfinished merge, revert or cherry-pick: by a commit, or by taking it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault, WouldLose
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import TreeEntry
from gvstore.refs.names import HEAD, value_ref
from gvstore.refs.transaction import ANYTHING, Transaction, clean_text
from gvstore.repo.checkout import write_mark
from gvstore.repo.commit import generation_after, named_values, subject
from gvstore.repo.conflict import Conflict
from gvstore.repo.fault import printable
from gvstore.repo.files import differing, find, patched, read_files
from gvstore.repo.git import git_note
from gvstore.repo.landing import Landed, Recipe, bring_back, check_head, land_again, tree_of
from gvstore.repo.moved import Moved, keep_unfinished
from gvstore.repo.pending import Action, Pending, State, keep_pending, next_of, pending_of, told, write_pending

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_MAX_LOOKED_BYTES = 64 << 20


class NothingPending(UsageFault):
    """There is nothing to continue, skip or abort."""

    def __init__(self, action: Action) -> None:
        super().__init__(f"no {action.value} is under way", hint="`gv status` tells what is.")


@dataclass(frozen=True, slots=True)
class Left:
    """A conflict that nobody decided yet; `lines` are the first and last of its markers (from 1), none where the file is just as it was left."""

    conflict: Conflict
    lines: tuple[tuple[int, int], ...] = ()

    def told(self) -> str:
        """Returns it as a line of a message."""
        path = printable(self.conflict.path)
        if self.lines:
            return f"{path}:{self.lines[0][0]}: {self.conflict.kind.value}, markers left"
        note = f" ({self.conflict.note})" if self.conflict.note else ""
        return f"{path}: {self.conflict.kind.value}{note}"


class Undecided(WouldLose):
    """Conflicts that nobody decided would be committed."""

    def __init__(self, pending: Pending, left: Sequence[Left]) -> None:
        self.left = tuple(left)
        super().__init__(
            f"{told(pending)} has conflicts that nobody decided:\n" + "\n".join(f"  {each.told()}" for each in left),
            hint="Edit, replace or delete these files; --allow-conflicts takes them as they are.",
        )


def undecided(repo: Repository, pending: Pending) -> list[Left]:
    """Returns the conflicts that are left: a marker of the merge still stands in the file, or it is as the merge left it.

    A file without markers (binary, or deleted by one side) is decided by editing, replacing or
    deleting it.
    """
    if pending.state is not State.WAITING:
        return []
    worktree, found = repo.worktree, list[Left]()
    with worktree.caching():
        for conflict in pending.conflicts:
            if conflict.regions:
                lines = _marker_lines(repo, pending, conflict.path)
                if lines:
                    found.append(Left(conflict, lines))
            elif all(
                worktree.entry(path) == find(repo.objects, pending.after, path)
                for path in (conflict.path, *conflict.also)
            ):
                found.append(Left(conflict))
    return found


def _marker_lines(repo: Repository, pending: Pending, path: str) -> tuple[tuple[int, int], ...]:
    """Returns where markers stand which this merge wrote: pairs of lines, one and the same where its other is gone."""
    file = repo.path / path
    if file.is_symlink() or not file.is_file() or file.stat().st_size > _MAX_LOOKED_BYTES:
        return ()
    first = b"<<<<<<< " + pending.ours_label.encode("utf-8", "surrogateescape")
    last = b">>>>>>> " + pending.theirs_label.encode("utf-8", "surrogateescape")
    found: list[tuple[int, int]] = []
    opened = 0
    for number, line in enumerate(file.read_bytes().split(b"\n"), 1):
        if line.startswith(first):
            found += [(opened, opened)] if opened else []
            opened = number
        elif line.startswith(last):
            found.append((opened or number, number))
            opened = 0
    return tuple([*found, (opened, opened)] if opened else found)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of a pending thing by a commit: what the commit needs to know, and what is to be done around it.

    Where nothing is pending all of it is nothing.
    """

    repo: Repository
    pending: Pending | None

    @property
    def parents(self) -> tuple[ObjectId, ...]:
        """The commit's parents beside HEAD."""
        return self.pending.parents if self.pending is not None else ()

    @property
    def values(self) -> Mapping[str, ObjectId]:
        """The named values that it moves."""
        return self.pending.values if self.pending is not None else {}

    @property
    def message(self) -> str:
        """What the commit says where nobody says something else."""
        return self.pending.message if self.pending is not None else ""

    def announce(self, oid: ObjectId) -> None:
        """Says which commit is about to conclude it, before the refs move."""
        if self.pending is None:
            return
        self.repo.objects.sync()
        write_pending(self.repo.gv, replace(self.pending, state=State.CONCLUDING, result=oid))

    def note(self, transaction: Transaction, tree: ObjectId, *, whole: bool = True) -> None:
        """Lets the operation tell which files the merge moved, as they were committed in `tree`; of a `whole` work tree, what a cut off checkout did."""
        if self.pending is None:
            if whole:
                keep_unfinished(self.repo, transaction)
            return
        for name, oid in self.pending.values.items():
            transaction.update(value_ref(name), oid, expected=ANYTHING)
        touched = differing(self.repo.objects, self.pending.since, self.pending.after)
        now = {path: find(self.repo.objects, tree, path) for path in touched}
        Moved(self.pending.since, patched(self.repo.objects, self.pending.after, now)).note(transaction)

    def finish(self, oid: ObjectId) -> None:
        """Takes the file away, or writes what of a sequence is to come."""
        if self.pending is not None:
            write_pending(self.repo.gv, next_of(self.pending, oid))


def conclusion(
    repo: Repository, *, allow_conflicts: bool = False, paths: Sequence[str] | None = None
) -> Conclusion:
    """Returns how the next commit concludes what is unfinished.

    Raises:
        UsageFault: only `paths` were to be committed.
        Undecided: conflicts are left.
        RefMoved: HEAD moved meanwhile.
        InTheMiddle: its files are not there yet.
    """
    pending = pending_of(repo)
    if pending is None or pending.state is State.BETWEEN:
        return Conclusion(repo, None)
    check_head(repo, pending)
    if pending.state is State.MOVING:
        raise CutOff(pending)
    if paths is not None:
        raise UsageFault(
            f"{told(pending)} is concluded by a commit of the whole work tree, not of single files",
            hint="Leave the paths out.",
        )
    if not allow_conflicts and (left := undecided(repo, pending)):
        raise Undecided(pending, left)
    return Conclusion(repo, pending)


class CutOff(WouldLose):
    """A merge was cut off while its files were written."""

    def __init__(self, pending: Pending) -> None:
        action = pending.action.value
        super().__init__(
            f"{told(pending)} was cut off: not all of its files are there",
            hint=f"`gv {action} --continue` brings them, `gv {action} --abort` takes it back.",
        )


def commit_touched(repo: Repository, found: Conclusion, recipe: Recipe, *, message: str = "") -> ObjectId:
    """Returns the commit that concludes a pending thing, of the files that it touched; other edits stay what they are.

    Raises:
        Swallowed: files that are too large or hold keys.
        RefMoved: HEAD moved meanwhile.
    """
    pending = found.pending
    if pending is None:
        raise ValueError("nothing is pending")
    with repo.objects.batch():
        files = touched_files(repo, pending, recipe)
        tree = patched_from(repo, pending, files)
        every = read_files(repo.objects, tree)
        parents = (*((pending.head,) if pending.head is not None else ()), *pending.parents)
        message = message or pending.message
        oid = Commit(
            tree=tree,
            parents=parents,
            author=clean_text(pending.author or recipe.author),
            created_at=pending.created_at or recipe.now,
            message=message,
            components=dict(recipe.components(every)),
            values=named_values(repo) | dict(pending.values),
            runs=tuple(dict.fromkeys(recipe.runs(pending.parents))) if pending.parents else (),
            generation=generation_after(repo, parents),
            git=git_note(repo.path),
        ).put(repo.objects)
    found.announce(oid)
    said = f"{pending.action.value}: {subject(message)}"
    with repo.transaction(f"{pending.action.value} --continue", author=recipe.author, now=recipe.now) as transaction:
        transaction.update(pending.ref, oid, expected=pending.head, message=said)
        found.note(transaction, tree)
    found.finish(oid)
    write_mark(repo.gv, None)
    return oid


def touched_files(repo: Repository, pending: Pending, recipe: Recipe) -> dict[str, TreeEntry | None]:
    """Returns what the files that a pending thing touched hold now, stored; None where one is gone."""
    touched = dict.fromkeys(differing(repo.objects, pending.since, pending.after))
    for conflict in pending.conflicts:
        touched |= dict.fromkeys((conflict.path, *conflict.also))
    base = read_files(repo.objects, pending.after)
    taken = repo.worktree.take(base=base, paths=list(touched), stops=recipe.stops, exactly=True)
    return {path: taken.files.get(path) for path in touched}


def patched_from(repo: Repository, pending: Pending, files: dict[str, TreeEntry | None]) -> ObjectId:
    """Returns the tree of HEAD with these files."""
    return patched(repo.objects, tree_of(repo, pending.head), files)


def continue_merge(repo: Repository, recipe: Recipe, *, message: str = "", allow_conflicts: bool = False) -> Landed:
    """Concludes a merge: brings the rest of its files if it was cut off, then makes the commit.

    Raises:
        NothingPending: none is under way.
        Undecided: conflicts are left.
        RefMoved: HEAD moved meanwhile.
    """
    with repo.worktree_lock():
        pending = current(repo, Action.MERGE)
        check_head(repo, pending)
        if pending.state is State.MOVING:
            name = f"merge {pending.label}"
            landed = land_again(repo, pending, command=name, said=name, recipe=recipe)
            if landed.conflicts or landed.value_conflicts or pending.result is not None or pending.words.no_commit:
                return landed
        found = conclusion(repo, allow_conflicts=allow_conflicts)
        return Landed(commit_touched(repo, found, recipe, message=message))


def abort(repo: Repository, action: Action, recipe: Recipe) -> tuple[Pending, Landed]:
    """Takes an unfinished merge, revert or cherry-pick back: HEAD and the files it touched are as before, others are left alone.

    What was edited in these files meanwhile is saved, and `gv undo` brings it back.

    Raises:
        NothingPending: none is under way.
        WouldOverwrite: something lies in the way that no tree can hold; nothing was touched.
    """
    with repo.worktree_lock():
        pending = current(repo, action)
        name = f"{action.value} --abort"
        moved, landed = bring_back(repo, pending, pending.before, label=f"gv {name}", head=pending.started)
        here = (repo.refs.head_ref() or HEAD) == pending.ref and repo.head == pending.head
        with repo.transaction(name, author=recipe.author, now=recipe.now) as transaction:
            if here and pending.started is not None and pending.started != pending.head:
                transaction.update(pending.ref, pending.started, expected=pending.head, message=f"{name}: back")
            moved.note(transaction)
            keep_pending(repo, pending, transaction)
        write_pending(repo.gv, None)
        write_mark(repo.gv, None)
    return pending, replace(landed, head=repo.head)


def current(repo: Repository, action: Action) -> Pending:
    """Returns what is under way.

    Raises:
        NothingPending, UsageFault: it is not this action.
    """
    pending = pending_of(repo)
    if pending is None:
        write_pending(repo.gv, None)  # what a process left that died after its last step
        raise NothingPending(action)
    if pending.action is not action:
        other = pending.action.value
        raise UsageFault(
            f"not a {action.value} is under way, but {told(pending)}",
            hint=f"`gv {other} --continue` or `gv {other} --abort`.",
        )
    return pending
