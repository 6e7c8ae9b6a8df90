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
import os
import struct
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from gvstore import host
from gvstore.journal.component import LiveComponent
from gvstore.journal.redact import LEAST_CHARACTERS, RedactingEncoder, Redactor, redactor_of
from gvstore.objects.component import Component
from gvstore.objects.invocation import CANCELLED, call_list, encode_call, raised, returned, waiting
from gvstore.objects.record import NIL
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import LINK_HEAD, array, link_bytes, pack
from gvstore.odb.wal import WalWriter
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.journal.answers import Answers
    from gvstore.objects.protocol import ObjectStore

CURRENT: Final[ContextVar[Frame | None]] = ContextVar("gvstore.frame", default=None)

NO_PARENT: Final = 0xFFFFFFFF
BEGIN: Final = struct.Struct("<cIIIQ")  # b"B", call, parent, component, microseconds since the start
END: Final = struct.Struct("<cIQ")  # b"E", call, microseconds since the start
SOURCE: Final = struct.Struct("<cII")  # b"S", source, the call whose answers come from it
ADOPT: Final = struct.Struct("<cIII")  # b"A", source, place among its calls, calls in the adopted subtree
KNOW: Final = struct.Struct("<cI32s")  # b"K", component, oid


class Question(Protocol):
    """An exception that stands for an open question."""

    def waiting_for(self) -> tuple[Any, Any, Any]:
        """Returns (requested type, reference to the value in question, context)."""
        ...


def question_in(error: BaseException) -> Question | None:
    """Returns the question that an exception stands for; of a group of nothing but questions, the first."""
    if isinstance(error, BaseExceptionGroup):
        found = [question_in(each) for each in error.exceptions]
        return None if None in found else found[0]
    return error if hasattr(error, "waiting_for") else None


Asker = Callable[[Any], Any]  # from a question to its answer; may raise the question, which then stays open


class Recording:
    """One recording: a root call and all below it, into one store.

    Without `wal` (a store that is no repository, or a meta-invocation) what is
    recorded lives in memory until the root ends.  `torn` says that a call
    could not be put together in memory (an interrupt or the end of the stack
    came between): the journal knows better.
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
        self.asker: Asker | None = None  # answers questions at once
        self.forbids_changes = False  # enact's contract: a call that changes its arguments has failed
        outer = CURRENT.get()
        self.redactor: Redactor = outer.recording.redactor if outer is not None else redactor_of(host.environment())
        self.encoder = RedactingEncoder(objects, self.redactor, on_opaque=self._met_opaque, on_secret=self._met_secret)
        self.secrets: set[str] = set()  # kinds of what was left out
        self.torn = self.closed = False
        self.clock = host.stopwatch()
        self.zero_ns = self.clock()
        self.executed = self.reused = 0
        self.usage: dict[str, int] = {}
        self.top: Frame | None = None  # the root call's, set by who begins it
        self._numbers = itertools.count()
        self._sources = itertools.count()
        self._known: dict[LiveComponent, tuple[int, bytes]] = {}
        self.unstored: dict[int, list[tuple[str, str | None]]] = {}  # by thread: opaque values that it encoded
        self.lock = threading.RLock()
        _living.add(self)

    def _met_opaque(self, type_name: str, detail: str | None) -> None:
        self.unstored.setdefault(threading.get_ident(), []).append((type_name, detail))

    def _met_secret(self, name: str) -> None:
        self.unstored.setdefault(threading.get_ident(), [])
        self.secrets.add(name)

    def altered(self) -> list[tuple[str, str | None]] | None:
        """Returns the opaque values that this thread has encoded since it last asked; None if all is as it was given."""
        return self.unstored.pop(threading.get_ident(), None)

    def since_us(self) -> int:
        """Returns microseconds since the recording began."""
        return (self.clock() - self.zero_ns) // 1000

    def known(self, live: LiveComponent) -> tuple[int, bytes]:
        """Returns the component's number in this recording and the link to its stored form."""
        return self._known.get(live) or self.learn(live)

    def learn(self, live: LiveComponent) -> tuple[int, bytes]:
        """Stores a component when a call of it is first met; returns what `known` returns from then on."""
        with self.lock:
            known = self._known.get(live)
            if known is None:
                oid = self._without_secrets(live.component(self.root)).put(self.objects)
                known = self._known[live] = (len(self._known), link_bytes(oid))
                if self.wal is not None:
                    self.objects.flush()
                    self.wal.append(KNOW.pack(b"K", known[0], oid))
        return known

    def _without_secrets(self, component: Component) -> Component:
        clean = self.redactor.clean_text
        texts = component.source, component.doc, component.signature
        if (cleaned := tuple(map(clean, texts))) == texts:
            return component
        return replace(component, source=cleaned[0], doc=cleaned[1], signature=cleaned[2])

    def encode(self, value: Any) -> bytes:
        """Returns the nested encoding of any value; what raises while it is read is opaque, a secret is left out."""
        data = self.encoder.nested(value)
        if len(data) > LEAST_CHARACTERS and self.redactor.suspect(data):
            return self.encoder.nested_slowly(value)
        return data

    def begin(
        self, live: LiveComponent, parent: Frame | None, args: bytes, state: bytes, answers: Answers | None
    ) -> Frame:
        """Writes the beginning of a call; returns its frame.

        Numbers, places among siblings and the journal are in one order, whichever threads begin calls.
        """
        index, link = self.known(live)
        start = (self.clock() - self.zero_ns) // 1000
        if self.wal is not None and (LINK_HEAD in args or LINK_HEAD in state):
            self.objects.flush()
        with self.lock:
            number = next(self._numbers)
            if self.wal is not None:
                body = b"\x91" + args if state == NIL else b"\x92" + args + state
                above = NO_PARENT if parent is None else parent.number
                self.wal.append(BEGIN.pack(b"B", number, above, index, start) + body)
            return Frame(self, live, parent, number, link, args, state, start, answers)

    def adopt(self, parent: Frame, part: bytes, at: int, calls: int) -> None:
        """Takes a recorded call, with all below it, over into `parent`: number `at` of the calls its answers come from."""
        with self.lock:
            parent.add_reused(part)
            self.reused += calls
            if self.wal is not None:
                answers = parent.answers
                assert answers is not None
                if answers.source < 0:
                    if LINK_HEAD in answers.children:
                        self.objects.flush()
                    answers.source = next(self._sources)
                    self.wal.append(SOURCE.pack(b"S", answers.source, parent.number) + answers.children)
                self.wal.append(ADOPT.pack(b"A", answers.source, at, calls))

    def add_usage(self, **counts: int) -> None:
        """Adds to what models have used: tokens and their like."""
        with self.lock:
            for name, count in counts.items():
                self.usage[name] = self.usage.get(name, 0) + count
        if self.wal is not None and not self.closed:
            self.wal.defer(b"U" + pack([[name, count] for name, count in counts.items()]))


class Frame:
    """One call being executed."""

    __slots__ = (
        "answers", "args", "asked_below", "children", "due", "ended", "folded", "held", "link", "live",
        "number", "open", "outcome", "parent", "part", "place", "raised", "recording", "skipped", "sparse",
        "start", "state", "taken", "times", "timing",
    )  # fmt: skip

    def __init__(
        self, recording: Recording, live: LiveComponent, parent: Frame | None, number: int, link: bytes,
        args: bytes, state: bytes, start: int, answers: Answers | None,
    ) -> None:  # fmt: skip
        self.recording, self.live, self.parent, self.number, self.link = recording, live, parent, number, link
        self.args, self.state, self.start, self.answers = args, state, start, answers
        self.children: ItemList | None = None
        self.times: ItemList | None = None
        self.place = self.taken = self.due = 0  # among its siblings; children that began; that are appended
        self.held: dict[int, tuple[bytes, bytes | None]] | None = None
        if parent is not None:
            self.place = parent.taken
            parent.taken += 1
        self.skipped, self.sparse = 0, False
        self.ended = self.folded = False  # its function is over; it has been given to its parent
        self.asked_below = False  # a call below it asks a question
        self.open: dict[Frame, Any] | None = None  # coroutines that it called and that still run, with their instances
        self.raised: BaseException | None = None
        self.outcome = self.part = self.timing = NIL  # set by `fold`, read of the root

    def add(self, place: int, part: bytes, times: bytes | None) -> None:
        """Appends child number `place`, with its times unless the record answered it; one that outlived its parent comes too late.

        Children stand in the order in which they began: one that ends before
        an earlier one is held until that has ended, or the parent has.
        """
        with self.recording.lock:
            if self.folded:
                return
            if place != self.due:
                if self.held is None:
                    self.held = {}
                self.held[place] = part, times
                return
            self._append(part, times)
            self.due += 1
            while self.held and self.due in self.held:
                self._append(*self.held.pop(self.due))
                self.due += 1

    def add_reused(self, part: bytes) -> None:
        """Appends a child that the record answered, as the latest that began."""
        place = self.taken
        self.taken += 1
        self.add(place, part, None)

    def _append(self, part: bytes, times: bytes | None) -> None:
        if self.children is None or self.times is None:
            self._begin_lists()
        assert self.children is not None and self.times is not None
        self.children.add(part)
        if times is None:
            self.skipped += 1
            return
        if self.skipped:
            self._tell_skipped()
        self.times.add(times)

    def _begin_lists(self) -> None:
        self.children = call_list(self.recording.objects)
        self.times = call_list(self.recording.objects)

    def _tell_skipped(self) -> None:
        """Puts the number of reused children into the times, in place of theirs."""
        assert self.times is not None
        self.times.add(pack(self.skipped))
        self.skipped, self.sparse = 0, True

    def returned(self, value: Any, instance: Any = None) -> None:
        """Ends the call with what it returned."""
        recording = self.recording
        if self.answers is not None:
            self.answers.end(self.live.qualname)
        outcome = returned(recording.encode(value))
        opaque: list[tuple[str, str | None]] = []
        if recording.unstored and (altered := recording.altered()) is not None:
            outcome = b"\x93" + outcome[1:] + b"\xc3"
            opaque = altered
        self.close(outcome, self._state_after(instance))
        if opaque or recording.unstored:
            warn_opaque(opaque + (recording.altered() or []))

    def failed(self, error: BaseException, instance: Any = None) -> None:
        """Ends the call with what it raised; an interrupt leaves it without an outcome."""
        here = self.raised is not error
        if self.parent is not None:
            self.parent.raised = error
        if isinstance(error, KeyboardInterrupt):
            outcome = NIL
        elif isinstance(error, GeneratorExit) or (
            not isinstance(error, Exception) and type(error).__name__ == "CancelledError"
        ):
            outcome = CANCELLED
        elif (question := question_in(error)) is not None:
            outcome = self._waiting(question.waiting_for())
        else:
            outcome = raised(self.recording.encode(error), here=here)
        self.close(outcome, self._state_after(instance))
        if self.recording.unstored:
            warn_opaque(self.recording.altered() or [])

    def _waiting(self, asked: tuple[Any, Any, Any]) -> bytes:
        """Returns the outcome of a call that a question ends; those above it are told."""
        if self.parent is not None:
            self.parent.asked_below = True
        requested, for_value, context = map(self.recording.encode, asked)
        return waiting(requested, for_value, context, here=not self.asked_below)

    def _state_after(self, instance: Any) -> bytes:
        if instance is None:
            return NIL
        after = self.recording.encode(instance)
        return NIL if after == self.state else after

    def close(self, outcome: bytes, after: bytes = NIL) -> None:
        """Writes the end, and hands the call to its parent; nothing after the end of the recording."""
        recording = self.recording
        if recording.closed:
            self.folded = True
            return
        duration = (recording.clock() - recording.zero_ns) // 1000 - self.start
        if recording.wal is not None:
            if LINK_HEAD in outcome or LINK_HEAD in after:
                recording.objects.flush()
            body = b"\x91" + outcome if after == NIL else b"\x92" + outcome + after
            recording.wal.append(END.pack(b"E", self.number, self.start + duration) + body)
        self.fold(outcome, after, duration)
        if outcome != NIL:
            recording.executed += 1

    def fold(self, outcome: bytes, after: bytes, duration_us: int) -> None:
        """Puts the call's array together and gives it to the parent; the root keeps it."""
        encoder = self.recording.encoder
        children, below = NIL, None
        for place in sorted(self.held or ()):  # some that began earlier never ended
            self._append(*self.held[place])  # type: ignore[index]
        if self.children is not None and self.times is not None:
            with self.recording.lock:
                children = encoder.place(self.children.finish())
                if self.skipped:
                    self._tell_skipped()
                below = encoder.place(self.times.finish())
        data = encode_call(self.link, self.args, outcome, children, self.state, after, NIL)
        times = _times(self.start, duration_us, below, sparse=self.sparse)
        self.outcome = outcome
        if self.parent is None:
            self.part, self.timing = data, times
        else:
            self.parent.add(self.place, encoder.place(data), times)
        self.raised = None
        self.folded = True


def _times(start: int, duration: int, children: bytes | None, *, sparse: bool) -> bytes:
    if children is None:
        return pack([1, start, duration])
    parts = [b"\x01", pack(start), pack(duration), children]
    return array([*parts, b"\xc3"] if sparse else parts)


def report_usage(**counts: int) -> None:
    """Adds to the counts of the run that is being recorded, if any: `prompt_tokens`, `completion_tokens`, ..."""
    frame = CURRENT.get()
    if frame is not None:
        frame.recording.add_usage(**counts)


_living: weakref.WeakSet[Recording] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """In a forked child: what was being recorded is the parent's; calls are plain from here on."""
    for recording in _living:
        recording.closed = True
        recording.lock = threading.RLock()
        if recording.wal is not None:
            recording.wal.abandon()
    frame = CURRENT.get()
    while frame is not None:
        frame.ended = True
        frame = frame.parent
    CURRENT.set(None)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)
