"""States as rows: what each step changed, and a state put together again from them.

A field is the row that set it last, and the rows with further items after that:
to read it takes no more than it holds, and to write it no more than what
changed, however long the application has run.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from gvstore.machine.delta import DeleteField, ExtendFields
from gvstore.machine.difference import difference
from gvstore.machine.persister import CorruptPersister
from gvstore.machine.serde import FIELD_SERDES, KEY, deserialize, deserialize_field, serialize, serialize_field
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateValueError
from gvstore.objects.fault import CorruptObject

if TYPE_CHECKING:
    from gvstore.machine.delta import StateDelta

Segment = tuple[int, int]  # a lineage, and its last step that counts
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def json_of(what: str, value: Any) -> str:
    """Returns JSON of what a serializer returned.

    Raises:
        StateValueError: JSON does not hold it.
    """
    try:
        text = _ENCODER.encode(value)
        text.encode()
        return text
    except (TypeError, ValueError, RecursionError) as e:
        raise StateValueError(f"{what} cannot be written as JSON: {e}") from e


def kept_json(what: str, values: Mapping[str, Any] | None, kwargs: dict[str, Any], *, are_fields: bool = False) -> str | None:
    """Returns JSON of a step's inputs or result, or of a state's fields; what cannot be stored is told by its type."""
    if values is None:
        return None
    texts = []
    for name, value in values.items():
        try:
            texts.append(json_of(what, serialize_field(name, value, kwargs) if are_fields else serialize(value, **kwargs)))
        except (StateValueError, RecursionError):
            kind = f"{type(value).__module__}:{type(value).__qualname__}"
            texts.append(json_of(what, {KEY: "opaque", "parts": [kind, None]}))
    names = [json_of(what, serialize(name)) for name in values]
    if all(name.startswith('"') for name in names) and KEY not in values:
        return f"{{{','.join(map(':'.join, zip(names, texts, strict=True)))}}}"
    parts = ",".join(map(",".join, zip(names, texts, strict=True)))
    return f'{{"{KEY}":"dict","parts":[{parts}]}}'


def from_json(path: str, text: str) -> Any:
    """Returns what JSON says.  Raises CorruptPersister where it is none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError) as e:
        raise CorruptPersister(f"{path} is damaged: a row holds no JSON: {e}") from e


def kept_values_of(path: str, text: str | None, kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Returns a step's inputs or result.  Raises CorruptPersister or StateValueError."""
    return None if text is None else deserialize(from_json(path, text), **kwargs)


class StateRows:
    """The tables of fields in one database; the caller holds the lock and, to write, a transaction."""

    def __init__(self, path: str, table: str, kwargs: tuple[dict[str, Any], dict[str, Any]]) -> None:
        self.path, self.table = path, table
        self.to_json, self.of_json = kwargs
        self._fields: dict[str, int] = {}
        self._shapes: dict[int, list[str]] = {}

    def forget(self) -> None:
        """Forgets numbers that a transaction gave out and did not keep."""
        self._fields.clear()
        self._shapes.clear()

    def write(self, at: sqlite3.Connection, lineage: int, sequence: int, before: State[Any], after: State[Any]) -> None:
        """Writes what a step changed.  Raises StateValueError."""
        rows = [
            (lineage, self._field(at, name), sequence, grows, data)
            for change in difference(before, after)
            for name, grows, data in self._changes(change, after)
        ]
        sql = f'INSERT INTO "{self.table}_changes" (lineage, field, sequence_id, grows, data) VALUES (?, ?, ?, ?, ?)'
        at.executemany(sql, rows)

    def _changes(self, change: StateDelta, after: State[Any]) -> Iterator[tuple[str, int, str]]:
        if isinstance(change, DeleteField):
            return
        values: Mapping[str, Any] = change.values  # type: ignore[attr-defined]
        for name, value in values.items():
            grows = isinstance(change, ExtendFields) and name not in FIELD_SERDES and list not in serialize.registry
            whole = value if grows or not isinstance(change, ExtendFields) else after[name]
            try:
                data = serialize_field(name, whole, self.to_json)
            except CorruptObject as e:  # it lies in a store that lost it
                raise StateValueError(f"state field {name!r} cannot be read: {e}") from e
            yield name, int(grows), json_of(f"state field {name!r}", data)

    def shape(self, at: sqlite3.Connection, names: list[str], before: int | None) -> int:
        """Returns the number of these names of fields, in this order; `before` is the shape of the step before."""
        base, further = None, names
        if before is not None:
            known = self._names(at, before)
            if known == names:
                return before
            if known == names[: len(known)]:
                base, further = before, names[len(known) :]
        sql = f'INSERT INTO "{self.table}_shapes" (base, names) VALUES (?, ?)'
        number = at.execute(sql, (base, _ENCODER.encode(serialize(further)))).lastrowid or 0
        self._shapes = {number: names}
        return number

    def _names(self, at: sqlite3.Connection, shape: int) -> list[str]:
        if shape in self._shapes:
            return self._shapes[shape]
        found: list[list[str]] = []
        number: int | None = shape
        while number is not None:
            row = at.execute(f'SELECT base, names FROM "{self.table}_shapes" WHERE number = ?', (number,)).fetchone()
            if row is None or (row[0] is not None and row[0] >= number):
                raise CorruptPersister(f"{self.path} is damaged: shape {number} of a state is missing")
            number = row[0]
            found.append(deserialize(from_json(self.path, row[1])))
        names = [name for part in reversed(found) for name in part]
        self._shapes = {shape: names}
        return names

    def _field(self, at: sqlite3.Connection, name: str) -> int:
        number = self._fields.get(name) or self._found(at, name)
        if number is None:
            key = _ENCODER.encode(serialize(name))
            number = at.execute(f'INSERT INTO "{self.table}_fields" (name) VALUES (?)', (key,)).lastrowid or 0
        if len(self._fields) > 10_000:
            self._fields.clear()
        self._fields[name] = number
        return number

    def _found(self, at: sqlite3.Connection, name: str) -> int | None:
        key = _ENCODER.encode(serialize(name))
        row = at.execute(f'SELECT number FROM "{self.table}_fields" WHERE name = ?', (key,)).fetchone()
        return None if row is None else row[0]

    def read(self, at: sqlite3.Connection, shape: int, segments: Iterable[Segment]) -> State[Any]:
        """Returns the state of a step; `segments` are its lineage and those before, each with its last step that counts.

        Raises:
            CorruptPersister: a row is missing or damaged.
            StateValueError: a field cannot be restored here.
        """
        kept = list(segments)
        values = {}
        for name in self._names(at, shape):
            data = from_json(self.path, self._data(at, name, kept))
            values[name] = deserialize_field(name, data, self.of_json)
        return State(values)

    def _data(self, at: sqlite3.Connection, name: str, segments: list[Segment]) -> str:
        sql = (
            f'SELECT grows, data FROM "{self.table}_changes" WHERE lineage = ? AND field = ? AND sequence_id <= ?'
            " ORDER BY sequence_id DESC"
        )
        number = self._fields.get(name) or self._found(at, name)
        further: list[str] = []
        for lineage, last in segments:
            for grows, data in at.execute(sql, (lineage, number, last)):
                if not grows:
                    return data if not further else _joined([data, *reversed(further)])
                further.append(data)
        raise CorruptPersister(f"{self.path} is damaged: the value of field {name!r} is missing")


def _joined(lists: list[str]) -> str:
    """Returns JSON of one list of the items of several."""
    inner = (each[1:-1] for each in lists)
    return f"[{','.join(each for each in inner if each)}]"
