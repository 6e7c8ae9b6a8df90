"""What a run's journal says, record by record, and how calls are put together again from it.

    R  value                                  the run: a dict, first of all records
    K  component u32, oid                     a component's number in this journal
    B  call u32, parent u32, component u32, start u64, array [args] or [args, state]
    E  call u32, end u64, array [outcome] or [outcome, after]
    S  source u32, call u32, list             the recorded calls from which this call's are answered
    A  source u32, place u32, calls u32       one of them was adopted, with the calls below it

Times are microseconds since the run began.  Recovery is the recorder's own
machine: frames are opened and closed as the journal tells, and what is open
at its end stays without an outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gvstore.journal.recorder import ADOPT, BEGIN, END, KNOW, NO_PARENT, SOURCE, Frame, Recording
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.invocation import PartList
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.wire import link_bytes, split
from gvstore.odb.wal import WalFault, WalWriter, read_records


def write_start(wal: WalWriter, objects: ObjectStore, facts: dict[str, Any]) -> None:
    """Writes the first record: what is known of the run when it starts."""
    data = Encoder(objects).encode(facts)
    objects.flush()
    wal.append(b"R" + data)


@dataclass(slots=True)
class Recovered:
    """What a journal holds: the run's facts, and its root call as far as it came."""

    facts: dict[str, Any] = field(default_factory=dict)
    root: Frame | None = None
    executed: int = 0
    reused: int = 0
    end_us: int = 0
    sources: dict[int, tuple[Frame, PartList]] = field(default_factory=dict)


def recover(path: Path, objects: ObjectStore) -> Recovered:
    """Returns what a journal holds, calls folded into `objects` (which may be memory alone).

    Links to objects that were lost with the machine's power end the recovery
    where they stand, as a torn tail does.
    """
    recording = Recording(objects)
    found = Recovered()
    frames: dict[int, Frame] = {}
    links: dict[int, bytes] = {}
    for payload in read_records(path):
        try:
            _take(payload, recording, frames, links, found)
        except (ObjectMissing, CorruptObject):
            break
        except (KeyError, ValueError, IndexError) as e:
            raise WalFault(f"{path.name}: a record does not follow from those before it") from e
    for frame in sorted(frames.values(), key=lambda each: -each.number):
        frame.fold(NIL, NIL, max(0, found.end_us - frame.start))
    found.reused = recording.reused
    return found


def _take(
    payload: bytes, recording: Recording, frames: dict[int, Frame], links: dict[int, bytes], found: Recovered
) -> None:
    kind = payload[:1]
    if kind == b"B":
        _, number, above, index, start = BEGIN.unpack_from(payload)
        parts = split(payload[BEGIN.size :])
        _check(parts, recording.objects)
        parent = None if above == NO_PARENT else frames[above]
        state = parts[1] if len(parts) > 1 else NIL
        frame = Frame(recording, None, parent, number, links[index], parts[0], state, start, None)  # type: ignore[arg-type]
        frames[number] = frame
        found.end_us = max(found.end_us, start)
        if parent is None:
            found.root = frame
    elif kind == b"E":
        _, number, end = END.unpack_from(payload)
        parts = split(payload[END.size :])
        _check(parts, recording.objects)
        frame = frames.pop(number)
        frame.fold(parts[0], parts[1] if len(parts) > 1 else NIL, end - frame.start)
        found.executed += 1
        found.end_us = max(found.end_us, end)
    elif kind == b"S":
        _, source, number = SOURCE.unpack_from(payload)
        found.sources[source] = frames[number], PartList(payload[SOURCE.size :], recording.objects)
    elif kind == b"A":
        _, source, at, calls = ADOPT.unpack_from(payload)
        parent, parts_of = found.sources[source]
        parent.add_reused(parts_of[at])
        recording.reused += calls
    elif kind == b"K":
        _, index, oid = KNOW.unpack_from(payload)
        links[index] = link_bytes(oid)
    elif kind == b"R":
        found.facts = decode(payload[1:], recording.objects)


def _check(parts: list[bytes], objects: ObjectStore) -> None:
    """Raises unless every object that the parts name can be read."""
    from gvstore.objects.links import links

    for part in parts:
        for oid in links(b"v" + part)[0]:
            if not objects.has(oid):
                raise ObjectMissing(oid)
