"""From bytes to Python values, links followed, with an explicit stack.

What lies behind a link of a value is part of the value: it is read when the
value is.  A link to an object of another kind (an invocation, a run, a
commit) is not followed; `register_kind` tells what stands for it.  A value
that would take more than `MAX_ELEMENTS` elements to build is refused: shared
objects can spell a tree that is larger than any memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.build import Resolved, build
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.sequence import MAX_LEVELS, inner_entries, iter_leaves, read_node
from gvstore.objects.wire import LINK_HEAD, Link, unpack

MAX_ELEMENTS: Final = 100_000_000
MAX_HEIGHT: Final = 64
_KEEP_LINKS: Final = frozenset({number.REF, *range(number.INVOCATION, number.OPERATION + 1)})
_WHOLES: Final = frozenset({number.LIST, number.TUPLE, number.DICT, number.SET, number.FROZENSET})

KindReader = Callable[[ObjectId, ObjectReader], Any]
_kinds: dict[int, KindReader] = {}


def register_kind(kind: Kind, reader: KindReader) -> None:
    """A link to an object of `kind` inside a value becomes `reader(oid, database)`."""
    _kinds[kind] = reader


class _Frame:
    __slots__ = ("at", "links", "oid", "raw", "slot")

    def __init__(self, oid: ObjectId | None, raw: Any, slot: tuple[list[Any], int] | None) -> None:
        self.oid, self.raw, self.slot = oid, raw, slot
        self.links: list[tuple[list[Any], int]] = []
        self.at = 0


class _Walk:
    def __init__(self, reader: ObjectReader) -> None:
        self.reader = reader
        self.texts: dict[ObjectId, Any] = {}
        self.budget = MAX_ELEMENTS

    def run(self, raw: Any) -> Any:
        holder = [raw]
        root = _Frame(None, holder, None)
        self._scan(root, holder, 0)
        stack = [root]
        while True:
            frame = stack[-1]
            if frame.at < len(frame.links):
                slot = frame.links[frame.at]
                frame.at += 1
                below = self._follow(slot)
                if below is not None:
                    stack.append(below)
                continue
            stack.pop()
            if frame.slot is None:
                return build(holder[0])
            try:
                value = build(frame.raw[0])
            except CorruptObject as e:
                raise CorruptObject(frame.oid, e.why) from e
            if type(value) in (str, bytes) and frame.oid is not None:
                self.texts[frame.oid] = value
            frame.slot[0][frame.slot[1]] = Resolved(value)

    def _follow(self, slot: tuple[list[Any], int]) -> _Frame | None:
        """Reads what a link leads to; a frame if there is more to do."""
        oid = slot[0][slot[1]].oid
        if oid in self.texts:
            slot[0][slot[1]] = Resolved(self.texts[oid])
            return None
        data = self.reader.read(oid)
        if data[0] != Kind.VALUE:
            reader = _kinds.get(data[0])
            if reader is not None:
                slot[0][slot[1]] = Resolved(reader(oid, self.reader))
            elif data[0] in (Kind.BLOB, Kind.NODE):
                raise CorruptObject(oid, "a link to a blob or node stands for no value")
            return None
        frame = _Frame(oid, [unpack(memoryview(data)[1:])], slot)
        self._scan(frame, frame.raw, 0)
        return frame

    def _scan(self, frame: _Frame, raw: list[Any], height: int) -> None:
        """Finds the links below `raw`, and puts split containers together."""
        if height > MAX_HEIGHT:
            raise CorruptObject(frame.oid, "too high")
        self.budget -= len(raw)
        if self.budget < 0:
            raise CorruptObject(frame.oid, f"the value has more than {MAX_ELEMENTS} elements")
        for i, each in enumerate(raw):
            if type(each) is list and each:
                if each[0] == number.SPLIT:
                    each = raw[i] = self._join(each)
                    if type(each) is not list:
                        continue
                if each[0] not in _KEEP_LINKS:
                    self._scan(frame, each, height + 1)
            elif type(each) is Link:
                frame.links.append((raw, i))

    def _join(self, raw: list[Any]) -> Any:
        if len(raw) != 4 or type(raw[2]) is not int or type(raw[3]) is not Link:
            raise CorruptObject(None, "a split container holds number, count and link")
        _, of, count, link = raw
        if of in (number.TEXT, number.BYTES):
            data = read_chunks(self.reader, link.oid, count)
            try:
                return Resolved(data.decode() if of == number.TEXT else data)
            except UnicodeDecodeError as e:
                raise CorruptObject(link.oid, "not UTF-8") from e
        if of not in _WHOLES:
            raise CorruptObject(None, f"type number {of} is never split")
        whole: list[Any] = [of]
        limit = count * (2 if of == number.DICT else 1) + 1
        for _, parts in iter_leaves(self.reader, link.oid):
            whole += map(unpack, parts)
            if len(whole) > limit:
                break
        if len(whole) != limit:
            raise CorruptObject(link.oid, f"{count} items were promised, {len(whole) - 1} elements are there")
        return whole


def read_chunks(reader: ObjectReader, top: ObjectId, size: int) -> bytes:
    """Returns the bytes below `top`: a chunk, or a tree of chunks; exactly `size` of them."""
    out: list[bytes] = []
    total = 0
    for chunk in iter_chunks(reader, top):
        total += len(chunk)
        if total > size:
            break
        out.append(chunk)
    if total != size:
        raise CorruptObject(top, f"{size} bytes were promised, there are {'more' if total > size else total}")
    return b"".join(out)


def iter_chunks(reader: ObjectReader, top: ObjectId) -> Any:
    """Yields the chunks below `top` in order."""
    stack = [(top, 0)]
    while stack:
        oid, level = stack.pop()
        data = reader.read(oid)
        if data[0] == Kind.BLOB:
            yield data[1:]
            continue
        if data[0] != Kind.NODE or level > MAX_LEVELS:
            raise CorruptObject(oid, "a chunk, or a node of chunks, was expected")
        entries = inner_entries(oid, read_node(reader, oid))
        stack.extend((child, level + 1) for _, child in reversed(entries))


def decode(data: bytes | memoryview, reader: ObjectReader) -> Any:
    """Returns the value whose encoding is `data`.

    Raises:
        CorruptObject: `data`, or what it links to, breaks the grammar.
        ObjectMissing: what it links to is not there.
    """
    raw = unpack(data)
    if LINK_HEAD not in bytes(data):
        return build(raw)
    return _Walk(reader).run(raw)


def get_value(reader: ObjectReader, oid: ObjectId) -> Any:
    """Returns the value stored as object `oid`, or what stands for an object of its kind."""
    return decode(LINK_HEAD + oid, reader)
