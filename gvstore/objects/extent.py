"""How large a value becomes when it is built: shared objects can spell a tree that is larger than any memory.

`check_extent` reads each object below a value once and counts what all of them
make together, every link counted as often as it is met (texts once: one `str`
serves all who link it).  A value may become 256 MiB of encoded bytes, its
texts 2 GiB, or 16 times the bytes of its objects if that is more, so what was
stored without sharing can always be read.
"""

from __future__ import annotations

from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.wire import LINK_BYTES, Link, unpack

FREE_BYTES: Final = 1 << 20  # a value is built up to here before anything is counted
MOST_BYTES: Final = 256 << 20
MOST_TEXT: Final = 2 << 30
MOST_SHARED: Final = 16
KEEP_LINKS: Final = frozenset({number.REF, *range(number.INVOCATION, number.OPERATION + 1)})  # not followed
_TEXTS: Final = frozenset({number.TEXT, number.BYTES})


class _Counted:
    """An object on the way: its own bytes, and the children still to be counted."""

    __slots__ = ("children", "oid", "total")

    def __init__(self, oid: ObjectId | None, total: int, children: list[ObjectId]) -> None:
        self.oid, self.total, self.children = oid, total, children


class _Extent:
    def __init__(self, reader: ObjectReader) -> None:
        self.reader = reader
        self.totals: dict[ObjectId, int] = {}
        self.texts: dict[ObjectId, int] = {}
        self.stored = 0

    def count(self, data: bytes) -> int:
        """Returns the bytes that the value encoded as `data` becomes, texts aside."""
        stack = [_Counted(None, len(data), self._children(unpack(data)))]
        while True:
            top = stack[-1]
            if top.children:
                child = top.children[-1]
                total = self.totals.get(child)
                if total is None:
                    stack.append(self._open(child))
                    self.totals[child] = LINK_BYTES  # of a cycle, which no hash allows
                else:
                    top.total += total
                    top.children.pop()
                continue
            stack.pop()
            if top.oid is None:
                return top.total
            self.totals[top.oid] = top.total

    def _open(self, oid: ObjectId) -> _Counted:
        data = self.reader.read(oid)
        self.stored += len(data)
        if not data or data[0] not in (Kind.VALUE, Kind.NODE):
            return _Counted(oid, LINK_BYTES, [])
        raw = unpack(memoryview(data)[1:])
        if type(raw) in (str, bytes):
            self.texts[oid] = len(data)
            return _Counted(oid, LINK_BYTES, [])
        return _Counted(oid, len(data), self._children(raw))

    def _children(self, raw: Any) -> list[ObjectId]:
        """Returns the objects that are built with this one, as often as it links them."""
        children: list[ObjectId] = []
        stack = [raw]
        while stack:
            each = stack.pop()
            if type(each) is Link:
                children.append(each.oid)
            elif type(each) is list and each and each[0] not in KEEP_LINKS:
                if each[0] == number.SPLIT and len(each) == 4 and each[1] in _TEXTS and type(each[3]) is Link:
                    self.texts[each[3].oid] = each[2] if type(each[2]) is int else 0
                else:
                    stack += each
        return children


def check_extent(data: bytes, reader: ObjectReader) -> None:
    """Returns if the value encoded as `data` may be built.

    Raises:
        CorruptObject: it would become too large.
    """
    extent = _Extent(reader)
    size = extent.count(data)
    texts = sum(extent.texts.values())
    if size > max(MOST_BYTES, MOST_SHARED * extent.stored):
        raise CorruptObject(None, f"the value becomes {size} bytes, its objects have {extent.stored}")
    if texts > max(MOST_TEXT, MOST_SHARED * extent.stored):
        raise CorruptObject(None, f"its texts become {texts} bytes")
