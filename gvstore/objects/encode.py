"""From Python values to bytes, by the container rule.

One conversion and one MessagePack encode for what is small.  What is larger
than 256 bytes, or higher than 32, goes through an explicit stack, from the
leaves up: a nested part whose encoding, its own children linked first, passes
256 bytes or reaches height 32 becomes an object and is linked; long
containers become trees (`sequence.py`); long text is cut.  Both ways give the
same bytes; `tests/objects/test_value.py` states it.

Values are trees: what is met twice is encoded once and linked or repeated,
never marked as the same.  A value inside itself is an opaque "cycle".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import add
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.carry import carry
from gvstore.objects.chunking import HEIGHT_LIMIT, LINK_THRESHOLD, TEXT_MEAN, TEXT_THRESHOLD, cut_bytes
from gvstore.objects.expand import IS_LINK, SCALARS, expand, opaque
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectWriter
from gvstore.objects.sequence import ItemList, TreeBuilder
from gvstore.objects.wire import LINK_HEAD, Link, Raw, array, link_bytes, linked, pack

BLOB_BYTE: Final = bytes((Kind.BLOB,))
VALUE_BYTE: Final = bytes((Kind.VALUE,))
_KIND_OF: Final = {number.INVOCATION: bytes((Kind.INVOCATION,)), number.COMPONENT: bytes((Kind.COMPONENT,))}
_SPLITTABLE: Final = frozenset({number.LIST, number.TUPLE, number.DICT, number.SET, number.FROZENSET})
_SORTED: Final = frozenset({number.SET, number.FROZENSET})
_NUMBERS: Final = [pack(n) for n in range(128)]
_SMALL: Final = SCALARS - {int, str, bytes}
_WORD: Final = 1 << 63  # an int below it is one of MessagePack's
_FLAT: Final = 64  # elements of a container that is packed at once, if they are scalars
DEPTH_LIMIT: Final = 1_000_000  # levels: deeper is opaque, as a property may unfold for ever

OnOpaque = Callable[[str, str | None], None]


class _TooMuch(Exception):
    """Too tall or too long for the quick way."""


class Encoder:
    """Encodes values into one writer.

    `on_opaque(type name, detail)` is told of each value that has no encoding.
    """

    __slots__ = ("_on_opaque", "_room", "_writer")

    def __init__(self, writer: ObjectWriter, on_opaque: OnOpaque | None = None) -> None:
        self._writer = writer
        self._on_opaque = on_opaque
        self._room = 0  # elements that the quick way may still convert

    def encode(self, value: Any) -> bytes:
        """Returns the encoding of a value that is the root of its object."""
        if type(value) in SCALARS:
            return self._scalar(value)
        self._room = LINK_THRESHOLD
        try:
            data = pack(self._convert(value, 1))
            if len(data) <= LINK_THRESHOLD:
                return data
        except (_TooMuch, OverflowError, UnicodeEncodeError, RecursionError):
            pass
        return _Long(self, value).run()[0]

    def nested(self, value: Any) -> bytes:
        """Returns the encoding of a value inside another: a link, if it passes the threshold."""
        kind = type(value)
        if kind in _SMALL or (kind is int and -_WORD <= value < _WORD):
            return pack(value)
        if kind in SCALARS:
            return self._nested_scalar(value)
        self._room = LINK_THRESHOLD
        try:
            if kind is tuple and SCALARS.issuperset(map(type, value)):
                data = pack((number.TUPLE, *value))
            else:
                data = pack(self._convert(value, 2))  # a nested one may be one lower
            if len(data) <= LINK_THRESHOLD:
                return data
        except (_TooMuch, OverflowError, UnicodeEncodeError, RecursionError):
            pass
        return self.place(*_Long(self, value).run())

    def nested_slowly(self, value: Any) -> bytes:
        """Returns what `nested` returns, by the long way, on which every text inside passes `text`."""
        return self._nested_scalar(value) if type(value) in SCALARS else self.place(*_Long(self, value).run())

    def put(self, value: Any) -> ObjectId:
        """Writes a value as an object of its own."""
        data = self.encode(value)
        return linked(data) or self._writer.write(VALUE_BYTE + data)

    def place(self, data: bytes, height: int = 1) -> bytes:
        """Returns a nested part's encoding, or a link to it where the container rule wants one."""
        if len(data) <= LINK_THRESHOLD and height < HEIGHT_LIMIT:
            return data
        kind = _KIND_OF.get(data[1], VALUE_BYTE) if data[0] & 0xF0 == 0x90 else VALUE_BYTE
        return LINK_HEAD + self._writer.write(kind + data)

    def _convert(self, value: Any, height: int) -> Any:
        of, elements = expand(value)
        if of == IS_LINK:
            return self.carried(elements)
        self._room -= len(elements)
        if height > HEIGHT_LIMIT or self._room < 0:  # an element takes a byte at least
            raise _TooMuch
        if of == number.OPAQUE:
            self.tell_opaque(elements)
        if of in _SORTED:
            parts = sorted(pack(e if type(e) in SCALARS else self._convert(e, height + 1)) for e in elements)
            return [of, *map(Raw, parts)]
        out = [of]
        for e in elements:
            out.append(e if type(e) in SCALARS else self._convert(e, height + 1))
        return out

    def carried(self, elements: Sequence[Any]) -> Link:
        """Returns the link of an expansion that is one; what it leads to is here from then on."""
        link: Link = elements[0]
        for source in elements[1:]:
            carry(link.oid, source, self._writer)
        return link

    def tell_opaque(self, elements: Any) -> None:
        """Passes an opaque marker's elements on."""
        if self._on_opaque is not None:
            self._on_opaque(*elements)

    def _scalar(self, value: Any) -> bytes:
        if type(value) is str or type(value) is bytes:
            return self.text(value)
        try:
            return pack(value)
        except OverflowError:
            of, elements = expand(value)
            return array([_NUMBERS[of], *(self._nested_scalar(e) for e in elements)])

    def text(self, value: str | bytes) -> bytes:
        """Returns the encoding of a text or bytes; a subclass may put another in its place."""
        try:
            raw = value.encode() if isinstance(value, str) else value
        except UnicodeEncodeError:
            of, elements = expand(value)
            return array([_NUMBERS[of], *(self._nested_scalar(e) for e in elements)])
        if len(raw) <= TEXT_THRESHOLD:
            return pack(value)
        builder = TreeBuilder(self._writer, leaves=False)
        for chunk in cut_bytes(raw, TEXT_MEAN):
            builder.add_chunk(self._writer.write(BLOB_BYTE + chunk), len(chunk))
        of = number.TEXT if type(value) is str else number.BYTES
        return array([_NUMBERS[number.SPLIT], _NUMBERS[of], pack(len(raw)), link_bytes(builder.finish())])

    def _nested_scalar(self, value: Any) -> bytes:
        data = self._scalar(value)
        return data if len(data) <= LINK_THRESHOLD else self.place(data)


class _Frame:
    """A container on the way: what of it is encoded, and what is to come."""

    __slots__ = ("elements", "height", "identity", "keep", "of", "parts")

    def __init__(self, of: int, elements: Sequence[Any], value: Any) -> None:
        self.of = of
        self.elements = iter(elements)
        self.identity = id(value)
        self.keep = (value, elements)  # holds temporaries, so that no id is used twice
        self.parts: list[bytes] = []
        self.height = 0


class _Long:
    """One walk over one large or tall value.

    Links, split containers and long texts are remembered by identity; what
    stays inline is small and encoded anew, so shared parts cost no more than
    256 elements a reference.
    """

    def __init__(self, encoder: Encoder, value: Any) -> None:
        self.encoder = encoder
        self.writer = encoder._writer
        self.value = value
        self.open: set[int] = set()
        self.done: dict[int, tuple[bytes, int, Any]] = {}
        self.stack: list[_Frame] = []
        self.flat = type(encoder).text is Encoder.text

    def run(self) -> tuple[bytes, int]:
        """Returns the root's encoding and inline height."""
        if type(self.value) in SCALARS:
            return self.encoder._scalar(self.value), 0
        result = self._enter(self.value)
        while self.stack:
            frame = self.stack[-1]
            if result is not None:
                frame.parts.append(result[0])
                frame.height = max(frame.height, result[1])
            result = None
            for element in frame.elements:
                kind = type(element)
                if kind in SCALARS:
                    frame.parts.append(pack(element) if kind in _SMALL else self._part(element))
                    continue
                known = self.done.get(id(element))
                result = known[:2] if known else self._enter(element)
                break
            else:
                self.stack.pop()
                self.open.discard(frame.identity)
                result = self._close(frame)
                if self.stack:
                    result = self._placed(*result, frame)
        assert result is not None
        return result

    def _placed(self, data: bytes, height: int, frame: _Frame) -> tuple[bytes, int]:
        part = self.encoder.place(data, height)
        if part is not data:
            height = 0
        elif data[1] != number.SPLIT:
            return data, height
        self.done[frame.identity] = (part, height, frame.keep)
        return part, height

    def _part(self, scalar: Any) -> bytes:
        """Returns the encoding of a scalar inside a container."""
        kind = type(scalar)
        if kind is int and -(1 << 63) <= scalar < 1 << 64:
            return pack(scalar)
        if (kind is str or kind is bytes) and len(scalar) > LINK_THRESHOLD:
            known = self.done.get(id(scalar))
            if known is None:
                known = self.done[id(scalar)] = (self.encoder._nested_scalar(scalar), 0, scalar)
            return known[0]
        return self.encoder._nested_scalar(scalar)

    def _enter(self, value: Any) -> tuple[bytes, int] | None:
        """Opens a container; returns at once what is flat, a link, or closes a cycle."""
        of, elements = self._expand(value)
        if of == IS_LINK:
            return pack(self.encoder.carried(elements)), 0
        if of == number.OPAQUE:
            self.encoder.tell_opaque(elements)
            value = elements  # what a cycle leads back to stays open
        if (
            self.stack
            and self.flat
            and len(elements) <= _FLAT
            and of not in _SORTED
            and SCALARS.issuperset(map(type, elements))
        ):
            try:
                data = pack([of, *elements])
                if len(data) <= LINK_THRESHOLD:
                    return data, 1
            except (OverflowError, UnicodeEncodeError):
                pass
        self.open.add(id(value))
        self.stack.append(_Frame(of, elements, value))
        return None

    def _expand(self, value: Any) -> tuple[int, Sequence[Any]]:
        if id(value) in self.open:
            return opaque(value, "cycle")
        if len(self.stack) >= DEPTH_LIMIT:
            return opaque(value, "too deep")
        try:
            return expand(value)
        except RecursionError:
            return opaque(value, "RecursionError while it was read")

    def _close(self, frame: _Frame) -> tuple[bytes, int]:
        parts, of, height = frame.parts, frame.of, frame.height + 1
        if of in _SORTED:
            parts.sort()
        if of not in _SPLITTABLE:
            return array([_NUMBERS[of], *parts]), height
        items = ItemList(self.writer, of)
        items.extend(list(map(add, parts[::2], parts[1::2])) if of == number.DICT else parts)
        return items.finish(), 1 if items.is_split else height
