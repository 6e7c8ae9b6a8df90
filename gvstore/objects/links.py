"""The links of any object, found by its bytes alone: gc, fsck and push need no schema."""

from __future__ import annotations

from typing import Any, Final

from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import LINK_HEAD, WEAK_LINK_HEAD, Link, unpack

_BLOB: Final = bytes((Kind.BLOB,))


def links(data: bytes) -> tuple[list[ObjectId], list[ObjectId]]:
    """Returns (strong, weak) links of an object's bytes, kind byte first, in order.

    A blob has none, whatever its bytes look like.

    Raises:
        CorruptObject: the bytes behind the kind byte are not of the grammar.
    """
    strong: list[ObjectId] = []
    weak: list[ObjectId] = []
    if data[:1] == _BLOB or (LINK_HEAD not in data and WEAK_LINK_HEAD not in data):
        return strong, weak
    stack: list[Any] = [unpack(memoryview(data)[1:])]
    while stack:
        each = stack.pop()
        if type(each) is list:
            stack.extend(reversed(each))
        elif isinstance(each, Link):
            (strong if type(each) is Link else weak).append(each.oid)
    return strong, weak
