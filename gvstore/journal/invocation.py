"""Invocations as Python sees them: lazy, comparable, ordinary values.

An Invocation reads from its store what it is asked for and no more.  It can
be returned, stored in a list, committed: in a record it is a link.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

import gvstore.journal.carry  # noqa: F401 - teaches the encoder to carry references
from gvstore.journal.answers import Reading, recorded_exception
from gvstore.journal.fault import InvocationError, NoSuchCall
from gvstore.journal.mode import ReplayWords, mode_of
from gvstore.journal.overlay import Overlay, OverlayStore
from gvstore.journal.raised import shown_as_native
from gvstore.objects import number
from gvstore.objects.component import Component
from gvstore.objects.decode import decode, register_kind
from gvstore.objects.expand import IS_LINK, register_expander
from gvstore.objects.invocation import INVOCATION_BYTE, Call, PartList, asks, is_altered, outcome_number, part_digest
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectStore, ObjectWriter
from gvstore.objects.record import NIL
from gvstore.objects.wire import Link, link_bytes, linked, split
from gvstore.store.active import active_store, current_store
from gvstore.store.ref import Ref
from gvstore.store.resource import ResourceBase
from gvstore.store.store import Store

if TYPE_CHECKING:
    from gvstore.journal.plan import Plan
    from gvstore.journal.request import Request, Response


class Invocation(ResourceBase):
    """One recorded call, with the calls it made below it.

    Made by hand of a Request and a Response, or out of a record.  Both are
    there in any case, as references; who sets one of them to another value
    changes this invocation, as `response.modify()` does.
    """

    __slots__ = ("_call", "_component", "_known", "_oid", "_part", "_request", "_response", "_seen", "_store")

    def __init__(self, request: Ref[Request], response: Ref[Response] | None = None) -> None:
        self._store: Store | None = None
        self._call: Call | None = None
        self._component: Component | None = None
        self._known: dict[ObjectId, Component] = {}  # what was read, shared by the calls of a tree
        self._oid: ObjectId | None = None
        self._part = b""
        self._request: Ref[Request] | None = request
        self._response: Ref[Response] | None = response
        self._seen: tuple[str, str] | None = None  # what the references named when the parts above were made of them

    @classmethod
    def of_part(cls, store: Store, part: bytes) -> Invocation:
        """Returns the invocation of a part: its encoding, or a link to it."""
        return cls._of_part(store, part, {})

    @classmethod
    def _of_part(cls, store: Store, part: bytes, known: dict[ObjectId, Component]) -> Invocation:
        made = cls.__new__(cls)
        made._store, made._part, made._known = store, part, known
        made._call = made._component = made._oid = made._request = made._response = made._seen = None
        return made

    @classmethod
    def of_oid(cls, store: Store, oid: ObjectId, known: dict[ObjectId, Component] | None = None) -> Invocation:
        """Returns the invocation stored as object `oid`; `known` are components read before, and gets those that are."""
        return cls._of_part(store, link_bytes(oid), {} if known is None else known)

    @property
    def store(self) -> Store:
        """The store it is read from."""
        if self._store is None:
            assert self._request is not None
            self._store = self._request.store or current_store()
        return self._store

    @property
    def _objects(self) -> ObjectStore:
        return self.store.objects

    @property
    def part(self) -> bytes:
        """What its parent holds of it: its encoding, or a link."""
        self._settle()
        return self._part

    def _settle(self) -> None:
        """Puts it together again if a reference to a part of it was set, or if it was made by hand."""
        request, response = self._request, self._response
        if request is None and response is None:
            return
        seen = ("" if request is None else request.id, "" if response is None else response.id)
        if seen == self._seen:
            return
        from gvstore.journal.request import call_of

        was = Invocation.of_part(self.store, self._part) if self._part else None
        asked = request.checkout() if request is not None else None
        answered = response.checkout() if response is not None else None
        self._take(call_of(asked, answered, self.store, was=was))
        self._seen = seen

    def _take(self, call: Call) -> None:
        self._part = link_bytes(call.put(self._objects))
        self._call, self._component, self._oid = call, None, None

    @property
    def request(self) -> Ref[Request]:
        """What was called, and on what."""
        from gvstore.journal.request import request_of

        self._settle()
        if self._request is None:
            self._request = request_of(self, self._writable())
            self._note()
        return self._request

    @request.setter
    def request(self, ref: Ref[Request]) -> None:
        self._request = ref

    @property
    def response(self) -> Ref[Response]:
        """What became of it, with the calls that it made; all of them are stored as objects of their own."""
        from gvstore.journal.request import response_of

        self._settle()
        if self._response is None:
            self._response = response_of(self, self._writable())
            self._note()
        return self._response

    @response.setter
    def response(self, ref: Ref[Response]) -> None:
        self._response = ref

    def _note(self) -> None:
        request, response = self._request, self._response
        self._seen = ("" if request is None else request.id, "" if response is None else response.id)

    def _writable(self) -> Store:
        """Returns its store, or over one that is only read what keeps new objects in memory."""
        store = self.store
        return Overlay(store.objects).store(store.root) if getattr(store.objects, "read_only", False) else store

    @property
    def oid(self) -> ObjectId:
        """The name of its object; equal executions have equal names."""
        self._settle()
        if self._oid is None:
            self._oid = part_digest(self._part)
        return self._oid

    def put(self) -> ObjectId:
        """Returns its oid, stored as an object of its own."""
        return self.put_into(self._objects)

    def put_into(self, objects: ObjectWriter) -> ObjectId:
        """Returns its oid, stored as an object of its own in its store or what stands over that."""
        if linked(self.part) is None:
            objects.write(INVOCATION_BYTE + self._part)
        return self.oid

    @property
    def call(self) -> Call:
        """Its parts, still encoded."""
        self._settle()
        if self._call is None:
            self._call = Call.of_part(self._part, self._objects)
        return self._call

    @property
    def component(self) -> Component:
        """What was called, as it was then."""
        if self._component is None:
            oid = self.call.component
            self._component = self._known.get(oid) or Component.get(self._objects, oid)
            self._known[oid] = self._component
        return self._component

    @property
    def name(self) -> str:
        """The component's name without its module: `roll_sum`."""
        return self.component.name.rpartition(".")[2]

    @property
    def args(self) -> dict[str, Any]:
        """The arguments by parameter, as they were when the call began; each time a new copy."""
        values = decode(self.call.args, self._objects)
        if isinstance(values, dict):
            return values
        return dict(zip(self.component.parameters, values, strict=True))

    @property
    def state(self) -> Any:
        """The instance that was called, with its fields before the call; None for functions."""
        return decode(self.call.state, self._objects)

    @property
    def status(self) -> str:
        """ok, raised, waiting, cancelled, or unfinished."""
        words = {None: "unfinished", number.RAISED: "raised", number.WAITING: "waiting", number.CANCELLED: "cancelled"}
        return words.get(outcome_number(self.call.outcome), "ok")

    def successful(self) -> bool:
        """Returns whether the call returned."""
        return self.status == "ok"

    @property
    def output(self) -> Any:
        """What the call returned.

        Raises:
            InvocationError: it did not return.
        """
        if self.status != "ok":
            raise InvocationError(f"{self.name} has no output: it is {self.status}")
        return self.get_output()

    def get_output(self) -> Any:
        """Returns what the call returned, or None; of a generator the list of what it yielded."""
        if outcome_number(self.call.outcome) not in (number.RETURNED, number.STREAMED):
            return None
        return decode(split(self.call.outcome)[1], self._objects)

    @property
    def chunks(self) -> list[Any]:
        """What a generator yielded, also if it raised or was interrupted; none for other calls."""
        outcome = self.call.outcome
        parts = split(outcome) if outcome != NIL else []
        if outcome[1:2] == b"\x3f":
            chunks: list[Any] = decode(parts[1], self._objects)
            return chunks
        return decode(parts[2], self._objects) if len(parts) == 4 and outcome[1:2] == b"\x3c" else []

    def has_opaque_output(self) -> bool:
        """Returns whether a part of the output could not be stored."""
        outcome = self.call.outcome
        return outcome_number(outcome) in (number.RETURNED, number.STREAMED) and is_altered(outcome)

    @property
    def changed(self) -> dict[str, Any]:
        """The arguments that the call changed, as they were afterwards."""
        return decode(self.call.changed, self._objects) or {}

    def get_raised(self) -> BaseException | None:
        """Returns the exception that the call raised, or None; of one that waits, its question."""
        kind = outcome_number(self.call.outcome)
        if kind == number.WAITING:
            from gvstore.journal.question import question_of

            return question_of(self)
        if kind != number.RAISED:
            return None
        return shown_as_native(recorded_exception(decode(split(self.call.outcome)[1], self._objects)))

    def get_raised_here(self) -> bool:
        """Returns whether the exception began in this very call, not in one below it."""
        outcome = self.call.outcome
        return asks(outcome) or (outcome_number(outcome) == number.RAISED and outcome.endswith(b"\xc3"))

    def get_input(self) -> Any:
        """Returns what went in: of an Invokable of one argument the value itself, else CallArgs."""
        from gvstore.journal.request import input_of

        return input_of(self.component, self.args)

    @property
    def children(self) -> PartList:
        """The parts of the calls it made."""
        return PartList(self.call.children, self._objects)

    def get_children(self) -> Iterator[Invocation]:
        """Yields the calls it made, in order."""
        for part in self.children:
            yield Invocation._of_part(self.store, part, self._known)

    def get_child(self, index: int) -> Invocation:
        """Returns the call number `index` that it made; a handful of objects are read.

        Raises:
            NoSuchCall: there are not so many.
        """
        parts = self.children
        try:
            return Invocation._of_part(self.store, parts[index if index >= 0 else len(parts) + index], self._known)
        except IndexError:
            raise NoSuchCall(f"{self.name} made {len(parts)} calls, there is no call {index}") from None

    def below(self, part: bytes) -> Invocation:
        """Returns the call that a part of this execution is."""
        return Invocation._of_part(self.store, part, self._known)

    def __len__(self) -> int:
        return len(self.children)

    def __bool__(self) -> bool:
        return True

    def rewind(self, num_calls: int = 1) -> Invocation:
        """Returns the same call without its outcome and its last `num_calls` calls, stored; nothing is executed."""
        from gvstore.journal.rewind import rewind_last

        return rewind_last(self.at_home(), num_calls)

    def rewind_before(self, call: str | tuple[int, ...] | Callable[[Invocation], bool]) -> Invocation:
        """Returns the execution as it was just before a call, at any depth: by its path, its name, or the first that is so."""
        from gvstore.journal.address import call_path
        from gvstore.journal.rewind import rewind_before

        home = self.at_home()
        return rewind_before(home, call_path(home, call))

    def replay(self, exception_override: Any = None, strict: Any = True, **words: Unpack[ReplayWords]) -> Invocation:
        """Returns the invocation completed: what is recorded is answered, the rest runs.

        With `strict` (the default) the calls must be those of the record, in
        any order, until it ends; calls after that run.  `strict="code"` also
        refuses stale calls.  Without, what matches is reused, whatever else is
        called runs.  In a repository this is a run.  For the other words see
        `ReplayWords`.

        Raises:
            ReplayError: a strict replay left the record.
            CallLimitReached: `max_calls` calls were executed.
        """
        from gvstore.journal.replay import replay_invocation

        home = self.at_home()
        return replay_invocation(home, exception_override=exception_override, strict=strict, mode=mode_of(words, home))

    async def replay_async(
        self, exception_override: Any = None, strict: Any = True, **words: Unpack[ReplayWords]
    ) -> Invocation:
        """Returns the same of what is to be awaited."""
        from gvstore.journal.replay import replay_invocation_async

        home = self.at_home()
        return await replay_invocation_async(
            home, exception_override=exception_override, strict=strict, mode=mode_of(words, home)
        )

    def plan(self, **words: Unpack[ReplayWords]) -> Plan:
        """Returns what such a replay would reuse and what it would run, and why; nothing is executed."""
        from gvstore.journal.plan import plan_replay

        return plan_replay(self, mode_of(words, self))

    def clear_output(self) -> None:
        """Takes the outcome away, in place; the calls it made stay."""
        self._take(self.call.without_outcome(self.call.children, self.call.lanes))
        self._response = None

    def at_home(self) -> Invocation:
        """Returns the invocation in a store that can be written: a dead process's run is stored first."""
        if not isinstance(self.store, OverlayStore) or self.store.home is None:
            return self
        store = self.store.home()
        return Invocation.of_oid(store, self.call.put(store.objects))

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Returns `request` and `response`: as a resource it has these two."""
        return ("request", "response")

    def field_values(self) -> tuple[Any, ...]:
        """Returns the two references."""
        return (self.request, self.response)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Invocation:
        """Returns the invocation of two references."""
        return cls(**fields)

    def deepcopy_resource(self) -> Invocation:
        """Returns an equal invocation, which stays when this one is changed."""
        return Invocation.of_part(self.store, self.part)

    def set_from(self, other: Any) -> None:
        """Makes this invocation equal to another."""
        if not isinstance(other, Invocation):
            raise TypeError(f"an Invocation cannot be set from a {type(other).__qualname__}")
        self._request = self._response = None
        self._store, self._part = other.store, other.part
        self._call = self._component = self._oid = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invocation) and self.oid == other.oid

    def __hash__(self) -> int:
        return hash(self.oid)

    def _repr_html_(self) -> str:
        from gvstore.journal.html import invocation_html

        return invocation_html(self)

    def __repr__(self) -> str:
        return f"<Invocation {self.oid.hex()[:8]} {self.name} {self.status}>"


def _read(oid: ObjectId, reader: ObjectReader) -> Invocation:
    store = active_store()
    if store is None or not store.objects.has(oid):  # read without the store being active
        store = Store(Reading(reader))
    return Invocation.of_oid(store, oid)


register_expander(Invocation, lambda each: (IS_LINK, (Link(each.put()), each.store.objects)))
register_kind(Kind.INVOCATION, _read)
