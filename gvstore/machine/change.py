"""Stored states one after the other: most of them as what changed after the one before.

A stored state is a dict of its fields, or a tuple `(depth, the state before,
{field: value}, {field: further items}, [fields that are gone])`.  A list of
hundreds of messages that gets one more costs its tree's open nodes when it is
stored as a whole, some 800 bytes; as a change it costs the message.  Every
`DEPTH`th state is whole, so any of them is read in a few look-ups, and keeps
no more than these alive.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gvstore.machine.cell import Cell, ListCell, StoredCell
from gvstore.machine.part import field_encoder, inline_height
from gvstore.machine.serde import FIELD_SERDES, unpacked
from gvstore.machine.state_fault import StateValueError
from gvstore.objects import number
from gvstore.objects.chunking import LINK_THRESHOLD
from gvstore.objects.decode import decode
from gvstore.objects.encode import VALUE_BYTE, Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import dict_parts
from gvstore.objects.sequence import ItemList, iter_leaves
from gvstore.objects.wire import Link, link_bytes, linked, pack, split, unpack

DEPTH: Final = 24  # changes between whole states
_MOST_DEEP: Final = 1000  # that are read
_TUPLE: Final = pack(number.TUPLE)
_LIST: Final = pack(number.LIST)
_SPLIT: Final = pack(number.SPLIT)
_ELEMENTS: Final = 6  # type number, depth, base, fields, further items, gone


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a state was stored: as which object of which database, how many changes after a whole one."""

    writer: object
    oid: ObjectId
    depth: int


@dataclass(frozen=True, slots=True)
class Change:
    """An encoded change, the links in it written; `grows`: some list went on."""

    data: bytes
    depth: int
    grows: bool


def encoded(cells: dict[str, Cell], writer: ObjectWriter) -> bytes:
    """Returns the encoding of a dict of fields, all that it links written.  Raises StateValueError."""
    items = ItemList(writer, number.DICT)
    for name, cell in cells.items():
        items.add(field_encoder(name, writer).nested(name) + cell.part(name, writer))
    return items.finish()


def stored_after(
    before: dict[str, Cell], stored: Stored, after: dict[str, Cell], writer: ObjectWriter
) -> Stored | None:
    """Returns where a state was stored as what changed after a stored one; None where the whole is to be stored.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    change = changed(before, after, stored, writer)
    if change is None or (not change.grows and _is_within(after, len(change.data), writer)):
        return None
    return Stored(writer, writer.write(VALUE_BYTE + change.data), change.depth)


def _is_within(cells: dict[str, Cell], size: int, writer: ObjectWriter) -> bool:
    """Returns whether a dict of fields takes no more bytes than this, what it links not counted."""
    for name, cell in cells.items():
        size -= len(name) + len(cell.part(name, writer)) + 1
        if size < 0:
            return False
    return True


def changed(before: dict[str, Cell], after: dict[str, Cell], stored: Stored, writer: ObjectWriter) -> Change | None:
    """Returns what changed after a stored state, or None where the whole must be stored.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    kept = [name for name in before if name in after]
    if stored.depth >= DEPTH or list(after) != kept + [name for name in after if name not in before]:
        return None
    values: dict[str, bytes] = {}
    items: dict[str, list[bytes]] = {}
    for name, cell in after.items():
        old = before.get(name)
        if old is cell:
            continue
        further = _further(name, old, cell, writer)
        if further is None:
            values[name] = cell.part(name, writer)
        elif further:
            items[name] = further
    grown = {name: _container(number.LIST, parts, writer) for name, parts in items.items()}
    gone = [name for name in before if name not in after]
    depth = stored.depth + 1
    parts = [pack(depth), link_bytes(stored.oid), _named(values, writer), _named(grown, writer)]
    builder = ItemList(writer, number.TUPLE)
    builder.extend([*parts, Encoder(writer).nested(gone)])
    data = builder.finish()
    return None if builder.is_split else Change(data, depth, bool(items))


def _further(name: str, old: Cell | None, cell: Cell, writer: ObjectWriter) -> list[bytes] | None:
    """Returns the items that a list has more than before, or None if it is no earlier list with more items."""
    if not isinstance(cell, ListCell) or name in FIELD_SERDES or (count := cell.grew_from(old)) is None:
        return None
    try:
        return cell.item_parts(name, count, writer)
    except StateValueError:  # a serializer of its type may write the whole
        return None


def _named(parts: dict[str, bytes], writer: ObjectWriter) -> bytes:
    return _container(number.DICT, [field_encoder(n, writer).nested(n) + part for n, part in parts.items()], writer)


def _container(of: int, items: Iterable[bytes], writer: ObjectWriter) -> bytes:
    builder = ItemList(writer, of)
    builder.extend(list(items))
    data = builder.finish()
    if builder.is_split:
        return data
    return Encoder(writer).place(data, inline_height(data) if len(data) <= LINK_THRESHOLD else 1)


def read_cells(reader: ObjectReader, oid: ObjectId) -> tuple[dict[str, Cell], int]:
    """Returns the fields of a stored state, unread, and its depth.

    Raises:
        CorruptObject: it is none.
        ObjectMissing: it, or one that it builds on, is not there.
    """
    changes: list[list[bytes]] = []
    at = oid
    while True:
        data = _value(reader, at)
        if data[:2] != bytes((0x90 | _ELEMENTS,)) + _TUPLE:
            break
        changes.append(split(data))
        base = unpack(changes[-1][2])
        if type(base) is not Link or len(changes) > _MOST_DEEP:
            raise CorruptObject(at, "a changed state links the one before")
        at = base.oid
    cells: dict[str, Cell] = {n: StoredCell(part, reader) for n, part in _fields(reader, data, at)}
    for each in reversed(changes):
        _apply(reader, each, cells, oid)
    return cells, len(changes)


def _apply(reader: ObjectReader, change: list[bytes], cells: dict[str, Cell], oid: ObjectId) -> None:
    _, _, _, values, grown, gone = change
    names: Any = decode(gone, reader)
    if type(names) is not list:
        raise CorruptObject(oid, "names of fields were expected")
    for name in names:
        if cells.pop(name, None) is None:
            raise CorruptObject(oid, "a field is gone that was never there")
    for name, part in _fields(reader, values, oid):
        cells[name] = StoredCell(part, reader)
    for name, part in _fields(reader, grown, oid):
        before = cells.get(name)
        if not isinstance(before, StoredCell):
            raise CorruptObject(oid, "a list goes on that was never there")
        cells[name] = before.longer(_items(reader, part), reader)


def _value(reader: ObjectReader, oid: ObjectId) -> bytes:
    data = reader.read(oid)
    if data[:1] != bytes((Kind.VALUE,)):
        raise CorruptObject(oid, "a state was expected")
    return data[1:]


def _whole(reader: ObjectReader, part: bytes) -> bytes:
    oid = linked(part)
    return part if oid is None else _value(reader, oid)


def _fields(reader: ObjectReader, part: bytes, oid: ObjectId) -> list[tuple[str, bytes]]:
    parts = dict_parts(reader, _whole(reader, part))
    if len(parts) % 2:
        raise CorruptObject(oid, "a dict holds a value for each key")
    named = [(decode(key, reader), each) for key, each in zip(parts[::2], parts[1::2], strict=True)]
    if any(type(name) is not str for name, _ in named) or len({name for name, _ in named}) != len(named):
        raise CorruptObject(oid, "a state's fields are named by text, each once")
    return named


def _items(reader: ObjectReader, part: bytes) -> list[bytes]:
    parts = split(_whole(reader, part))
    if parts[:1] == [_LIST]:
        return parts[1:]
    top = unpack(parts[3]) if parts[:2] == [_SPLIT, _LIST] and len(parts) == 4 else None
    if type(top) is not Link:
        raise CorruptObject(None, "a list was expected")
    return [item for _, leaf in iter_leaves(reader, top.oid) for item in leaf]



def fields_of(value: Any) -> dict[str, Any]:
    """Returns the fields of a stored state that was read as a value like any other: a dict, or changes in changes down to one.

    Raises:
        ValueError: it is neither.
    """
    changes = []
    while type(value) is tuple and len(value) == _ELEMENTS - 1:
        changes.append(value)
        value = value[1]
    if type(value) is not dict or not all(type(name) is str for name in value):
        raise ValueError(f"a stored state is a dict of fields, or what changed after one; this is a {type(value).__name__}")
    fields = dict(value)
    for _, _, values, grown, gone in reversed(changes):
        for name in gone:
            del fields[name]
        fields.update(values)
        for name, items in grown.items():
            fields[name] = [*fields[name], *items]
    return {name: unpacked(each) for name, each in fields.items()}
