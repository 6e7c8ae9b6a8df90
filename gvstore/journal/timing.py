"""When each call of a run began and how long it took, read from the run's `times`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat

from gvstore.objects.fault import CorruptObject
from gvstore.objects.invocation import PartList
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import array, linked, pack, split, unpack


def times_of(start: int, duration: int, children: bytes | None, *, sparse: bool) -> bytes:
    """Returns the times of one call, encoded; `sparse` if numbers of reused calls stand among those of its children."""
    if children is None:
        return pack([1, start, duration])
    parts = [b"\x01", pack(start), pack(duration), children]
    return array([*parts, b"\xc3"] if sparse else parts)


@dataclass(frozen=True, slots=True)
class Timing:
    """One call's time in microseconds since its run began; `reused` if it was answered from another run's record."""

    started_us: int = 0
    duration_us: int = 0
    reused: bool = False
    children: bytes = NIL
    sparse: bool = False

    @classmethod
    def parse(cls, part: bytes, reader: ObjectReader) -> Timing:
        """Returns the timing that an element of `times` spells."""
        if part == NIL:  # a rewound run has none
            return REUSED
        oid = linked(part)
        parts = split(part if oid is None else memoryview(reader.read(oid))[1:])
        if not 3 <= len(parts) <= 5:
            raise CorruptObject(oid, "a call's time is a start and a duration")
        start, duration = unpack(parts[1]), unpack(parts[2])
        if type(start) is not int or type(duration) is not int:
            raise CorruptObject(oid, "a call's time is a start and a duration")
        return cls(start, duration, False, parts[3] if len(parts) > 3 else NIL, len(parts) == 5)

    def below(self, reader: ObjectReader) -> Iterator[Timing]:
        """Yields the timings of the calls below, in order; none for a call that was reused."""
        for part in PartList(self.children, reader):
            skipped = unpack(part) if self.sparse else None
            if type(skipped) is int:
                yield from repeat(REUSED, skipped)
            else:
                yield Timing.parse(part, reader)

    def child(self, index: int, reader: ObjectReader) -> Timing:
        """Returns the timing of one call below; what lies below a reused call is reused."""
        if self.reused or self.children == NIL:
            return self
        if self.sparse:
            return next(islice(self.below(reader), index, None), REUSED)
        parts = PartList(self.children, reader)
        if not 0 <= index < len(parts):
            raise CorruptObject(None, f"a run has the times of {len(parts)} calls where it has more calls")
        return Timing.parse(parts[index], reader)


REUSED = Timing(reused=True)


def timing_of(times: bytes, path: tuple[int, ...], reader: ObjectReader) -> Timing:
    """Returns the timing of the call at `path`, of a run whose `times` these are."""
    return timing_below(Timing.parse(times, reader), path, reader)


def timing_below(timing: Timing, path: tuple[int, ...], reader: ObjectReader) -> Timing:
    """Returns the timing of the call at `path`, from the one whose timing this is."""
    for index in path:
        timing = timing.child(index, reader)
    return timing
