"""The recorder: what happens between a registered call and its function.

A `Frame` is one call being executed; the context variable `CURRENT` holds the
innermost, so parent and child find each other through threads of control, not
through arguments.  `open_call` matches the call with the record that is being
replayed, or writes its beginning; `Frame.close` writes its end and hands the
finished call, encoded, to its parent.

The way of one call, and its cost in the hot path: parameters are zipped with
the arguments, encoded once, written to the journal (one `os.write`), the
function runs, the outcome is encoded once and written (one `os.write`), and
the call's array joins its parent's list.
"""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gvstore import host
from gvstore.journal.component import LiveComponent
from gvstore.objects.encode import Encoder
from gvstore.objects.invocation import CANCELLED, call_list, encode_call, raised, returned
from gvstore.objects.record import NIL
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import LINK_HEAD, array, link_bytes, pack
from gvstore.odb.wal import WalWriter
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.answers import Answer, Answers, Leaf
    from gvstore.objects.protocol import ObjectStore

CURRENT: Final[ContextVar[Frame | None]] = ContextVar("gvstore.frame", default=None)

NO_PARENT: Final = 0xFFFFFFFF
BEGIN: Final = struct.Struct("<cIIIQ")  # b"B", call, parent, component, microseconds since the start
END: Final = struct.Struct("<cIQ")  # b"E", call, microseconds since the start
SOURCE: Final = struct.Struct("<cII")  # b"S", source, the call whose answers come from it
ADOPT: Final = struct.Struct("<cIII")  # b"A", source, place among its calls, calls in the adopted subtree
KNOW: Final = struct.Struct("<cI32s")  # b"K", component, oid


class Recording:
    """One recording: a root call and all below it, into one store.

    Without `wal` (a store that is no repository, or a meta-invocation) what is
    recorded lives in memory until the root ends.
    """

    def __init__(
        self,
        objects: ObjectStore,
        *,
        root: Path | None = None,
        wal: WalWriter | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.objects, self.root, self.wal = objects, root, wal
        self.answers = answers
        self.opaque = False  # has the encoder just met an opaque value?
        self.encoder = Encoder(objects, self._met_opaque)
        self.clock = host.stopwatch()
        self.zero_ns = self.clock()
        self.executed = self.reused = 0
        self.usage: dict[str, int] = {}
        self.top: Frame  # the root call's, set by who begins it
        self._numbers = itertools.count()
        self._sources = itertools.count()
        self._known: dict[LiveComponent, tuple[int, bytes]] = {}
        self._lock = threading.Lock()

    def _met_opaque(self, type_name: str, detail: str | None) -> None:
        self.opaque = True
        warn_opaque(type_name, detail)

    def since_us(self) -> int:
        """Returns microseconds since the recording began."""
        return (self.clock() - self.zero_ns) // 1000

    def known(self, live: LiveComponent) -> tuple[int, bytes]:
        """Returns the component's number in this recording and the link to its stored form."""
        return self._known.get(live) or self.learn(live)

    def learn(self, live: LiveComponent) -> tuple[int, bytes]:
        """Stores a component when a call of it is first met; returns what `known` returns from then on."""
        with self._lock:
            known = self._known.get(live)
            if known is None:
                oid = live.component(self.root).put(self.objects)
                known = self._known[live] = (len(self._known), link_bytes(oid))
                if self.wal is not None:
                    self.objects.flush()
                    self.wal.append(KNOW.pack(b"K", known[0], oid))
        return known

    def encode(self, value: Any) -> bytes:
        """Returns the nested encoding of any value; what raises while it is read is opaque."""
        return self.encoder.nested(value)

    def begin(
        self, live: LiveComponent, parent: Frame | None, args: bytes, state: bytes, answers: Answers | None
    ) -> Frame:
        """Writes the beginning of a call; returns its frame."""
        index, link = self.known(live)
        number = next(self._numbers)
        start = (self.clock() - self.zero_ns) // 1000
        if self.wal is not None:
            if LINK_HEAD in args or LINK_HEAD in state:
                self.objects.flush()
            body = b"\x91" + args if state == NIL else b"\x92" + args + state
            above = NO_PARENT if parent is None else parent.number
            self.wal.append(BEGIN.pack(b"B", number, above, index, start) + body)
        return Frame(self, live, parent, number, link, args, state, start, answers)

    def adopt(self, parent: Frame, part: bytes, at: int, calls: int) -> None:
        """Takes a recorded call, with all below it, over into `parent`: number `at` of the calls its answers come from."""
        parent.add_reused(part)
        self.reused += calls
        if self.wal is not None:
            answers = parent.answers
            assert answers is not None
            if answers.source < 0:
                answers.source = next(self._sources)
                self.wal.append(SOURCE.pack(b"S", answers.source, parent.number) + answers.children)
            self.wal.append(ADOPT.pack(b"A", answers.source, at, calls))

    def add_usage(self, **counts: int) -> None:
        """Adds to what models have used: tokens and their like."""
        with self._lock:
            for name, count in counts.items():
                self.usage[name] = self.usage.get(name, 0) + count


class Frame:
    """One call being executed."""

    __slots__ = (
        "answers", "args", "children", "link", "live", "number", "outcome", "parent", "part",
        "raised", "recording", "skipped", "sparse", "start", "state", "times", "timing",
    )  # fmt: skip

    def __init__(
        self, recording: Recording, live: LiveComponent, parent: Frame | None, number: int, link: bytes,
        args: bytes, state: bytes, start: int, answers: Answers | None,
    ) -> None:  # fmt: skip
        self.recording, self.live, self.parent, self.number, self.link = recording, live, parent, number, link
        self.args, self.state, self.start, self.answers = args, state, start, answers
        self.children: ItemList | None = None
        self.times: ItemList | None = None
        self.skipped, self.sparse = 0, False
        self.raised: BaseException | None = None
        self.outcome = self.part = self.timing = NIL  # set by `fold`, read of the root

    def add(self, part: bytes, times: bytes) -> None:
        """Appends a finished child."""
        if self.children is None:
            self.children = call_list(self.recording.objects)
            self.times = call_list(self.recording.objects)
        assert self.times is not None
        self.children.add(part)
        if self.skipped:
            self._tell_skipped()
        self.times.add(times)

    def add_reused(self, part: bytes) -> None:
        """Appends a child that the record answered."""
        if self.children is None:
            self.children = call_list(self.recording.objects)
            self.times = call_list(self.recording.objects)
        self.children.add(part)
        self.skipped += 1

    def _tell_skipped(self) -> None:
        """Puts the number of reused children into the times, in place of theirs."""
        assert self.times is not None
        self.times.add(pack(self.skipped))
        self.skipped, self.sparse = 0, True

    def returned(self, value: Any, instance: Any = None) -> None:
        """Ends the call with what it returned."""
        recording = self.recording
        recording.opaque = False
        outcome = returned(recording.encode(value))
        if recording.opaque:
            outcome = b"\x93" + outcome[1:] + b"\xc3"
        self.close(outcome, self._state_after(instance))
        recording.executed += 1

    def failed(self, error: BaseException, instance: Any = None) -> None:
        """Ends the call with what it raised; an interrupt leaves it without an outcome."""
        here = self.raised is not error
        if self.parent is not None:
            self.parent.raised = error
        if isinstance(error, KeyboardInterrupt):
            outcome = NIL
        elif type(error).__name__ in ("CancelledError", "GeneratorExit"):
            outcome = CANCELLED
        else:
            outcome = raised(self.recording.encode(error), here=here)
        self.close(outcome, self._state_after(instance))
        self.recording.executed += 1

    def _state_after(self, instance: Any) -> bytes:
        if instance is None:
            return NIL
        after = self.recording.encode(instance)
        return NIL if after == self.state else after

    def close(self, outcome: bytes, after: bytes = NIL) -> None:
        """Writes the end, and hands the call to its parent."""
        recording = self.recording
        duration = (recording.clock() - recording.zero_ns) // 1000 - self.start
        if recording.wal is not None:
            if LINK_HEAD in outcome or LINK_HEAD in after:
                recording.objects.flush()
            body = b"\x91" + outcome if after == NIL else b"\x92" + outcome + after
            recording.wal.append(END.pack(b"E", self.number, self.start + duration) + body)
        self.fold(outcome, after, duration)

    def fold(self, outcome: bytes, after: bytes, duration_us: int) -> None:
        """Puts the call's array together and gives it to the parent; the root keeps it."""
        encoder = self.recording.encoder
        children = NIL if self.children is None else encoder.place(self.children.finish())
        data = encode_call(self.link, self.args, outcome, children, self.state, after, NIL)
        if self.skipped:
            self._tell_skipped()
        below = None if self.times is None else encoder.place(self.times.finish())
        times = _times(self.start, duration_us, below, sparse=self.sparse)
        self.outcome = outcome
        if self.parent is None:
            self.part, self.timing = data, times
        else:
            self.parent.add(encoder.place(data), times)


def _times(start: int, duration: int, children: bytes | None, *, sparse: bool) -> bytes:
    if children is None:
        return pack([1, start, duration])
    parts = [b"\x01", pack(start), pack(duration), children]
    return array([*parts, b"\xc3"] if sparse else parts)


def open_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Frame | Answer | Leaf:
    """Returns the frame of a call that has begun, or the answer that the record has for it."""
    recording = parent.recording
    try:
        values = live.bind(args, kwargs)
    except TypeError:
        live.function(*args, **kwargs)  # says what does not fit as Python says it
        raise
    data = recording.encoder.nested(values)
    state = NIL if instance is None else recording.encode(instance)
    answers: Answers | None = None
    recorded = parent.answers
    if recorded is not None:
        if instance is None and not live.effect:
            known = recording.known(live)
            leaf = recorded.take_next(known[1], data)
            if leaf is not None:
                recording.adopt(parent, leaf.part, leaf.at, 1)
                return leaf
        answer = recorded.take(live, data, state)
        if answer is not None:
            if answer.adopted:
                recording.adopt(parent, answer.part, answer.at, answer.calls)
                return answer
            if answer.override is not None:
                recording.begin(live, parent, data, state, None).returned(answer.override, instance)
                return answer
            answers = answer.below()
    return recording.begin(live, parent, data, state, answers)


def record_call(
    parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Records one call, or answers it; returns or raises what it does."""
    frame = open_call(parent, live, args, kwargs, instance)
    if not isinstance(frame, Frame):
        return frame.give(instance)
    return execute(frame, live.function, args if instance is None else (instance, *args), kwargs, instance)


def execute(
    frame: Frame, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None
) -> Any:
    """Runs a call that has begun; returns or raises what it does."""
    token = CURRENT.set(frame)
    try:
        result = function(*args, **kwargs)
    except BaseException as e:
        CURRENT.reset(token)
        frame.failed(e, instance)
        raise
    CURRENT.reset(token)
    frame.returned(result, instance)
    return result


async def record_async_call(parent: Frame, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same for a coroutine function."""
    frame = open_call(parent, live, args, kwargs)
    if not isinstance(frame, Frame):
        return frame.give(None)
    token = CURRENT.set(frame)
    try:
        result = await live.function(*args, **kwargs)
    except BaseException as e:
        CURRENT.reset(token)
        frame.failed(e)
        raise
    CURRENT.reset(token)
    frame.returned(result)
    return result


def report_usage(**counts: int) -> None:
    """Adds to the counts of the run that is being recorded, if any: `prompt_tokens`, `completion_tokens`, ..."""
    frame = CURRENT.get()
    if frame is not None:
        frame.recording.add_usage(**counts)
