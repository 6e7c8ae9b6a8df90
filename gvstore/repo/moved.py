"""Work tree files that a command moves, so that nothing of them is ever lost.

    with repo.worktree_lock():
        todo = plan(...)
        moved = move_files(repo, todo, "gv merge side")     # saves, marks, moves
        with repo.transaction("merge side", ...) as transaction:
            ...
            moved.note(transaction)
        write_mark(repo.gv, None)                           # a command for some files alone: moved.mark

Before the first file is touched, what will be overwritten or deleted is stored,
and `.gv/checkout` names the trees before and after.  The command's operation then
sets `refs/work/before` and `refs/work/after` to them: `gv undo` goes back by their
difference, which is exactly what was touched, and the reflogs of both keep what
was overwritten.

A command that was killed half-way and is repeated tells of the work tree as it was
before the first try: the mark knows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import TreeEntry
from gvstore.refs.names import WORK_AFTER, WORK_BEFORE
from gvstore.refs.transaction import ANYTHING, Transaction
from gvstore.repo.checkout import Mark, Plan, carry_out, read_mark, write_mark
from gvstore.repo.fault import WouldOverwrite
from gvstore.repo.files import differing, patched

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


_RUN = re.compile(r"run/[0-9]+")


@dataclass(frozen=True, slots=True)
class Moved:
    """Files that were moved.

    `before` and `after` are trees that differ in these files alone, None where nothing was moved.
    `missing` are files whose content was forgotten, and in words how.  `mark` is what was under way before.
    """

    before: ObjectId | None = None
    after: ObjectId | None = None
    missing: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None

    def note(self, transaction: Transaction) -> None:
        """Lets the command's operation tell of the files, so that `gv undo` brings them back."""
        if self.before is None or self.after is None:
            return
        transaction.update(WORK_BEFORE, self.before, expected=ANYTHING, always=True)
        transaction.update(WORK_AFTER, self.after, expected=ANYTHING, always=True)


def move_files(repo: Repository, todo: Plan, label: str, *trees: ObjectId, apart: bool = False) -> Moved:
    """Does what was planned; what it overwrites or deletes is stored first.  The caller holds the work tree's lock.

    `label` says what is under way: a rev for a checkout, else the whole command ("gv merge side").
    `trees` are those whose files may lie about if it is cut off, beside the one it brings.  With `apart`, for a
    command that brings some files alone, what an unfinished one left stays that one's: its mark is to be written again.

    Raises:
        WouldOverwrite: a file changed since it was judged.
        CannotWrite: the system refuses; the command can be repeated.
    """
    mark = present_mark(repo)
    again = mark is not None and not mark.done and mark.label == label
    apart = apart and mark is not None and not again
    was, now = _touched(repo, todo, None if apart else mark)
    if not was:
        return Moved(mark=mark if apart else None)
    _save(repo, todo)
    before = patched(repo.objects, _head_tree(repo), was)
    after = patched(repo.objects, before, now)
    repo.objects.sync()
    lying = mark.trees if mark is not None else ()
    if apart and mark is not None:
        mark = Mark(mark.label, mark.done, (*lying, after), mark.before, mark.began)
        write_mark(repo.gv, Mark(mark.label, False, (*mark.trees, before), mark.before, mark.began))
    else:
        write_mark(repo.gv, Mark(label, False, (after, *trees, *lying), before, _newest(repo)))
    missing = carry_out(repo.worktree, repo.objects, todo)
    if missing:
        after = patched(repo.objects, after, dict.fromkeys(missing))
    return Moved(before, after, missing, mark if apart else None)


def present_mark(repo: Repository) -> Mark | None:
    """Returns what lies over the work tree, or is under way: what `.gv/checkout` says, unless its command was killed after all was done.

    Then the operation stands, with the trees that the mark names, and the mark alone is left.
    """
    mark = read_mark(repo.gv)
    if mark is None or mark.done or mark.before is None:
        return mark
    newest = next(iter(repo.refs.reflog(WORK_BEFORE, limit=1)), None)
    if newest is None or (newest.operation or 0) <= mark.began or newest.new != mark.before.hex():
        return mark
    return Mark(mark.label, True, mark.trees) if _RUN.fullmatch(mark.label) else None


def _newest(repo: Repository) -> int:
    return next((entry.number for entry in repo.refs.operations(limit=1)), 0)


def keep_unfinished(repo: Repository, transaction: Transaction) -> None:
    """Keeps what an unfinished command overwrote, for a command that ends it without moving files: a commit."""
    mark = present_mark(repo)
    if mark is not None and mark.before is not None:
        Moved(mark.before, mark.before).note(transaction)


def _touched(
    repo: Repository, todo: Plan, mark: Mark | None
) -> tuple[dict[str, TreeEntry | None], dict[str, TreeEntry | None]]:
    """Returns what the files to be moved hold before and after, those that a try before this one moved among them."""
    was: dict[str, TreeEntry | None] = {path: todo.present.get(path) for path in (*todo.delete, *todo.write)}
    now: dict[str, TreeEntry | None] = dict.fromkeys(todo.delete) | dict(todo.write)
    if mark is None or mark.done or mark.before is None or not mark.trees:
        return was, now
    for path, (old, new) in differing(repo.objects, mark.before, mark.trees[0]).items():
        present = was[path] if path in was else repo.worktree.entry(path)
        if present == new:
            was[path] = old
            now.setdefault(path, new)
    return was, now


def _save(repo: Repository, todo: Plan) -> None:
    """Stores what will be overwritten or deleted and is stored nowhere yet.

    Raises:
        WouldOverwrite: a file is another than when it was judged.
    """
    for path, entry in todo.present.items():
        if path not in todo.seen or repo.objects.has(entry.oid):
            continue
        if repo.worktree.store(path) != entry:
            raise WouldOverwrite([path])


def _head_tree(repo: Repository) -> ObjectId | None:
    head = repo.head
    return Commit.get(repo.objects, head).tree if head is not None else None
