"""One version of one field of a state: the value, never handed out itself, and its encoding once it was stored.

A list that grows is many versions over one row of items: each version is a
count, and the row remembers how its items are encoded, so that appending and
storing again costs O(log n), in time and in bytes.  What comes from a store
stays there until it is read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gvstore.machine.duplicate import duplicate, is_same
from gvstore.machine.part import NOWHERE, carry_links, encode_field, inline_height
from gvstore.machine.row import Row
from gvstore.machine.serde import FIELD_SERDES, Serialized, unpacked
from gvstore.machine.state_fault import StateValueError
from gvstore.objects import number
from gvstore.objects.chunking import LINK_THRESHOLD
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.resume import resume_list
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import has_link, linked, pack, split, unpack

_LIST = pack(number.LIST)
_SPLIT = pack(number.SPLIT)


class Cell:
    """A value at hand.  It is the state's own: `read` hands out copies."""

    __slots__ = ("_known", "_packed", "_value")

    def __init__(self, value: Any) -> None:
        self._value = value
        self._known: tuple[ObjectWriter, bytes] | None = None
        self._packed: Serialized | None = None  # what was encoded in place of the value

    @property
    def value(self) -> Any:
        """The value itself: to be looked at, never to be handed out."""
        return self._value

    @property
    def is_loaded(self) -> bool:
        """Whether the value is at hand."""
        return True

    def read(self) -> Any:
        """Returns a copy of the value."""
        return duplicate(self.value)

    def part(self, name: str, writer: ObjectWriter) -> bytes:
        """Returns the encoding as a part of the state's, all that it links written.

        Raises:
            StateValueError: a part of the value has no encoding.
        """
        known = self._known
        if known is None or (known[0] is not writer and writer is not NOWHERE):
            known = self._known = (writer, self._encode(name, writer))
        return known[1]

    def recorded(self, name: str) -> Any:
        """Returns the value as a record holds it: itself, or what a serializer of the program's makes of it.  Raises as `part`."""
        self.part(name, NOWHERE)
        return self.value if self._packed is None else self._packed

    def _encode(self, name: str, writer: ObjectWriter) -> bytes:
        data, self._packed = encode_field(name, self.value, writer)
        return data


class StoredCell(Cell):
    """A value that lies in a database until it is read."""

    __slots__ = ("_data", "_loaded", "_reader")

    def __init__(self, data: bytes, reader: ObjectReader) -> None:
        super().__init__(None)
        self._data, self._reader, self._loaded = data, reader, False

    @property
    def value(self) -> Any:
        """The value, read now if it was not yet."""
        if not self._loaded:
            self._value = unpacked(decode(self._data, self._reader))
            self._loaded = True
        return self._value

    @property
    def is_loaded(self) -> bool:
        """Whether the value was read."""
        return self._loaded

    def recorded(self, name: str) -> Any:
        """Returns the value as a record holds it."""
        raw = decode(self._data, self._reader) if self.is_small else None
        return raw if type(raw) is Serialized else self.value

    def _encode(self, name: str, writer: ObjectWriter) -> bytes:
        carry_links(self._data, self._reader, writer)
        return self._data

    @property
    def is_small(self) -> bool:
        """Whether it stands in the state itself, and is no list that went on."""
        return self._data != b"" and not has_link(self._data)

    def lies_as(self, other: StoredCell) -> bool:
        """Returns whether the two are stored as the same bytes, which no two values share."""
        return type(self) is type(other) is StoredCell and self._data == other._data

    def longer(self, items: list[bytes], reader: ObjectReader) -> StoredCell:
        """Returns the same list with more items, encoded, at its end.

        Raises:
            CorruptObject: it is no list.
        """
        return GrownCell(self, items, reader)

    def as_list(self) -> ListCell | None:
        """Returns the same as a version of a list, its items unread, or None if it is no list."""
        oid = linked(self._data)
        data = self._data if oid is None else self._reader.read(oid)[1:]
        if data[0] & 0xF0 != 0x90 and data[0] not in (0xDC, 0xDD):
            return None
        parts = split(data)
        if parts[:1] == [_LIST]:
            count = len(parts) - 1
        elif parts[:2] == [_SPLIT, _LIST] and len(parts) == 4:
            count = unpack(parts[2])
        else:
            return None
        return ListCell(Row([], self, count), count)

    def resumed(self, writer: ObjectWriter, name: str, count: int) -> ItemList:
        """Returns the builder of this list of `count` items in another database or the same."""
        return resume_list(self._reader, writer, self.part(name, writer), count)


class GrownCell(StoredCell):
    """A stored list that went on with more items, which lie beside it."""

    __slots__ = ("_base", "_count", "_items")

    def __init__(self, base: StoredCell, items: list[bytes], reader: ObjectReader, count: int | None = None) -> None:
        """`count` is that of the base's items, if it is known."""
        super().__init__(b"", reader)
        if count is None:
            listed = base.as_list()
            if listed is None:
                raise CorruptObject(None, "only a list goes on")
            count = listed.count
        self._base, self._items, self._count = base, items, count

    def lies_as(self, other: StoredCell) -> bool:
        """Returns whether the two are stored as the same bytes, which no two values share."""
        return isinstance(other, GrownCell) and self._base.lies_as(other._base) and self._items == other._items

    def beyond(self, before: StoredCell) -> list[Any] | None:
        """Returns the items that this list has more than another, or None if it does not go on from that, as far as can be told."""
        base, items = (before._base, before._items) if isinstance(before, GrownCell) else (before, [])
        if not self._base.lies_as(base) or items != self._items[: len(items)]:
            return None
        return [decode(part, self._reader) for part in self._items[len(items) :]]

    def longer(self, items: list[bytes], reader: ObjectReader) -> StoredCell:
        """Returns the same list with more items, encoded, at its end."""
        return GrownCell(self._base, [*self._items, *items], reader, self._count)

    @property
    def value(self) -> Any:
        """The list, read now if it was not yet."""
        if not self._loaded:
            self._value = [*self._base.value, *(decode(part, self._reader) for part in self._items)]
            self._loaded = True
        return self._value

    def _encode(self, name: str, writer: ObjectWriter) -> bytes:
        builder = self.resumed(writer, name, self._count + len(self._items))
        data = builder.finish()
        return data if builder.is_split else Encoder(writer).place(data, inline_height(data))

    def as_list(self) -> ListCell:
        """Returns the same as a version of a list, its items unread."""
        count = self._count + len(self._items)
        return ListCell(Row([], self, count), count)

    def resumed(self, writer: ObjectWriter, name: str, count: int) -> ItemList:
        """Returns the builder of this list of `count` items in another database or the same."""
        builder = self._base.resumed(writer, name, self._count)
        for part in self._items:
            carry_links(part, self._reader, writer)
        builder.extend(self._items)
        return builder


class ListCell(Cell):
    """A list: the first `count` items of a row."""

    __slots__ = ("count", "row")

    def __init__(self, row: Row, count: int) -> None:
        super().__init__(None)
        self.row, self.count = row, count

    @property
    def value(self) -> list[Any]:
        """The items themselves, in a list made for it."""
        return self.row.first(self.count)

    @property
    def is_loaded(self) -> bool:
        """Whether all items are at hand."""
        return self.row.base is None or self.row.base.is_loaded

    def grown(self, values: Sequence[Any]) -> ListCell:
        """Returns the version with more items at its end; they are the state's own already."""
        return ListCell(self.row.grown(self.count, list(values)), self.count + len(values))

    def became(self, value: list[Any]) -> ListCell | None:
        """Returns the version that is this list, built on what the two have in common, or None if that is nothing."""
        if not self.is_loaded:
            return None
        common = 0
        for before, after in zip(self.value, value, strict=False):
            if not is_same(before, after):
                break
            common += 1
        if common < self.row.start or (common == 0 and self.count):
            return None
        if common == self.count == len(value):
            return self
        rest = duplicate(value[common:])
        return ListCell(self.row.grown(common, rest), common + len(rest))

    def _encode(self, name: str, writer: ObjectWriter) -> bytes:
        if name in FIELD_SERDES:
            return super()._encode(name, writer)
        try:
            data, is_split = self.row.encoded(name, self.count, writer)
        except StateValueError:
            return super()._encode(name, writer)
        if is_split:
            return data
        return Encoder(writer).place(data, inline_height(data) if len(data) <= LINK_THRESHOLD else 1)

    def item_parts(self, name: str, begin: int, writer: ObjectWriter) -> list[bytes]:
        """Returns the encodings of the items from `begin`, which is not before the row's start.

        Raises:
            StateValueError: an item has no encoding.
        """
        return self.row.item_parts(name, begin, self.count, writer)

    def read_from(self, begin: int) -> list[Any]:
        """Returns copies of the items from `begin`, which is not before the row's start."""
        copies: list[Any] = duplicate(self.row.items[begin - self.row.start : self.count - self.row.start])
        return copies

    def grew_from(self, before: Cell | None) -> int | None:
        """Returns how many items `before` had, if it is an earlier version of this list."""
        if isinstance(before, ListCell) and before.row is self.row and before.count <= self.count:
            return before.count
        return self.row.start if before is not None and before is self.row.base else None


def cell_of(value: Any, before: Cell | None = None) -> Cell:
    """Returns the cell of a value that a program hands in: a copy of it, or what `before` holds already."""
    if type(value) is list:
        if isinstance(before, StoredCell) and before.is_loaded:
            before = before.as_list()
        made = before.became(value) if isinstance(before, ListCell) else None
        return ListCell(Row(duplicate(value)), len(value)) if made is None else made
    if before is not None and type(before) is not ListCell and before.is_loaded and is_same(before.value, value):
        return before
    return Cell(duplicate(value))
