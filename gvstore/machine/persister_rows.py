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
_LONG: Final = 80  # bytes of JSON that are worth telling by where they stand
_MANY: Final = 64  # items of a change: of more, none is looked at
_SAID: Final = "said_in_this_step"
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


def kept_json(
    what: str,
    values: Any,
    kwargs: dict[str, Any],
    *,
    are_fields: bool = False,
    said: Mapping[str, str] | None = None,
) -> str | None:
    """Returns JSON of a step's inputs or result, or of a state's fields; what cannot be stored is told by its type.

    What is `said` elsewhere in the step, by its JSON, is told by where.
    """
    if values is None:
        return None
    if not isinstance(values, Mapping):  # the result of an action that streams models
        return (kept_json(what, {"": values}, kwargs) or "")[len('{"":') : -1]
    texts = []
    for name, value in values.items():
        try:
            texts.append(json_of(what, serialize_field(name, value, kwargs) if are_fields else serialize(value, **kwargs)))
        except (StateValueError, RecursionError):
            kind = f"{type(value).__module__}:{type(value).__qualname__}"
            texts.append(json_of(what, {KEY: "opaque", "parts": [kind, None]}))
    if said:
        texts = [said.get(text, text) for text in texts]
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

    def write(
        self, at: sqlite3.Connection, lineage: int, sequence: int, before: State[Any], after: State[Any]
    ) -> dict[str, str]:
        """Writes what a step changed; returns JSON of long parts of it, and of where they stand.  Raises StateValueError."""
        rows: list[tuple[int, int, int, int, str]] = []
        said: dict[str, str] = {}
        for change in difference(before, after):
            for name, grows, value in self._changes(change, after):
                data = json_of(f"state field {name!r}", value)
                rows.append((lineage, self._field(at, name), sequence, grows, data))
                if len(data) >= _LONG and name not in FIELD_SERDES:  # which may write what JSON makes another thing of
                    said.update(_parts(name, value, data))
        sql = f'INSERT INTO "{self.table}_changes" (lineage, field, sequence_id, grows, data) VALUES (?, ?, ?, ?, ?)'
        at.executemany(sql, rows)
        return said

    def _changes(self, change: StateDelta, after: State[Any]) -> Iterator[tuple[str, int, Any]]:
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
            yield name, int(grows), data

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
            text = self._data(at, name, kept)
            data = from_json(self.path, text)
            is_plain = KEY not in text and name not in FIELD_SERDES  # nothing in it is marked as what JSON does not hold
            values[name] = data if is_plain else deserialize_field(name, data, self.of_json)
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


    def kept_values(self, at: sqlite3.Connection, lineage: int, sequence: int, text: str | None) -> dict[str, Any] | None:
        """Returns a step's inputs or result.  Raises CorruptPersister or StateValueError."""
        if text is None:
            return None
        found = from_json(self.path, text)
        if type(found) is not dict:
            raise CorruptPersister(f"{self.path} is damaged: a dict was expected")
        kept: Any
        for kept in (found, found.get("parts")):
            places = kept.items() if type(kept) is dict else enumerate(kept) if type(kept) is list else ()
            for place, value in list(places):
                if type(value) is dict and value.get(KEY) == _SAID:
                    kept[place] = self._said(at, lineage, sequence, value.get("at"))
        values: dict[str, Any] = deserialize(found, **self.of_json)
        return values

    def _said(self, at: sqlite3.Connection, lineage: int, sequence: int, path: Any) -> Any:
        sql = f'SELECT data FROM "{self.table}_changes" WHERE lineage = ? AND field = ? AND sequence_id = ?'
        try:
            row = at.execute(sql, (lineage, self._found(at, deserialize(path[0])), sequence)).fetchone()
            value = json.loads(row[0])
            for step in path[1:]:
                value = value[step]
        except (TypeError, ValueError, LookupError) as e:
            raise CorruptPersister(f"{self.path} is damaged: an input or result refers to what is not there") from e
        return value


def _parts(name: str, value: Any, data: str) -> Iterator[tuple[str, str]]:
    """Yields JSON of long parts of a change, and of where they stand: the whole, its items, and texts in items that are dicts."""
    yield data, _place(name)
    if type(value) not in (list, dict) or len(value) > _MANY or KEY in value:
        return
    for place, item in value.items() if type(value) is dict else enumerate(value):
        if type(item) is str and len(item) >= _LONG:
            yield _ENCODER.encode(item), _place(name, place)
        elif type(item) is dict and KEY not in item:
            yield _ENCODER.encode(item), _place(name, place)
            for key, each in item.items():
                if type(each) is str and len(each) >= _LONG:
                    yield _ENCODER.encode(each), _place(name, place, key)


def _place(name: str, *path: int | str) -> str:
    return _ENCODER.encode({KEY: _SAID, "at": [serialize(name), *path]})


def _joined(lists: list[str]) -> str:
    """Returns JSON of one list of the items of several."""
    inner = (each[1:-1] for each in lists)
    return f"[{','.join(each for each in inner if each)}]"
