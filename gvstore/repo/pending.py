"""An unfinished merge, revert or cherry-pick: what `.gv/pending` says.

It is written before the first file is touched and goes when all is done, so
whenever the process dies, this tells what was going on: `before` and `after`
are the trees that the work tree's files came from and were brought to.  Their
content counts as saved.

    moving      files are being written; `result`, if any, is the commit to come
    waiting     the files are there, somebody has to decide
    concluding  `result` is made, the branch is about to move to it
    between     of several commits this one is done, the next is to come
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore import fs
from gvstore.errors import Conflict as ConflictFault
from gvstore.errors import Corrupt
from gvstore.objects.blob import iter_blob, put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.refs.names import WORK_PENDING
from gvstore.refs.transaction import ANYTHING, Transaction
from gvstore.repo import layout
from gvstore.repo.conflict import Conflict, ConflictKind, ValueConflict
from gvstore.repo.fault import CannotWrite

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_FIRST_LINE: Final = b"gv pending 1\n"
_MAX_BYTES = 64 << 20


class Action(StrEnum):
    """What was typed."""

    MERGE = "merge"
    CHERRY_PICK = "cherry-pick"
    REVERT = "revert"


class State(StrEnum):
    """How far it came."""

    MOVING = "moving"
    WAITING = "waiting"
    CONCLUDING = "concluding"
    BETWEEN = "between"


@dataclass(frozen=True, slots=True)
class PickWords:
    """How commits are picked or reverted: options that hold for all of a sequence."""

    mainline: int = 0
    no_commit: bool = False
    name_source: bool = False
    allow_empty: bool = False
    favour: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """An unfinished merge, revert or cherry-pick.

    `started` is where HEAD was when it was typed, `head` where it is now, `ref` what moves with it.  `parents` are
    those of the commit to come beside `head`.  `theirs` is the commit being merged, picked or reverted, `todo` those
    after it.  `before` is the work tree before all that was typed, `since` before this commit of it.  `author` and `created_at` (microseconds UTC) are those of a picked commit.  `values` are named values to
    be moved.
    """

    action: Action
    state: State
    label: str
    ref: str
    started: ObjectId | None
    head: ObjectId | None
    theirs: ObjectId
    before: ObjectId
    since: ObjectId
    after: ObjectId
    message: str = ""
    parents: tuple[ObjectId, ...] = ()
    result: ObjectId | None = None
    conflicts: tuple[Conflict, ...] = ()
    values: Mapping[str, ObjectId] = field(default_factory=dict)
    value_conflicts: tuple[ValueConflict, ...] = ()
    ours_label: str = "ours"
    theirs_label: str = "theirs"
    author: str = ""
    created_at: int = 0
    todo: tuple[ObjectId, ...] = ()
    words: PickWords = PickWords()

    @property
    def trees(self) -> tuple[ObjectId, ...]:
        """The trees whose files may lie about."""
        return (self.before, self.since, self.after)

    @property
    def oids(self) -> tuple[ObjectId, ...]:
        """All objects that must stay until it is over."""
        own = (self.started, self.head, self.theirs, *self.trees, self.result, *self.parents, *self.todo)
        ours = [e.oid for c in self.conflicts for e in (c.base, c.ours, c.theirs) if e is not None]
        values = [o for c in self.value_conflicts for o in (c.base, c.ours, c.theirs) if o is not None]
        return (*(oid for oid in own if oid is not None), *ours, *values, *self.values.values())


class BadPending(Corrupt):
    """`.gv/pending` cannot be read."""

    hint = "It tells of an unfinished merge. Look at the files of the work tree, then delete it; docs/format/repo.md says what stands in it."

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path} cannot be read: {why}")


class InTheMiddle(ConflictFault):
    """A merge, revert or cherry-pick is not finished."""

    def __init__(self, pending: Pending, wanted: str = "") -> None:
        self.pending = pending
        action = pending.action.value
        super().__init__(
            f"{told(pending)} is not finished" + (f": {wanted} would mix with it" if wanted else ""),
            hint=f"`gv {action} --continue` concludes it, `gv {action} --abort` takes it back; `gv status` tells more.",
        )


def told(pending: Pending) -> str:
    """Returns what is going on, in words."""
    verb = {Action.MERGE: "the merge of", Action.CHERRY_PICK: "the cherry-pick of", Action.REVERT: "the revert of"}
    return f"{verb[pending.action]} {pending.label}"


def read_pending(gv: Path) -> Pending | None:
    """Returns what is unfinished; None: nothing.

    Raises:
        BadPending: the file is there and makes no sense.
    """
    path = gv / layout.PENDING
    try:
        data = fs.read_bytes(path, limit=_MAX_BYTES)
    except FileNotFoundError:
        return None
    except OSError as e:
        raise BadPending(str(path), e.strerror or str(e)) from e
    try:
        if not data.startswith(_FIRST_LINE):
            raise ValueError("it does not begin with `gv pending 1`")
        return _decode(json.loads(data[len(_FIRST_LINE) :]))
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise BadPending(str(path), str(e) or "something is missing") from e


def write_pending(gv: Path, pending: Pending | None) -> None:
    """Writes the file, whole and durable; None removes it.

    Raises:
        CannotWrite: the system refuses.
    """
    path = gv / layout.PENDING
    try:
        if pending is None:
            path.unlink(missing_ok=True)
            fs.sync_folder(gv)
            return
        fs.write_atomic(path, _FIRST_LINE + json.dumps(_encode(pending), indent=1).encode("ascii") + b"\n")
    except OSError as e:
        raise CannotWrite(str(path), e.strerror or str(e)) from e


def pending_of(repo: Repository) -> Pending | None:
    """Returns what is unfinished here; a commit that was made just before the process died is done.

    Raises:
        BadPending: see `read_pending`.
    """
    pending = read_pending(repo.gv)
    if pending is None or pending.result is None or pending.result != repo.head:
        return pending
    return next_of(pending, pending.result)


def keep_pending(repo: Repository, pending: Pending, transaction: Transaction) -> None:
    """Lets the operation that takes `pending` back tell of it, so that `gv undo` of that has it under way again."""
    oid = put_blob(repo.objects, json.dumps(_encode(pending)).encode("ascii"))
    transaction.update(WORK_PENDING, oid, expected=ANYTHING, always=True)


def kept_pending(repo: Repository, oid: ObjectId) -> Pending | None:
    """Returns what `keep_pending` stored; None where something that it names is gone, or HEAD is elsewhere."""
    pending = _decode(json.loads(b"".join(iter_blob(repo.objects, oid))))
    whole = pending.head == repo.head and all(map(repo.objects.has, pending.oids))
    return pending if whole else None


def next_of(pending: Pending, head: ObjectId) -> Pending | None:
    """Returns what is unfinished after the commit `head` concluded this one; None: nothing."""
    if not pending.todo:
        return None
    return replace(pending, head=head, state=State.BETWEEN, result=None, conflicts=(), values={}, value_conflicts=())


def check_none(repo: Repository, wanted: str) -> None:
    """Lets pass where nothing is unfinished; a file that a killed process left after its last step goes.

    Raises:
        InTheMiddle: something is, and `wanted` would mix with it.
    """
    if read_pending(repo.gv) is None:
        return
    pending = pending_of(repo)
    if pending is not None:
        raise InTheMiddle(pending, wanted)
    write_pending(repo.gv, None)


def _encode(pending: Pending) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Pending.__dataclass_fields__:
        found[name] = _plain(getattr(pending, name))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return value.hex()
    if isinstance(value, TreeEntry):
        return [int(value.mode), value.oid.hex()]
    if isinstance(value, Conflict | ValueConflict | PickWords):
        return {name: _plain(getattr(value, name)) for name in type(value).__dataclass_fields__}
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _decode(found: dict[str, Any]) -> Pending:
    return Pending(
        action=Action(found["action"]),
        state=State(found["state"]),
        label=_text(found["label"]),
        ref=_text(found["ref"]),
        started=_maybe(found["started"]),
        head=_maybe(found["head"]),
        theirs=ObjectId.from_hex(found["theirs"]),
        before=ObjectId.from_hex(found["before"]),
        since=ObjectId.from_hex(found["since"]),
        after=ObjectId.from_hex(found["after"]),
        message=_text(found["message"]),
        parents=_oids(found["parents"]),
        result=_maybe(found["result"]),
        conflicts=tuple(_conflict(each) for each in found["conflicts"]),
        values={_text(name): ObjectId.from_hex(oid) for name, oid in found["values"].items()},
        value_conflicts=tuple(
            ValueConflict(
                _text(each["name"]),
                tuple(map(_text, each["paths"])),
                _maybe(each["base"]),
                _maybe(each["ours"]),
                _maybe(each["theirs"]),
            )
            for each in found["value_conflicts"]
        ),
        ours_label=_text(found["ours_label"]),
        theirs_label=_text(found["theirs_label"]),
        author=_text(found["author"]),
        created_at=int(found["created_at"]),
        todo=_oids(found["todo"]),
        words=PickWords(**found["words"]),
    )


def _conflict(each: dict[str, Any]) -> Conflict:
    return Conflict(
        kind=ConflictKind(each["kind"]),
        path=_text(each["path"]),
        base=_entry(each["base"]),
        ours=_entry(each["ours"]),
        theirs=_entry(each["theirs"]),
        regions=tuple((int(first), int(last)) for first, last in each["regions"]),
        note=_text(each["note"]),
        also=tuple(map(_text, each["also"])),
    )


def _entry(value: Any) -> TreeEntry | None:
    return None if value is None else TreeEntry(Mode(value[0]), ObjectId.from_hex(value[1]))


def _maybe(value: Any) -> ObjectId | None:
    return None if value is None else ObjectId.from_hex(value)


def _oids(values: Any) -> tuple[ObjectId, ...]:
    return tuple(ObjectId.from_hex(value) for value in values)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} where a text is due")
    return value
