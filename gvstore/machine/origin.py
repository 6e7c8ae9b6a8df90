"""Where an application begins: with a state that was given, or where another left off.

    fresh      with_state, with_entrypoint
    resumed    initialize_from(persister) and the same app_id: after the last step, or at the failed one again
    rewound    ... and with_identifiers(sequence_id=): after that step
    forked     ... and fork_from_app_id=: another's step, under a new id
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gvstore.machine.application_fault import ForkFault
from gvstore.machine.finding import near
from gvstore.machine.persister import PersisterFault
from gvstore.machine.pointer import ParentPointer
from gvstore.machine.state import State
from gvstore.machine.turn import NEXT

FIRST = "first"  # of what was loaded: the number that the step had when it failed first


@dataclass(slots=True)
class Origin:
    """How `initialize_from` was called."""

    initializer: Any
    resume_at_next_action: bool
    default_state: Any
    default_entrypoint: str | None
    fork_from_app_id: str | None = None
    fork_from_partition_key: str | None = None
    fork_from_sequence_id: int | None = None
    override_state_values: Mapping[str, Any] | None = None

    @property
    def is_fork(self) -> bool:
        """Whether another application is forked."""
        return self.fork_from_app_id is not None

    def source(self, app_id: str | None, partition_key: str | None, sequence_id: int | None) -> tuple[str | None, str | None, int | None]:
        """Returns what is to be loaded: (partition_key, app_id, sequence_id).

        Raises:
            ForkFault: it would be forked onto itself; a part of a fork's name without the rest.
        """
        if not self.is_fork:
            given = [n for n in ("fork_from_partition_key", "fork_from_sequence_id") if getattr(self, n) is not None]
            if given:
                problem = f"If you set {given[0]}, fork_from_app_id is to be set too: it says nothing alone"
                raise ForkFault(problem, hint="Name the application to fork: fork_from_app_id=...")
            return partition_key, app_id, sequence_id
        if self.fork_from_app_id == app_id:
            raise ForkFault(
                f"Cannot fork and save under one id: application {app_id} is forked onto itself",
                hint="Give the fork an id of its own, with_identifiers(app_id=...), or leave fork_from_app_id= out to go on, "
                "and with_identifiers(app_id=..., sequence_id=...) to go back.",
            )
        partition = self.fork_from_partition_key if self.fork_from_partition_key is not None else partition_key
        return partition, self.fork_from_app_id, self.fork_from_sequence_id


@dataclass(slots=True)
class Start:
    """Where an application begins."""

    state: State[Any] | None  # None: what the builder was given
    position: str | None = None
    sequence_id: int | None = None
    entrypoint: str | None = None
    parent: ParentPointer | None = None


def start_of(origin: Origin, loaded: Mapping[str, Any] | None, sequence_id: int | None) -> Start:
    """Returns where an application begins that was loaded, or, where nothing was, its default.

    Raises:
        PersisterFault: what was loaded has no state.
    """
    if loaded is None:
        return Start(state_of(origin.default_state), None, sequence_id, origin.default_entrypoint)
    if loaded["state"] is None:
        where = f"step {loaded['sequence_id']} of {loaded.get('app_id')!r}"
        problem = f"{type(origin.initializer).__name__} loaded {where}, but value for state was None"
        raise PersisterFault(problem, hint="load() returns None where there is nothing to load.")
    state = state_of(loaded["state"])
    if origin.override_state_values:
        state = state.update(**dict(origin.override_state_values))
    start = Start(state, None, loaded["sequence_id"], origin.default_entrypoint)
    if origin.is_fork:
        start.parent = ParentPointer(str(origin.fork_from_app_id), loaded.get("partition_key") or None, loaded["sequence_id"])
    if not origin.resume_at_next_action:
        start.state = state.wipe(delete=[NEXT])
    elif loaded["status"] == "completed" or NEXT in state:
        start.position = loaded["position"]
    else:
        start.state = state.update(**{NEXT: [loaded["position"], None, loaded.get(FIRST, loaded["sequence_id"])]})
    return start


def state_of(given: Any) -> State[Any]:
    """Returns a state of what was given as one: a state, a dict, an instance of a program's type."""
    if given is None:
        return State()
    if isinstance(given, State):
        return given
    if isinstance(given, Mapping):
        return State(given)
    from gvstore.machine.typing_system import typing_of

    try:
        system = typing_of(type(given))
    except TypeError as e:
        raise TypeError(f"a state begins as a State, a dict, or an instance of its type, not as {given!r} ({type(given).__name__})") from e
    return system.construct_state(given)


def missing(origin: Origin, key: tuple[str | None, str | None, int | None], known: list[str], last: Any) -> ForkFault:
    """Returns the error that there is nothing to fork from; `last` is the application's last step, if it has one."""
    partition, app_id, sequence_id = key
    where = f" in partition {partition}" if partition else ""
    if last is not None:
        return ForkFault(
            f"application {app_id}{where} has no step {sequence_id} to fork from", hint=f"Its last step is {last['sequence_id']}."
        )
    found = near(str(app_id), known)
    shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
    hint = f"Did you mean {' or '.join(found)}?" if found else f"There are: {shown or 'none'}."
    return ForkFault(f"there is no application {app_id}{where} to fork from", hint=hint)


def load(origin: Origin, key: tuple[str | None, str | None, int | None]) -> Mapping[str, Any] | None:
    """Returns the step that an application goes on from, or None: it begins anew.

    Raises:
        ForkFault: there is nothing to fork from, or no step to go back to.
    """
    partition, app_id, sequence_id = key
    loaded = origin.initializer.load(partition, app_id, sequence_id)
    if loaded is None and (origin.is_fork or sequence_id is not None):
        last = None if sequence_id is None else origin.initializer.load(partition, app_id)
        if origin.is_fork or last is not None:
            raise missing(origin, key, _listed(origin.initializer.list_app_ids(partition)), last)
    if loaded is None or not _is_tried_again(origin, loaded):
        return loaded  # type: ignore[no-any-return]
    first = loaded["sequence_id"]
    while first > 0 and _is_attempt(origin.initializer.load(partition, app_id, first - 1), loaded):
        first -= 1
    return {**loaded, FIRST: first}


async def aload(origin: Origin, key: tuple[str | None, str | None, int | None]) -> Mapping[str, Any] | None:
    """Returns the step that an application goes on from, as `load`, from a persister of either kind."""
    partition, app_id, sequence_id = key
    loaded = await _awaited(origin.initializer.load(partition, app_id, sequence_id))
    if loaded is None and (origin.is_fork or sequence_id is not None):
        last = None if sequence_id is None else await _awaited(origin.initializer.load(partition, app_id))
        if origin.is_fork or last is not None:
            raise missing(origin, key, _listed(await _awaited(origin.initializer.list_app_ids(partition))), last)
    if loaded is None or not _is_tried_again(origin, loaded):
        return loaded  # type: ignore[no-any-return]
    first = loaded["sequence_id"]
    while first > 0 and _is_attempt(await _awaited(origin.initializer.load(partition, app_id, first - 1)), loaded):
        first -= 1
    return {**loaded, FIRST: first}


def _is_tried_again(origin: Origin, loaded: Mapping[str, Any]) -> bool:
    return loaded["status"] == "failed" and origin.resume_at_next_action and not origin.is_fork


def _is_attempt(step: Mapping[str, Any] | None, last: Mapping[str, Any]) -> bool:
    """Returns whether a step failed too, as the one that failed after it."""
    if step is None or step["sequence_id"] >= last["sequence_id"]:  # a loader that says the same whatever it is asked
        return False
    return step["status"] == "failed" and step["position"] == last["position"]  # type: ignore[no-any-return]


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _listed(names: Any) -> list[str]:
    return [str(name) for name in names]
