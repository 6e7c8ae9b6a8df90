"""When each call of a run began and how long it took, read from the run's `times`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gvstore.objects.fault import CorruptObject
from gvstore.objects.invocation import PartList
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split, unpack


@dataclass(frozen=True, slots=True)
class Timing:
    """One call's time in microseconds since its run began; `reused` if it was answered from another run's record."""

    started_us: int = 0
    duration_us: int = 0
    reused: bool = False
    children: bytes = NIL

    @classmethod
    def parse(cls, part: bytes, reader: ObjectReader) -> Timing:
        """Returns the timing that an element of `times` spells."""
        if part == NIL:
            return cls(reused=True)
        oid = linked(part)
        parts = split(part if oid is None else memoryview(reader.read(oid))[1:])
        if len(parts) not in (3, 4):
            raise CorruptObject(oid, "a call's time is a start and a duration")
        return cls(unpack(parts[1]), unpack(parts[2]), False, parts[3] if len(parts) == 4 else NIL)

    def below(self, reader: ObjectReader) -> Iterator[Timing]:
        """Yields the timings of the calls below, in order; none for a call that was reused."""
        for part in PartList(self.children, reader):
            yield Timing.parse(part, reader)

    def child(self, index: int, reader: ObjectReader) -> Timing:
        """Returns the timing of one call below; what lies below a reused call is reused."""
        return self if self.reused else Timing.parse(PartList(self.children, reader)[index], reader)


def timing_of(times: bytes, path: tuple[int, ...], reader: ObjectReader) -> Timing:
    """Returns the timing of the call at `path`, of a run whose `times` these are."""
    timing = Timing.parse(times, reader)
    for index in path:
        timing = timing.child(index, reader)
    return timing
