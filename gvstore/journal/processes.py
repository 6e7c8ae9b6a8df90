"""Other processes: what is recorded there is handed back with the result, and stands below the call that sent it.

A `Carrier` goes to the other process in place of the function.  There it
records, into memory, the calls that the function makes; in a replay they are
answered from the record, which the other process reads itself.  The result
travels as a `_Result`, which becomes the plain result where it arrives: that
is when the calls join the record here, before anybody has the result.
"""

from __future__ import annotations

import os
import secrets
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from gvstore.journal.answers import Answers
from gvstore.journal.fault import StoppedByLimit
from gvstore.journal.frame import Frame, Lane
from gvstore.journal.mode import ReplayMode
from gvstore.journal.overlay import Overlay
from gvstore.journal.recorder import CURRENT, NO_PARENT, Recording
from gvstore.journal.register import live_of, register
from gvstore.journal.replayer import Replayer
from gvstore.objects.lanes import LanePath
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import pack, unpack
from gvstore.odb import MemoryDatabase, ObjectDatabase

P = ParamSpec("P")
T = TypeVar("T")
_lanes: Final[weakref.WeakValueDictionary[str, Lane]] = weakref.WeakValueDictionary()  # by the token of who was sent


class Carrier:
    """A function on its way to another process, with what it needs to know of the recording."""

    def __init__(self, function: Callable[..., Any], lane: Lane, *, repeats: bool = False) -> None:
        recording, answers = lane.frame.recording, lane.frame.answers
        self.function, self.path = function, lane.path
        self.repeats = repeats  # it is called several times, so that each call must be told by its arguments
        self.token, self.process = secrets.token_hex(16), os.getpid()
        self.root = None if recording.root is None else str(recording.root)
        self.zero_ns = recording.zero_ns
        self.folder = ""
        self.children = self.lanes = NIL
        self.strict, self.mode = "", ReplayMode()
        self.record_path: tuple[int, ...] = ()
        folder = getattr(recording.objects, "folder", None)
        if answers is not None:
            answers.refuse("calls go to other processes, where a check does not follow them")
        if answers is not None and folder is not None:
            recording.objects.flush()
            self.folder, self.strict = str(folder), answers.replayer.strict
            self.children, self.lanes = answers.children, answers.lanes
            self.mode, self.record_path = answers.replayer.rest_of_mode(), answers.path
        _lanes[self.token] = lane

    @classmethod
    def to(cls, lane: Lane, function: Callable[..., Any]) -> Carrier:
        """Returns the function, to be called in another process."""
        return cls(function, lane)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.process == os.getpid() and (lane := _lanes.get(self.token)) is not None:
            from gvstore.journal.spawn import Carried

            return Carried(lane).call(self._call, args, kwargs)
        top = _Gathering(self)
        token = CURRENT.set(top)
        try:
            result = self._call(args, kwargs)
        except (Exception, StoppedByLimit) as e:
            top.recording.closed = True
            raise _Raised(self.token, top.gathered(), e) from e
        finally:
            CURRENT.reset(token)
        return _Result(self.token, top.gathered(), result)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        function = self.function
        if self.repeats and live_of(function) is None:
            function = register(function)
        return function(*args, **kwargs)


class _Gathering(Frame):
    """Stands, in the other process, for the call that sent the function: collects its children."""

    def __init__(self, carrier: Carrier) -> None:
        below: ObjectReader = MemoryDatabase()
        answers: Answers | None = None
        root = None if carrier.root is None else Path(carrier.root)
        if carrier.folder:
            below = ObjectDatabase.open(Path(carrier.folder), read_only=True)
            replayer = Replayer(below, root=root, strict=carrier.strict, mode=carrier.mode)
            answers = Answers(replayer, carrier.children, carrier.lanes, carrier.record_path)
        self.overlay = Overlay(below)
        recording = Recording(self.overlay, root=root, answers=answers)
        recording.zero_ns = carrier.zero_ns
        super().__init__(recording, None, None, NO_PARENT, b"", NIL, NIL, 0, answers)  # type: ignore[arg-type]
        self.path = carrier.path
        self.found: list[tuple[bytes, bytes | None, int, LanePath]] = []

    def _add(self, part: bytes, times: bytes, path: LanePath) -> None:
        self.found.append((part, times, -1, path))

    def _add_adopted(self, at: int, part: bytes, path: LanePath) -> None:
        self.found.append((part, None, at, path))

    def gathered(self) -> bytes:
        """Returns all that was recorded, encoded."""
        recording = self.recording
        with recording.lock:
            self.ended = True
            self.advance(force=True)
            self.folded = recording.closed = True
        calls = [[part, times, at, *path] for part, times, at, path in self.found]
        counts = [recording.executed, recording.reused, recording.usage and [*recording.usage.items()]]
        used = [] if self.answers is None else [[*path] for path in self.answers.replayer.used]
        notes, kinds = [*recording.notes], [*recording.secrets]
        return pack([len(self.path), calls, counts, notes, kinds, used, self.overlay.written()])


class _Result:
    """What the function returned, and what was recorded; where it arrives it becomes the first."""

    def __init__(self, token: str, record: bytes, result: Any) -> None:
        self._parts = token, record, result

    def __reduce__(self) -> tuple[Any, ...]:
        return receive, self._parts


class _Raised(Exception):
    """The same of what it raised."""

    def __init__(self, token: str, record: bytes, error: BaseException) -> None:
        super().__init__(token)
        self._parts = token, record, error

    def __reduce__(self) -> tuple[Any, ...]:
        return receive, self._parts


def receive(token: str, record: bytes, result: T) -> T:
    """Returns the result; what was recorded with it joins the call that sent the function."""
    lane = _lanes.get(token)
    if lane is not None:
        _join(lane, record)
    return result


def _join(lane: Lane, record: bytes) -> None:
    frame = lane.frame
    recording = frame.recording
    depth, calls, (executed, reused, usage), notes, kinds, used, objects = unpack(record)
    with recording.lock:
        if frame.folded or recording.closed:
            return
        for data in objects:
            recording.objects.write(data)
        recording.objects.flush()
        lanes: dict[LanePath, Lane] = {(): lane}
        for part, times, at, *path in calls:
            below = _lane_at(tuple(path[depth:]), lanes, recording)
            if times is None and frame.answers is not None:
                frame.answers.forget(part, at)
            elif frame.answers is not None:
                frame.answers.note_execution()
            recording.hand_over(below, part, times)
        recording.executed += executed
        recording.reused += reused
        recording.notes.update(notes)
        if frame.answers is not None:
            frame.answers.replayer.used.update(map(tuple, used))
        recording.secrets.update(kinds)
    if usage:
        recording.add_usage(**dict(usage))


def _lane_at(path: LanePath, lanes: dict[LanePath, Lane], recording: Recording) -> Lane:
    """Returns the lane of this path below the one that was sent, made where it is first met."""
    for length in range(1, len(path) + 1):
        above = lanes[path[: length - 1]]
        while path[:length] not in lanes:
            lanes[(*path[: length - 1], above.spawned)] = recording.spawn_from(above)
    return lanes[path]


def propagate(function: Callable[P, T]) -> Callable[P, T]:
    """Returns the function, to be called in another process: what it calls there is recorded here.

    For what no `ProcessPoolExecutor` is: `multiprocessing.Pool().map(gv.propagate(work), items)`.
    Each call of it is a recorded call.  The result must come back to this
    process; outside a recording it is the function itself.
    """
    from gvstore.journal.spawn import new_lane

    lane = new_lane()
    if lane is None:
        return function
    if live_of(function) is None:
        register(function)  # a replay in this process knows it too
    return Carrier(function, lane, repeats=True)
