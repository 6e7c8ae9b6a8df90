"""What trees, commits, tags, components, runs and operations share: an array of fields behind a kind byte.

Fields are values under the container rule, links, or weak links.  A reader
takes the fields it knows; more may follow in a later format.

What encodes and decodes any value is imported when a field needs it: those of
a commit are mostly links and short texts, and `gv log` shall begin soon.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.wire import Link, array, link_bytes, pack, split, unpack, weak_link_bytes

NIL = b"\xc0"
_BARE = frozenset({type(None), bool, int, float, str, bytes})  # what stands for itself
T = TypeVar("T")


def maybe_link(oid: ObjectId | None) -> bytes:
    """Returns the encoding of an optional link."""
    return NIL if oid is None else link_bytes(oid)


def maybe_weak(oid: ObjectId | None) -> bytes:
    """Returns the encoding of an optional weak link."""
    return NIL if oid is None else weak_link_bytes(oid)


class FieldWriter:
    """Puts one object's fields together, in order."""

    def __init__(self, writer: ObjectWriter, kind: Kind, of: int) -> None:
        from gvstore.objects.encode import Encoder

        self._writer, self._kind = writer, kind
        self._encoder = Encoder(writer)
        self._parts = [pack(of)]

    def value(self, value: Any) -> FieldWriter:
        """Appends a value."""
        self._parts.append(self._encoder.nested(value))
        return self

    def raw(self, *parts: bytes) -> FieldWriter:
        """Appends encoded parts."""
        self._parts += parts
        return self

    def put(self) -> ObjectId:
        """Writes the object; returns its oid."""
        return self._writer.write(bytes((self._kind,)) + array(self._parts))


class FieldReader:
    """Takes one object's fields apart, in order."""

    def __init__(self, reader: ObjectReader, oid: ObjectId, kind: Kind, of: int) -> None:
        data = reader.read(oid)
        if data[:1] != bytes((kind,)):
            raise CorruptObject(oid, f"a {kind.word} was expected, this is {kind_word(data)}")
        self.oid, self._reader = oid, reader
        try:
            self._parts = iter(split(memoryview(data)[1:]))
        except CorruptObject as e:
            raise CorruptObject(oid, e.why) from e
        if next(self._parts, b"") != pack(of):
            raise CorruptObject(oid, f"the array of a {kind.word} opens with {of}")

    def value(self, wanted: type[T]) -> T:
        """Returns the next field, a value of exactly this type."""
        value = _decoded(self.raw(), self._reader)
        if type(value) is not wanted:
            raise CorruptObject(self.oid, f"a {wanted.__name__} was expected, found {type(value).__name__}")
        return value

    def texts(self) -> tuple[str, ...]:
        """Returns the next field, a tuple of texts."""
        values = self.value(tuple)
        if set(map(type, values)) - {str}:
            raise CorruptObject(self.oid, "a tuple of texts was expected")
        return values

    def raw(self) -> bytes:
        """Returns the next field's bytes."""
        part = next(self._parts, None)
        if part is None:
            raise CorruptObject(self.oid, "a field is missing")
        return part

    def raw_or_nil(self) -> bytes:
        """Returns the next field's bytes, or nil where an object was written without it."""
        return next(self._parts, NIL)

    def link(self) -> ObjectId:
        """Returns the next field, a link."""
        oid = self.maybe_link()
        if oid is None:
            raise CorruptObject(self.oid, "a link was expected")
        return oid

    def maybe_link(self) -> ObjectId | None:
        """Returns the next field, a link of either strength, or None."""
        value = unpack(self.raw())
        if value is None:
            return None
        if not isinstance(value, Link):
            raise CorruptObject(self.oid, "a link was expected")
        return value.oid

    def link_or_none(self) -> ObjectId | None:
        """Returns the next field, a link or nil; None also where an object was written without it."""
        value = unpack(self.raw_or_nil())
        if value is None or isinstance(value, Link):
            return None if value is None else value.oid
        raise CorruptObject(self.oid, "a link was expected")

    def named_links(self) -> dict[str, ObjectId]:
        """Returns the next field, a dict from name to link."""
        named: dict[str, ObjectId] = {}
        for name, part in named_parts(self._reader, self.oid, self.raw()):
            link = unpack(part)
            if not isinstance(link, Link):
                raise CorruptObject(self.oid, "a link was expected")
            named[name] = link.oid
        return named

    def links(self) -> tuple[ObjectId, ...]:
        """Returns the next field, an array of links."""
        values = unpack(self.raw())
        if type(values) is not list or values[:1] != [number.LIST]:
            raise CorruptObject(self.oid, "an array of links was expected")
        if not all(isinstance(each, Link) for each in values[1:]):
            raise CorruptObject(self.oid, "an array of links was expected")
        return tuple(each.oid for each in values[1:])


def kind_word(data: bytes) -> str:
    """Returns what an object is, in words, by its first byte."""
    if not data:
        return "empty"
    return f"a {Kind(data[0]).word}" if data[0] in Kind.__members__.values() else f"of no kind ({data[:1]!r})"


def links_part(oids: Iterable[ObjectId], make: Callable[[bytes], bytes]) -> bytes:
    """Returns the encoding of an array of links."""
    return array([b"\x00", *(make(oid) for oid in oids)])


def named_links_part(writer: ObjectWriter, named: dict[str, ObjectId]) -> bytes:
    """Returns the encoding of a dict from name to link, sorted by name, under the container rule."""
    from gvstore.objects.encode import Encoder
    from gvstore.objects.sequence import ItemList

    encoder = Encoder(writer)
    items = ItemList(writer, number.DICT)
    for name in sorted(named):
        items.add(encoder.nested(name) + link_bytes(named[name]))
    return items.finish()


def named_parts(reader: ObjectReader, oid: ObjectId, raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Yields (name, encoded value) of a dict whose keys are names in ascending order, split or not.

    Raises:
        CorruptObject: it is none.
    """
    last: str | None = None
    parts = dict_parts(reader, raw)
    if len(parts) % 2:
        raise CorruptObject(oid, "a dict holds a value for each key")
    for key, part in zip(parts[::2], parts[1::2], strict=True):
        name = _decoded(key, reader)
        if type(name) is not str or (last is not None and name <= last):
            raise CorruptObject(oid, "names were expected, in ascending order")
        yield name, part
        last = name


def dict_parts(reader: ObjectReader, raw: bytes) -> list[bytes]:
    """Returns the encoded keys and values in turn of a dict, whether it is split or not."""
    parts = split(raw)
    if parts[:1] == [pack(number.DICT)]:
        return parts[1:]
    top = unpack(parts[3]) if parts[:2] == [pack(number.SPLIT), pack(number.DICT)] and len(parts) == 4 else None
    count = unpack(parts[2]) if type(top) is Link else None
    if type(top) is not Link or type(count) is not int:
        raise CorruptObject(None, "a dict was expected")
    from gvstore.objects.sequence import iter_leaves

    return [part for _, leaf in iter_leaves(reader, top.oid, count=count, width=2) for part in leaf]


def _decoded(data: bytes, reader: ObjectReader) -> Any:
    """Returns a value; `decode.py` is asked only for what does not stand for itself."""
    value = unpack(data)
    if type(value) in _BARE:
        return value
    from gvstore.objects.decode import decode

    return decode(data, reader)
