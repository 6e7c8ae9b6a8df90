"""A program that stops at its questions and goes on with the answers, its stack kept.

It runs in a thread of its own, in a copy of the caller's context; the one who
steps it waits while it runs, so that only one of the two ever does.  Nothing
is executed twice, whatever the number of questions.  Several threads of the
program may ask at once.  A program that is given up gets its question raised,
and what was recorded waits for the answer as any other.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any

from gvstore.journal.frame import Frame
from gvstore.journal.invocation import Invocation
from gvstore.journal.perform import Performed
from gvstore.journal.question import InputRequest
from gvstore.journal.recorder import CURRENT, Asker
from gvstore.objects.invocation import encode_call, waiting
from gvstore.objects.record import NIL
from gvstore.store.active import active_store
from gvstore.store.store import Store


@dataclass(eq=False, slots=True)
class Pending:
    """A question that the program waits with; `frame` is the call that asks."""

    request: InputRequest
    frame: Frame
    answer: tuple[Any] | None = None
    settled: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _End:
    performed: Performed | None
    fault: BaseException | None = None


class Suspended:
    """One such program; `perform` executes it with the asker that it is given."""

    def __init__(self, perform: Callable[[Asker], Performed]) -> None:
        self.performed: Performed | None = None
        self.open: deque[Pending] = deque()  # asked, and not answered
        self._perform = perform
        self._events: SimpleQueue[Pending | _End] = SimpleQueue()
        self._given_up = False
        self._store: Store | None = active_store()
        self._thread = threading.Thread(
            target=copy_context().run, args=(self._run,), name="gvstore-suspended", daemon=True
        )
        _living.add(self)

    def start(self) -> None:
        """Lets the program run to its first question, or its end."""
        self._thread.start()
        self._wait()

    def answer(self, pending: Pending, value: Any) -> None:
        """Lets the program go on with an answer, to its next question or its end."""
        self.open.remove(pending)
        pending.answer = (value,)
        pending.settled.set()
        self._wait()

    def let_go(self) -> None:
        """Has the program end by itself: what it asks is raised, now and from now on."""
        self._given_up = True
        for pending in self.open:
            pending.settled.set()

    def give_up(self) -> None:
        """Ends the program, and waits until its record is stored."""
        self.let_go()
        while self._thread.is_alive() and self.performed is None and threading.current_thread() is not self._thread:
            event = self._events.get()
            if isinstance(event, _End):
                self.performed = event.performed
                break
        self.open.clear()
        _living.discard(self)

    def _wait(self) -> None:
        """Waits until the program asks or ends.

        Raises:
            whatever the recorder raises; what the program does is in `performed`.
        """
        event = self._events.get()
        if isinstance(event, Pending):
            self.open.append(event)
            return
        _living.discard(self)
        self._thread.join()
        self.performed = event.performed
        self.open.clear()
        if event.fault is not None:
            raise event.fault

    def _run(self) -> None:
        try:
            end = _End(self._perform(self._ask))
        except BaseException as e:
            end = _End(None, e)
        self._events.put(end)

    def _ask(self, request: InputRequest) -> Any:
        """Returns the answer: what the program waits in."""
        frame = CURRENT.get()
        assert frame is not None
        if self._given_up:
            raise request
        pending = Pending(request, frame)
        self._events.put(pending)
        pending.settled.wait()
        if pending.answer is None:
            raise request
        return pending.answer[0]

    def invocation(self) -> Invocation | None:
        """Returns the execution as it stands: as if its questions had ended it."""
        if self.performed is not None:
            return self.performed.invocation
        if not self.open:
            return None
        top = self.open[0].frame
        while top.parent is not None:
            top = top.parent
        store = self._store
        if store is None or store.objects is not top.recording.objects:
            store = Store(top.recording)
        part = _part_so_far(top, [pending.frame for pending in self.open], self.open[0].request)
        found = Invocation.of_part(store, part)
        found.put()
        return found


def _part_so_far(top: Frame, asking: list[Frame], question: InputRequest) -> bytes:
    """Returns the root call's array, with an outcome for all open calls on the way to those that ask."""
    below: dict[Frame, list[Frame]] = {}
    for frame in asking:
        while frame.parent is not None and frame not in below.setdefault(frame.parent, []):
            below[frame.parent].append(frame)
            frame = frame.parent
    recording = top.recording
    parts: dict[Frame, bytes] = {}
    stack = [top]
    while stack:
        frame = stack[-1]
        missing = [each for each in below.get(frame, []) if each not in parts]
        if missing:
            stack += missing
            continue
        stack.pop()
        asked = map(recording.encode, question.waiting_for())
        outcome = waiting(*asked, here=frame in asking)
        children, lanes = frame.so_far({each: parts[each] for each in below.get(frame, [])})
        parts[frame] = encode_call(frame.link, frame.args, outcome, children, frame.state, NIL, NIL, lanes)
    return parts[top]


_living: weakref.WeakSet[Suspended] = weakref.WeakSet()


@atexit.register
def _give_up_all() -> None:
    """At the end of the process: what still waits is recorded as waiting."""
    for suspended in list(_living):
        suspended.give_up()
