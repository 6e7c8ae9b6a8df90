"""Invocations as Python sees them: lazy, comparable, ordinary values.

An Invocation reads from its store what it is asked for and no more.  It can
be returned, stored in a list, committed: in a record it is a link.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gvstore.journal.answers import recorded_exception
from gvstore.journal.carry import carry
from gvstore.journal.fault import InvocationError, NoSuchCall
from gvstore.journal.overlay import OverlayStore
from gvstore.objects import number
from gvstore.objects.component import Component
from gvstore.objects.decode import decode, register_kind
from gvstore.objects.expand import IS_LINK, register_expander
from gvstore.objects.invocation import INVOCATION_BYTE, Call, PartList, outcome_number, part_digest
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectStore
from gvstore.objects.wire import link_bytes, linked, split
from gvstore.store.active import current_store

if TYPE_CHECKING:
    from gvstore.store.store import Store


class Invocation:
    """One recorded call, with the calls it made below it."""

    __slots__ = ("_call", "_component", "_oid", "_part", "_store")

    def __init__(self, store: Store, part: bytes) -> None:
        self._store, self._part = store, part
        self._call: Call | None = None
        self._component: Component | None = None
        self._oid: ObjectId | None = None

    @classmethod
    def of_oid(cls, store: Store, oid: ObjectId) -> Invocation:
        """Returns the invocation stored as object `oid`."""
        return cls(store, link_bytes(oid))

    @property
    def store(self) -> Store:
        """The store it is read from."""
        return self._store

    @property
    def _objects(self) -> ObjectStore:
        return self._store.objects

    @property
    def part(self) -> bytes:
        """What its parent holds of it: its encoding, or a link."""
        return self._part

    @property
    def oid(self) -> ObjectId:
        """The name of its object; equal executions have equal names."""
        if self._oid is None:
            self._oid = part_digest(self._part)
        return self._oid

    def put(self) -> ObjectId:
        """Returns its oid, stored as an object of its own."""
        if linked(self._part) is None:
            self._objects.write(INVOCATION_BYTE + self._part)
        return self.oid

    @property
    def call(self) -> Call:
        """Its parts, still encoded."""
        if self._call is None:
            self._call = Call.of_part(self._part, self._objects)
        return self._call

    @property
    def component(self) -> Component:
        """What was called, as it was then."""
        if self._component is None:
            self._component = Component.get(self._objects, self.call.component)
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
        """Returns what the call returned, or None."""
        if outcome_number(self.call.outcome) != number.RETURNED:
            return None
        return decode(split(self.call.outcome)[1], self._objects)

    def has_opaque_output(self) -> bool:
        """Returns whether a part of the output could not be stored."""
        return outcome_number(self.call.outcome) == number.RETURNED and len(split(self.call.outcome)) > 2

    def get_raised(self) -> BaseException | None:
        """Returns the exception that the call raised, or None."""
        if outcome_number(self.call.outcome) != number.RAISED:
            return None
        return recorded_exception(decode(split(self.call.outcome)[1], self._objects))

    def get_raised_here(self) -> bool:
        """Returns whether the exception began in this very call, not in one below it."""
        return outcome_number(self.call.outcome) == number.RAISED and self.call.outcome.endswith(b"\xc3")

    def get_input(self) -> Any:
        """Returns the arguments: the value itself for an Invokable of one, else by parameter."""
        args = self.args
        if self.component.flavor == "class" and len(args) <= 1:
            return next(iter(args.values()), None)
        return args

    @property
    def children(self) -> PartList:
        """The parts of the calls it made."""
        return PartList(self.call.children, self._objects)

    def get_children(self) -> Iterator[Invocation]:
        """Yields the calls it made, in order."""
        for part in self.children:
            yield Invocation(self._store, part)

    def get_child(self, index: int) -> Invocation:
        """Returns the call number `index` that it made; a handful of objects are read.

        Raises:
            NoSuchCall: there are not so many.
        """
        parts = self.children
        try:
            return Invocation(self._store, parts[index if index >= 0 else len(parts) + index])
        except IndexError:
            raise NoSuchCall(f"{self.name} made {len(parts)} calls, there is no call {index}") from None

    def __len__(self) -> int:
        return len(self.children)

    def __bool__(self) -> bool:
        return True

    def rewind(self, num_calls: int = 1) -> Invocation:
        """Returns the same call without its outcome and its last `num_calls` calls, stored; nothing is executed."""
        from gvstore.journal.rewind import rewind_last

        return rewind_last(self.at_home(), num_calls)

    def replay(self, exception_override: Any = None, strict: Any = True) -> Invocation:
        """Returns the invocation completed: what is recorded is answered, the rest runs.

        With `strict` (the default) the calls must be those of the record, in
        any order, until it ends; calls after that run.  `strict="code"` also
        refuses stale calls.  Without, what matches is reused, whatever else is
        called runs.  In a repository this is a run.

        Raises:
            ReplayError: a strict replay left the record.
        """
        from gvstore.journal.replay import replay_invocation

        return replay_invocation(self.at_home(), exception_override=exception_override, strict=strict)

    def at_home(self) -> Invocation:
        """Returns the invocation in a store that can be written: a dead process's run is stored first."""
        if not isinstance(self._store, OverlayStore) or self._store.home is None:
            return self
        store = self._store.home()
        return Invocation.of_oid(store, self.call.put(store.objects))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Invocation) and self.oid == other.oid

    def __hash__(self) -> int:
        return hash(self.oid)

    def __repr__(self) -> str:
        return f"<Invocation {self.oid.hex()[:8]} {self.name} {self.status}>"


def _read(oid: ObjectId, reader: ObjectReader) -> Invocation:
    return Invocation.of_oid(current_store(), oid)


register_expander(Invocation, lambda each: (IS_LINK, (carry(each.put(), each.store.objects),)))
register_kind(Kind.INVOCATION, _read)
