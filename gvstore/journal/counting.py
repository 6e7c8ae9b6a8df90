"""How many calls a recorded call holds, without taking apart those that made none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from gvstore.objects.invocation import PartList, part_body
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import split

_LEAF_HEADS: Final = (0x93, 0x94)  # arrays of three and four elements: the fifth holds the children


def count_calls(part: bytes, reader: ObjectReader) -> int:
    """Returns how many calls a recorded call holds, itself included."""
    return _count([part], reader)


def count_before(root: bytes, path: Sequence[int], total: int, reader: ObjectReader) -> int:
    """Returns how many of `total` calls are left of an execution just before the call at `path`, its ancestors included.

    Counts either what is kept or what is dropped, whichever are fewer in their rows.
    """
    rows, part = [], root
    for index in path:
        row = PartList(children_of(part, reader), reader)
        rows.append((row, index))
        part = row[index] if index < len(row) else NIL
    if not path:
        return 1
    kept, dropped = (sum(sizes) for sizes in zip(*((index, len(row) - index) for row, index in rows), strict=True))
    if kept <= dropped:
        return len(rows) + sum(_count(islice(row, index), reader) for row, index in rows)
    behind = sum(_count(row.since(index + 1), reader) for row, index in rows)
    return total - behind - (0 if part == NIL else count_calls(part, reader))


def _count(calls: Iterable[bytes], reader: ObjectReader) -> int:
    """Returns how many recorded calls these are, with those below them."""
    total, stack = 0, []
    for part in calls:
        total += 1
        if part[0] not in _LEAF_HEADS:
            stack.append(part)
    while stack:
        children = children_of(stack.pop(), reader)
        if children == NIL:
            continue
        for parts in PartList(children, reader).leaves():
            total += len(parts)
            stack += [each for each in parts if each[0] not in _LEAF_HEADS]
    return total


def is_leaf_call(part: bytes) -> bool:
    """Returns whether a recorded call stands inline and made no calls."""
    return part[0] in _LEAF_HEADS


def children_of(part: bytes, reader: ObjectReader) -> bytes:
    """Returns the encoded list of the calls that a recorded call made, or nil."""
    if part[0] in _LEAF_HEADS:
        return NIL
    elements = split(part_body(part, reader))
    return elements[4] if len(elements) > 4 else NIL
