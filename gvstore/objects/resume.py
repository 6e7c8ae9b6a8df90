"""A list that begins as another did: the builder, as it was when it had taken the first items of a stored list.

Rewinding and replaying keep the beginning of long lists of calls.  What
`ItemList` would hold after those items stands in the nodes on the way to the
last of them, so nothing else is read or written: O(log n), whatever is kept.
"""

from __future__ import annotations

from gvstore.objects import number
from gvstore.objects.chunking import NODE_MIN_ITEMS, SPLIT_THRESHOLD, ends_node
from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import NIL
from gvstore.objects.sequence import (
    MAX_LEVELS,
    ItemList,
    TreeBuilder,
    inner_entries,
    is_leaf,
    iter_leaves,
    read_node,
)
from gvstore.objects.wire import Link, link_bytes, linked, pack, split, unpack

_LIST = pack(number.LIST)
_SPLIT = pack(number.SPLIT)


def resume_list(reader: ObjectReader, writer: ObjectWriter, data: bytes, count: int) -> ItemList:
    """Returns the builder of a list whose first `count` items are those of the encoded list `data`.

    Raises:
        CorruptObject: it is no list, or has fewer items.
    """
    items = ItemList(writer, number.LIST)
    if count == 0 or data == NIL:
        return items
    oid = linked(data)
    parts = split(data if oid is None else memoryview(reader.read(oid))[1:])
    if parts[:1] == [_LIST]:
        items.extend(parts[1 : count + 1])
    elif parts[:2] == [_SPLIT, _LIST] and len(parts) == 4:
        top = unpack(parts[3])
        if type(top) is not Link:
            raise CorruptObject(oid, "a split list links its top node")
        first = _short(reader, top.oid, count)
        if first is not None:
            items.extend(first)
        else:
            items.go_on(_builder(reader, writer, top.oid, count), count)
    if items.count != count:
        raise CorruptObject(oid, f"a list of {count} items or more was expected")
    return items


def _short(reader: ObjectReader, top: ObjectId, count: int) -> list[bytes] | None:
    """Returns the first `count` items, if they are so short that they stand in no tree."""
    found: list[bytes] = []
    size = 0
    for _, parts in iter_leaves(reader, top):
        for part in parts:
            found.append(part)
            size += len(part)
            if size > SPLIT_THRESHOLD:
                return None
            if len(found) == count:
                return found
    return None


def _builder(reader: ObjectReader, writer: ObjectWriter, top: ObjectId, count: int) -> TreeBuilder:
    """Returns the builder after `count` items: at each level what came since the last cut.

    A node that ended only because the next item had no room in it, or because
    nothing came, is open; one that its own last item ended is not.
    """
    inner: list[tuple[ObjectId, list[tuple[int, ObjectId]], int]] = []
    oid, at = top, count - 1
    while not is_leaf(parts := read_node(reader, oid)):
        entries = inner_entries(oid, parts)
        index = 0
        while index < len(entries) and at >= entries[index][0]:
            at -= entries[index][0]
            index += 1
        if index == len(entries) or len(inner) > MAX_LEVELS:
            raise CorruptObject(oid, f"a list of {count} items or more was expected")
        inner.append((oid, entries, index))
        oid = entries[index][1]
    if at >= len(parts) - 1:
        raise CorruptObject(oid, f"a list of {count} items or more was expected")
    items = parts[1 : at + 2]
    levels: list[list[tuple[bytes, int]]] = []
    ended: tuple[int, ObjectId] | None = None
    if len(items) >= NODE_MIN_ITEMS and ends_node(items[-1]):
        ended, items = (len(items), oid), []
    for node, entries, index in reversed(inner):
        before = [
            (pack(weight) + link_bytes(child), weight) for weight, child in entries[: index + (ended is not None)]
        ]
        full = ended is not None and len(before) >= NODE_MIN_ITEMS and ends_node(before[-1][0])
        levels.append([] if full else before)
        ended = (sum(weight for _, weight in before), node) if full else None
    if ended is not None:
        levels.append([(pack(ended[0]) + link_bytes(ended[1]), ended[0])])
    while levels and not levels[-1]:
        levels.pop()
    return TreeBuilder.resumed(writer, items, levels)
