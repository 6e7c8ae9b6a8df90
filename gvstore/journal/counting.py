"""How many calls a recorded call holds, without taking apart those that made none."""

from __future__ import annotations

from typing import Final

from gvstore.objects.invocation import PartList, part_body
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import split

_LEAF_HEADS: Final = (0x93, 0x94)  # arrays of three and four elements: the fifth holds the children


def count_calls(part: bytes, reader: ObjectReader) -> int:
    """Returns how many calls a recorded call holds, itself included."""
    total = 1
    stack = [part]
    while stack:
        children = children_of(stack.pop(), reader)
        if children == NIL:
            continue
        for parts in PartList(children, reader).leaves():
            total += len(parts)
            stack += [each for each in parts if each[0] not in _LEAF_HEADS]
    return total


def children_of(part: bytes, reader: ObjectReader) -> bytes:
    """Returns the encoded list of the calls that a recorded call made, or nil."""
    if part[0] in _LEAF_HEADS:
        return NIL
    elements = split(part_body(part, reader))
    return elements[4] if len(elements) > 4 else NIL
