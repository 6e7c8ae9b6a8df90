"""The recorder: what happens between a registered call and its function.

A `Frame` is one call being executed; the context variable `CURRENT` holds the
innermost, so parent and child find each other through threads of control, not
through arguments.  `open_call` matches the call with the record that is being
replayed, or writes its beginning; `ending.close` writes its end and hands the
finished call, encoded, to its parent.

The way of one call, and its cost in the hot path: parameters are zipped with
the arguments, encoded once, written to the journal (one `os.write`), the
function runs, the outcome is encoded once and written (one `os.write`), and
the call's array joins its parent's list.
"""

from __future__ import annotations

import os
import struct
import threading
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from gvstore import host, reads
from gvstore.journal.component import LiveComponent
from gvstore.journal.frame import Ended, Frame, Lane, lane_below, open_ancestor
from gvstore.journal.redact import LEAST_CHARACTERS, RedactingEncoder, Redactor, redactor_of
from gvstore.objects.component import Component
from gvstore.objects.invocation import PartList
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL
from gvstore.objects.wire import LINK_BYTES, array, has_link, link_bytes, pack
from gvstore.odb.wal import WalWriter

if TYPE_CHECKING:
    from gvstore.journal.answers import Answers
    from gvstore.objects.protocol import ObjectStore

CURRENT: Final[ContextVar[Frame | None]] = ContextVar("gvstore.frame", default=None)

NO_PARENT: Final = 0xFFFFFFFF
FILES_COMPARED: Final = 5_000  # by one call
BEGIN: Final = struct.Struct("<cIIIQ")  # b"B", call, parent, component, microseconds since the start
END: Final = struct.Struct("<cIQ")  # b"E", call, microseconds since the start
SOURCE: Final = struct.Struct("<cII")  # b"S", source, the call whose answers come from it
ADOPT: Final = struct.Struct("<cIIIII")  # b"A", source, first and number of its calls, those with all below them, lane
SPAWN: Final = struct.Struct("<cII")  # b"L", lane, the call or lane that it was spawned from
CHUNK: Final = struct.Struct("<cI")  # b"Y", call
SENT: Final = struct.Struct("<cI")  # b"Z", call
HANDED: Final = struct.Struct("<cI")  # b"P", lane
FOLDED: Final = struct.Struct("<cIIII")  # b"F", call, its calls that ended, that began, lanes it spawned
TOTALS: Final = struct.Struct("<cQQ")  # b"N", calls executed, calls reused
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


class ReadFiles(Protocol):
    """What knows the files of a project."""

    def relative(self, path: str) -> str | None:
        """Returns a file's path in the project, or None if it is none of its files."""
        ...

    def read(self, path: str) -> tuple[str, bytes | None] | None:
        """Returns (path in the project, oid of what is in it, None if there is nothing), or None if it is none of its files."""
        ...


Asker = Callable[[Any], Any]  # from a question to its answer; may raise the question, which then stays open
OnCall = Callable[[bytes, int], None]  # is given a call that has ended, encoded, without those below it; its microseconds


class _Adopting:
    """A row of recorded calls that are adopted one after the other, until something else is written.

    That they were is known without the journal: the record they are taken from stays.
    """

    __slots__ = ("_first", "_recording", "calls", "end", "lane", "source")

    def __init__(self, recording: Recording, source: int, at: int, calls: int, lane: int) -> None:
        self._recording, self.source, self._first, self.end = recording, source, at, at + 1
        self.calls, self.lane = calls, lane

    def seal(self) -> bytes:
        """Returns the payload."""
        self._recording._adopting = None
        return ADOPT.pack(b"A", self.source, self._first, self.end - self._first, self.calls, self.lane)


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
        self.on_call: OnCall | None = None
        self.forbids_changes = False  # enact's contract: a call that changes its arguments has failed
        outer = CURRENT.get()
        self.files: ReadFiles | None = None if outer is None else outer.recording.files
        self.redactor: Redactor = outer.recording.redactor if outer is not None else redactor_of(host.environment())
        self.encoder = RedactingEncoder(objects, self.redactor, on_opaque=self._met_opaque, on_secret=self._met_secret)
        self.secrets: set[str] = set()  # kinds of what was left out
        self.torn = self.closed = False
        self.rotation_due = False  # the journal has grown
        self.start_record = b""  # the first of the journal
        self.clock = host.stopwatch()
        self.zero_ns = self.clock()
        self.executed = self.reused = 0
        self.usage: dict[str, int] = {}
        self.top: Frame | None = None  # the root call's, set by who begins it
        self.notes: set[str] = set()  # what the user is told of the run
        self.states: list[tuple[int, ObjectId]] = []  # of a machine: after how many of its steps, which stored state
        self._number = self._source = 0
        self._known: dict[LiveComponent, tuple[int, bytes]] = {}
        self.unstored: dict[int, list[tuple[str, str | None]]] = {}  # by thread: opaque values that it encoded
        self.lock = threading.RLock() if wal is None else wal.lock
        self._adopting: _Adopting | None = None
        if answers is not None:
            answers.replayer.lock = self.lock  # one for all that this recording moves
            if answers.replayer.mode.purse is not None:
                answers.replayer.mode.purse.open(self.usage)
        _living.add(self)
        from gvstore.journal.spawn import install

        install()

    def _met_opaque(self, type_name: str, detail: str | None) -> None:
        self.unstored.setdefault(threading.get_ident(), []).append((type_name, detail))

    def _met_secret(self, name: str) -> None:
        self.unstored.setdefault(threading.get_ident(), [])
        self.secrets.add(name)

    def note_altered(self) -> None:
        """Notes that what this thread encodes next is not all that an answer would have to be: it is none."""
        self.unstored.setdefault(threading.get_ident(), [])

    def altered(self) -> list[tuple[str, str | None]] | None:
        """Returns the opaque values that this thread has encoded since it last asked; None if all is as it was given."""
        return self.unstored.pop(threading.get_ident(), None)

    def since_us(self) -> int:
        """Returns microseconds since the recording began."""
        return (self.clock() - self.zero_ns) // 1000

    def known_components(self) -> list[tuple[int, bytes]]:
        """Returns (number, link) of the components that were met."""
        return list(self._known.values())

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

    def hide(self, secrets: Mapping[str, str]) -> None:
        """Keeps these texts, by name, out of all that is recorded from here on; what is short may be any word, and stays."""
        found = {text.encode("utf-8", "surrogateescape"): name for name, text in secrets.items() if len(text) >= LEAST_CHARACTERS}
        with self.lock:
            self.redactor = self.encoder.redactor = self.redactor.with_secrets(found)

    def encode(self, value: Any) -> bytes:
        """Returns the nested encoding of any value; what raises while it is read is opaque, a secret is left out."""
        data = self.encoder.nested(value)
        if len(data) > LEAST_CHARACTERS and self.redactor.suspect(data):
            return self.encoder.nested_slowly(value)
        return data

    def begin(
        self, live: LiveComponent, parent: Frame | None, args: bytes, state: bytes, answers: Answers | None
    ) -> Frame:
        """Writes the beginning of a call; returns its frame, which has its place among the parent's children."""
        index, link = self._known.get(live) or self.learn(live)
        wal = self.wal
        if wal is not None and (
            (len(args) >= LINK_BYTES and has_link(args)) or (len(state) >= LINK_BYTES and has_link(state))
        ):
            self.objects.flush()
        with self.lock:
            number = self._number
            self._number = number + 1
            start = (self.clock() - self.zero_ns) // 1000
            frame = Frame(self, live, parent, number, link, args, state, start, answers)
            if parent is None:
                above = NO_PARENT
            else:
                lane = lane_below(parent) if parent.spawned else parent
                above = lane.number
            if wal is not None:
                body = b"\x91" + args if state == NIL else b"\x92" + args + state
                wal.append_held(BEGIN.pack(b"B", number, above, index, start) + body)
            if parent is not None:
                parent.enter(frame, lane)
        if answers is not None:
            frame.answered_by(answers.children, answers.lanes)
        return frame

    def answer_next(self, parent: Frame, answers: Answers, live: LiveComponent, args: bytes) -> tuple[Any] | None:
        """Returns the value of a call made in the body of `parent`, if it is the next on record and a leaf; then it is adopted."""
        link = (self._known.get(live) or self.learn(live))[1]
        with self.lock:
            at = answers.taken
            found = answers.take_next(link, args)
            if found is None:
                return None
            run = self._adopting
            if run is not None and run.end == at and run.source == answers.source and run.lane == parent.number:
                run.end += 1
                run.calls += 1
            elif self.wal is not None:
                self._note_adoption(parent, answers, at, 1, parent)
            if not parent.keep(at):
                parent.adopt(at, found[1], parent)
            self.reused += 1
            return found[:1]

    def adopt(self, parent: Frame, part: bytes, at: int, calls: int) -> None:
        """Takes a recorded call, with all below it, over into `parent`: number `at` of the calls its answers come from."""
        with self.lock:
            lane = lane_below(parent) if parent.spawned else parent
            if self.wal is not None:
                assert parent.answers is not None
                self._note_adoption(parent, parent.answers, at, calls, lane)
            parent.adopt(at, part, lane)
            self.reused += calls

    def _note_adoption(self, parent: Frame, answers: Answers, at: int, calls: int, lane: Frame | Lane) -> None:
        assert self.wal is not None
        if answers.source < 0:
            if has_link(answers.children):
                self.objects.flush()
            answers.source = self._source
            self._source += 1
            self.wal.append(SOURCE.pack(b"S", answers.source, parent.number) + answers.children)
        run = self._adopting
        if run is not None and run.end == at and run.source == answers.source and run.lane == lane.number:
            run.end += 1
            run.calls += calls
        else:
            self._adopting = _Adopting(self, answers.source, at, calls, lane.number)
            self.wal.defer(self._adopting)

    def adopt_all(self, parent: Frame) -> None:
        """Takes all recorded calls over into `parent`, which has made none."""
        answers = parent.answers
        assert answers is not None
        with self.lock:
            if self.wal is not None:
                for at, part in enumerate(PartList(answers.children, self.objects)):
                    self._note_adoption(parent, answers, at, answers.replayer.subtree(part)[1], parent)
            parent.adopt_all()

    def spawn(self, parent: Frame) -> Lane:
        """Returns a lane for a thread or task that is about to be made below a call."""
        with self.lock:
            return self.spawn_from(lane_below(parent) if parent.spawned else parent)

    def spawn_from(self, above: Frame | Lane) -> Lane:
        """Returns a lane below another, or below a call's body."""
        with self.lock:
            number = self._number
            self._number += 1
            if self.wal is not None:
                self.wal.defer(SPAWN.pack(b"L", number, above.number))
            frame = above.frame if isinstance(above, Lane) else above
            return frame.spawn(above, number)

    def hand_over(self, lane: Lane, part: bytes, times: bytes | None) -> None:
        """Takes a call that another process recorded over into a lane; without times it was answered there."""
        with self.lock:
            if self.wal is not None:
                self.wal.append(HANDED.pack(b"P", lane.number) + array([part, NIL if times is None else times]))
            lane.frame.begun += 1
            lane.frame.put(Ended(part, times), lane)

    def count_answered(self) -> None:
        """Counts the call that ended last as reused: it was answered, though not from the record."""
        with self.lock:
            self.executed -= 1
            self.reused += 1

    def add_usage(self, **counts: int) -> None:
        """Adds to what models have used: tokens and their like."""
        with self.lock:
            for name, count in counts.items():
                self.usage[name] = self.usage.get(name, 0) + count
        if self.wal is not None and not self.closed:
            self.wal.defer(b"U" + pack([[name, count] for name, count in counts.items()]))


def report_usage(**counts: int) -> None:
    """Adds to the counts of the run that is being recorded, if any: `prompt_tokens`, `completion_tokens`, ..."""
    frame = CURRENT.get()
    if frame is not None:
        frame.recording.add_usage(**counts)


def _note_file(path: str, writes: bool) -> None:
    """Notes that the innermost call is about to read a file: the first content counts, and nothing of what it writes itself."""
    frame = CURRENT.get()
    frame = None if frame is None else open_ancestor(frame)
    if frame is None or frame.recording.files is None or frame.recording.closed:
        return
    if writes:
        if frame.files is not None and (relative := frame.recording.files.relative(path)) is not None:
            frame.files.pop(relative, None)
        return
    found = frame.recording.files.read(path)
    if found is not None:
        if frame.files is None:
            frame.files = {}
        if len(frame.files) < FILES_COMPARED or found[0] in frame.files:
            frame.files.setdefault(*found)
        else:
            frame.recording.notes.add(f"{frame.live.qualname} reads more than {FILES_COMPARED:,} files: the rest is not compared")


reads.give_to(_note_file)


def depend_on(path: Path) -> None:
    """Notes that the running call depends on a file of the project that gvstore reads on its behalf: its own reads count for nothing."""
    _note_file(os.fspath(path), False)

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
