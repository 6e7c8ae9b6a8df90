"""What a run's journal says, record by record, and how calls are put together again from it.

    R  value                                  the run: a dict, first of all records
    K  component u32, oid                     a component's number in this journal
    B  call u32, parent u32, component u32, start u64, array [args] or [args, state]
    E  call u32, end u64, array [outcome] or [outcome, after]
    S  source u32, call u32, list             the recorded calls from which this call's are answered
    A  source u32, place u32, calls u32       one of them was adopted, with the calls below it
    U  array of [name, count]                 what models used

Times are microseconds since the run began.  Recovery is the recorder's own
machine: frames are opened and closed as the journal tells, and what is open
at its end stays without an outcome.  Where a record is damaged, or links an
object that is lost, the calls open at that moment stay without an outcome too,
for a child of theirs may be missing: they are executed again, and the
children that are known answer.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gvstore.errors import Corrupt
from gvstore.journal.recorder import ADOPT, BEGIN, END, KNOW, NO_PARENT, SOURCE, Frame, Recording
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import PartList
from gvstore.objects.links import links
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import LINK_HEAD, link_bytes, split, unpack
from gvstore.odb.wal import WalWriter, read_records


def write_start(wal: WalWriter, objects: ObjectStore, facts: dict[str, Any]) -> None:
    """Writes the first record: what is known of the run when it starts."""
    data = Encoder(objects).encode(facts)
    objects.flush()
    wal.append(b"R" + data)


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
    """Returns what a journal holds, calls folded into `objects` (which may be memory alone).

    Raises:
        WalFault: the file is no journal.
    """
    return _Recovery(objects).run(path)


class _Recovery:
    """One reading of one journal."""

    def __init__(self, objects: ObjectStore) -> None:
        self.recording = Recording(objects)
        self.found = Recovered()
        self.frames: dict[int, Frame] = {}  # open ones
        self.links: dict[int, bytes] = {}
        self.sources: dict[int, tuple[Frame, PartList]] = {}
        self.doubtful: set[int] = set()

    def run(self, path: Path) -> Recovered:
        for payload in read_records(path):
            try:
                if payload is None:
                    raise ValueError("damaged")
                self.take(payload)
            except (Corrupt, ArithmeticError, LookupError, TypeError, ValueError, struct.error):
                self.doubt()
        self.close_below(None)
        self.found.reused = self.recording.reused
        return self.found

    def doubt(self) -> None:
        """Notes that something is lost, perhaps a child of a call that is open now."""
        self.found.damaged += 1
        self.doubtful.update(self.frames)

    def take(self, payload: bytes) -> None:
        """Does what one record says."""
        kind, found, frames = payload[:1], self.found, self.frames
        if kind == b"B":
            self.begin(payload)
        elif kind == b"E":
            _, number, end = END.unpack_from(payload)
            outcome, after, *_ = [*split(payload[END.size :]), NIL]
            frame = frames.get(number)
            if frame is None:  # it outlived the call that made it, or its beginning is lost
                return
            if not self.has_all(outcome, after):
                self.doubt()
            self.close_below(frame)
            del frames[number]
            if number in self.doubtful:
                outcome = after = NIL
            frame.fold(outcome, after, end - frame.start)
            found.executed += outcome != NIL
            found.end_us = max(found.end_us, end)
        elif kind == b"S":
            _, source, number = SOURCE.unpack_from(payload)
            if number in frames:
                self.sources[source] = frames[number], PartList(payload[SOURCE.size :], self.recording.objects)
        elif kind == b"A":
            _, source, at, calls = ADOPT.unpack_from(payload)
            if source in self.sources:
                parent, parts = self.sources[source]
                parent.add_reused(parts[at])
                self.recording.reused += calls
        elif kind == b"K":
            _, index, oid = KNOW.unpack_from(payload)
            self.links[index] = link_bytes(oid)
        elif kind == b"U":
            for name, count in unpack(payload[1:]):
                found.usage[str(name)] = found.usage.get(str(name), 0) + int(count)
        elif kind == b"R":
            found.facts = dict(decode(payload[1:], self.recording.objects))

    def begin(self, payload: bytes) -> None:
        _, number, above, index, start = BEGIN.unpack_from(payload)
        if above != NO_PARENT and above not in self.frames:  # as above
            return
        args, state, *_ = [*split(payload[BEGIN.size :]), NIL]
        if not self.has_all(args, state):
            raise ValueError("an argument is lost")
        if number in self.frames or (above == NO_PARENT and self.found.root is not None):
            raise ValueError("a call begins twice")
        parent = None if above == NO_PARENT else self.frames[above]
        frame = Frame(self.recording, None, parent, number, self.links[index], args, state, start, None)  # type: ignore[arg-type]
        self.frames[number] = frame
        self.found.end_us = max(self.found.end_us, start)
        if parent is None:
            self.found.root = frame

    def close_below(self, above: Frame | None) -> None:
        """Folds the open calls below `above` (None: all), the innermost first; they never ended."""
        if above is not None and next(reversed(self.frames)) == above.number:
            return
        for frame in sorted(self.frames.values(), key=lambda each: -each.number):
            if above is None or _is_below(frame, above):
                del self.frames[frame.number]
                frame.fold(NIL, NIL, max(0, self.found.end_us - frame.start))

    def has_all(self, *parts: bytes) -> bool:
        """Returns whether every object that the parts name can be read."""
        has = self.recording.objects.has
        return all(has(oid) for part in parts if LINK_HEAD in part for oid in links(b"v" + part)[0])


def _is_below(frame: Frame, above: Frame) -> bool:
    at = frame.parent
    while at is not None and at is not above:
        at = at.parent
    return at is not None
