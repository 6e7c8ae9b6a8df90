"""Recorded runs of machines, read back: each step, and the state after it.

A step's record holds what it changed.  The state after any step is the run's
first state, or one of those that were kept on the way, and the changes since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gvstore.journal.fault import NoSuchCall, RecordedError
from gvstore.journal.invocation import Invocation
from gvstore.machine.component import ACTION, MACHINE, RETRIES
from gvstore.machine.kept import Keeper, keeper_of
from gvstore.machine.outcome import apply_step, is_recorded, recorded_step
from gvstore.machine.state import State
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import PartList, outcome_number
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.run import Run
from gvstore.objects.wire import WeakLink, linked, split

_STATE, _POSITION, _SEQUENCE, _INPUTS, _IDENTITY = 0, 1, 2, 6, 8  # among a machine's arguments


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a call of a machine's action, finished or not.

    `wrote` are the fields that it gave values to, `further` the items by which
    it lengthened lists, `gone` the fields that it took away.  `index` is its
    number among the machine's calls.
    """

    index: int
    action: str
    call: Invocation
    result: Any
    wrote: dict[str, Any]
    further: dict[str, list[Any]]
    gone: list[str]

    @property
    def status(self) -> str:
        """ok, raised, waiting, cancelled, or unfinished."""
        return self.call.status


class MachineCall:
    """A run of a machine, as it was recorded; `states` are (number of calls, state after them) that were kept of it."""

    def __init__(self, call: Invocation, states: tuple[tuple[int, ObjectId], ...] = ()) -> None:
        if call.component.flavor != MACHINE:
            raise NoSuchCall(f"{call.name} is no state machine: it has no steps")
        self.call, self._states = call, states
        self._keeper: Keeper = keeper_of(call.store)
        self._args = split(_whole(call.call.args, self._keeper))[1:]

    @classmethod
    def of_run(cls, call: Invocation, record: Run) -> MachineCall:
        """Returns the root call of a run, which is a machine's."""
        return cls(call, tuple(_kept(record.states, call.store.objects)))

    def _argument(self, at: int) -> Any:
        return decode(self._args[at], self._keeper)

    @property
    def inputs(self) -> dict[str, Any]:
        """What it was given."""
        inputs: dict[str, Any] = self._argument(_INPUTS)
        return inputs

    @property
    def position(self) -> str | None:
        """The action that had run last before it began."""
        position: str | None = self._argument(_POSITION)
        return position

    @property
    def app_id(self) -> str | None:
        """The application's id."""
        found: str | None = self._argument(_IDENTITY)[0]
        return found

    @property
    def partition_key(self) -> str | None:
        """The application's partition."""
        found: str | None = self._argument(_IDENTITY)[1]
        return found

    def first_state(self) -> State[Any]:
        """Returns the state that it began with; fields are read when they are asked for."""
        return _state_of(self._args[_STATE], self._keeper)

    def __len__(self) -> int:
        return len(self.call)

    def steps(self, start: int = 0) -> Iterator[Step]:
        """Yields the steps, attempts that failed among them."""
        parts = PartList(self.call.call.children, self.call.store.objects)
        for index, part in enumerate(parts.since(start), start):
            child = self.call.below(part)
            if child.component.flavor == ACTION:
                yield step_of(child, index)

    def state_after(self, count: int) -> State[Any]:
        """Returns the state after the machine's first `count` calls.

        Raises:
            NoSuchCall: it made fewer.
        """
        if not 0 <= count <= len(self):
            raise NoSuchCall(f"{self.call.name} made {len(self)} calls, there is no state after {count}")
        begun, oid = max((each for each in self._states if each[0] <= count), default=(0, None))
        state = self.first_state() if oid is None else State.load(self._keeper, oid)
        for step in self.steps(begun):
            if step.index >= count:
                break
            if step.wrote or step.further or step.gone:
                state = apply_step((step.result, step.wrote, step.further, step.gone), state).state
        return state

    def last_state(self) -> State[Any]:
        """Returns the state that it ended with, or that it had come to."""
        outcome = self.call.call.outcome
        if outcome_number(outcome) == number.RETURNED:
            parts = split(_whole(split(outcome)[1], self._keeper))[1:]
            if len(parts) == 4:
                return _state_of(parts[2], self._keeper)
        return self.state_after(len(self))

    def taken(self) -> list[tuple[int, Step]]:
        """Returns (sequence id, step) of the steps that were taken, in order: of several attempts at one the last."""
        started: int | None = self._argument(_SEQUENCE)
        retries = _retries(self.call.component.source)
        taken: list[Step] = []
        attempts = 0
        for step in self.steps():
            if taken and _is_retried(taken[-1], step, attempts, retries):
                taken.pop()
            else:
                attempts = 0
            attempts += 1
            taken.append(step)
        return list(enumerate(taken, 0 if started is None else started + 1))

    def last_action(self) -> str | None:
        """Returns the name of the action that ran last and ended well; of one that never ran, where it began."""
        last = self.position
        for step in self.steps():
            if step.status == "ok":
                last = step.action
        return last


def _retries(source: str) -> dict[str, Any]:
    """Returns {action: [attempts, [exceptions]]} of a machine, from what it is described by."""
    try:
        described = json.loads(source)
    except ValueError:
        return {}
    found: dict[str, Any] = described.get(RETRIES, {})
    return found


def _is_retried(before: Step, step: Step, attempts: int, retries: dict[str, Any]) -> bool:
    """Returns whether a call is a further attempt at what another, after so many attempts, failed at: an error transition may lead to the same."""
    same = (before.call.call.args, before.call.call.component) == (step.call.call.args, step.call.call.component)
    most, kinds = retries.get(step.action, (0, ()))
    if before.status != "raised" or not same or attempts >= most:
        return False
    error = before.call.get_raised()
    return isinstance(error, RecordedError) or any(kind.__name__ in kinds for kind in type(error).__mro__)


def step_of(call: Invocation, index: int = 0) -> Step:
    """Returns a recorded call of an action as a step."""
    outcome = call.call.outcome
    kind = outcome_number(outcome)
    value: Any = None
    if kind == number.RETURNED:
        value = call.get_output()
    elif kind == number.STREAMED:
        items = decode(split(outcome)[1], call.store.objects)  # the last tells what the step did; of one that was left early there is none
        value = items[-1] if items and is_recorded(items[-1]) else None
    result, wrote, further, gone = (None, {}, {}, []) if value is None else recorded_step(value)
    return Step(index, str(call.args["action"]), call, result, wrote, further, gone)


def given(call: Invocation, before: State[Any]) -> dict[str, Any]:
    """Returns what a step read of the state before it, by field; what is only named in its record is looked up there."""
    named: dict[str, Any] = call.args["state"]
    return {name: before[name] if type(value) is WeakLink and name in before else value for name, value in named.items()}


def _kept(data: bytes, reader: ObjectReader) -> Iterator[tuple[int, ObjectId]]:
    """Yields (number of calls, state after them) as a run holds them."""
    for part in PartList(data, reader):
        _, count, link = split(_whole(part, reader))
        oid = linked(link)
        assert oid is not None
        yield int(decode(count, reader)), oid


def _whole(part: bytes, reader: ObjectReader) -> bytes:
    oid = linked(part)
    return part if oid is None else reader.read(oid)[1:]


def _state_of(part: bytes, keeper: Keeper) -> State[Any]:
    """Returns a state that stands in a record; one that is linked is not read before it is asked."""
    body = split(_whole(part, keeper))
    oid = linked(body[-1]) if len(body) == 4 and body[0] == bytes((number.WRAPPED,)) else None
    if oid is not None:
        return State.load(keeper, oid)
    state = decode(part, keeper)
    return state if isinstance(state, State) else State(state)

