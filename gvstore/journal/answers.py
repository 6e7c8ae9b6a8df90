"""Answers: what a record has to say while its program runs again.

A call is matched by (parent call, component name, instance state, arguments,
k-th occurrence), never by position.  Code is compared apart: a matched call
is *fresh* if its own code and that of every call below it is today's, else
stale.  What is fresh and has an outcome is adopted whole; everything else is
executed, with the recorded call's children as answers for the calls it makes.
"""

from __future__ import annotations

import importlib
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from gvstore.errors import Corrupt
from gvstore.journal.changes import write_back
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import RecordedError, ReplayError
from gvstore.journal.state import bring_to
from gvstore.objects import number
from gvstore.objects.component import Component
from gvstore.objects.decode import decode
from gvstore.objects.invocation import PartList, is_altered, outcome_number, part_body
from gvstore.objects.lanes import LanePath, lane_of_each
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Unresolved, exception_text
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split, unpack
from gvstore.store.active import current_store
from gvstore.store.ref import Ref
from gvstore.store.store import OpaqueWarning, Store

STRICT_CALLS: Final = "calls"
STRICT_CODE: Final = "code"
_OWN: Final = "gvstore.journal.question."
_LEAF_HEAD: Final = b"\x94\x30"  # an invocation of four elements: no children
_RETURNED_HEAD: Final = b"\x92\x3b"
_OPAQUE_HEAD: Final = b"\x93\x0f"


class Replayer:
    """One replay: the record it reads, what it insists on, and what it has found out about components."""

    def __init__(self, reader: ObjectReader, *, root: Path | None, strict: str = "", overrides: Any = None) -> None:
        self.reader, self.root, self.strict, self.overrides = reader, root, strict, overrides
        self.stale: dict[str, str] = {}  # component name -> reason, of what was executed because of it
        self.fault: ReplayError | None = None  # where a strict replay left the record
        self.blind: set[str] = set()  # components answered although an argument could not be compared
        self.allow_effects = False  # may what has an effect that must come once be executed again?
        self.lock = threading.RLock()
        self._components: dict[bytes, Component] = {}
        self._why: dict[bytes, str] = {}
        self._live: dict[bytes, LiveComponent | None] = {}
        self._subtrees: dict[bytes, tuple[bool, int]] = {}

    def diverge(self, message: str) -> ReplayError:
        """Returns the error of leaving the record; it is remembered, for the program may swallow it."""
        if self.fault is None:
            self.fault = ReplayError(message)
        return ReplayError(message)

    def component(self, link: bytes) -> Component:
        """Returns the component that a link names."""
        known = self._components.get(link)
        if known is None:
            known = self._components[link] = Component.get(self.reader, ObjectId(link[3:]))
        return known

    def why_stale(self, link: bytes) -> str:
        """Returns why calls of the recorded component no longer hold, or an empty text."""
        why = self._why.get(link)
        if why is None:
            recorded, live = self.component(link), self.live(link)
            if live is None:
                why = f"{recorded.name} is gone"
            else:
                why = "" if live.component(self.root).code == recorded.code else f"{recorded.name} changed"
            self._why[link] = why
        return why

    def live(self, link: bytes) -> LiveComponent | None:
        """Returns what the program has registered under the recorded component's name: of several, what has its code."""
        if link not in self._live:
            from gvstore.journal.register import registered_as

            recorded = self.component(link)
            if recorded.name.startswith(_OWN):  # a component of ours, which a program meets when it first uses it
                importlib.import_module(recorded.name.rpartition(".")[0])
            found = registered_as(recorded.name, self.root)
            same = [live for live in found if live.component(self.root).code == recorded.code]
            self._live[link] = next(iter(same or found), None)
        return self._live[link]

    def repeats(self, link: bytes) -> bool:
        """Returns whether calls of the recorded component are executed at every replay."""
        live = self.live(link)
        return live is not None and live.effect == "repeat"

    def subtree(self, part: bytes) -> tuple[bool, int]:
        """Returns (may all of it be answered, how many calls) of a recorded call and what is below it.

        It may if its code is today's, and nothing in it is to be executed at every replay.
        """
        known = self._subtrees.get(part)
        if known is not None:
            return known
        calls = [_Subtree(self, part)]
        while True:
            call = calls[-1]
            for child in call.children:
                known = self._subtrees.get(child)
                if known is None:
                    below = _Subtree(self, child)
                    if below.children is not _NONE:
                        calls.append(below)
                        break
                    known = below.fresh, 1
                call.fresh, call.total = call.fresh and known[0], call.total + known[1]
            else:
                calls.pop()
                found = call.fresh, call.total
                if linked(call.part) is not None:
                    self._subtrees[call.part] = found
                if not calls:
                    return found
                calls[-1].fresh, calls[-1].total = calls[-1].fresh and found[0], calls[-1].total + found[1]

    def stale_below(self, elements: list[bytes]) -> bool:
        """Returns whether the code of any call below a recorded one changed, those that repeat among them."""
        stack = [elements]
        while stack:
            found = stack.pop()
            if self.why_stale(found[1]):
                return True
            if len(found) > 4 and found[4] != NIL:
                stack += [split(part_body(part, self.reader)) for part in PartList(found[4], self.reader)]
        return False


_NONE: Final[Iterator[bytes]] = iter(())


class _Subtree:
    """A call on the way: what is known of it and of the children looked at so far."""

    __slots__ = ("children", "fresh", "part", "total")

    def __init__(self, replayer: Replayer, part: bytes) -> None:
        elements = split(part_body(part, replayer.reader))
        self.part, self.total = part, 1
        self.fresh = not replayer.why_stale(elements[1]) and not replayer.repeats(elements[1])
        has_children = len(elements) > 4 and elements[4] != NIL
        self.children = iter(PartList(elements[4], replayer.reader)) if has_children else _NONE


class Answer:
    """What the record says of one call: `elements` of its array, and its place among its recorded siblings.

    `adopted` says that its outcome stands and could be read.  `override` holds
    what this call answers instead of its recorded exception, or is None.
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
        "override",
        "part",
        "replayer",
    )

    def __init__(
        self, replayer: Replayer, part: bytes, elements: list[bytes], at: int, *, calls: int,
        override: tuple[Any] | None = None,
    ) -> None:  # fmt: skip
        self.replayer, self.part, self.elements, self.at = replayer, part, elements, at
        self.calls, self.override = calls, override
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
        elements = [*self.elements, *[NIL] * (9 - len(self.elements))]
        return Answers(self.replayer, elements[4], elements[8])

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


class Leaf:
    """The record's answer to a call that made no calls and returned: its place, its part, the value."""

    __slots__ = ("_value", "at", "part")

    def __init__(self, at: int, part: bytes, value: Any) -> None:
        self.at, self.part, self._value = at, part, value

    def give(self) -> Any:
        """Returns the recorded value."""
        return self._value


def recorded_exception(value: Any) -> BaseException:
    """Returns the exception that a record holds; a RecordedError where its class is not loaded."""
    if isinstance(value, BaseException):
        return value
    if isinstance(value, Unresolved):
        return RecordedError(exception_text(value))
    return RecordedError(repr(value))


_Entry = tuple[int, bytes, list[bytes], LanePath]  # place among its siblings, part, elements, the lane that made it


class Answers:
    """The recorded calls of one parent, taken one by one.

    While the program makes its calls in the recorded order, each is compared
    with the next one's bytes and nothing is taken apart (`take_next`).  At the
    first that differs the rest is put into an index by identity (`take`).
    """

    __slots__ = ("_at", "_executed", "_index", "_left", "_next", "_rest", "children", "lanes", "replayer", "source")

    def __init__(self, replayer: Replayer, children: bytes, lanes: bytes = NIL) -> None:
        self.replayer = replayer
        self.children, self.lanes = children, lanes  # the encoded list that the answers come from, and who made them
        self.source = -1  # the number under which the journal knows it
        self._rest: Iterator[bytes] | None = None
        self._next: bytes | None = None
        self._at = 0
        self._index: dict[tuple[str, bytes], deque[_Entry]] | None = None
        self._left = 0
        self._executed = False  # was one of the parent's calls executed?

    def take_next(self, link: bytes, args: bytes) -> Leaf | None:
        """Returns the answer if the next recorded call is this one, a leaf that returned; then it is taken.

        The same link is the same code: it is fresh.
        """
        if self._index is not None or self.lanes != NIL:
            return None
        with self.replayer.lock:
            part = self._advance() if self._rest is None else self._next
            head = _LEAF_HEAD + link + args
            if _OPAQUE_HEAD in args:  # perhaps a value that could not be stored: to be looked at
                return None
            if part is None or not part.startswith(head) or part[len(head) : len(head) + 2] != _RETURNED_HEAD:
                return None
            try:
                value = decode(part[len(head) + 2 :], self.replayer.reader)
            except Corrupt:
                return None
            at = self._at
            self._at += 1
            self._advance()
        return Leaf(at, part, value)

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
        lanes = islice(lane_of_each(self.lanes, replayer.reader), self._at, None)
        while part is not None:
            elements = split(part_body(part, replayer.reader))
            state = elements[5] if len(elements) > 5 else NIL
            key = replayer.component(elements[1]).name, state + elements[2]
            index.setdefault(key, deque()).append((self._at, part, elements, next(lanes)))
            self._at += 1
            self._left += 1
            part = self._advance()
        self._index = index
        return index

    def take(self, live: LiveComponent, args: bytes, state: bytes, lane: LanePath = ()) -> Answer | None:
        """Returns the record's word on the next such call, or None where it has none.

        Of equal calls that several threads or tasks make, each is given its own.

        Raises:
            ReplayError: the replay is strict, and the record has other calls left, or (strict on code) this one is stale.
        """
        with self.replayer.lock:
            answer = self._take(live, args, state, lane)
            if answer is None or not answer.adopted:
                self._executed = True
        return answer

    def _take(self, live: LiveComponent, args: bytes, state: bytes, lane: LanePath) -> Answer | None:
        replayer = self.replayer
        if replayer.fault is not None:
            raise replayer.diverge(str(replayer.fault))
        index = self._load() if self._index is None else self._index
        name = live.name(replayer.root)
        queue = index.get((name, state + args))
        if not queue:
            if replayer.strict and self._left:
                raise replayer.diverge(f"{self._expected()}, but {name} was called with other arguments or once more")
            return None
        at, part, elements, _ = _next_of(queue, lane)
        self._left -= 1
        fresh, calls = replayer.subtree(part)
        if not fresh:
            self._tell_stale(elements, name)
        override = overridden(part, elements, replayer)
        answer = Answer(replayer, part, elements, at, calls=calls, override=override)
        stands = fresh or live.effect == "once"
        if override is None and stands and live.effect != "repeat" and _answers(elements, queue):
            answer.adopt()
            if answer.adopted and _OPAQUE_HEAD in state + args:
                self._tell_blind(name, state, args)
        return answer

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
            self.replayer.diverge(f"{self._expected()}, but {name} returned")

    def _tell_stale(self, elements: list[bytes], name: str) -> None:
        replayer = self.replayer
        why = replayer.why_stale(elements[1])
        if replayer.strict == STRICT_CODE and (why or replayer.stale_below(elements)):
            raise replayer.diverge(why or f"a call below {name} is stale")
        if why:
            replayer.stale[name] = why

    def _expected(self) -> str:
        assert self._index is not None
        waiting = [(queue[0][0], name) for (name, _), queue in self._index.items() if queue]
        return f"the record goes on with {min(waiting)[1]}" if waiting else "the record has no further call"


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


def _answers(elements: list[bytes], later: deque[_Entry]) -> bool:
    """Returns whether a recorded outcome stands: a value that could be stored, or the failure before a retry that succeeded."""
    outcome = elements[3] if len(elements) > 3 else NIL
    kind = outcome_number(outcome)
    if kind in (number.RETURNED, number.STREAMED):
        return not is_altered(outcome)
    if kind != number.RAISED:
        return False
    ended = (number.RETURNED, number.STREAMED)
    return any(len(each[2]) > 3 and outcome_number(each[2][3]) in ended for each in later)
