"""From bytes to Python values, links followed, with an explicit stack.

What lies behind a link of a value is part of the value: it is read when the
value is.  A link to an object of another kind (an invocation, a run, a
commit) is not followed; `register_kind` tells what stands for it.  A value
that would become larger than `extent.py` allows is refused before it is built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.build import PLAIN, Resolved, build
from gvstore.objects.extent import FREE_BYTES, KEEP_LINKS, check_extent
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, read_many
from gvstore.objects.sequence import MAX_LEVELS, inner_entries, node_elements, node_entries
from gvstore.objects.wire import LINK_HEAD, Link, has_link, unpack

MAX_HEIGHT: Final = 64
AT_ONCE: Final = 256  # nodes or chunks of a run of bytes that are asked for together: 1 MiB of a file
_TEXTS: Final = {number.TEXT: str, number.BYTES: bytes}
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
    def __init__(self, data: bytes, reader: ObjectReader) -> None:
        self.data, self.reader = data, reader
        self.texts: dict[ObjectId | tuple[ObjectId, int, int], Any] = {}  # objects; split ones by type and size
        self.free = FREE_BYTES

    def run(self, raw: Any) -> Any:
        holder = [None, raw]
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
            try:
                value = build(frame.raw[1])
            except CorruptObject as e:
                raise CorruptObject(e.oid or frame.oid, e.why) from e
            if frame.slot is None:
                return value
            if type(value) in (str, bytes) and frame.oid is not None:
                self.texts[frame.oid] = value
            frame.slot[0][frame.slot[1]] = Resolved(value)

    def _spend(self, size: int) -> None:
        """Counts bytes that were read; the first FREE_BYTES are not worth a look at the whole."""
        if self.free > 0:
            self.free -= size
            if self.free <= 0:
                check_extent(self.data, self.reader)

    def _follow(self, slot: tuple[list[Any], int]) -> _Frame | None:
        """Reads what a link leads to; a frame if there is more to do."""
        oid = slot[0][slot[1]].oid
        if oid in self.texts:
            slot[0][slot[1]] = Resolved(self.texts[oid])
            return None
        data = self.reader.read(oid)
        kind = data[0] if data else 0
        if kind != Kind.VALUE:
            reader = _kinds.get(kind)
            if reader is not None:
                slot[0][slot[1]] = Resolved(reader(oid, self.reader))
            elif kind in (0, Kind.BLOB, Kind.NODE):
                raise CorruptObject(oid, "a link to a blob or node stands for no value")
            return None
        self._spend(len(data))
        try:
            frame = _Frame(oid, [None, unpack(memoryview(data)[1:])], slot)
            self._scan(frame, frame.raw, 0)
        except CorruptObject as e:
            raise CorruptObject(e.oid or oid, e.why) from e
        return frame

    def _scan(self, frame: _Frame, raw: list[Any], height: int) -> None:
        """Finds the links below `raw`, and puts split containers together."""
        if height > MAX_HEIGHT:
            raise CorruptObject(frame.oid, "too high")
        for i, each in enumerate(raw):
            if type(each) is list and each:
                if each[0] == number.SPLIT:
                    each = raw[i] = self._join(each)
                    if type(each) is not list:
                        continue
                if type(each[0]) is not int or each[0] not in KEEP_LINKS:
                    self._scan(frame, each, height + 1)
            elif type(each) is Link:
                frame.links.append((raw, i))

    def _join(self, raw: list[Any]) -> Any:
        if len(raw) != 4 or type(raw[1]) is not int or type(raw[2]) is not int or type(raw[3]) is not Link:
            raise CorruptObject(None, "a split container holds number, count and link")
        _, of, count, link = raw
        if of in _TEXTS:
            return Resolved(self._text(of, count, link.oid))
        if of not in _WHOLES:
            raise CorruptObject(None, f"type number {of} is never split")
        whole: list[Any] = [of]
        self._items(link.oid, count, 2 if of == number.DICT else 1, whole)
        return whole

    def _items(self, top: ObjectId, count: int, width: int, whole: list[Any]) -> None:
        """Appends the items below a node: what `iter_leaves` does, decoding leaves at once."""
        stack: list[tuple[ObjectId, int, int]] = [(top, count, 0)]
        while stack:
            oid, promised, level = stack.pop()
            data = self.reader.read(oid)
            self._spend(len(data))
            if data[1:] and data[0] == Kind.NODE and level <= MAX_LEVELS:
                raw = unpack(memoryview(data)[1:])
                if type(raw) is list and raw[:1] == [number.LEAF] and len(raw) == 1 + promised * width > 1:
                    whole += raw[1:]
                    continue
            entries = inner_entries(oid, node_elements(oid, data), promised)
            if level >= MAX_LEVELS:
                raise CorruptObject(oid, "a split container is too deep")
            stack.extend((child, weight, level + 1) for weight, child in reversed(entries))

    def _text(self, of: int, size: int, oid: ObjectId) -> Any:
        known = self.texts.get((oid, of, size))
        if known is None:
            self._spend(size)
            known = read_chunks(self.reader, oid, size)
            if of == number.TEXT:
                try:
                    known = known.decode()
                except UnicodeDecodeError as e:
                    raise CorruptObject(oid, "not UTF-8") from e
            self.texts[oid, of, size] = known
        return known


def read_chunks(reader: ObjectReader, top: ObjectId, size: int) -> bytes:
    """Returns the bytes below `top`: a chunk, or a tree of chunks; exactly `size` of them."""
    return b"".join(iter_chunks(reader, top, size=size))


def iter_chunks(reader: ObjectReader, top: ObjectId, *, size: int | None = None) -> Iterator[bytes]:
    """Yields the chunks below `top` in order.

    Raises:
        CorruptObject: there are more or fewer bytes below a node than the one
            above says, or than `size`.
    """
    stack: list[tuple[ObjectId, int | None, int]] = [(top, size, 0)]
    window = AT_ONCE
    while stack:
        taken = stack[: -window - 1 : -1]
        del stack[-len(taken) :]
        later: list[tuple[ObjectId, int | None, int]] = []  # what comes behind the first node of these
        many = read_many(reader, [oid for oid, _, _ in taken])
        for (oid, promised, level), data in zip(taken, many, strict=True):
            kind = data[0] if data else 0
            if kind == Kind.BLOB:
                if promised is not None and promised != len(data) - 1:
                    raise CorruptObject(oid, f"{promised} bytes were promised, there are {len(data) - 1}")
                if not later:
                    yield data[1:]
                    continue
                later.append((oid, promised, level))  # a tree that is no deeper in one place than in others has none
                window = 1
                continue
            if kind != Kind.NODE or level > MAX_LEVELS:
                raise CorruptObject(oid, "a chunk, or a node of chunks, was expected")
            later += ((child, count, level + 1) for count, child in node_entries(oid, data, promised))
        stack += reversed(later)


def decode(data: bytes | memoryview, reader: ObjectReader) -> Any:
    """Returns the value whose encoding is `data`.

    Raises:
        CorruptObject: `data`, or what it links to, breaks the grammar.
        ObjectMissing: what it links to is not there.
    """
    raw = unpack(data)
    if type(raw) is not list and type(raw) is not Link:
        return raw if type(raw) in PLAIN else build(raw)
    data = bytes(data)
    try:
        return _Walk(data, reader).run(raw) if has_link(data) else build(raw)
    except RecursionError as e:
        if _height(unpack(data)) > MAX_HEIGHT:
            raise CorruptObject(None, "too high") from e
        raise  # little stack was left before


def _height(raw: Any) -> int:
    height, level = 0, [raw]
    while level := [each for parts in level if type(parts) is list for each in parts]:
        height += 1
    return height


def get_value(reader: ObjectReader, oid: ObjectId) -> Any:
    """Returns the value stored as object `oid`, or what stands for an object of its kind."""
    return decode(LINK_HEAD + oid, reader)
