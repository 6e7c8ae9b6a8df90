"""Frames: calls being executed, and the calls they have made so far.

A frame puts its children together in an order that does not depend on timing:
that of their begin, and what a thread or task does stands where it was spawned
(`objects/lanes.py`).  A finished child that is next in that order joins the
list at once and is forgotten; one that is early waits until those before it
have ended.  While a replay answers a call's children in the recorded order
nothing is listed at all: the list begins as the recorded one does.
"""

from __future__ import annotations

import threading
from collections import deque
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gvstore.journal.timing import times_of
from gvstore.objects.chunking import LINK_THRESHOLD
from gvstore.objects.invocation import LEAF_HEAD, PartList, call_list, encode_call
from gvstore.objects.lanes import LanePath, LaneRuns, iter_lanes
from gvstore.objects.record import NIL
from gvstore.objects.resume import resume_list
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import pack

if TYPE_CHECKING:
    from gvstore.journal.answers import Answer, Answers
    from gvstore.journal.chunks import Chunks
    from gvstore.journal.component import LiveComponent
    from gvstore.journal.recorder import Recording


class Ended(NamedTuple):
    """A child that has ended: its part and times; or, without times, number `at` of the recorded ones, adopted."""

    part: bytes
    times: bytes | None
    at: int = -1


class Lane:
    """What a thread or task spawned below a call has done: its calls and the lanes it spawned, in order."""

    __slots__ = ("__weakref__", "above", "closed", "entries", "frame", "number", "path", "spawned")

    def __init__(self, above: Frame | Lane, number: int) -> None:
        self.above, self.number = above, number
        self.frame: Frame = above.frame if isinstance(above, Lane) else above
        self.path: LanePath = (*above.path, above.spawned)
        self.entries: deque[Entry] | None = deque()
        self.spawned: int = 0
        self.closed = False

    def close(self, *_: object) -> None:
        """Notes that the thread or task has ended: what comes behind it need not wait for it."""
        frame = self.frame
        with frame.recording.lock:
            self.closed = True
            if not frame.folded and frame.front is self:
                frame.advance()


class _Here(threading.local):
    """What runs in this thread."""

    lane: Lane | None = None


HERE: Final = _Here()
LANE: Final[ContextVar[Lane | None]] = ContextVar("lane of gvstore", default=None)  # of a task; no part of `contexts`


class Frame:
    """One call being executed; itself the lane of its own body."""

    closed: Final = False
    children: ItemList | None = None
    times: ItemList | None = None
    runs: LaneRuns | None = None
    record = record_lanes = NIL  # the recorded children, and who made them
    kept = 0  # the list begins with so many of the recorded children, and nothing else stands in it yet
    skipped = 0
    sparse = False
    asked_below = False  # a call below it asks a question
    stream: Chunks | None = None
    told = False  # a stream was told to its end: it is what was recorded
    instance: Any = None
    part = timing = NIL  # set by `fold`, of the root
    files: dict[str, bytes | None] | None = None  # of the project, opened by this very call, with the oid of what was in them
    reads = NIL  # the same, encoded, when it has ended

    def __init__(
        self, recording: Recording, live: LiveComponent, parent: Frame | None, number: int, link: bytes,
        args: bytes, state: bytes, start: int, answers: Answers | None,
    ) -> None:  # fmt: skip
        # What every call needs stands in the instance, where it is found at once; the rest in the class.
        self.recording, self.live, self.parent, self.number, self.link = recording, live, parent, number, link
        self.args, self.state, self.start, self.answers = args, state, start, answers
        self.path: LanePath = ()
        self.entries: deque[Entry] | None = None
        self.spawned = self.begun = 0  # lanes; children
        self.front: Lane | None = None  # the lane whose entries are next in the list; None: the body
        self.lane: Frame | Lane | None = None  # in which it stands below its parent
        self.place = 0  # which of its parent's calls it was, in the order of their begin
        self.result: Ended | None = None  # what waits for its place
        self.raised: BaseException | None = None
        self.answer: Answer | None = None  # of a stream: its record, which is told again while it is asked the same
        self.ended = self.folded = self.abandoned = False  # its function is over; its parent has it; its parent goes on without
        self.outcome = NIL

    def enter(self, child: Frame, lane: Frame | Lane) -> None:
        """Gives a call that begins its place; the lock is held."""
        child.lane = lane
        child.place = self.begun
        self.begun += 1
        if lane.entries is None:
            lane.entries = deque()
        lane.entries.append(child)

    def leave(self, child: Frame, part: bytes, times: bytes) -> None:
        """Takes a finished child; one that outlived its parent comes too late.  The lock is held."""
        if self.folded:
            return
        lane = child.lane
        assert lane is not None
        entries = lane.entries
        assert entries
        if entries[0] is child and lane is (self.front or self):
            entries.popleft()
            children = self.children
            if children is None or self.runs is not None or self.skipped or lane is not self:
                self._add(part, times, lane.path)
            else:  # as nearly always
                children.add(part)
                self.times.add(times)  # type: ignore[union-attr]
            if entries or self.front is not None:
                self.advance()
        else:
            child.result = Ended(part, times)

    def leave_told(self, child: Frame, ended: Ended) -> None:
        """Takes a finished child that is what was recorded.  The lock is held."""
        child.result = ended
        if not self.folded:
            self.advance()

    def adopt_all(self) -> None:
        """Takes all recorded children over; there are no others yet.  The lock is held."""
        objects = self.recording.objects
        self.kept = self.begun = self.skipped = len(PartList(self.record, objects))
        self.runs = LaneRuns(objects)
        for path, count in iter_lanes(self.record_lanes, objects):
            self.runs.add(path, count)

    def answered_by(self, children: bytes, lanes: bytes) -> None:
        """Says what recorded children the call has."""
        self.record, self.record_lanes = children, lanes
        self.kept = self.skipped = 0
        self.children = self.runs = None

    def keep(self, at: int) -> bool:
        """Takes number `at` of the recorded children over, if all before it were and nothing else stands there.  The lock is held."""
        if at != self.kept or self.children is not None or self.entries or self.runs is not None or self.front is not None:
            return False
        if not self.folded:
            self.begun += 1
            self.kept = at + 1
            self.skipped += 1
        return True

    def adopt(self, at: int, part: bytes, lane: Frame | Lane) -> None:
        """Takes number `at` of the recorded children over; an empty part is read if it is needed.  The lock is held."""
        if self.folded:
            return
        self.begun += 1
        if lane is (self.front or self) and not lane.entries:
            self._add_adopted(at, part, lane.path)
            return
        self.put(Ended(part, None, at), lane)

    def continues(self, at: int, lane: Frame | Lane) -> bool:
        """Returns whether adopting number `at` now goes on with a list that begins as the recorded one."""
        return self.children is None and at == self.kept and lane is (self.front or self) and not lane.entries

    def put(self, ended: Ended, lane: Frame | Lane) -> None:
        """Gives a place to what has ended already.  The lock is held."""
        if lane.entries is None:
            lane.entries = deque()
        lane.entries.append(ended)
        if lane is (self.front or self) and len(lane.entries) == 1:
            self.advance()

    def spawn(self, above: Frame | Lane, number: int) -> Lane:
        """Returns a new lane.  The lock is held."""
        lane = Lane(above, number)
        above.spawned += 1
        if above.entries is None:
            above.entries = deque()
        above.entries.append(lane)
        if above is (self.front or self) and len(above.entries) == 1:
            self.advance()
        return lane

    def advance(self, *, force: bool = False) -> None:
        """Lists what is next in order, as far as it has ended; with `force` all, what has not ended as it is."""
        front: Frame | Lane = self.front or self
        while True:
            entries = front.entries
            if entries:
                head = entries[0]
                if type(head) is Lane:
                    front = head
                    continue
                if type(head) is Frame:
                    if head.result is None and force:
                        head.abandon()
                    ended = head.result
                    head.result = None
                else:
                    ended = head  # type: ignore[assignment]
                if ended is None:
                    break
                entries.popleft()
                if ended.times is None:
                    self._add_adopted(ended.at, ended.part, front.path)
                else:
                    self._add(ended.part, ended.times, front.path)
            elif type(front) is Lane and (force or front.closed):
                front = front.above
                assert front.entries is not None
                front.entries.popleft()
            else:
                break
        self.front = front if type(front) is Lane else None

    def _add(self, part: bytes, times: bytes, path: LanePath) -> None:
        children = self.children
        if children is None:
            children = self._begin_list()
        if path or self.runs is not None:
            self._note_lane(path)
        children.add(part)
        if self.skipped:
            self._tell_skipped()
        self.times.add(times)  # type: ignore[union-attr]

    def _add_adopted(self, at: int, part: bytes, path: LanePath) -> None:
        if path or self.runs is not None:
            self._note_lane(path)
        self.skipped += 1
        if self.children is None and at == self.kept:
            self.kept += 1
            return
        if self.children is None:
            self._begin_list()
        assert self.children is not None
        self.children.add(part or PartList(self.record, self.recording.objects)[at])

    def _begin_list(self) -> ItemList:
        objects = self.recording.objects
        self.runs, self.skipped = self.runs, self.skipped  # from here on each child looks at them
        self.times = call_list(objects)
        self.children = resume_list(objects, objects, self.record, self.kept)
        return self.children

    def _note_lane(self, path: LanePath) -> None:
        if self.runs is None:
            self.runs = LaneRuns(self.recording.objects)
            self.runs.add((), self.kept if self.children is None else self.children.count)
        self.runs.add(path)

    def _tell_skipped(self) -> None:
        """Puts the number of reused children into the times, in place of theirs."""
        assert self.times is not None
        self.times.add(pack(self.skipped))
        self.skipped, self.sparse = 0, True

    def so_far(self, parts: dict[Frame, bytes]) -> tuple[bytes, bytes]:
        """Returns (children, lanes), encoded: those that have ended, and as `parts` tell those that have not, in order."""
        objects, place = self.recording.objects, self.recording.encoder.place
        with self.recording.lock:
            children = resume_list(objects, objects, self.record, self.kept)
            children = children if self.children is None else self.children.copy()
            runs = LaneRuns(objects) if self.runs is None else self.runs.copy()
            if self.runs is None:
                runs.add((), children.count)
            stack: list[tuple[LanePath, Entry]] = [((), each) for each in reversed(self.entries or ())]
            while stack:
                path, entry = stack.pop()
                if isinstance(entry, Lane):
                    stack += [(entry.path, each) for each in reversed(entry.entries or ())]
                    continue
                ended = entry if isinstance(entry, Ended) else entry.result
                part = place(parts[entry]) if ended is None and entry in parts else ended and ended.part
                if part is not None:
                    children.add(part)
                    runs.add(path)
        return (place(children.finish()), place(runs.finish())) if children.count else (NIL, NIL)

    def first_open(self) -> Frame | None:
        """Returns a child that has begun and not ended, other than a stream nobody reads from; None if all have."""
        stack: list[Frame | Lane] = [self]
        while stack:
            for entry in stack.pop().entries or ():
                if type(entry) is Lane:
                    stack.append(entry)
                elif type(entry) is Frame and entry.result is None and not (entry.ended or entry.is_idle):
                    return entry
        return None

    @property
    def is_idle(self) -> bool:
        """Whether it is a stream that waits to be asked for more."""
        return self.stream is not None and self.stream.idle

    def abandon(self) -> None:
        """Ends the call as it is, and all open calls below it, the innermost first: its parent goes without it."""
        found: list[Frame] = [self]
        for frame in found:
            stack: list[Frame | Lane] = [frame]
            while stack:
                for entry in stack.pop().entries or ():
                    if type(entry) is Lane:
                        stack.append(entry)
                    elif type(entry) is Frame and entry.result is None:
                        found.append(entry)
        for frame in reversed(found):
            frame.ended = frame.abandoned = True
            if frame.folded:
                continue
            place = frame.recording.encoder.place
            if frame.is_idle and frame.stream is not None:
                from gvstore.journal.ending import close

                close(frame, frame.stream.outcome(place, NIL, closed=True))
            else:
                outcome = NIL if frame.stream is None else frame.stream.unfinished(place)
                with frame.recording.lock:
                    frame.fold(outcome, NIL, max(0, frame.recording.since_us() - frame.start))

    def fold(self, outcome: bytes, after: bytes, duration_us: int, changed: bytes = NIL) -> None:
        """Puts the call's array together and gives it to the parent; the root keeps it.  The lock is held."""
        if self.begun or outcome == NIL or changed is not NIL or after is not NIL or self.state is not NIL or self.reads is not NIL:
            data, times = self._finish(outcome, after, duration_us, changed)
        else:
            data, times = LEAF_HEAD + self.link + self.args + outcome, pack((1, self.start, duration_us))
        self.outcome = outcome
        parent = self.parent
        if parent is None:
            self.part, self.timing = data, times
        else:
            if len(data) > LINK_THRESHOLD:
                data = self.recording.encoder.place(data)
            if self.answer is None and not self.abandoned:
                parent.leave(self, data, times)
            else:
                self._hand_over(parent, data, times)
        self.raised = None
        self.folded = True

    def _finish(self, outcome: bytes, after: bytes, duration_us: int, changed: bytes) -> tuple[bytes, bytes]:
        """Returns (call, times) of a call in general, encoded."""
        children = lanes = NIL
        below: bytes | None = None
        if self.begun:
            if self.entries:
                self.advance(force=True)
            children, below, lanes = self._finish_lists()
        data = encode_call(self.link, self.args, outcome, children, self.state, after, changed, lanes, self.reads)
        return data, times_of(self.start, duration_us, below, sparse=self.sparse)

    def _hand_over(self, parent: Frame, part: bytes, times: bytes) -> None:
        ended: Ended | None = None
        if self.answer is not None and part == self.answer.part:
            self.told = True
            ended = Ended(part, None, self.answer.at)
        if self.abandoned:
            self.result = ended or Ended(part, times)
        elif ended is not None:
            parent.leave_told(self, ended)
        else:
            parent.leave(self, part, times)

    def _finish_lists(self) -> tuple[bytes, bytes | None, bytes]:
        """Returns (children, times, lanes), encoded."""
        place = self.recording.encoder.place
        if self.children is None and self.kept and self.kept == len(PartList(self.record, self.recording.objects)):
            children = self.record
        else:
            if self.children is None:
                self._begin_list()
            assert self.children is not None
            children = place(self.children.finish())
        if self.times is None:
            self.times = call_list(self.recording.objects)
        if self.skipped:
            self._tell_skipped()
        lanes = NIL if self.runs is None else place(self.runs.finish())
        return children, place(self.times.finish()), lanes


Entry = Frame | Lane | Ended


def open_ancestor(frame: Frame) -> Frame | None:
    """Returns the nearest frame whose function still runs, from `frame` outwards.

    A thread or task that outlives the call which began it keeps that call's
    frame; so does a program that went on where the stack had ended.
    """
    found: Frame | None = frame
    while found is not None and found.ended:
        found = found.parent
    return found


def lane_below(parent: Frame) -> Frame | Lane:
    """Returns the lane of `parent` that runs here: the innermost of task and thread, else the body."""
    found: Frame | Lane = parent
    for lane in (HERE.lane, LANE.get()):
        if lane is not None and lane.frame is parent and len(lane.path) > len(found.path):
            found = lane
    while found.closed and isinstance(found, Lane):
        found = found.above
    return found
