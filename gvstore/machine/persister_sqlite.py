"""Steps in a SQLite file: what changed, one transaction a step.

Several processes may use one file.  Each, and in it each `writer`, goes on in
the lineage that it wrote last; finds it that another has gone on from the same
step, it begins a lineage of its own there, so that no history is of two minds.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from gvstore import host
from gvstore.machine import persister_schema as schema
from gvstore.machine.persister import (
    BaseStatePersister,
    CorruptPersister,
    Lineage,
    NotInitialized,
    PersistedStateData,
    PersisterFault,
    SavedStep,
    Status,
    UnknownApplication,
    checked_step,
    exception_text,
    is_text,
    kept_values,
    partition_of,
    text_of_instant,
)
from gvstore.machine.persister_rows import Segment, StateRows, kept_json
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.state import State

DEFAULT_TABLE: Final = "machine_steps"
_APPLICATIONS: Final = 256  # whose places, and last states, are at hand
_DEPTH: Final = 32  # lineages in each other before one begins with a whole state
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STATUS: Final[tuple[Status, Status]] = ("completed", "failed")


@dataclass(slots=True)
class _Cursor:
    """Where an application is written on: its lineage, the last step there, and that step's state if it is at hand."""

    lineage: int
    sequence: int
    shape: int | None = None
    state: State[Any] | None = None


class SQLitePersister(BaseStatePersister):
    """Keeps steps in a SQLite file.

    A step costs what it changed.  With `synchronous="NORMAL"` a step that was
    kept is there whatever becomes of the process; a power cut may take the last
    ones, and with "FULL" takes none.

    `serde_kwargs` go to serializers that take them.  `connect_kwargs` go to
    `sqlite3.connect`.

    Raises:
        PersisterFault: `table_name` or `synchronous` is none.
    """

    def __init__(
        self,
        db_path: str | Path,
        table_name: str = DEFAULT_TABLE,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
        *,
        synchronous: Literal["OFF", "NORMAL", "FULL", "EXTRA"] = "NORMAL",
    ) -> None:
        if not isinstance(db_path, str | Path) or not str(db_path):
            raise PersisterFault(f"db_path is the path of a file, not {db_path!r}")
        if synchronous not in ("OFF", "NORMAL", "FULL", "EXTRA"):
            raise PersisterFault(f"synchronous is 'OFF', 'NORMAL', 'FULL' or 'EXTRA', not {synchronous!r}")
        self.db_path, self.table_name = str(db_path), schema.checked_table(table_name)
        self.serde_kwargs, self.connect_kwargs = serde_kwargs or {}, connect_kwargs or {}
        self.synchronous = synchronous
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._is_initialized = False
        self._cursors: OrderedDict[tuple[tuple[str, str], Hashable], _Cursor] = OrderedDict()
        self._rows = StateRows(self.db_path, self.table_name, (self.serde_kwargs, self.serde_kwargs))

    @classmethod
    def from_values(
        cls,
        db_path: str | Path,
        table_name: str = DEFAULT_TABLE,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
    ) -> Self:
        """Returns the persister of a file."""
        return cls(db_path, table_name, serde_kwargs, connect_kwargs)

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Returns the persister of a file, from a dict of what `from_values` takes."""
        return cls.from_values(**config)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.db_path, self.table_name, self.serde_kwargs, self.connect_kwargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cleanup()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if self._connection is not None and self._process == host.process_id():
                self._connection.close()

    def cleanup(self) -> None:
        """Closes the file; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None and self._process == host.process_id():
                self._connection.close()
            self._connection = None
            self._cursors.clear()
            self._rows.forget()

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any]) -> None:
        """Says what serializers and deserializers that take keywords are given."""
        self.serde_kwargs = self._rows.to_json = self._rows.of_json = serde_kwargs

    def initialize(self) -> None:
        """Makes the file and its tables, where they are not there yet.

        Raises:
            PersisterFault: the file cannot be made, or has another table of that name.
            CorruptPersister: it is no SQLite database, or damaged.
        """
        with self._lock, schema.told(self.db_path):
            schema.make_tables(self._open(), self.table_name, self.db_path)
            self._is_initialized = True

    def create_table_if_not_exists(self, table_name: str | None = None) -> None:
        """Makes the file and its tables, as `initialize`; `table_name` is its own, if it is given.

        Raises:
            PersisterFault: it is another.
        """
        if table_name not in (None, self.table_name):
            raise PersisterFault(f"this persister's table is {self.table_name!r}, not {table_name!r}", hint="Make one with table_name=.")
        self.initialize()

    create_table = create_table_if_not_exists

    def is_initialized(self) -> bool:
        """Returns whether the tables are there.  Raises as `initialize`."""
        with self._lock, schema.told(self.db_path):
            if not self._is_initialized:
                if self.db_path != schema.MEMORY and not Path(self.db_path).exists():
                    return False
                self._is_initialized = schema.has_tables(self._open(), self.table_name, self.db_path)
            return self._is_initialized

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._process != host.process_id():  # a connection must not go through a fork
            self._rows.forget()
            self._connection = schema.connect(self.db_path, self.synchronous, self.connect_kwargs)
            self._process = host.process_id()
        return self._connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        if not self.is_initialized():
            raise NotInitialized(self)
        with self._lock, schema.told(self.db_path, self):
            at = self._open()
            at.execute("BEGIN")  # one look at the whole, whoever writes meanwhile
            try:
                yield at
            finally:
                with contextlib.suppress(sqlite3.Error):  # what the look itself met goes on
                    at.execute("COMMIT")

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        if not self.is_initialized():
            raise NotInitialized(self)
        with self._lock, schema.told(self.db_path, self):
            at = self._open()
            at.execute("BEGIN IMMEDIATE")
            try:
                yield at
                at.execute("COMMIT")
            except BaseException:
                self._rows.forget()
                with contextlib.suppress(sqlite3.Error):
                    at.execute("ROLLBACK")
                raise

    def save(
        self,
        partition_key: str | None,
        app_id: str,
        sequence_id: int,
        position: str,
        state: State[Any],
        status: Status,
        *,
        inputs: dict[str, Any] | None = None,
        result: dict[str, Any] | None = None,
        exception: BaseException | str | None = None,
        parent: ParentPointer | None = None,
        writer: Hashable = None,
        **kwargs: Any,
    ) -> None:
        """Keeps a step: when this returns, it is in the file.

        Raises:
            PersisterFault: this is no step, or the file cannot be written.
            StateValueError: the state holds what cannot be stored; nothing was written.
            NotInitialized: there are no tables yet.
            Conflict: another process held the file for too long.
        """
        checked_step(app_id, sequence_id, position, state, status)
        key = partition_of(partition_key), app_id
        with self._writing() as at:
            cursor, before = self._place(at, key, sequence_id, parent, writer)
            said = self._rows.write(at, cursor.lineage, sequence_id, before, state)
            given = kept_json("inputs", kept_values(inputs), self.serde_kwargs, said=said)
            answered = kept_json("result", kept_values(result), self.serde_kwargs, said=said)
            cursor.shape = self._rows.shape(at, list(state), cursor.shape)
            at.execute(
                f'INSERT INTO "{self.table_name}" (lineage, sequence_id, position, status, created_at, shape, inputs, result, exception)'
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (cursor.lineage, sequence_id, position, _STATUS.index(status), host.now_us(), cursor.shape, given, answered,
                 exception_text(exception)),
            )  # fmt: skip
        cursor.sequence, cursor.state = sequence_id, state
        self._cursors[key, writer] = cursor
        self._cursors.move_to_end((key, writer))
        if len(self._cursors) > _APPLICATIONS:
            self._cursors.popitem(last=False)

    def _place(
        self, at: sqlite3.Connection, key: tuple[str, str], sequence_id: int, pointer: ParentPointer | None, writer: Hashable
    ) -> tuple[_Cursor, State[Any]]:
        """Returns where a step is written, and the state before it there."""
        known = self._cursors.get((key, writer))
        lineage = known.lineage if known else self._last_lineage(at, *key)
        if lineage is None:
            return self._fork(at, key, pointer)
        last, shape = self._tip(at, lineage)
        if last < sequence_id and (known is None or last == known.sequence):
            if known is not None and known.state is not None:
                return _Cursor(lineage, last, shape, known.state), known.state
            return _Cursor(lineage, last, shape), self._rows.read(at, shape, self._bases(at, lineage, last))
        base = self._step_until(at, lineage, sequence_id - 1 if known is None else min(sequence_id - 1, known.sequence))
        return self._begin(at, key, base, None)

    def _fork(self, at: sqlite3.Connection, key: tuple[str, str], pointer: ParentPointer | None) -> tuple[_Cursor, State[Any]]:
        """Begins an application; its parent may be in this file."""
        base = None
        if pointer is not None:
            partition = partition_of(pointer.partition_key)
            lineage = self._last_lineage(at, partition, pointer.app_id)
            last = (1 << 63) - 1 if pointer.sequence_id is None else pointer.sequence_id
            base = None if lineage is None else self._step_until(at, lineage, last)
        return self._begin(at, key, base, pointer)

    def _begin(
        self, at: sqlite3.Connection, key: tuple[str, str], base: Segment | None, pointer: ParentPointer | None
    ) -> tuple[_Cursor, State[Any]]:
        """Begins a lineage after the step `base`."""
        parent: tuple[Any, ...] = (None, None, None, None)
        depth, shape, before = 0, None, State[Any]()
        if base is not None:
            sql = f'SELECT partition_key, app_id, depth FROM "{self.table_name}_lineages" WHERE number = ?'
            *names, depth = at.execute(sql, (base[0],)).fetchone()
            parent = (*base, *names)
            shape = self._shape_of(at, *base)
            if (depth := depth + 1) % _DEPTH:
                before = self._rows.read(at, shape, self._bases(at, *base))
        elif pointer is not None:
            parent = (None, pointer.sequence_id, partition_of(pointer.partition_key), pointer.app_id)
        t = self.table_name
        count = at.execute(f'SELECT max(ordinal) FROM "{t}_lineages" WHERE partition_key = ? AND app_id = ?', key).fetchone()[0]
        number = at.execute(
            f'INSERT INTO "{t}_lineages" (partition_key, app_id, ordinal, created_at, depth, parent, parent_sequence,'
            " parent_partition, parent_app) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*key, (count or 0) + 1, host.now_us(), depth, *parent),
        ).lastrowid
        return _Cursor(number or 0, -1, shape), before

    def _last_lineage(self, at: sqlite3.Connection, partition: str, app_id: str, ordinal: int | None = None) -> int | None:
        if not is_text(app_id):
            return None
        sql = f'SELECT number FROM "{self.table_name}_lineages" WHERE partition_key = ? AND app_id = ?'
        end = " ORDER BY ordinal DESC LIMIT 1" if ordinal is None else " AND ordinal = ?"
        row = at.execute(sql + end, (partition, app_id, *(() if ordinal is None else (ordinal,)))).fetchone()
        return None if row is None else row[0]

    def _tip(self, at: sqlite3.Connection, lineage: int) -> tuple[int, int]:
        """Returns the last step of a lineage, and its shape."""
        sql = f'SELECT sequence_id, shape FROM "{self.table_name}" WHERE lineage = ? ORDER BY sequence_id DESC LIMIT 1'
        row = at.execute(sql, (lineage,)).fetchone()
        if row is None:
            raise CorruptPersister(f"{self.db_path} is damaged: a lineage has no steps")
        return row[0], row[1]

    def _shape_of(self, at: sqlite3.Connection, lineage: int, sequence: int) -> int:
        sql = f'SELECT shape FROM "{self.table_name}" WHERE lineage = ? AND sequence_id = ?'
        shape: int = at.execute(sql, (lineage, sequence)).fetchone()[0]
        return shape

    def _step_until(self, at: sqlite3.Connection, lineage: int, last: int) -> Segment | None:
        """Returns the last step of a lineage, or of those before it, up to `last`: the lineage that holds it, and its number."""
        sql = f'SELECT max(sequence_id) FROM "{self.table_name}" WHERE lineage = ? AND sequence_id <= ?'
        for number, limit in self._segments(at, lineage, last):
            found = at.execute(sql, (number, limit)).fetchone()[0]
            if found is not None:
                return number, found
        return None

    def _segments(self, at: sqlite3.Connection, lineage: int, last: int) -> Iterator[Segment]:
        """Yields a lineage and those that it goes on from, each with the last step of it that is seen there."""
        sql = f'SELECT min(sequence_id) FROM "{self.table_name}" WHERE lineage = ?'
        for number, limit in self._bases(at, lineage, last):
            last = min(last, limit)
            yield number, last
            first = at.execute(sql, (number,)).fetchone()[0]
            last = last if first is None else min(last, first - 1)

    def _bases(self, at: sqlite3.Connection, lineage: int, last: int) -> Iterator[Segment]:
        """Yields a lineage and those that it goes on from, each with the last step of it that the state builds on.

        A fork may count its steps anew, from below the step that it goes on from.
        """
        sql = f'SELECT parent, parent_sequence FROM "{self.table_name}_lineages" WHERE number = ?'
        number: int | None = lineage
        while number is not None:
            yield number, last
            row = at.execute(sql, (number,)).fetchone()
            if row is None or (row[0] is not None and row[0] >= number):
                raise CorruptPersister(f"{self.db_path} is damaged: lineage {number} is missing")
            number, last = row

    def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        *,
        lineage: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Returns a step of the last lineage, or of the one of this number, or None if there is none.

        Raises:
            NotInitialized: there are no tables yet.
            CorruptPersister: the file is damaged.
            StateValueError: a field cannot be restored here.
        """
        partition = partition_of(partition_key)
        with self._reading() as at:
            if app_id is None:
                app_id = next(iter(self._applications(at, partition)), None)
            number = None if app_id is None else self._last_lineage(at, partition, app_id, lineage)
            if number is None or app_id is None:
                return None
            found = self._step_until(at, number, (1 << 63) - 1 if sequence_id is None else sequence_id)
            if found is None or (sequence_id is not None and found[1] != sequence_id):
                return None
            row = at.execute(
                "SELECT s.position, s.status, s.created_at, s.shape, s.inputs, s.result, s.exception, l.ordinal, l.app_id, l.partition_key"
                f' FROM "{self.table_name}" s JOIN "{self.table_name}_lineages" l ON l.number = s.lineage'
                " WHERE s.lineage = ? AND s.sequence_id = ?",
                found,
            ).fetchone()
            state = self._rows.read(at, row[3], self._bases(at, *found))
            given, answered = (self._rows.kept_values(at, *found, each) for each in row[4:6])
        return {
            "partition_key": row[9],
            "app_id": row[8],
            "sequence_id": found[1],
            "position": row[0],
            "state": state,
            "created_at": text_of_instant(row[2]),
            "status": _STATUS[row[1]],
            "inputs": given,
            "result": answered,
            "exception": row[6],
            "lineage": row[7],
        }

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last step first.  Raises as `load`."""
        with self._reading() as at:
            return self._applications(at, partition_of(partition_key))

    def _applications(self, at: sqlite3.Connection, partition: str) -> list[str]:
        t = self.table_name
        rows = at.execute(
            f'SELECT app_id, (SELECT number FROM "{t}" s WHERE s.lineage = l.number ORDER BY sequence_id DESC LIMIT 1) AS last'
            f' FROM "{t}_lineages" l WHERE partition_key = ? ORDER BY last DESC',
            (partition,),
        )
        return list(dict.fromkeys(app_id for app_id, _ in rows))

    def list_partitions(self) -> list[str]:
        """Returns the partitions, sorted.  Raises as `load`."""
        with self._reading() as at:
            return [name for (name,) in at.execute(f'SELECT DISTINCT partition_key FROM "{self.table_name}_lineages" ORDER BY 1')]

    def lineages(self, partition_key: str | None, app_id: str) -> list[Lineage]:
        """Returns the lineages of an application, the oldest first; none if there is no such application.  Raises as `load`."""
        t = self.table_name
        with self._reading() as at:
            rows = at.execute(
                f"SELECT l.ordinal, (SELECT min(sequence_id) FROM {t} WHERE lineage = l.number),"
                f" (SELECT max(sequence_id) FROM {t} WHERE lineage = l.number), l.created_at,"
                " l.parent_app, l.parent_partition, l.parent_sequence, p.ordinal"
                f" FROM {t}_lineages l LEFT JOIN {t}_lineages p ON p.number = l.parent"
                " WHERE l.partition_key = ? AND l.app_id = ? ORDER BY l.ordinal",
                (partition_of(partition_key), app_id),
            ).fetchall()
        return [
            Lineage(number, first, last, _instant(at_us), None if app is None else ParentPointer(app, partition, sequence), of)
            for number, first, last, at_us, app, partition, sequence, of in rows
        ]

    def history(self, partition_key: str | None, app_id: str, *, lineage: int | None = None) -> list[SavedStep]:
        """Returns the steps of a lineage, by default the last, those before it and before a fork included, the oldest first.

        Raises:
            UnknownApplication: there is no such application, or lineage.
        """
        partition = partition_of(partition_key)
        sql = (
            "SELECT l.partition_key, l.app_id, l.ordinal, s.sequence_id, s.position, s.status, s.created_at, s.exception"
            f' FROM "{self.table_name}" s JOIN "{self.table_name}_lineages" l ON l.number = s.lineage'
            " WHERE s.lineage = ? AND s.sequence_id <= ? ORDER BY s.sequence_id DESC"
        )
        with self._reading() as at:
            number = self._last_lineage(at, partition, app_id, lineage)
            if number is None:
                is_there = self._last_lineage(at, partition, app_id) is not None
                raise UnknownApplication.named(app_id, partition, self._applications(at, partition), lineage if is_there else None)
            rows = [row for each in self._segments(at, number, (1 << 63) - 1) for row in at.execute(sql, each)]
        return [
            SavedStep(partition, app, number, sequence, position, _STATUS[status], _instant(at_us), exception)
            for partition, app, number, sequence, position, status, at_us, exception in reversed(rows)
        ]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.db_path!r}, {self.table_name!r})"


SQLLitePersister = SQLitePersister


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
