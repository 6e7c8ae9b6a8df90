"""A new journal in place of one that has grown: what has ended is folded into objects, what is open is told again.

A run of days would have a journal as long as itself.  When it passes
ROTATE_BYTES, and no thread, task, stream or replay is in the middle of
something, a new file is written that begins with the run's facts, its open
calls, and for each the list of those that it has made so far, by links.  It
takes the old one's name when it, and all it links, is durable.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gvstore.journal.frame import Frame
from gvstore.journal.recorder import BEGIN, FOLDED, KNOW, NO_PARENT, TOTALS, Recording
from gvstore.objects.record import NIL
from gvstore.objects.wire import OID_AT, array, pack

if TYPE_CHECKING:
    from gvstore.odb.wal import WalWriter

ROTATE_BYTES: Final = 64 << 20
always = False  # for tests: after every call


def rotate(recording: Recording, wal: WalWriter) -> None:
    """Puts a new file in place of the journal, if it can be done now; else the next call that ends tries.  The lock is held."""
    frames = _open_frames(recording)
    if frames is None:
        return
    recording.rotation_due = always
    payloads = list(_payloads(recording, frames))
    recording.objects.flush()
    recording.objects.sync()
    wal.replace(payloads)


def _open_frames(recording: Recording) -> list[Frame] | None:
    """Returns the open calls, the root first; None where they are no plain chain, each in the body of the one before."""
    if recording.top is None or recording.torn or not recording.start_record:
        return None
    frames = [recording.top]
    while True:
        frame = frames[-1]
        busy = frame.answers is not None or frame.stream is not None or frame.front is not None or frame.skipped
        if busy or frame.sparse or frame.kept or frame.folded:
            return None
        if not frame.entries:
            return frames
        child = frame.entries[0]
        if len(frame.entries) != 1 or not isinstance(child, Frame) or child.result is not None or child.lane is not frame:
            return None
        frames.append(child)


def _payloads(recording: Recording, frames: list[Frame]) -> Iterator[bytes]:
    """Yields the records of the new journal."""
    place = recording.encoder.place
    yield recording.start_record
    for index, link in recording.known_components():
        yield KNOW.pack(b"K", index, link[OID_AT:])
    yield TOTALS.pack(b"N", recording.executed, recording.reused)
    if recording.usage:
        yield b"U" + pack([[name, count] for name, count in recording.usage.items()])
    above = NO_PARENT
    for frame in frames:
        body = array([frame.args] if frame.state == NIL else [frame.args, frame.state])
        yield BEGIN.pack(b"B", frame.number, above, recording.known(frame.live)[0], frame.start) + body
        above = frame.number
        children, lanes = frame.so_far({})
        times = NIL if frame.times is None else place(frame.times.copy().finish())
        count = 0 if frame.children is None else frame.children.count
        yield FOLDED.pack(b"F", frame.number, count, frame.begun, frame.spawned) + array([children, times, lanes])
