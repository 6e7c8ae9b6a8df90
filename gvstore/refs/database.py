"""refs.db: the only mutable truth of a repository.

A `Refs` reads refs, reflog, operations and run numbers, and begins
transactions (transaction.py).  Many processes may have one file open; SQLite's
WAL lets them read while one writes.  Threads share a `Refs` under its lock; a
child made by fork gets a connection of its own, and leaves its parent's alone.

May be imported by `repo` and the rooms above it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any, Self

from gvstore import fs
from gvstore.errors import GvError
from gvstore.objects.oid import OID_BYTES, ObjectId
from gvstore.objects.protocol import ObjectWriter
from gvstore.refs import schema
from gvstore.refs.fault import CorruptRefs, RefsLocked, RefsReadOnly, RefsUnwritten
from gvstore.refs.names import HEAD, RUN, RUNS, run_ref
from gvstore.refs.record import RECORDING, OperationEntry, ReflogEntry, RunRow, TakenRun
from gvstore.refs.value import format_run, value_oid, value_run, value_target

if TYPE_CHECKING:
    import sqlite3

    from gvstore.refs.transaction import Transaction

_MAX_SYMBOLIC_STEPS = 5
_AT_ONCE = 500  # values looked for in one query; SQLite takes 999 at least
Rows = list[tuple[Any, ...]]
_inherited: list[sqlite3.Connection] = []  # connections of a parent process: never used, never closed


class Refs:
    """An open refs.db."""

    def __init__(self, path: Path, objects: ObjectWriter | None, *, read_only: bool) -> None:
        self.path, self.objects, self.read_only = path, objects, read_only
        self._lock = threading.RLock()
        self._opened: sqlite3.Connection | None = None
        self._pid = 0
        self._borrowed = False  # the connection is to a copy, for SQLite cannot open the file itself now
        self._forget_copy: Callable[[], object] | None = None

    @classmethod
    def create(cls, path: Path) -> None:
        """Makes an empty refs.db; one that is there is left as it is."""
        schema.create(path)

    @classmethod
    def open(cls, path: Path, objects: ObjectWriter | None = None, *, read_only: bool = False) -> Refs:
        """Returns the refs in `path`; operations are written to `objects`.

        The file itself is opened at the first use.  `read_only` reads a private copy of it, made then.
        """
        return cls(path, objects, read_only=read_only)

    def close(self) -> None:
        """Closes the file, its WAL written back; the next use opens it again."""
        with self._lock:
            connection, self._opened = self._opened, None
            if connection is None:
                return
            if self._pid != os.getpid():
                _inherited.append(connection)
                return
            if not (self.read_only or self._borrowed):
                schema.checkpoint(connection)
            self._close_copy(connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, name: str) -> str | None:
        """Returns the textual value of the ref (value.py), or None where there is none."""
        with self._reading() as connection:
            return read_value(connection, name)

    def resolve(self, name: str) -> ObjectId | None:
        """Returns the oid that the ref comes to, through symbolic refs and run numbers, or None."""
        for _ in range(_MAX_SYMBOLIC_STEPS):
            value = self.read(name)
            target, number = value_target(value), value_run(value)
            if target is not None:
                name = target
            elif number is not None:
                name = run_ref(number)
            else:
                return value_oid(value)
        raise CorruptRefs(str(self.path), f"{name} points to itself")

    def list(self, prefix: str = "refs/") -> dict[str, str]:
        """Returns the refs whose names begin with `prefix`, sorted, with their textual values."""
        if not prefix.isascii() and not _is_text(prefix):
            return {}
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT name, value FROM refs WHERE name >= ? AND name < ? ORDER BY name",
                (prefix, prefix + "\U0010ffff"),
            ).fetchall()
        return dict(self._typed(rows, str, str))

    def head_ref(self) -> str | None:
        """Returns the ref that HEAD is on, which may not exist yet, or None where HEAD is detached."""
        return value_target(self.read(HEAD))

    def current_run(self) -> int | None:
        """Returns the number that RUN holds, or None."""
        return value_run(self.read(RUN))

    def reflog(self, name: str, *, limit: int | None = None) -> tuple[ReflogEntry, ...]:
        """Returns the moves of the ref, the newest first: entry n is `name@{n}`.  A deleted ref keeps them."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT ref, old, new, author, created_at, message, operation FROM reflog "
                "WHERE ref = ? ORDER BY sequence DESC LIMIT ?",
                (name, -1 if limit is None else limit),
            ).fetchall()
        return tuple(ReflogEntry(*row) for row in self._typed(rows, str, str, str, str, int, str, int | None))

    def last_move(self, *, before: int) -> int | None:
        """Returns when a ref last moved, in microseconds; what claims to be later than `before` does not count."""
        with self._reading() as connection:
            row = connection.execute("SELECT MAX(created_at) FROM reflog WHERE created_at <= ?", (before,)).fetchone()
        return None if row[0] is None else int(row[0])

    def log_mark(self) -> str:
        """Returns what names the newest entry of the reflog, for `runs_since`."""
        with self._reading() as connection:
            row = connection.execute("SELECT MAX(sequence) FROM reflog").fetchone()
            return _log_mark(connection, row[0] or 0)

    def runs_since(self, mark: str) -> tuple[tuple[int, ObjectId], ...] | None:
        """Returns (number, oid) of the runs that came since the mark was taken, the oldest first.

        None where that does not tell all: a run was removed or came back, or this is
        not the reflog that the mark is of.
        """
        from gvstore.refs.schema import has_checksums

        with self._reading() as connection:
            text = mark.partition(" ")[0]
            sequence = int(text) if text.isdecimal() else -1
            if not has_checksums(connection) or mark != _log_mark(connection, sequence):
                return None
            rows = connection.execute(
                "SELECT ref, old, new, (SELECT COUNT(*) FROM reflog AS other WHERE other.ref = reflog.ref) FROM reflog "
                "WHERE sequence > ? AND ref >= ? AND ref < ? ORDER BY sequence",
                (sequence, RUNS, RUNS + ":"),
            ).fetchall()
        found = []
        for ref, old, new, moves in self._typed(rows, str, str, str, int):
            oid = value_oid(new)
            if old or oid is None or moves != 1:
                return None
            found.append((int(ref[len(RUNS) :]), oid))
        return tuple(found)

    def moved_values(self, *, since: int) -> tuple[str, ...]:
        """Returns the textual values that refs got or left since then, each once."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT old FROM reflog WHERE created_at >= ? UNION SELECT new FROM reflog WHERE created_at >= ?",
                (since, since),
            ).fetchall()
        return tuple(row[0] for row in rows)

    def logged(self) -> tuple[str, ...]:
        """Returns the names that have a reflog, sorted; those of deleted refs among them."""
        with self._reading() as connection:
            rows = connection.execute("SELECT DISTINCT ref FROM reflog ORDER BY ref").fetchall()
        return tuple(row[0] for row in self._typed(rows, str))

    def operations(self, *, limit: int | None = None, before: int | None = None) -> tuple[OperationEntry, ...]:
        """Returns what commands did, the newest first: at most `limit`, those numbered below `before`."""
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, oid, command, author, created_at FROM operations WHERE (?1 IS NULL OR number < ?1) "
                "ORDER BY number DESC LIMIT ?2",
                (before, -1 if limit is None else limit),
            ).fetchall()
        typed = self._typed(rows, int, bytes, str, str, int)
        if any(len(row[1]) != OID_BYTES for row in typed):
            raise CorruptRefs(str(self.path), "an operation has no oid")
        return tuple(OperationEntry(row[0], ObjectId(row[1]), *row[2:]) for row in typed)

    @contextmanager
    def transaction(self, command: str, *, author: str, now: int) -> Iterator[Transaction]:
        """Gathers changes in the block and makes them at its end: all or, when anything raises, none.

        `command` is what the user typed, in words; `now` is microseconds.

        Raises:
            RefMoved: a ref is not what the change expects; nothing was written.
            RefExists, RefClash, RefMissing: a change cannot be made beside what is there.
            RefsReadOnly: the repository was opened for reading only.
        """
        if self.read_only or self.objects is None:
            raise RefsReadOnly(str(self.path))
        from gvstore.refs.transaction import Transaction

        transaction = Transaction(command, author=author, now=now)
        yield transaction
        if transaction.empty:
            return
        self.objects.sync()
        with self._writing() as connection:
            transaction.apply(connection, self.objects)

    def allocate_run(
        self, *, journal: str, target: str, started_at: int, move_run: bool = False, author: str = ""
    ) -> int:
        """Returns the number of a run that begins now; no other run ever gets it.

        `move_run` moves RUN to it, so that a run that is killed can be spoken of.
        """
        with self._writing() as connection:
            return _number_run(connection, journal, target, started_at, move_run=move_run, author=author)

    def add_run(
        self,
        oid: ObjectId,
        *,
        target: str,
        status: str,
        started_at: int,
        ended_at: int,
        author: str,
        command: str,
        move_run: bool = False,
    ) -> int:
        """Returns the number of a run that is whole already (a rewound one): numbered and stored at once, or not at all."""
        if self.read_only or self.objects is None:
            raise RefsReadOnly(str(self.path))
        from gvstore.refs.transaction import Transaction

        self.objects.sync()
        with self._writing() as connection:
            number = _number_run(connection, "", target, started_at, move_run=move_run, author=author)
            transaction = Transaction(command, author=author, now=ended_at)
            transaction.finish_run(number, oid, status=status, ended_at=ended_at)
            transaction.apply(connection, self.objects)
        return number

    def take_in(
        self,
        runs: Sequence[TakenRun],
        names: Callable[[Sequence[int]], Mapping[str, str]],
        *,
        author: str,
        command: str,
        now: int,
    ) -> tuple[int, ...]:
        """Returns the numbers of runs that are whole already, taken in as one operation with other refs.

        A run gets the number that it asks for, which must be free, or else the next one.  `names` is given the
        numbers, and gives the other refs by name, as textual values.
        """
        if self.read_only or self.objects is None:
            raise RefsReadOnly(str(self.path))
        from gvstore.refs.transaction import ANYTHING, Transaction

        self.objects.sync()
        numbers = []
        with self._writing() as connection:
            transaction = Transaction(command, author=author, now=now)
            for run in runs:
                number = _number_run(connection, "", run.target, run.started_at, number=run.number)
                transaction.finish_run(number, run.oid, status=run.status, ended_at=run.ended_at)
                numbers.append(number)
            for name, value in names(numbers).items():
                transaction.update(name, value, expected=ANYTHING)
            transaction.apply(connection, self.objects)
        return tuple(numbers)

    def finish_run(
        self,
        number: int,
        oid: ObjectId,
        *,
        status: str,
        ended_at: int,
        author: str,
        command: str,
        now: int | None = None,
    ) -> None:
        """Stores the finished run under its number, as one operation.

        A second time with the same oid does nothing: two readers may fold one dead journal.

        Raises:
            RefMoved: the run was finished as something else.
        """
        with self.transaction(command, author=author, now=ended_at if now is None else now) as transaction:
            transaction.finish_run(number, oid, status=status, ended_at=ended_at)

    def run(self, number: int) -> RunRow | None:
        """Returns what is known of run `number`, or None where no run had it."""
        rows = self._runs("WHERE number = ?", (number,))
        return rows[0] if rows else None

    def runs(self, *, limit: int | None = None, before: int | None = None, removed: bool = False) -> tuple[RunRow, ...]:
        """Returns runs, the newest first: at most `limit`, those numbered below `before`; with `removed`, also what was taken away."""
        where = "WHERE (? IS NULL OR number < ?)"
        if not removed:
            where += f" AND (value IS NOT NULL OR status = '{RECORDING}')"
        return self._runs(where + " ORDER BY number DESC LIMIT ?", (before, before, -1 if limit is None else limit))

    def unfinished_runs(self) -> tuple[RunRow, ...]:
        """Returns the runs being recorded, or whose process died; the oldest first."""
        return self._runs(f"WHERE status = '{RECORDING}' ORDER BY number", ())

    def run_number(self, oid: ObjectId) -> int | None:
        """Returns the number under which the run is stored here, or None: the oid travels, the number does not."""
        return self.run_numbers([oid]).get(oid)

    def run_numbers(self, oids: Sequence[ObjectId]) -> dict[ObjectId, int]:
        """Returns the numbers of those of these runs that are stored here; of one with several, the lowest."""
        found: dict[ObjectId, int] = {}
        for first in range(0, len(oids), _AT_ONCE):
            some = [oid.hex() for oid in oids[first : first + _AT_ONCE]]
            with self._reading() as connection:
                rows = connection.execute(  # `+name`: by the index on values, where there is one
                    f"SELECT name, value FROM refs WHERE value IN ({', '.join('?' * len(some))}) AND +name >= ? AND +name < ?",
                    (*some, RUNS, RUNS + ":"),
                ).fetchall()
            for name, value in self._typed(rows, str, str):
                oid, number = ObjectId.from_hex(value), int(name[len(RUNS) :])
                found[oid] = min(number, found.get(oid, number))
        return found

    def check(self) -> tuple[str, ...]:
        """Returns what is wrong with the file, in words; empty when it is sound.

        SQLite looks at its trees, and each row of the reflog has a checksum, but for those of gvstore 0.1.
        """
        import sqlite3

        try:
            with self._reading() as connection:
                rows = connection.execute("PRAGMA integrity_check(20)").fetchall()
                found = [str(row[0]) for row in rows if row[0] != "ok"]
                if not found and schema.has_checksums(connection):
                    found += _bad_reflog(connection)
        except sqlite3.DatabaseError as e:
            return (str(e),)
        return tuple(found)

    def _runs(self, rest: str, parameters: tuple[object, ...]) -> tuple[RunRow, ...]:
        with self._reading() as connection:
            rows = connection.execute(
                "SELECT number, value, journal, target, status, started_at, ended_at FROM runs "
                f"LEFT JOIN refs ON name = '{RUNS}' || number " + rest,
                parameters,
            ).fetchall()
        typed = self._typed(rows, int, str | None, str, str, str, int, int | None)
        return tuple(RunRow(row[0], value_oid(row[1]), *row[2:]) for row in typed)

    def _typed(self, rows: Rows, *types: type | UnionType) -> Rows:
        """Returns the rows, whose fields are of these types: SQLite does not see to that, and a damaged file may hold any."""
        for row in rows:
            if not all(map(isinstance, row, types)):
                raise CorruptRefs(str(self.path), "a row holds something of another type than its column")
        return rows

    def _connection(self, *, writing: bool) -> sqlite3.Connection:
        pid = os.getpid()
        if self._opened is not None and self._pid == pid and not self._borrowed:
            return self._opened
        if self._opened is not None:
            if self._pid == pid:
                self._close_copy(self._opened)
            else:  # made before a fork.  To close it here would write the parent's WAL back under its feet.
                _inherited.append(self._opened)
            self._opened = None
        self._borrowed = False
        if self.read_only:
            self._opened = self._copy()
        else:
            self._opened = self._original(writing=writing)
        self._pid = pid
        return self._opened

    def _original(self, *, writing: bool) -> sqlite3.Connection:
        """Returns a connection to the file; for reading, one to a copy where SQLite has no room for the files it makes beside it."""
        import sqlite3

        try:
            return schema.connect(self.path)
        except sqlite3.OperationalError as e:
            if writing or not _is_refused(e):
                raise
            try:
                opened = self._copy()
            except (OSError, sqlite3.Error):
                raise e from None
            self._borrowed = True
            return opened

    def _copy(self) -> sqlite3.Connection:
        import shutil

        opened, folder = schema.connect_copy(self.path)
        # The copy goes with this Refs, or at the interpreter's end.
        self._forget_copy = weakref.finalize(self, shutil.rmtree, folder, True)
        return opened

    def _close_copy(self, connection: sqlite3.Connection) -> None:
        connection.close()
        if self._forget_copy is not None:
            self._forget_copy()

    @contextmanager
    def _reading(self, *, writing: bool = False) -> Iterator[sqlite3.Connection]:
        import sqlite3

        with self._lock:
            try:
                yield self._connection(writing=writing)
            except sqlite3.DatabaseError as e:
                raise _fault(self.path, e) from e
            except UnicodeDecodeError as e:
                raise CorruptRefs(str(self.path), f"a text in it is no UTF-8: {e}") from e

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Gives a connection that holds the only write lock; commits at the end, or rolls back."""
        if self.read_only:
            raise RefsReadOnly(str(self.path))
        with self._reading(writing=True) as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _bad_reflog(connection: sqlite3.Connection) -> Iterator[str]:
    from gvstore.refs.transaction import reflog_checksum

    rows = connection.execute(
        "SELECT ref, old, new, author, created_at, message, operation, checksum, sequence FROM reflog"
    )
    for *fields, checksum, sequence in rows:
        if checksum is not None and checksum != reflog_checksum(ReflogEntry(*fields)):
            yield f"row {sequence} of the reflog does not match its checksum"


def _is_text(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def read_value(connection: sqlite3.Connection, name: str) -> str | None:
    """Returns the textual value of a ref, or None; bytes of a command line that are no text name none."""
    if not name.isascii() and not _is_text(name):
        return None
    row = connection.execute("SELECT value FROM refs WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _log_mark(connection: sqlite3.Connection, sequence: int) -> str:
    """Returns the number of an entry of the reflog and its checksum."""
    row = connection.execute("SELECT checksum FROM reflog WHERE sequence = ?", (sequence,)).fetchone()
    return f"{sequence} {row[0] if row else 'none'}"


def _number_run(
    connection: sqlite3.Connection, journal: str, target: str, started_at: int, *, move_run: bool = False, author: str = "",
    number: int | None = None,
) -> int:  # fmt: skip
    """Returns the number of a new run, which `connection` has entered; RUN has moved to it if asked."""
    from gvstore.refs.transaction import clean_text, write_reflog

    target = clean_text(target)
    before = read_value(connection, RUN) or ""
    number = connection.execute(
        "INSERT INTO runs (number, journal, target, status, started_at, run_before) VALUES (?, ?, ?, ?, ?, ?)",
        (number, journal, target, RECORDING, started_at, before if move_run else None),
    ).lastrowid
    assert number is not None
    if move_run:
        new = format_run(number)
        connection.execute("INSERT OR REPLACE INTO refs (name, folded, value) VALUES (?, ?, ?)", (RUN, "run", new))
        write_reflog(connection, ReflogEntry(RUN, before, new, clean_text(author), started_at, f"run {target}", None))
    return number


def _fault(path: Path, error: sqlite3.DatabaseError) -> GvError:
    """Returns what an error of SQLite means for the user."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL")):  # the last: stopped while it held the WAL's locks
        return RefsLocked(str(path))
    if name.startswith("SQLITE_READONLY"):
        return RefsReadOnly(str(path))
    if _is_refused(error):
        return RefsUnwritten(str(path), str(error) if fs.has_room(path.parent) else "no space is left on the disk")
    return CorruptRefs(str(path), str(error))


def _is_refused(error: sqlite3.DatabaseError) -> bool:
    """Returns whether the system refused something, as against SQLite."""
    name = getattr(error, "sqlite_errorname", "")
    return str(name).startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_NOMEM"))
