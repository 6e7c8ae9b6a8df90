"""Answers: what a record has to say while its program runs again.

A call is matched by (parent call, component name, instance state, arguments,
k-th occurrence), never by position.  Code is compared apart: a matched call
is *fresh* if its own code and that of every call below it is today's, else
stale.  What is fresh and has an outcome is adopted whole; everything else is
executed, with the recorded call's children as answers for the calls it makes.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any, Final

from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import RecordedError, ReplayError
from gvstore.objects import number
from gvstore.objects.component import Component
from gvstore.objects.decode import decode
from gvstore.objects.invocation import Call, PartList, outcome_number, part_body
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split
from gvstore.store.active import current_store
from gvstore.store.ref import Ref

STRICT_CALLS: Final = "calls"
STRICT_CODE: Final = "code"


class Replayer:
    """One replay: the record it reads, what it insists on, and what it has found out about components."""

    def __init__(self, reader: ObjectReader, *, root: Path | None, strict: str = "", overrides: Any = None) -> None:
        self.reader, self.root, self.strict, self.overrides = reader, root, strict, overrides
        self.stale: dict[str, str] = {}  # component name -> reason, of what was executed because of it
        self._components: dict[bytes, Component] = {}
        self._why: dict[bytes, str] = {}
        self._subtrees: dict[bytes, tuple[bool, int]] = {}

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
            why = self._why[link] = self._compare(self.component(link))
        return why

    def _compare(self, recorded: Component) -> str:
        from gvstore.journal.register import registered

        last = recorded.name.rpartition(".")[2]
        for live in registered():
            if live.qualname.rpartition(".")[2] == last and live.name(self.root) == recorded.name:
                return "" if live.component(self.root).code == recorded.code else f"{recorded.name} changed"
        return f"{recorded.name} is gone"

    def count(self, part: bytes) -> int:
        """Returns how many calls a recorded call holds, itself included."""
        total, stack = 0, [part]
        while stack:
            elements = split(part_body(stack.pop(), self.reader))
            total += 1
            if len(elements) > 4 and elements[4] != NIL:
                stack.extend(PartList(elements[4], self.reader))
        return total

    def subtree(self, part: bytes) -> tuple[bool, int]:
        """Returns (is all of it fresh, how many calls) of a recorded call and what is below it."""
        oid = linked(part)
        known = self._subtrees.get(part) if oid is not None else None
        if known is not None:
            return known
        total, fresh = 0, True
        stack = [part]
        while stack:
            elements = split(part_body(stack.pop(), self.reader))
            total += 1
            if self.why_stale(elements[1]):
                fresh = False
            if len(elements) > 4 and elements[4] != NIL:
                stack.extend(PartList(elements[4], self.reader))
        if oid is not None:
            self._subtrees[part] = fresh, total
        return fresh, total


class Answer:
    """What the record says of one call."""

    __slots__ = ("adopted", "calls", "override", "part", "replayer")

    def __init__(self, replayer: Replayer, part: bytes, *, adopted: bool, calls: int, override: Any = None) -> None:
        self.replayer, self.part, self.adopted, self.calls = replayer, part, adopted, calls
        self.override = override  # what this call answers instead of its recorded exception

    def below(self) -> Answers:
        """Returns the answers for the calls that this call makes when it is executed."""
        return Answers(self.replayer, Call.of_part(self.part, self.replayer.reader).children)

    def give(self, instance: Any) -> Any:
        """Returns, or raises, the recorded outcome; brings the instance to its recorded state."""
        if self.override is not None:
            return self.override
        reader = self.replayer.reader
        elements = split(part_body(self.part, reader))
        if instance is not None and len(elements) > 6 and elements[6] != NIL:
            restore(instance, decode(elements[6], reader))
        outcome = split(elements[3])
        if elements[3][1] == number.RETURNED:
            return decode(outcome[1], reader)
        raise recorded_exception(decode(outcome[1], reader))


def recorded_exception(value: Any) -> BaseException:
    """Returns the exception that a record holds; a RecordedError where its class is not loaded."""
    if isinstance(value, BaseException):
        return value
    if isinstance(value, Unresolved):
        return RecordedError(f"{value.type_name.rpartition(':')[2]}: {value.parts[1]}")
    return RecordedError(repr(value))


def restore(instance: Any, recorded: Any) -> None:
    """Brings an instance to the recorded field values."""
    for name in getattr(
        type(instance), "__dataclass_fields__", vars(recorded) if hasattr(recorded, "__dict__") else ()
    ):
        if hasattr(recorded, name):
            object.__setattr__(instance, name, getattr(recorded, name))


class Answers:
    """The recorded calls of one parent, taken one by one."""

    __slots__ = ("_children", "_left", "_replayer", "_waiting")

    def __init__(self, replayer: Replayer, children: bytes) -> None:
        self._replayer, self._children = replayer, children
        self._waiting: dict[tuple[str, bytes], deque[bytes]] | None = None
        self._left = 0

    def _load(self) -> dict[tuple[str, bytes], deque[bytes]]:
        waiting: dict[tuple[str, bytes], deque[bytes]] = {}
        replayer = self._replayer
        for part in PartList(self._children, replayer.reader):
            elements = split(part_body(part, replayer.reader))
            state = elements[5] if len(elements) > 5 else NIL
            key = replayer.component(elements[1]).name, state + elements[2]
            waiting.setdefault(key, deque()).append(part)
            self._left += 1
        self._waiting = waiting
        return waiting

    def take(self, live: LiveComponent, args: bytes, state: bytes) -> Answer | None:
        """Returns the record's word on the next such call, or None where it has none.

        Raises:
            ReplayError: the replay is strict, and the record has other calls left, or (strict on code) this one is stale.
        """
        waiting = self._load() if self._waiting is None else self._waiting
        replayer = self._replayer
        name = live.name(replayer.root)
        queue = waiting.get((name, state + args))
        if not queue:
            if replayer.strict and self._left:
                raise ReplayError(f"{self._expected()}, but {name} was called with other arguments or once more")
            return None
        part = queue.popleft()
        self._left -= 1
        elements = split(part_body(part, replayer.reader))
        fresh, calls = replayer.subtree(part)
        if not fresh:
            self._tell_stale(elements, live, name)
        override = _overridden(elements, replayer)
        if override is not None:
            return Answer(replayer, part, adopted=False, calls=calls, override=override)
        adopted = fresh and live.effect != "repeat" and _answers(elements, queue, replayer.reader)
        return Answer(replayer, part, adopted=adopted, calls=calls)

    def _tell_stale(self, elements: list[bytes], live: LiveComponent, name: str) -> None:
        why = self._replayer.why_stale(elements[1])
        if self._replayer.strict == STRICT_CODE:
            raise ReplayError(why or f"a call below {name} is stale")
        if why:
            self._replayer.stale[name] = why

    def _expected(self) -> str:
        assert self._waiting is not None
        for (name, _), queue in self._waiting.items():
            if queue:
                return f"the record goes on with {name}"
        return "the record has no further call"


def _overridden(elements: list[bytes], replayer: Replayer) -> Any:
    """Returns what the caller's `exception_override` puts in place of an exception raised by this very call, or None."""
    outcome = elements[3] if len(elements) > 3 else NIL
    if replayer.overrides is None or outcome_number(outcome) != number.RAISED or not outcome.endswith(b"\xc3"):
        return None
    store = current_store()
    value = replayer.overrides(store.commit(decode(split(outcome)[1], replayer.reader)))
    return value.checkout() if isinstance(value, Ref) else value


def _answers(elements: list[bytes], later: deque[bytes], reader: ObjectReader) -> bool:
    """Returns whether a recorded outcome stands: a value that could be stored, or the failure before a retry that succeeded."""
    outcome = elements[3] if len(elements) > 3 else NIL
    kind = outcome_number(outcome)
    if kind == number.RETURNED:
        return outcome[0] == 0x92  # a third element marks a value with an opaque part
    if kind != number.RAISED:
        return False
    for part in later:
        following = split(part_body(part, reader))
        if len(following) > 3 and outcome_number(following[3]) == number.RETURNED:
            return True
    return False
