"""What a run's journal says, record by record, and how calls are put together again from it.

    R  value                                  the run: a dict, first of all records
    K  component u32, oid                     a component's number in this journal
    B  call u32, parent u32, component u32, start u64, array [args] or [args, state]
    E  call u32, end u64, array [outcome], [outcome, after], ... changed], ... changed, reads]
    L  lane u32, parent u32                   the call, or lane, is about to make a thread or task
    S  source u32, call u32, list             the recorded calls from which this call's are answered
    A  source u32, first u32, count u32, calls u32, parent u32
                                              a row of them was adopted: so many calls, with those below
    P  lane u32, array [call, times]          another process handed a call over, with those below it
    Y  call u32, value                        a stream yielded
    Z  call u32, array                        it was sent something
    U  array of [name, count]                 what models used
    F  call u32, ended u32, begun u32, lanes u32, array [children, times, lanes]
                                              what an open call has done so far, in a journal that replaces a longer one
    N  executed u64, reused u64               how many calls have ended before it

A parent is a call or a lane; both are numbered in one row.  Times are
microseconds since the run began.  Recovery is the recorder's own
machine: frames are opened and closed as the journal tells, and what is open
at its end stays without an outcome.  Where a record is damaged, or links an
object that is lost, the calls open at that moment stay without an outcome too,
for a child of theirs may be missing: they are executed again, and the
children that are known answer.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gvstore.errors import Corrupt
from gvstore.journal.chunks import Chunks
from gvstore.journal.counting import count_calls
from gvstore.journal.frame import Ended, Frame, Lane
from gvstore.journal.recorder import (
    ADOPT,
    BEGIN,
    CHUNK,
    END,
    FOLDED,
    HANDED,
    KNOW,
    NO_PARENT,
    SENT,
    SOURCE,
    SPAWN,
    TOTALS,
    Recording,
)
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import PartList
from gvstore.objects.lanes import LaneRuns, iter_lanes
from gvstore.objects.links import links
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.resume import resume_list
from gvstore.objects.wire import has_link, link_bytes, split, unpack
from gvstore.odb.wal import WalWriter, read_records


def write_start(wal: WalWriter, objects: ObjectStore, facts: dict[str, Any]) -> bytes:
    """Writes the first record, what is known of the run when it starts, and returns it."""
    record = b"R" + Encoder(objects).encode(facts)
    objects.flush()
    wal.append(record)
    return record


@dataclass(slots=True)
class Recovered:
    """What a journal holds: the run's facts, and its root call as far as it came; `damaged` records are left out."""

    facts: dict[str, Any] = field(default_factory=dict)
    root: Frame | None = None
    executed: int = 0
    reused: int = 0
    end_us: int = 0
    usage: dict[str, int] = field(default_factory=dict)
    damaged: int = 0


def recover(path: Path, objects: ObjectStore) -> Recovered:
    """Returns what a journal holds, calls folded into `objects` (which may be memory alone)."""
    return _Recovery(objects).run(path)


class _Source:
    """The recorded calls from which one call's are answered, read in order as far as they are asked for so."""

    def __init__(self, frame: Frame, children: bytes, objects: ObjectStore) -> None:
        self.frame = frame
        self._parts = PartList(children, objects)
        self._at = 0
        self._rest: Iterator[bytes] | None = None

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, at: int) -> bytes:
        if self._rest is None or at != self._at:
            if not 0 <= at < len(self._parts):
                raise IndexError(at)
            self._rest = self._parts.since(at)
        self._at = at + 1
        return next(self._rest)


class _Recovery:
    """One reading of one journal."""

    def __init__(self, objects: ObjectStore) -> None:
        self.recording = Recording(objects)
        self.found = Recovered()
        self.recording.clock = lambda: self.recording.zero_ns + self.found.end_us * 1000
        self.frames: dict[int, Frame] = {}  # open ones
        self.lanes: dict[int, Lane] = {}
        self.links: dict[int, bytes] = {}
        self.sources: dict[int, _Source] = {}
        self.doubtful: set[int] = set()
        self.takes: dict[int, Callable[[bytes], None]] = {
            ord("B"): self.begin, ord("E"): self.end, ord("S"): self.source, ord("A"): self.adopt, ord("K"): self.know,
            ord("U"): self.use, ord("R"): self.start, ord("L"): self.spawn, ord("Y"): self.chunk, ord("Z"): self.sent,
            ord("P"): self.take_over, ord("F"): self.folded, ord("N"): self.totals,
        }  # fmt: skip

    def run(self, path: Path) -> Recovered:
        for payload in read_records(path):
            try:
                if payload is None:
                    raise ValueError("damaged")
                take = self.takes.get(payload[0])
                if take is not None:
                    take(payload)
            except (Corrupt, ArithmeticError, LookupError, TypeError, ValueError, struct.error):
                self.doubt()
        root = self.found.root
        if root is not None and not root.folded:
            root.abandon()
        self.found.reused = self.recording.reused
        return self.found

    def doubt(self) -> None:
        """Notes that something is lost, perhaps a child of a call that is open now."""
        self.found.damaged += 1
        self.doubtful.update(self.frames)

    def start(self, payload: bytes) -> None:
        """The run began."""
        self.found.facts = dict(decode(payload[1:], self.recording.objects))

    def know(self, payload: bytes) -> None:
        """A component has a number."""
        _, index, oid = KNOW.unpack_from(payload)
        self.links[index] = link_bytes(oid)

    def use(self, payload: bytes) -> None:
        """A model used something."""
        usage = self.found.usage
        for name, count in unpack(payload[1:]):
            usage[str(name)] = usage.get(str(name), 0) + int(count)

    def begin(self, payload: bytes) -> None:
        """A call began."""
        _, number, above, index, start = BEGIN.unpack_from(payload)
        lane = None if above == NO_PARENT else self.lane(above)
        if above != NO_PARENT and lane is None:  # its parent ended before it began, or is lost
            return
        args, state, *_ = [*split(payload[BEGIN.size :]), NIL]
        if not self.has_all(args, state):
            raise ValueError("an argument is lost")
        if number in self.frames or (lane is None and self.found.root is not None):
            raise ValueError("a call begins twice")
        parent = lane if type(lane) is Frame or lane is None else lane.frame  # type: ignore[union-attr]
        frame = Frame(self.recording, None, parent, number, self.links[index], args, state, start, None)  # type: ignore[arg-type]
        self.frames[number] = frame
        self.found.end_us = max(self.found.end_us, start)
        if parent is None or lane is None:
            self.found.root = frame
        else:
            parent.enter(frame, lane)

    def lane(self, number: int) -> Frame | Lane | None:
        """Returns the open call or lane of this number."""
        lane = self.lanes.get(number)
        frame = self.frames.get(number) if lane is None else lane.frame
        if frame is None or frame.folded:
            return None
        return frame if lane is None else lane

    def end(self, payload: bytes) -> None:
        """A call ended."""
        _, number, end = END.unpack_from(payload)
        frame = self.frames.get(number)
        if frame is None or frame.folded:  # it outlived the call that made it, or its beginning is lost
            return
        outcome, after, changed, reads, *_ = [*split(payload[END.size :]), NIL, NIL, NIL]
        if not self.has_all(outcome, after, changed, reads):
            self.doubt()
        del self.frames[number]
        if number in self.doubtful:
            outcome = after = changed = reads = NIL
        if reads != NIL:
            frame.reads = reads
        self.found.end_us = max(self.found.end_us, end)
        frame.fold(outcome, after, end - frame.start, changed)
        self.found.executed += outcome != NIL

    def source(self, payload: bytes) -> None:
        """Recorded calls are about to answer a call's."""
        _, source, number = SOURCE.unpack_from(payload)
        if number in self.frames:
            frame, children = self.frames[number], payload[SOURCE.size :]
            frame.record = children
            self.sources[source] = _Source(frame, children, self.recording.objects)

    def adopt(self, payload: bytes) -> None:
        """Some of them were adopted."""
        _, source, first, count, calls, above = ADOPT.unpack_from(payload)
        lane = self.lane(above)
        if source in self.sources and lane is not None:
            found = self.sources[source]
            if count > len(found) - first:
                raise ValueError("more calls are adopted than there are")
            for at in range(first, first + count):
                found.frame.adopt(at, b"" if found.frame.continues(at, lane) else found[at], lane)
            self.recording.reused += calls

    def spawn(self, payload: bytes) -> None:
        """A thread or task was made."""
        _, number, above = SPAWN.unpack_from(payload)
        lane = self.lane(above)
        if lane is not None:
            frame = lane if type(lane) is Frame else lane.frame  # type: ignore[union-attr]
            self.lanes[number] = frame.spawn(lane, number)

    def take_over(self, payload: bytes) -> None:
        """Another process handed a call over."""
        lane = self.lane(HANDED.unpack_from(payload)[1])
        part, times = split(payload[HANDED.size :])
        if not self.has_all(part, times):
            raise ValueError("a call is lost")
        if isinstance(lane, Lane):
            lane.frame.begun += 1
            lane.frame.put(Ended(part, None if times == NIL else times), lane)
            calls = count_calls(part, self.recording.objects)
            if times == NIL:
                self.recording.reused += calls
            else:
                self.found.executed += calls

    def folded(self, payload: bytes) -> None:
        """A call had made calls when the journal was replaced."""
        _, number, ended, begun, spawned = FOLDED.unpack_from(payload)
        children, times, lanes = split(payload[FOLDED.size :])
        if not self.has_all(children, times, lanes):
            raise ValueError("calls are lost")
        frame, objects = self.frames[number], self.recording.objects
        frame.begun, frame.spawned = begun, spawned
        if ended:
            frame.children = resume_list(objects, objects, children, ended)
            frame.times = resume_list(objects, objects, times, ended)
        if lanes != NIL:
            frame.runs = LaneRuns(objects)
            for path, count in iter_lanes(lanes, objects):
                frame.runs.add(path, count)

    def totals(self, payload: bytes) -> None:
        """So many calls had ended when the journal was replaced."""
        _, self.found.executed, self.recording.reused = TOTALS.unpack_from(payload)

    def chunk(self, payload: bytes) -> None:
        """A stream yielded."""
        chunk = payload[CHUNK.size :]
        if not self.has_all(chunk):
            raise ValueError("a chunk is lost")
        if (chunks := self.chunks(CHUNK.unpack_from(payload)[1])) is not None:
            chunks.add(chunk)

    def sent(self, payload: bytes) -> None:
        """A stream was sent something."""
        if (chunks := self.chunks(SENT.unpack_from(payload)[1])) is not None:
            chunks.ask(payload[SENT.size :])

    def chunks(self, number: int) -> Chunks | None:
        """Returns what a stream has yielded so far."""
        frame = self.frames.get(number)
        if frame is None:
            return None
        if frame.stream is None:
            frame.stream = Chunks(self.recording.objects)
        return frame.stream

    def has_all(self, *parts: bytes) -> bool:
        """Returns whether every object that the parts name can be read."""
        has = self.recording.objects.has
        return all(has(oid) for part in parts if has_link(part) for oid in links(b"v" + part)[0])
