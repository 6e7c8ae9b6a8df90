"""Answers: what a record has to say while its program runs again.

A call is matched by (parent call, component name, instance state, arguments,
k-th occurrence), never by position.  Code is compared apart: a matched call
is *fresh* if its own code and that of every call below it is today's, else
stale.  What is fresh and has an outcome is adopted whole; everything else is
executed, with the recorded call's children as answers for the calls it makes.
What is true of a recorded call whoever asks is the Replayer's to say.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import Corrupt
from gvstore.journal.changes import write_back
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import RecordedError, ReplayError
from gvstore.journal.replayer import STRICT_CODE, TOLD_HELD, Replayer, Verdict, Why, waits_inside
from gvstore.journal.state import bring_to
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import LEAF_HEAD, RETURNED_HEAD, PartList, outcome_number, part_body
from gvstore.objects.lanes import LanePath, lane_of_each
from gvstore.objects.placeholder import Unresolved, exception_text
from gvstore.objects.record import NIL
from gvstore.objects.wire import split, unpack
from gvstore.store.active import current_store
from gvstore.store.ref import Ref
from gvstore.store.store import OpaqueWarning, Store

if TYPE_CHECKING:
    from gvstore.journal.address import CallPath

_OPAQUE_HEAD: Final = b"\x93\x0f"


class Answer:
    """What the record says of one call: `elements` of its array, and its place among its recorded siblings.

    `adopted` says that its outcome stands and could be read.  `override` holds
    what this call answers instead of its recorded outcome, or is None; `held`
    says why it may not be executed again, or is empty.
    """

    __slots__ = (
        "_after",
        "_chunks",
        "_outcome",
        "adopted",
        "at",
        "calls",
        "changed",
        "elements",
        "held",
        "override",
        "part",
        "path",
        "replayer",
    )

    def __init__(
        self, replayer: Replayer, part: bytes, elements: list[bytes], path: CallPath, *, calls: int,
        override: tuple[Any] | None = None, held: str = "",
    ) -> None:  # fmt: skip
        self.replayer, self.part, self.elements, self.path, self.at = replayer, part, elements, path, path[-1]
        self.calls, self.override, self.held = calls, override, held
        self.adopted = False
        self.changed: dict[str, Any] | None = None  # arguments that the call changed, as they were afterwards

    def adopt(self) -> None:
        """Reads the recorded outcome; one that cannot be read is none, and the call is executed."""
        reader, elements = self.replayer.reader, self.elements
        try:
            parts = split(elements[3])
            self._outcome = decode(parts[1], reader)
            self._chunks = decode(parts[2], reader) if self.is_streamed and self.kind == number.RAISED else []
            self._after = decode(elements[6], reader) if len(elements) > 6 else None
            self.changed = decode(elements[7], reader) if len(elements) > 7 else None
        except Corrupt:
            return
        self.adopted = True

    def below(self) -> Answers:
        """Returns the answers for the calls that this call makes when it is executed."""
        elements = [*self.elements, *[NIL] * max(0, 9 - len(self.elements))]
        return Answers(self.replayer, elements[4], elements[8], self.path)

    @property
    def kind(self) -> int | None:
        """The type number of the recorded outcome."""
        return outcome_number(self.elements[3]) if len(self.elements) > 3 else None

    @property
    def chunks(self) -> list[Any]:
        """What a recorded stream yielded."""
        chunks: list[Any] = self._outcome if self.kind == number.STREAMED else self._chunks
        return chunks

    @property
    def exception(self) -> BaseException:
        """What the call raised."""
        return recorded_exception(self._outcome)

    def settle(self, live: LiveComponent, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> None:
        """Brings the arguments and the instance to where the recorded call brought them."""
        if self.changed is not None:
            write_back(live, args, kwargs, self.changed)
        if instance is not None and self._after is not None:
            bring_to(instance, self._after)

    @property
    def is_streamed(self) -> bool:
        """Whether it is the record of a stream, that ended or that raised."""
        outcome = self.elements[3] if len(self.elements) > 3 else NIL
        return self.kind == number.STREAMED or (self.kind == number.RAISED and outcome[0] == 0x94)

    def give(self) -> Any:
        """Returns, or raises, the recorded outcome."""
        if self.override is not None:
            return self.override[0]
        if self.elements[3][1] == number.RETURNED:
            return self._outcome
        raise self.exception


class Reading:
    """A database that is read, as what a Store stands on."""

    def __init__(self, reader: Any) -> None:
        self.objects = reader


def recorded_exception(value: Any) -> BaseException:
    """Returns the exception that a record holds; a RecordedError where its class is not loaded."""
    if isinstance(value, BaseException):
        return value
    if isinstance(value, Unresolved):
        error = RecordedError(exception_text(value))
        error.stored_type = value.type_name
        return error
    return RecordedError(repr(value))


_Entry = tuple[int, bytes, list[bytes], LanePath]  # place among its siblings, part, elements, the lane that made it


class Answers:
    """The recorded calls of one parent, taken one by one.

    While the program makes its calls in the recorded order, each is compared
    with the next one's bytes and nothing is taken apart (`take_next`).  At the
    first that differs the rest is put into an index by identity (`take`).
    """

    __slots__ = (
        "_executed", "_index", "_left", "_next", "_rest", "children", "in_order", "lanes", "path", "replayer", "source",
        "taken",
    )  # fmt: skip

    def __init__(self, replayer: Replayer, children: bytes, lanes: bytes = NIL, path: CallPath = ()) -> None:
        self.replayer, self.path = replayer, path
        self.children, self.lanes = children, lanes  # the encoded list that the answers come from, and who made them
        self.source = -1  # the number under which the journal knows it
        self._rest: Iterator[bytes] | None = None
        self._next: bytes | None = None
        self.taken = 0  # so many of the first, in order; the others have an index
        self.in_order = lanes == NIL
        self._index: dict[tuple[str, bytes], deque[_Entry]] | None = None
        self._left = 0
        self._executed = False  # was one of the parent's calls executed?
        if replayer.asks_identity:
            self._load()

    def take_next(self, link: bytes, args: bytes) -> tuple[Any, bytes] | None:
        """Returns (value, part) if the next recorded call is this one and a leaf that returned; then it is taken.

        The same link is the same code: it is fresh.  The lock is held, and `in_order` has been asked.
        """
        part = self._next if self._rest is not None else self._advance()
        head = LEAF_HEAD + link + args + RETURNED_HEAD
        if part is None or not part.startswith(head):
            return None
        if args.find(_OPAQUE_HEAD) >= 0:  # perhaps a value that could not be stored: to be looked at
            return None
        try:
            value = decode(part[len(head) :], self.replayer.reader)
        except Corrupt:
            return None
        self.taken += 1
        self._next = next(self._rest, None)  # type: ignore[arg-type]
        return value, part

    def _advance(self) -> bytes | None:
        if self._rest is None:
            self._rest = iter(PartList(self.children, self.replayer.reader))
        self._next = next(self._rest, None)
        return self._next

    def _load(self) -> dict[tuple[str, bytes], deque[_Entry]]:
        """Indexes what has not been taken yet."""
        index: dict[tuple[str, bytes], deque[_Entry]] = {}
        replayer = self.replayer
        part = self._advance() if self._rest is None else self._next
        lanes = islice(lane_of_each(self.lanes, replayer.reader), self.taken, None)
        while part is not None:
            elements = split(part_body(part, replayer.reader))
            state = elements[5] if len(elements) > 5 else NIL
            key = replayer.component(elements[1]).name, state + elements[2]
            index.setdefault(key, deque()).append((self.taken, part, elements, next(lanes)))
            self.taken += 1
            self._left += 1
            part = self._advance()
        self._index = index
        self.in_order = False
        return index

    def unrecorded(self) -> Answers | None:
        """Returns the answers for the calls of a call that the record does not have: none, but they are looked at."""
        watched = self.replayer.limited or self.replayer.watches_effects
        return Answers(self.replayer, NIL, path=self.path) if watched else None

    def take(self, live: LiveComponent, args: bytes, state: bytes, lane: LanePath = ()) -> Answer | None:
        """Returns the record's word on the next such call, or None where it has none.

        Of equal calls that several threads or tasks make, each is given its own.

        Raises:
            ReplayError: the replay is strict, and the record has other calls left, or (strict on code) this one is stale.
            StoppedByLimit: it is to be executed, and that is one call too many.
        """
        with self.replayer.lock:
            answer = self._take(live, args, state, lane)
            if live.effect == "once" and not self.replayer.mode.effects:
                answer = self._held(answer, live, args, state)
            if answer is None or not answer.adopted:
                self._executed = True
                if answer is None or (answer.override is None and not answer.held):
                    self.replayer.count()
        return answer

    def _held(self, answer: Answer | None, live: LiveComponent, args: bytes, state: bytes) -> Answer | None:
        """Returns the answer of a call that must come once; one that the record does not have may have happened before."""
        happened = self.replayer.happened_before(live.name(self.replayer.root), state + args)
        if answer is None:
            held = "it was executed in a run that this one is derived from"
            return Answer(self.replayer, NIL, [], (-1,), calls=0, held=held) if happened else None
        if not answer.adopted and answer.override is None and not answer.held and not waits_inside(answer.elements):
            answer.held = "its answer cannot be read"
        return answer

    def _take(self, live: LiveComponent, args: bytes, state: bytes, lane: LanePath) -> Answer | None:
        replayer = self.replayer
        if isinstance(replayer.fault, ReplayError):
            raise replayer.diverge(str(replayer.fault))
        index = self._load() if self._index is None else self._index
        name = live.name(replayer.root)
        queue = index.get((name, state + args))
        if not queue:
            if replayer.strict and self._left:
                raise replayer.diverge(self._mismatch(live, args, state))
            if replayer.mode.places:
                self._note_instead(live, args, state)
            return None
        at, part, elements, _ = _next_of(queue, lane)
        self._left -= 1
        path = (*self.path, at)
        if path in replayer.mode.places:
            replayer.used.add(path)
        verdict = replayer.judge(path, part, elements, (each[2] for each in queue), live=live)
        self._tell_stale(part, path, name, verdict)
        if verdict.why is Why.SET:
            value = replayer.mode.sets[path]
            override: tuple[Any] | None = (value.checkout() if isinstance(value, Ref) else value,)
        else:
            override = overridden(part, elements, replayer)
        held = TOLD_HELD[verdict.why] if verdict.held and verdict.why and override is None else ""
        answer = Answer(replayer, part, elements, path, calls=verdict.calls, override=override, held=held)
        if override is None and verdict.why is None:
            answer.adopt()
            if answer.adopted and _OPAQUE_HEAD in state + args:
                self._tell_blind(name, state, args)
        return answer

    def _note_instead(self, live: LiveComponent, args: bytes, state: bytes) -> None:
        """Notes that a call was asked that the record does not have, for those of its component whose outcome was given."""
        from gvstore.journal.mismatch import came_text

        replayer, name = self.replayer, live.name(self.replayer.root)
        for (known, _), queue in (self._index or {}).items():
            for at, _, elements, _ in queue if known == name else ():
                path = (*self.path, at)
                if path in replayer.mode.places and path not in replayer.instead:
                    replayer.instead[path] = came_text(replayer, elements, live, args, state)

    def _tell_blind(self, name: str, *given: bytes) -> None:
        """Warns that a call is answered although what it was given could not be stored, so nobody knows if it is the same.

        Raises:
            ReplayError: the replay is strict on code.
        """
        replayer = self.replayer
        types = sorted(each for part in given for each in opaque_types(part))
        if not types:
            return
        if replayer.strict == STRICT_CODE:
            raise replayer.diverge(
                f"{name} was given a value of type {types[0]}, which could not be stored: it cannot be compared"
            )
        if name not in replayer.blind:
            replayer.blind.add(name)
            message = f"{name} is answered although its argument of type {types[0]} could not be stored: only the type is compared"
            warnings.warn(message, OpaqueWarning, stacklevel=2)

    def has_another(self, answer: Answer) -> bool:
        """Returns whether the record has a further call that is equal to one that it answered."""
        with self.replayer.lock:
            elements = answer.elements
            state = elements[5] if len(elements) > 5 else NIL
            index = self._load() if self._index is None else self._index
            return bool(index.get((self.replayer.component(elements[1]).name, state + elements[2])))

    def forget(self, part: bytes, at: int) -> None:
        """Takes out a recorded call that another process was answered with."""
        with self.replayer.lock:
            elements = split(part_body(part, self.replayer.reader))
            state = elements[5] if len(elements) > 5 else NIL
            index = self._load() if self._index is None else self._index
            queue = index.get((self.replayer.component(elements[1]).name, state + elements[2]))
            if queue:  # of equal calls in several processes each may have been answered with the first
                del queue[next((i for i, entry in enumerate(queue) if entry[0] == at), 0)]
                self._left -= 1

    def note_execution(self) -> None:
        """Notes that a call was executed by another process."""
        self._executed = True
        self.replayer.begun += 1

    def end(self, name: str) -> None:
        """Notes that the parent returned: a strict replay that was answered throughout must have used the record up.

        Where a call was executed, what follows may rightly differ: an error
        that does not come back leaves its handler's calls over.
        """
        if not self.replayer.strict or self._executed:
            return
        if self._index is None:
            self._load()
        if self._left:
            self.replayer.diverge(f"{self._expected(name)[1]}, but {name} returned")

    def spend(self, value: Any) -> None:
        """Counts what a call cost that was executed and made no calls."""
        if self.replayer.mode.purse is not None:
            with self.replayer.lock:
                self.replayer.mode.purse.spend(value)

    def leave(self, live: LiveComponent) -> None:
        """Notes that a stream wants more than was recorded, or in another way: its function runs."""

    def refuse(self, why: str) -> None:
        """Notes that calls go where they are not followed from here."""

    def _tell_stale(self, part: bytes, path: CallPath, name: str, verdict: Verdict) -> None:
        replayer = self.replayer
        if replayer.strict == STRICT_CODE:
            for where, _, why in replayer.stale_below(part, path):
                raise replayer.diverge(f"call {'.'.join(map(str, where))} is stale: {why}")
        if verdict.stale and verdict.why is not None:
            replayer.stale[name] = verdict.stale

    def _expected(self, name: str) -> tuple[list[bytes], str]:
        """Returns which recorded call is the next, and what to say of it: one of the component, if there is one."""
        from gvstore.journal.mismatch import expected_text

        assert self._index is not None
        heads = [(known != name, queue[0]) for (known, _), queue in self._index.items() if queue]
        at, _, elements, _ = min(heads, key=lambda head: (head[0], head[1][0]))[1]
        return elements, expected_text(self.replayer, (*self.path, at), elements)

    def _mismatch(self, live: LiveComponent, args: bytes, state: bytes) -> str:
        from gvstore.journal.mismatch import came_text

        elements, expected = self._expected(live.name(self.replayer.root))
        return f"{expected}, but {came_text(self.replayer, elements, live, args, state)}"


def _next_of(queue: deque[_Entry], lane: LanePath) -> _Entry:
    """Takes out the first entry that this lane made, else the first."""
    for at, entry in enumerate(queue):
        if entry[3] == lane:
            del queue[at]
            return entry
    return queue.popleft()


def opaque_types(data: bytes) -> set[str]:
    """Returns the types of the opaque markers in an encoded value; what it links to is not looked into."""
    found: set[str] = set()
    raws = [unpack(data)]
    while raws:
        raw = raws.pop()
        if type(raw) is list and raw:
            if raw[0] == number.OPAQUE and len(raw) == 3:
                found.add(str(raw[1]).replace("builtins:", "").replace(":", "."))
            raws += raw[1:]
    return found


def overridden(part: bytes, elements: list[bytes], replayer: Replayer) -> tuple[Any] | None:
    """Returns what the caller's `exception_override` puts in place of an exception or question of this very call, or None.

    Raises:
        InvokableTypeError: it is not of the type that the question asks for, or that the component promises.
    """
    outcome = elements[3] if len(elements) > 3 else NIL
    if replayer.overrides is None or outcome_number(outcome) not in (number.RAISED, number.WAITING):
        return None
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.question import check_override

    store = current_store()
    call = Invocation.of_part(store if store.objects is replayer.reader else Store(Reading(replayer.reader)), part)
    if not call.get_raised_here():
        return None
    error = call.get_raised()
    value = replayer.overrides(store.commit_as(store.ref_type, error))
    if value is None:
        return None
    return (check_override(call, error, value.checkout() if isinstance(value, Ref) else value),)
