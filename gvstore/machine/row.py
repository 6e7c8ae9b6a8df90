"""The items that versions of a list have in common, and how they are encoded."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from gvstore.machine.part import NOWHERE, field_encoder
from gvstore.objects import number
from gvstore.objects.protocol import ObjectWriter
from gvstore.objects.sequence import ItemList

if TYPE_CHECKING:
    from gvstore.machine.cell import StoredCell


class Row:
    """Items that versions of a list have in common, in the order they came; those before `start` are in `base`."""

    __slots__ = ("base", "builders", "items", "lock", "parts", "start", "writer")

    def __init__(self, items: list[Any], base: StoredCell | None = None, start: int = 0) -> None:
        self.items, self.base, self.start = items, base, start
        self.parts: list[bytes] = []  # encodings of the first items, what they link in `writer`
        self.writer: ObjectWriter | None = None
        self.builders: dict[bool, ItemList] = {}  # took the first of them; is it of NOWHERE?
        self.lock = threading.RLock()

    def first(self, count: int) -> list[Any]:
        """Returns the first items themselves, in a new list."""
        if self.base is None:
            return self.items[:count]
        return [*self.base.value, *self.items[: count - self.start]]

    def grown(self, count: int, values: list[Any]) -> Row:
        """Returns a row that begins with the first `count` items and goes on with `values`: this one, if nothing follows there yet."""
        with self.lock:
            kept = count - self.start
            if kept == len(self.items):
                self.items += values
                return self
            made = Row(self.items[:kept] + values, self.base, self.start)
            made.parts, made.writer = self.parts[:kept], self.writer
            made.builders = {key: each.copy() for key, each in self.builders.items() if each.count <= count}
            return made

    def item_parts(self, name: str, begin: int, end: int, writer: ObjectWriter) -> list[bytes]:
        """Returns the encodings of the items from `begin`, which is not before `start`, to `end`.

        Raises:
            StateValueError: one of those to `end` has no encoding.
        """
        with self.lock:
            if self.writer is not writer and (self.writer is None or writer is not NOWHERE):
                self.writer, self.parts, self.builders = writer, [], {}
            kept = end - self.start
            if len(self.parts) < kept:
                encoder = field_encoder(name, writer if self.writer is None else self.writer)
                self.parts += [encoder.nested(each) for each in self.items[len(self.parts) : kept]]
            return self.parts[begin - self.start : kept]

    def encoded(self, name: str, count: int, writer: ObjectWriter) -> tuple[bytes, bool]:
        """Returns the encoding of the list of the first `count` items, and whether it is split.  Raises as `item_parts`."""
        with self.lock:
            self.item_parts(name, count, count, writer)
            builder = self.builders.get(writer is NOWHERE)
            if builder is None or builder.count > count:
                builder = ItemList(writer, number.LIST) if self.base is None else self.base.resumed(writer, name, self.start)
            builder.extend(self.parts[builder.count - self.start : count - self.start])
            builder.settle()
            self.builders[writer is NOWHERE] = builder
            return builder.copy().finish(), builder.is_split
