"""Invocations: one call, as a Merkle tree of the calls it made.

    [48, component, args, outcome, children, state, after, changed, lanes, reads]

`component` is a link; `args` a tuple in the order of the component's
parameters; `outcome` nil while there is none, or one of the arrays below;
`children` a list of invocations; `state` and `after` the fields of the
instance that was called, before and (where they differ) after; `changed` a
dict of the arguments that the call changed, as they were afterwards; `lanes`
which of the children were made by threads and tasks that it spawned (`lanes.py`);
`reads` the project's files that it opened itself, a dict from path to the blob's
oid as 32 bytes, or nil where there was none.  Trailing nils are left out.  A child stands in its parent's list inline, or as
a link where the container rule wants one: its *part*.

    returned  [59, value]           raised  [60, exception, raised here]
    waiting   [61, requested type, for value, context] at the call that asks, [..., false] above it
    cancelled [62]
    streamed  [63, chunks, value, closed early]; [63, chunks, value, closed early, sent] where something was sent;
              [63, chunks] of a stream that has not ended
    What could not be stored whole ends with a further true: [59, value, true],
    [63, chunks, value, closed early, sent, true].  A stream that raised is
    [60, exception, chunks, raised here].

No clock is in it: equal executions are equal objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import NIL
from gvstore.objects.sequence import ItemList, gathered, iter_leaves
from gvstore.objects.wire import LINK_BYTES, Link, array, link_bytes, linked, pack, split, unpack

INVOCATION_BYTE = bytes((Kind.INVOCATION,))
_NUMBER = pack(number.INVOCATION)
_LIST = pack(number.LIST)
_SPLIT = pack(number.SPLIT)
_EMPTY = array([_LIST])

_STREAMING = b"\x92\x3f"

LEAF_HEAD: Final = b"\x94\x30"  # of an invocation with an outcome that made no calls; component, arguments, outcome follow
RETURNED_HEAD: Final = b"\x92\x3b"  # of an outcome that is a value all of which could be stored; the value follows
CANCELLED = array([pack(number.CANCELLED)])


def returned(value: bytes) -> bytes:
    """Returns the outcome of a call that returned the value encoded as `value`."""
    return RETURNED_HEAD + value


def raised(exception: bytes, *, here: bool) -> bytes:
    """Returns the outcome of a call that raised; `here` if no call below it had raised the same."""
    return b"\x93\x3c" + exception + (b"\xc3" if here else b"\xc2")


def raised_in_stream(exception: bytes, chunks: bytes, *, here: bool) -> bytes:
    """Returns the outcome of a call that raised after it had yielded `chunks`."""
    return b"\x94\x3c" + exception + chunks + (b"\xc3" if here else b"\xc2")


def streamed(chunks: bytes, value: bytes, sent: bytes, *, closed: bool, altered: bool) -> bytes:
    """Returns the outcome of a stream that ended, or that its consumer `closed` early; `sent` is nil if nothing was."""
    body = b"\x3f" + chunks + value + (b"\xc3" if closed else b"\xc2")
    if altered:
        return b"\x96" + body + sent + b"\xc3"
    return b"\x94" + body if sent == NIL else b"\x95" + body + sent


def is_altered(outcome: bytes) -> bool:
    """Returns whether an outcome holds something in place of what could not be stored."""
    return outcome[0] == 0x96 if outcome[1] == number.STREAMED else outcome[0] == 0x93


def streaming(chunks: bytes) -> bytes:
    """Returns the outcome of a stream that has not ended."""
    return _STREAMING + chunks


def waiting(requested: bytes, for_value: bytes, context: bytes, *, here: bool) -> bytes:
    """Returns the outcome of a call that waits for an answer; `here` if it asks itself, and no call below it."""
    asked = b"\x3d" + requested + for_value + context
    return b"\x94" + asked if here else b"\x95" + asked + b"\xc2"


def asks(outcome: bytes) -> bool:
    """Returns whether an outcome is a question that began in this very call."""
    return outcome[:2] == b"\x94\x3d"


def outcome_number(outcome: bytes) -> int | None:
    """Returns the type number of an outcome, or None where there is none, or a stream that has not ended."""
    return None if outcome == NIL or outcome.startswith(_STREAMING) else outcome[1]


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation, its parts still encoded."""

    component: ObjectId
    args: bytes
    outcome: bytes = NIL
    children: bytes = NIL
    state: bytes = NIL
    after: bytes = NIL
    changed: bytes = NIL
    lanes: bytes = NIL
    reads: bytes = NIL

    def encode(self) -> bytes:
        """Returns the array."""
        return encode_call(
            link_bytes(self.component), self.args, self.outcome, self.children, self.state, self.after, self.changed,
            self.lanes, self.reads,
        )  # fmt: skip

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this invocation, stored as an object."""
        return writer.write(INVOCATION_BYTE + self.encode())

    @classmethod
    def parse(cls, data: bytes | memoryview) -> Call:
        """Returns the invocation whose array is `data`.

        Raises:
            CorruptObject: it is none.
        """
        parts = split(data)
        if not 3 <= len(parts) <= 10 or parts[0] != _NUMBER:
            raise CorruptObject(None, "an invocation was expected")
        component = linked(parts[1])
        if component is None:
            raise CorruptObject(None, "an invocation links its component")
        return cls(component, *parts[2:])

    @classmethod
    def of_part(cls, part: bytes, reader: ObjectReader) -> Call:
        """Returns the invocation that `part` is, or links to."""
        return cls.parse(part_body(part, reader))

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Call:
        """Returns the invocation `oid`."""
        return cls.of_part(link_bytes(oid), reader)

    def without_outcome(self, children: bytes, lanes: bytes = NIL) -> Call:
        """Returns the same call, unfinished, having made just `children`."""
        return replace(self, outcome=NIL, children=children, after=NIL, changed=NIL, lanes=lanes, reads=NIL)


def encode_call(
    component: bytes, args: bytes, outcome: bytes, children: bytes, state: bytes, after: bytes, changed: bytes,
    lanes: bytes = NIL, reads: bytes = NIL,
) -> bytes:  # fmt: skip
    """Returns an invocation's array from its encoded parts, trailing nils left out."""
    if reads != NIL:
        return b"\x9a" + _NUMBER + component + args + outcome + children + state + after + changed + lanes + reads
    if lanes != NIL:
        return b"\x99" + _NUMBER + component + args + outcome + children + state + after + changed + lanes
    if changed != NIL:
        return b"\x98" + _NUMBER + component + args + outcome + children + state + after + changed
    if after != NIL:
        return b"\x97" + _NUMBER + component + args + outcome + children + state + after
    if state != NIL:
        return b"\x96" + _NUMBER + component + args + outcome + children + state
    if children not in (NIL, _EMPTY):
        return b"\x95" + _NUMBER + component + args + outcome + children
    if outcome != NIL:
        return b"\x94" + _NUMBER + component + args + outcome
    return b"\x93" + _NUMBER + component + args


def part_body(part: bytes, reader: ObjectReader) -> bytes | memoryview:
    """Returns the array of a part: itself, or what it links to."""
    oid = linked(part)
    if oid is None:
        return part
    data = reader.read(oid)
    if data[0] != Kind.INVOCATION:
        raise CorruptObject(oid, "an invocation was expected")
    return memoryview(data)[1:]


def component_link(body: bytes) -> bytes:
    """Returns the link to the component as it stands in an invocation's array; of anything else some bytes."""
    return body[2 : 2 + LINK_BYTES]


def part_digest(part: bytes) -> ObjectId:
    """Returns the oid that the invocation of a part has, or would have, as an object."""
    return linked(part) or ObjectId.of(INVOCATION_BYTE + part)


class PartList:
    """An encoded list, read item by item: the children of a call, or their times."""

    __slots__ = ("_count", "_inline", "_reader", "_top")

    def __init__(self, data: bytes, reader: ObjectReader) -> None:
        self._reader = reader
        self._inline: list[bytes] | None = []
        self._top: ObjectId | None = None
        self._count = 0
        if data == NIL:
            return
        oid = linked(data)
        parts = split(data if oid is None else memoryview(reader.read(oid))[1:])
        if parts[:1] == [_LIST]:
            self._inline = parts[1:]
            self._count = len(parts) - 1
            return
        top, count = (unpack(parts[3]), unpack(parts[2])) if len(parts) == 4 and parts[0] == _SPLIT else (None, None)
        if type(top) is not Link or type(count) is not int or parts[1] != _LIST:
            raise CorruptObject(oid, "a list was expected")
        self._inline, self._top, self._count = None, top.oid, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[bytes]:
        return self.since(0)

    def since(self, start: int) -> Iterator[bytes]:
        """Yields the items from `start` on; only the nodes on the way are read."""
        if self._inline is not None:
            yield from self._inline[start:]
            return
        assert self._top is not None
        for first, parts in iter_leaves(self._reader, self._top, start=start):
            yield from parts[max(0, start - first) :]

    def leaves(self) -> Iterator[list[bytes]]:
        """Yields the items, as many at once as stand together."""
        if self._inline is not None:
            yield self._inline
            return
        assert self._top is not None
        for _, parts in iter_leaves(self._reader, self._top):
            yield parts

    def gathered(self, known: dict[ObjectId, list[bytes]]) -> list[bytes]:
        """Returns all items; `known` is as for `sequence.gathered`."""
        if self._inline is not None:
            return self._inline
        assert self._top is not None
        return gathered(self._reader, self._top, known)

    def __getitem__(self, at: int) -> bytes:
        if not 0 <= at < self._count:
            raise IndexError(at)
        return next(self.since(at))


def call_list(writer: ObjectWriter) -> ItemList:
    """Returns what collects the parts of a call's children."""
    return ItemList(writer, number.LIST)
