"""Long containers as Merkle trees of nodes, cut at content-defined places.

A leaf node `n [55, item, ...]` holds encoded items; an inner node
`n [56, count, link, count, link, ...]` holds its children and how many items
(of text, bytes and blobs: how many bytes) lie below each.  Items are appended
from left to right and a cut depends only on the items behind the last cut, so
a recorder can hand in items as they happen, and appending, inserting or
dropping one anywhere changes O(log n) nodes.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Self

from gvstore.objects import number
from gvstore.objects.chunking import NODE_MAX, NODE_MIN_ITEMS, SPLIT_THRESHOLD, ends_node, node_ends
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import OID_BYTES, ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.wire import LINK_CODE, Link, array, array_head, link_bytes, pack, split, unpack, unpack_shallow

NODE_BYTE = bytes((Kind.NODE,))
MAX_LEVELS = 48
GATHERED_BYTES = 4096  # of items, before the tree takes them over
_LEAF = pack(number.LEAF)
_INNER = pack(number.INNER)


class _Level:
    """The open node of one level: what came since its last cut."""

    __slots__ = ("head", "parts", "size", "weight")

    def __init__(self, head: bytes) -> None:
        self.head = head
        self.parts: list[bytes] = []  # a key and its value are one
        self.size = 0  # bytes of the parts
        self.weight = 0  # items or bytes below, of an inner node


class TreeBuilder:
    """Writes nodes as items come; `finish` returns the top."""

    __slots__ = ("_levels", "_writer")

    def __init__(self, writer: ObjectWriter, *, leaves: bool = True) -> None:
        self._writer = writer
        self._levels: list[_Level] = [_Level(_LEAF if leaves else _INNER)]

    @classmethod
    def resumed(cls, writer: ObjectWriter, items: list[bytes], levels: list[list[tuple[bytes, int]]]) -> TreeBuilder:
        """Returns a builder in the middle of its work: what came since the last cut, the items first, then the inner levels."""
        made = cls(writer)
        for level, parts in enumerate([[(item, 0) for item in items], *levels]):
            if level:
                made._levels.append(_Level(_INNER))
            at = made._levels[level]
            at.parts = [part for part, _ in parts]
            at.size = sum(map(len, at.parts))
            at.weight = sum(weight for _, weight in parts)
        return made

    def extend(self, items: Sequence[bytes]) -> None:
        """Appends encoded items."""
        level = self._levels[0]
        parts, size = level.parts, level.size
        for item, ends in zip(items, node_ends(items), strict=True):
            length = len(item)
            if size + length > NODE_MAX and len(parts) >= NODE_MIN_ITEMS:
                self._cut(0)
                parts, size = level.parts, 0
            parts.append(item)
            size += length
            if ends and len(parts) >= NODE_MIN_ITEMS:
                self._cut(0)
                parts, size = level.parts, 0
        level.size = size

    def add_chunk(self, oid: ObjectId, size: int) -> None:
        """Appends a chunk of `size` bytes (of a builder without leaves)."""
        self._append(0, pack(size) + link_bytes(oid), size)

    def _append(self, at: int, entry: bytes, weight: int) -> None:
        level = self._levels[at]
        if level.size + len(entry) > NODE_MAX and len(level.parts) >= NODE_MIN_ITEMS:
            self._cut(at)
        level.parts.append(entry)
        level.size += len(entry)
        level.weight += weight
        if len(level.parts) >= NODE_MIN_ITEMS and ends_node(entry):
            self._cut(at)

    def _node(self, at: int) -> ObjectId:
        level = self._levels[at]
        width = 2 if level.head is _INNER else self._width
        head = array_head(1 + width * len(level.parts)) + level.head
        return self._writer.write(NODE_BYTE + head + b"".join(level.parts))

    def _cut(self, at: int) -> None:
        level = self._levels[at]
        oid = self._node(at)
        weight = level.weight if level.head is _INNER else len(level.parts)
        level.parts = []
        level.size = level.weight = 0
        if at + 1 == len(self._levels):
            self._levels.append(_Level(_INNER))
        self._append(at + 1, pack(weight) + link_bytes(oid), weight)

    def copy(self) -> Self:
        """Returns a builder in the same state, which goes its own way."""
        made = copy.copy(self)
        made._levels = [copy.copy(each) for each in self._levels]
        for each in made._levels:
            each.parts = list(each.parts)
        return made

    _width = 1

    def finish(self) -> ObjectId:
        """Returns the oid of the top node, or of the only chunk."""
        at = 0
        while True:
            level = self._levels[at]
            top = at + 1 == len(self._levels)
            if top and len(level.parts) == 1 and level.head is _INNER:
                return ObjectId(level.parts[0][-OID_BYTES:])
            if top:
                return self._node(at)
            if level.parts:
                self._cut(at)
            at += 1


class PairBuilder(TreeBuilder):
    """The same for dicts: an item is a key and its value."""

    __slots__ = ()
    _width = 2


class ItemList:
    """Collects encoded items of one container and gives back its encoding.

    Up to 1,024 bytes it is a plain array, above a tree.  The encoding is a
    function of the items alone, however they were handed in: the tree takes
    them over some at a time.
    """

    __slots__ = ("_builder", "_items", "_number", "_room", "_width", "_writer", "count")

    def __init__(self, writer: ObjectWriter, of: int) -> None:
        self._writer = writer
        self._number = of
        self._width = 2 if of == number.DICT else 1
        self._items: list[bytes] = []  # not in the tree yet
        self._room = SPLIT_THRESHOLD  # bytes that may join them
        self._builder: TreeBuilder | None = None
        self.count = 0

    def add(self, item: bytes) -> None:
        """Appends an item: one encoded element, of a dict a key and a value joined."""
        self.count += 1
        self._items.append(item)
        self._room -= len(item)
        if self._room < 0:
            self._hand_over()

    def extend(self, items: Sequence[bytes]) -> None:
        """Appends items."""
        self.count += len(items)
        self._items += items
        self._room -= sum(map(len, items))
        if self._room < 0:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._builder is None:
            self._builder = (PairBuilder if self._width == 2 else TreeBuilder)(self._writer)
        self._builder.extend(self._items)
        self._items, self._room = [], GATHERED_BYTES

    def settle(self) -> None:
        """Hands what waits over to the tree, if it has become one: copies of the list need not do it each for themselves."""
        if self._builder is not None:
            self._hand_over()

    def go_on(self, builder: TreeBuilder, count: int) -> None:
        """Takes over a tree that holds `count` items already; what was added before must be none."""
        self._builder, self.count, self._room = builder, count, GATHERED_BYTES

    def copy(self) -> ItemList:
        """Returns a list of the same items, which goes its own way."""
        made = copy.copy(self)
        made._items = list(self._items)
        made._builder = None if self._builder is None else self._builder.copy()
        return made

    @property
    def is_split(self) -> bool:
        """Whether it has become a tree."""
        return self._builder is not None

    def finish(self) -> bytes:
        """Returns the container's encoding."""
        if self._builder is None:
            return array_head(1 + self._width * self.count) + pack(self._number) + b"".join(self._items)
        self._hand_over()
        top = self._builder.finish()
        return array([pack(number.SPLIT), pack(self._number), pack(self.count), link_bytes(top)])


def node_elements(oid: ObjectId, data: bytes) -> list[bytes]:
    """Returns the elements of the node whose bytes are `data`, undecoded, its type number first.

    Raises:
        CorruptObject: it is no node, or holds nothing.
    """
    if data[:1] != NODE_BYTE:
        raise CorruptObject(oid, "a node of a split container was expected")
    try:
        parts = split(memoryview(data)[1:])
    except CorruptObject as e:
        raise CorruptObject(oid, e.why) from e
    if len(parts) < 2 or parts[0] not in (_LEAF, _INNER):
        raise CorruptObject(oid, "a node holds items, or counts and links")
    return parts


def is_leaf(parts: list[bytes]) -> bool:
    """Returns whether a node's elements are those of a leaf."""
    return parts[0] == _LEAF


def read_node(reader: ObjectReader, oid: ObjectId) -> list[bytes]:
    """Returns a node's elements, undecoded, its type number first."""
    return node_elements(oid, reader.read(oid))


def iter_leaves(
    reader: ObjectReader, top: ObjectId, *, start: int = 0, count: int | None = None, width: int = 1
) -> Iterator[tuple[int, list[bytes]]]:
    """Yields (index of the first item, leaf elements) for the leaves that hold item `start` and what follows.

    Only the nodes on the way are read.  For a dict's leaves (`width` 2)
    elements are keys and values in turn, and indices count pairs.

    Raises:
        CorruptObject: there are more or fewer items below a node than the one
            above says, or than `count`.
    """
    stack: list[tuple[ObjectId, int, int | None, int]] = [(top, 0, count, 0)]
    while stack:
        oid, first, promised, level = stack.pop()
        if level > MAX_LEVELS:
            raise CorruptObject(oid, "a split container is too deep")
        parts = read_node(reader, oid)
        if parts[0] == _LEAF:
            if promised is not None and promised * width != len(parts) - 1:
                raise CorruptObject(oid, f"{promised} items were promised, {len(parts) - 1} elements are there")
            yield first, parts[1:]
            continue
        below = []
        for weight, child in inner_entries(oid, parts, promised):
            if first + weight > start:
                below.append((child, first, weight, level + 1))
            first += weight
        stack.extend(reversed(below))


def gathered(reader: ObjectReader, top: ObjectId, known: dict[ObjectId, list[bytes]]) -> list[bytes]:
    """Returns all items below a node, at once.

    `known` holds those of nodes that were gathered before, and takes in more:
    of two containers that have most nodes in common the second costs little.

    Raises:
        CorruptObject: there are more or fewer items below a node than the one above says.
    """
    todo: list[tuple[ObjectId, list[tuple[int, ObjectId]]]] = [(top, [])]
    while todo:
        oid, entries = todo.pop()
        if oid in known:
            continue
        if not entries:
            parts = read_node(reader, oid)
            if parts[0] == _LEAF:
                known[oid] = parts[1:]
                continue
            entries = inner_entries(oid, parts)
        missing = [child for _, child in entries if child not in known]
        if missing:
            todo.append((oid, entries))
            todo += [(child, []) for child in missing]
            continue
        items: list[bytes] = []
        for count, child in entries:
            if len(known[child]) != count:
                raise CorruptObject(child, f"{count} items were promised, {len(known[child])} are there")
            items += known[child]
        known[oid] = items
    return known[top]


def inner_entries(oid: ObjectId, parts: list[bytes], promised: int | None = None) -> list[tuple[int, ObjectId]]:
    """Returns the (count, child) pairs of an inner node's elements.

    Raises:
        CorruptObject: it is no inner node, or its counts do not make what was promised.
    """
    if parts[0] != _INNER or len(parts) % 2 == 0:
        raise CorruptObject(oid, "an inner node was expected")
    entries = []
    for i in range(1, len(parts), 2):
        count, link = unpack(parts[i]), unpack(parts[i + 1])
        if type(count) is not int or count < 1 or type(link) is not Link:
            raise CorruptObject(oid, "an inner node holds counts and links")
        entries.append((count, link.oid))
    if promised is not None and promised != sum(count for count, _ in entries):
        raise CorruptObject(oid, f"{promised} were promised, the counts make {sum(count for count, _ in entries)}")
    return entries


def node_entries(oid: ObjectId, data: bytes, promised: int | None) -> list[tuple[int, ObjectId]]:
    """Returns `inner_entries` of a node's bytes: the same in a third of the time.  Raises as that does."""
    if data[:1] == NODE_BYTE:
        elements = unpack_shallow(memoryview(data)[1:])
        if elements and elements[0] == number.INNER:
            counts, links = elements[1::2], elements[2::2]
            try:
                whole = sum(counts)
                children = [ObjectId(link.data) for link in links if link.code == LINK_CODE]
            except (TypeError, AttributeError):
                pass
            else:
                good = len(counts) == len(links) == len(children) and set(map(type, counts)) == {int} and min(counts) > 0
                if good and promised in (None, whole) and set(map(len, children)) == {OID_BYTES}:
                    return list(zip(counts, children, strict=True))
    return inner_entries(oid, node_elements(oid, data), promised)
