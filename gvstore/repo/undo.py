"""Taking commands back, and doing them again.

Undo puts every ref that an operation changed back to what it was, if it still is
what the operation made of it, and the files that it moved likewise.  Nothing
else is touched: what a commit took from the work tree stays there.  A run that
was recorded is a ref too: its number goes and comes back with it.

An undo is an operation itself (operations.py tells which stand), and redo takes it back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gvstore.errors import Conflict, UsageFault
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation, RefChange
from gvstore.refs.names import BRANCHES, HEAD, RUN, WORK_AFTER, WORK_PENDING, short_name
from gvstore.refs.record import OperationEntry
from gvstore.refs.value import value_oid
from gvstore.repo.checkout import Known, Mark, Plan, carry_out, plan, write_mark
from gvstore.repo.fault import EditedSince, WouldOverwrite
from gvstore.repo.files import NO_FILES, Files, differing, patched, read_files
from gvstore.repo.moved import Moved, move_files, present_mark
from gvstore.repo.operations import (
    INIT,
    FileMoves,
    changes_of,
    composed_changes,
    composed_files,
    files_of,
    find_operation,
    is_final,
    is_redo,
    parse_undo,
    redoable,
    standing,
)
from gvstore.repo.pending import Pending, check_none, kept_pending, pending_of, write_pending

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_RUN_CODE = re.compile(r"checkout (run/[0-9]+)")


class NothingToUndo(UsageFault):
    """There is no command to take back, or to do again."""

    hint = "`gv op log` lists what was done."


class RefsMovedSince(Conflict):
    """Refs are not where the operation left them; nothing was done."""

    def __init__(self, what: str, moved: Sequence[str]) -> None:
        self.moved = tuple(moved)
        names = ", ".join(short_name(name) for name in moved)
        super().__init__(
            f"{what} cannot be taken back alone: {names} moved since",
            hint="`gv undo` takes back the last command first; `gv op log` lists them, `gv undo --to N` goes back to one.",
        )


class ObjectsGone(Conflict):
    """What refs led to before is not there any more: it was forgotten, or collected as garbage."""

    hint = "`gv forget` and what `gv gc` deleted cannot be undone."

    def __init__(self, what: str, names: Sequence[str]) -> None:
        super().__init__(f"{what} cannot be taken back: what {', '.join(map(short_name, names))} was is not here any more")


class Unfinished(Conflict):
    """A command that moves files was cut off and stands."""

    def __init__(self, command: str) -> None:
        super().__init__(
            f"`{command}` did not end", hint=f"`{command}` does it again, `gv undo` takes it back."
        )


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back, or done again.

    `operations` are those that were taken back, the newest first, empty where it was a command that had been cut
    off: `unfinished`.  `refs` are the moves that were made.  `left` are refs that had moved on and stay: RUN.
    `passed` are operations on the way that cannot be taken back.
    """

    action: str
    operations: tuple[OperationEntry, ...]
    refs: tuple[RefChange, ...]
    left: tuple[str, ...]
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    unfinished: str = ""
    passed: tuple[OperationEntry, ...] = ()


def undo(
    repo: Repository,
    text: str | None,
    *,
    to: bool = False,
    keep_files: bool = False,
    dry_run: bool = False,
    author: str,
    now: int,
) -> Undone:
    """Takes back the last command that stands, or the operation named, or with `to` all that stand after that one.

    A command that was cut off while it moved files is what is taken back first.

    Raises:
        NothingToUndo, NoSuchOperation: there is no such command, or it cannot be undone.
        RefsMovedSince, ObjectsGone, EditedSince: it cannot be taken back; nothing was done.
    """
    with repo.worktree_lock():
        check_none(repo, "`gv undo`")
        mark = present_mark(repo)
        name = f"undo {'--to ' if to else ''}{text}"
        if mark is not None and not mark.done and mark.before is not None:
            if text is None:
                return _take_back_unfinished(repo, mark, dry_run=dry_run)
            if mark.label != f"gv {name}":
                raise Unfinished(mark.command)
        found, passed = _to_undo(repo, text, to=to)
        again = redoable(repo) if len(found) == 1 and parse_undo(found[0].command) else None
        if again is not None and again.number == found[0].number:
            name, action = _redo_name(again), "redone"
        elif found[0].command == INIT:
            raise NothingToUndo("the first operation made the repository: there is nothing before it")
        elif len(found) == 1 and (parse_undo(found[0].command) or is_redo(found[0].command)):
            raise NothingToUndo(
                f"operation {found[0].number} is {found[0].command!r}", hint="`gv redo` takes undos back, the last one first."
            )
        else:
            name, action = f"undo --to {find_operation(repo, text or '').number}" if to else f"undo {found[0].number}", "undone"
        done = _reverse(repo, name, action, found, keep_files=keep_files, dry_run=dry_run, author=author, now=now)
        return replace(done, passed=passed) if passed else done


def redo(repo: Repository, *, keep_files: bool = False, dry_run: bool = False, author: str, now: int) -> Undone:
    """Takes the last undo back.

    Raises:
        NothingToUndo: nothing was undone, or another command came after it.
        RefsMovedSince, ObjectsGone, EditedSince, Unfinished: it cannot be done; nothing was.
    """
    with repo.worktree_lock():
        last = redoable(repo)
        # What the undo has under way again, nothing of it touched, ends with the redo; anything else would mix with it.
        ends = last is not None and (kept := _kept(repo, _meant(repo, last))) is not None and kept == pending_of(repo)
        if not ends:
            check_none(repo, "`gv redo`")
        if last is None:
            raise NothingToUndo("there is nothing to redo: the last command was no undo")
        name = _redo_name(last)
        mark = present_mark(repo)
        if mark is not None and not mark.done and mark.label not in (f"gv {name}", "gv redo"):
            raise Unfinished(mark.command)
        done = _reverse(repo, name, "redone", [last], keep_files=keep_files, dry_run=dry_run, author=author, now=now)
        if ends and not dry_run:
            write_pending(repo.gv, None)
        return done


def _redo_name(last: OperationEntry) -> str:
    return last.command.replace("undo", "redo", 1)


def _to_undo(
    repo: Repository, text: str | None, *, to: bool
) -> tuple[list[OperationEntry], tuple[OperationEntry, ...]]:
    """Returns what is to be taken back, the newest first, and what is passed over, for it cannot be."""
    if text is None:
        passed = []
        for entry in standing(repo):
            if not is_final(entry.command):
                break
            passed.append(entry)
        else:
            raise NothingToUndo("there is nothing to undo")
        if entry.command == INIT:
            raise NothingToUndo("there is nothing to undo")
        return [entry], tuple(passed)
    entry = find_operation(repo, text)
    if not to:
        undone = parse_undo(entry.command) is None and not is_redo(entry.command)
        if undone and all(each.number != entry.number for each in _down_to(repo, entry.number)):
            raise NothingToUndo(f"operation {entry.number} is undone already", hint="`gv redo` does it again.")
        if is_final(entry.command):
            raise NothingToUndo(f"{entry.command!r} cannot be undone", hint="What was forgotten is gone for good.")
        return [entry], ()
    after = _down_to(repo, entry.number + 1)
    found = [each for each in after if not is_final(each.command)]
    if not found:
        raise NothingToUndo(f"nothing that can be taken back came after operation {entry.number}")
    return found, tuple(each for each in after if is_final(each.command))


def _down_to(repo: Repository, number: int) -> list[OperationEntry]:
    """Returns the operations that stand, the newest first, down to this number."""
    found = []
    for entry in standing(repo):
        if entry.number < number:
            break
        found.append(entry)
    return found


def _reverse(
    repo: Repository,
    name: str,
    action: str,
    found: Sequence[OperationEntry],
    *,
    keep_files: bool,
    dry_run: bool,
    author: str,
    now: int,
) -> Undone:
    """Puts back what these operations, the newest first, did."""
    what = f"operation {found[0].number} ({found[0].command})" if len(found) == 1 else "the last commands"
    back, left = _refs_back(repo, what, composed_changes(changes_of(repo, each) for each in found))
    files = {} if keep_files else composed_files(files_of(repo, each) for each in found)
    todo = _files_back(repo, files, saved=repo.head_files() if " --to " in name else {})
    shown = tuple(_meant(repo, each) for each in found)
    if dry_run:
        return Undone(action, shown, back, left, tuple(todo.write), todo.delete)
    moved = move_files(repo, todo, f"gv {'redo' if action == 'redone' else name}")
    with repo.transaction(name, author=author, now=now) as transaction:
        for change in back:
            if change.new:
                transaction.update(change.name, change.new, expected=change.old or None, message=name)
            else:
                transaction.delete(change.name, expected=change.old, message=name)
        # The operation stands in the log also where files alone were to go back, and were back already.
        (moved if back or moved.before is not None else _nothing_moved(repo)).note(transaction)
    if moved.before is not None or (not keep_files and present_mark(repo) is not None):
        write_mark(repo.gv, _lying(repo))
    if action == "undone" and not keep_files:
        _take_up_pending(repo, found[-1])
    written = tuple(path for path in todo.write if path not in moved.missing)
    return Undone(action, shown, back, left, written, todo.delete)


def _take_up_pending(repo: Repository, entry: OperationEntry) -> None:
    """Has the merge, revert or cherry-pick under way again that the command took back: its files are there again."""
    pending = _kept(repo, entry)
    if pending is not None:
        write_pending(repo.gv, pending)


def _kept(repo: Repository, entry: OperationEntry) -> Pending | None:
    """Returns the merge, revert or cherry-pick that a command took back; None where it took none back, or it cannot go on here."""
    kept = next((value_oid(each.new) for each in Operation.get(repo.objects, entry.oid).changes if each.name == WORK_PENDING), None)
    return kept_pending(repo, kept) if kept is not None and repo.objects.has(kept) else None


def _meant(repo: Repository, entry: OperationEntry) -> OperationEntry:
    """Returns for the undo of one operation that one, which is done again with it."""
    undone = parse_undo(entry.command)
    return entry if undone is None or undone.to else find_operation(repo, str(undone.of))


def _nothing_moved(repo: Repository) -> Moved:
    tree = repo.refs.resolve(WORK_AFTER) or patched(repo.objects, None, {})
    return Moved(tree, tree)


def _refs_back(
    repo: Repository, what: str, changes: dict[str, RefChange]
) -> tuple[tuple[RefChange, ...], tuple[str, ...]]:
    """Returns the moves that put these changes back, and the refs that moved on and are left.

    RUN is left where it moved on: it follows the commands typed here, and every run moves it.
    """
    back, moved, gone = [], [], []
    for name, change in sorted(changes.items()):
        if change.old == change.new:
            continue
        actual = repo.refs.read(name) or ""
        if actual == change.old:
            continue  # it is there already: another way back was found, or the run was forgotten
        if actual != change.new:
            moved.append(name)
            continue
        oid = value_oid(change.old)
        if oid is not None and not repo.objects.has(oid):
            gone.append(name)
        back.append(RefChange(name, change.new, change.old))
    if gone:
        raise ObjectsGone(what, gone)
    if set(moved) - {RUN}:
        raise RefsMovedSince(what, sorted(set(moved) - {RUN}))
    return tuple(back), tuple(moved)


def _files_back(repo: Repository, files: FileMoves, saved: Files = NO_FILES) -> Plan:
    """Returns what brings these files from their second state to their first; what `saved` has may be overwritten too.

    Raises:
        EditedSince: some are neither as the one nor as the other.
    """
    mark = present_mark(repo)
    lying = [read_files(repo.objects, tree) for tree in mark.trees if repo.objects.has(tree)] if mark else []
    lying.append(saved)
    others = tuple({path: each[path] for path in files if path in each} for each in lying)
    target = {path: old for path, (old, _) in files.items() if old is not None}
    known = Known({path: new for path, (_, new) in files.items() if new is not None}, others)
    try:
        return plan(repo.worktree, target, known=known, delete=True, every=True)
    except WouldOverwrite as e:
        raise EditedSince(e.paths) from e


def _take_back_unfinished(repo: Repository, mark: Mark, *, dry_run: bool) -> Undone:
    """Brings the files back that a command moved before it was cut off; no ref had moved yet."""
    assert mark.before is not None
    todo = _files_back(repo, differing(repo.objects, mark.before, mark.trees[0]))
    if not dry_run:
        carry_out(repo.worktree, repo.objects, todo)
        write_mark(repo.gv, _lying(repo))
    return Undone("undone", (), (), (), tuple(todo.write), todo.delete, mark.command)


def _lying(repo: Repository) -> Mark | None:
    """Returns the mark for the work tree as it is now: a run's code lies over it if that is what was brought last."""
    for entry in standing(repo):
        found = _RUN_CODE.fullmatch(entry.command)
        changes = {each.name for each in changes_of(repo, entry)}
        if found or HEAD in changes or any(name.startswith(BRANCHES) for name in changes):
            break
    else:
        return None
    if not found:
        return None
    tree = _after(repo, entry)
    return Mark(found[1], True, (tree,)) if tree is not None else None


def _after(repo: Repository, entry: OperationEntry) -> ObjectId | None:
    return next((value_oid(each.new) for each in Operation.get(repo.objects, entry.oid).changes if each.name == WORK_AFTER), None)
