"""The operations of a repository: what each command did, and which of them stand.

A command's effect is an Operation; `gv undo 12` is one too, called "undo 12", that
puts back what operation 12 changed.  Which operations stand is read off the log,
from its end:

    1 init   2 commit   3 branch   4 undo 3   5 undo 2   6 redo 2
    stands   stands     undone

`redo` takes back the newest undo that was not taken back itself.  Any other
command puts an end to what can be redone, as in an editor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from gvstore.errors import BadRev
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.tree import TreeEntry
from gvstore.refs.names import WORK, WORK_AFTER, WORK_BEFORE
from gvstore.refs.record import OperationEntry
from gvstore.refs.value import value_oid
from gvstore.repo.files import differing

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_UNDO = re.compile(r"undo (--to )?([0-9]{1,18})")
_REDO = re.compile(r"redo (?:--to )?[0-9]{1,18}")
_AT = re.compile(r"@\{([0-9]{1,18})\}|@")
_AT_ONCE = 200
INIT = "init"

FileMoves = dict[str, tuple[TreeEntry | None, TreeEntry | None]]


class NoSuchOperation(BadRev):
    """There is no operation of this number."""

    hint = "`gv op log` lists the operations."

    def __init__(self, text: str) -> None:
        super().__init__(f"there is no operation {text[:80]}")


class Undo(NamedTuple):
    """What an undo is called by: `to` is the operation that was gone back to, else `of` the one that was taken back."""

    of: int
    to: bool


def parse_undo(command: str) -> Undo | None:
    """Returns which operation the command took back, None if it is no undo."""
    found = _UNDO.fullmatch(command)
    return Undo(int(found[2]), found[1] is not None) if found else None


def is_final(command: str) -> bool:
    """Returns whether the command cannot be taken back: what it forgot is gone."""
    return command.startswith("forget ")


def is_redo(command: str) -> bool:
    """Returns whether the command took an undo back."""
    return _REDO.fullmatch(command) is not None


def entries(repo: Repository) -> Iterator[OperationEntry]:
    """Yields all operations, the newest first, read as they are asked for."""
    before: int | None = None
    while True:
        found = repo.refs.operations(limit=_AT_ONCE, before=before)
        yield from found
        if len(found) < _AT_ONCE:
            return
        before = found[-1].number


def standing(repo: Repository) -> Iterator[OperationEntry]:
    """Yields the operations that stand, the newest first; undos and redos are not among them."""
    undone: set[int] = set()
    floor, redone = None, 0
    for entry in entries(repo):
        undo = parse_undo(entry.command)
        if is_redo(entry.command):
            redone += 1
        elif undo is not None:
            if redone:
                redone -= 1
            elif undo.to:
                floor = undo.of if floor is None else min(floor, undo.of)
            else:
                undone.add(undo.of)
        elif entry.number not in undone and (floor is None or entry.number <= floor):
            yield entry


def redoable(repo: Repository) -> OperationEntry | None:
    """Returns the undo that a redo takes back, None where another command came after it, or there is none."""
    redone = 0
    for entry in entries(repo):
        if is_redo(entry.command):
            redone += 1
        elif parse_undo(entry.command) is None:
            return None
        elif redone:
            redone -= 1
        else:
            return entry
    return None


def find_operation(repo: Repository, text: str) -> OperationEntry:
    """Returns the operation of a number, or `@{n}`: the n-th before the newest.

    Raises:
        NoSuchOperation: there is none.
    """
    found = _AT.fullmatch(text)
    if found:
        rows = repo.refs.operations(limit=int(found[1] or 0) + 1)
        if len(rows) > int(found[1] or 0):
            return rows[-1]
    elif text.isascii() and text.isdecimal() and len(text) < 19:
        rows = repo.refs.operations(limit=1, before=int(text) + 1)
        if rows and rows[0].number == int(text):
            return rows[0]
    raise NoSuchOperation(text)


def changes_of(repo: Repository, entry: OperationEntry) -> tuple[RefChange, ...]:
    """Returns the refs that an operation changed, those that tell of files left out."""
    return tuple(each for each in Operation.get(repo.objects, entry.oid).changes if not each.name.startswith(WORK))


def files_of(repo: Repository, entry: OperationEntry) -> FileMoves:
    """Returns the files that an operation moved, sorted by path, before and after."""
    values = {each.name: value_oid(each.new) for each in Operation.get(repo.objects, entry.oid).changes}
    before, after = values.get(WORK_BEFORE), values.get(WORK_AFTER)
    return differing(repo.objects, before, after) if before is not None and after is not None else {}


def composed_changes(changes: Iterable[Iterable[RefChange]]) -> dict[str, RefChange]:
    """Returns what operations, the newest first, changed together: for each ref what it was before all and after all."""
    found: dict[str, RefChange] = {}
    for operation in changes:
        for each in operation:
            newer = found.get(each.name)
            found[each.name] = RefChange(each.name, each.old, newer.new if newer else each.new)
    return found


def composed_files(moves: Iterable[FileMoves]) -> FileMoves:
    """Returns likewise what operations moved together."""
    found: FileMoves = {}
    for operation in moves:
        for path, (old, new) in operation.items():
            found[path] = old, found[path][1] if path in found else new
    return found
