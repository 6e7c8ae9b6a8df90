"""One command's changes to refs, made at once or not at all.

    with refs.transaction("commit -m tune", author=..., now=...) as transaction:
        transaction.update("refs/heads/main", new, expected=old)

At the end of the block, under SQLite's write lock: every changed ref is
compared with what its change expects; the Operation is written among the
objects and made durable; then refs, reflog and operation go into the tables
in one commit.  So refs.db never names what the disk does not have, and can be
rebuilt from the operations (rebuild.py).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.protocol import ObjectWriter
from gvstore.refs.fault import RefClash, RefExists, RefMissing, RefMoved
from gvstore.refs.names import HEAD, RUN, check_ref_name, folded, folders, run_ref
from gvstore.refs.record import RECORDING, ReflogEntry
from gvstore.refs.value import format_run, format_symbolic, format_value, value_target

if TYPE_CHECKING:
    import sqlite3


class Anything:
    """The type of ANYTHING."""


ANYTHING: Final = Anything()  # "whatever the ref holds now"

Expected = ObjectId | str | None | Anything


@dataclass(slots=True)
class _Wanted:
    new: str
    expected: str | Anything
    message: str
    creates: bool = False
    always: bool = False
    verifies: bool = False  # nothing is changed; `new` means nothing


class _Finished(NamedTuple):
    number: int
    oid: ObjectId
    status: str
    ended_at: int


class Transaction:
    """Gathers changes; made by `Refs.transaction`, which applies them."""

    def __init__(self, command: str, *, author: str, now: int) -> None:
        self.command, self.author, self.now = clean_text(command), clean_text(author), now
        self.operation: ObjectId | None = None
        self._wanted: dict[str, _Wanted] = {}
        self._finished: list[_Finished] = []

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return not self._wanted and not self._finished

    def update(
        self, name: str, new: ObjectId | str, *, expected: Expected, message: str = "", always: bool = False
    ) -> None:
        """Sets the ref to `new`, an oid or a textual value, if it holds `expected` now; None: if there is none.

        With `always` the operation tells of it also where the ref holds `new` already.
        """
        self._want(name, _Wanted(format_value(new), _expected(expected), message, always=always))

    def create(self, name: str, new: ObjectId | str, *, message: str = "") -> None:
        """Makes a ref that is not there yet."""
        self._want(name, _Wanted(format_value(new), ANYTHING, message, creates=True))

    def delete(self, name: str, *, expected: Expected = ANYTHING, message: str = "") -> None:
        """Deletes the ref if it holds `expected`; its reflog stays."""
        self._want(name, _Wanted("", _expected(expected), message))

    def verify(self, name: str, *, expected: ObjectId | str | None) -> None:
        """Lets nothing happen unless the ref holds `expected`; None: unless there is none."""
        self._want(name, _Wanted("", _expected(expected), "", verifies=True))

    def set_symbolic(self, name: str, target: str, *, expected: Expected = ANYTHING, message: str = "") -> None:
        """Lets HEAD, or another ref, point to the ref `target`, which may not exist yet."""
        self._want(name, _Wanted(format_symbolic(target), _expected(expected), message))

    def set_run(self, number: int | None, *, message: str = "") -> None:
        """Lets RUN name the run; None takes RUN away."""
        self._want(RUN, _Wanted("" if number is None else format_run(number), ANYTHING, message))

    def finish_run(self, number: int, oid: ObjectId, *, status: str, ended_at: int) -> None:
        """Stores a finished run under its number; nothing happens if it is stored already."""
        self._finished.append(_Finished(number, oid, status, ended_at))

    def _want(self, name: str, wanted: _Wanted) -> None:
        check_ref_name(name)
        if name in self._wanted:
            raise ValueError(f"{name} is changed twice in one transaction")
        self._wanted[name] = wanted

    def apply(self, connection: sqlite3.Connection, objects: ObjectWriter) -> None:
        """Checks and makes the changes; `connection` holds the write lock, the caller commits."""
        changes, messages = self._changes(connection)
        started = self._finish_runs(connection, changes)
        if not changes:
            return
        _check_clashes(connection, changes)
        parent = connection.execute("SELECT oid FROM operations ORDER BY number DESC LIMIT 1").fetchone()
        self.operation = Operation(
            parent=ObjectId(parent[0]) if parent else None,
            command=self.command,
            author=self.author,
            created_at=self.now,
            changes=tuple(changes[name] for name in sorted(changes)),
        ).put(objects)
        objects.sync()
        number = connection.execute(
            "INSERT INTO operations (oid, command, author, created_at) VALUES (?, ?, ?, ?)",
            (bytes(self.operation), self.command, self.author, self.now),
        ).lastrowid
        head_before = _resolved(connection, HEAD)
        for change in sorted(changes.values(), key=lambda c: c.new != ""):  # deletions first: they make room
            if change.name in started:
                continue  # RUN moved when the run began; the operation tells of it, so that undo knows
            _write(connection, change)
            if change.name != HEAD:
                message = messages.get(change.name) or self.command
                self._log(connection, change.name, change.old, change.new, message, number)
        self._log_head(connection, head_before, changes, messages, number)

    def _changes(self, connection: sqlite3.Connection) -> tuple[dict[str, RefChange], dict[str, str]]:
        """Returns what differs from the refs as they stand, after comparing them with what is expected."""
        changes, messages = {}, {}
        for name, wanted in self._wanted.items():
            actual = _value(connection, name)
            if wanted.creates and actual:
                raise RefExists(name)
            if not isinstance(wanted.expected, Anything) and actual != wanted.expected:
                raise RefMoved(name, wanted.expected or None, actual or None)
            if wanted.verifies:
                continue
            if not wanted.new and not actual:
                raise RefMissing(name)
            if actual != wanted.new or wanted.always:
                changes[name] = RefChange(name, actual, wanted.new)
                messages[name] = wanted.message
        return changes, messages

    def _finish_runs(self, connection: sqlite3.Connection, changes: dict[str, RefChange]) -> set[str]:
        """Adds the changes of finished runs; returns {RUN} if it moved when one of them began."""
        started = set()
        for run in self._finished:
            name = run_ref(run.number)
            row = connection.execute("SELECT status, run_before FROM runs WHERE number = ?", (run.number,)).fetchone()
            if row is None:
                raise RefMissing(name)
            if row[0] != RECORDING:
                actual = _value(connection, name)
                if actual != run.oid.hex():
                    raise RefMoved(name, None, actual or None)
                continue
            connection.execute(
                "UPDATE runs SET status = ?, ended_at = ?, journal = '' WHERE number = ?",
                (clean_text(run.status), run.ended_at, run.number),
            )
            changes[name] = RefChange(name, "", run.oid.hex())
            if row[1] is not None and RUN not in changes:
                changes[RUN] = RefChange(RUN, row[1], format_run(run.number))
                started.add(RUN)
        return started

    def _log(
        self, connection: sqlite3.Connection, ref: str, old: str, new: str, message: str, number: int | None
    ) -> None:
        write_reflog(connection, ReflogEntry(ref, old, new, self.author, self.now, clean_text(message), number))

    def _log_head(
        self,
        connection: sqlite3.Connection,
        before: str,
        changes: dict[str, RefChange],
        messages: dict[str, str],
        number: int | None,
    ) -> None:
        """Writes HEAD's reflog: a move of HEAD itself, or of the branch that it is on."""
        branch = value_target(_value(connection, HEAD))
        touched = [name for name in (HEAD, branch) if name in changes]
        after = _resolved(connection, HEAD)
        if touched and touched[0] and (before or after):
            self._log(connection, HEAD, before, after, messages.get(touched[0]) or self.command, number)


def clean_text(text: str) -> str:
    """Returns `text` as valid Unicode: a command line may hold bytes that are none."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write_reflog(connection: sqlite3.Connection, entry: ReflogEntry) -> None:
    """Adds one move to the reflog."""
    connection.execute(
        "INSERT INTO reflog (ref, old, new, author, created_at, message, operation, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*entry, reflog_checksum(entry)),
    )


def reflog_checksum(entry: ReflogEntry) -> int:
    """Returns the CRC-32 of the fields as text, each with a zero byte behind it: no object repeats all of them."""
    return zlib.crc32("".join("\0" if field is None else f"{field}\0" for field in entry).encode())


def _expected(value: Expected) -> str | Anything:
    return value if isinstance(value, Anything) else format_value(value)


def _value(connection: sqlite3.Connection, name: str) -> str:
    row = connection.execute("SELECT value FROM refs WHERE name = ?", (name,)).fetchone()
    return "" if row is None else str(row[0])


def _resolved(connection: sqlite3.Connection, name: str) -> str:
    """Returns the value at the end of a symbolic ref, "" where there is none."""
    value = _value(connection, name)
    target = value_target(value)
    return value if target is None else _value(connection, target)


def _write(connection: sqlite3.Connection, change: RefChange) -> None:
    if not change.new:
        connection.execute("DELETE FROM refs WHERE name = ?", (change.name,))
        return
    connection.execute(
        "INSERT INTO refs (name, folded, value) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (change.name, folded(change.name), change.new),
    )


def _check_clashes(connection: sqlite3.Connection, changes: dict[str, RefChange]) -> None:
    """Refuses a new name beside one that differs in case only, or that is its folder.

    Raises:
        RefClash: two names that cannot stand side by side.
    """
    created = [change.name for change in changes.values() if change.new and not change.old]
    deleted = {change.name for change in changes.values() if not change.new}
    standing: dict[str, str] = {}
    for name in created:
        if (other := standing.setdefault(folded(name), name)) != name:
            raise RefClash(name, other)
    for name in created:
        key = folded(name)
        rows = connection.execute("SELECT name FROM refs WHERE folded = ?", (key,)).fetchall()
        rows += connection.execute(
            "SELECT name FROM refs WHERE folded > ? AND folded < ?", (key + "/", key + "0")
        ).fetchall()
        for folder in folders(key):
            rows += connection.execute("SELECT name FROM refs WHERE folded = ?", (folder,)).fetchall()
            if folder in standing:
                raise RefClash(name, standing[folder])
        for (other,) in rows:
            if other != name and other not in deleted:
                raise RefClash(name, other)
