"""Runs of machines as they are recorded: a run of a machine is a call, and each of its steps is a call below it.

    with open_execution(app, "run", halt_after=["answer"], inputs=given) as execution:
        outcome = execution.step(action, state, inputs)
        execution.end((action.name, outcome.result, outcome.state))

At the top, with a repository active, it is a run; below a recorded call a call
of that; without a store nothing is recorded.  A step that the record answers
is not executed: what it changed is changed again.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing, closing
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from gvstore.errors import GvError
from gvstore.journal.call import execute, execute_async, open_call
from gvstore.journal.ending import end_raised, end_returned
from gvstore.journal.frame import Frame, lane_below, open_ancestor
from gvstore.journal.held import HeldComponent
from gvstore.journal.maker import stop_if_making
from gvstore.journal.perform import Execution as Top
from gvstore.journal.perform import Subject, Terms
from gvstore.journal.recorder import CURRENT
from gvstore.journal.running import RunOptions
from gvstore.journal.stream import execute_async_stream, execute_stream
from gvstore.machine.application_fault import MachineWarning
from gvstore.machine.attempts import Retry, astream_with_timeout, stream_with_timeout, with_timeout, with_timeout_async
from gvstore.machine.component import component_of
from gvstore.machine.cycle import Outcome
from gvstore.machine.cycle import execute as execute_action
from gvstore.machine.cycle import execute_async as execute_action_async
from gvstore.machine.cycle_stream import execute_astream as stream_action_async
from gvstore.machine.cycle_stream import execute_stream as stream_action
from gvstore.machine.kept import Keeper, keeper_of, kept
from gvstore.machine.outcome import StepValue, apply_step, checked_answer, given_state, is_recorded, step_value, unread
from gvstore.objects.record import NIL
from gvstore.store.active import active_store, current_store
from gvstore.store.store import warn_opaque

if TYPE_CHECKING:
    from gvstore.machine.application import Application
    from gvstore.machine.state import State

STEPS_APART: Final = 32  # between states that are kept on the way, by which any is read in a few look-ups
_JOINED: Final[ContextVar[Frame | None]] = ContextVar("gvstore.machine", default=None)
_PRIVATE: Final = "__"
CONTEXT: Final = "__context"  # among a step's recorded inputs: what the one before raised, where it sees that

Ended = tuple[str | None, Any, "State[Any]"]


class Execution:
    """One run of a machine: takes its steps, recorded where there is a record."""

    def __init__(self, app: Application[Any], frame: Frame | None, keeper: Keeper | None, top: Top | None, *, joined: bool = False) -> None:
        self._app, self._frame, self._keeper, self._top, self._joined = app, frame, keeper, top, joined
        self._store = None if top is None else top.store
        self._marked: State[Any] = app.state
        self._mark = STEPS_APART
        self._value: Ended = (app.position, None, app.state)

    def __enter__(self) -> Self:
        return self

    def end(self, value: Ended) -> None:
        """Says what the run returns: (name of the last action or None, result, state)."""
        self._value = value

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        frame = self._frame
        if frame is None or self._joined:
            return
        if isinstance(error, GeneratorExit):  # who iterated has seen enough
            error = None
        frame.ended = True
        raised = error
        try:
            if error is None:
                end_returned(frame, self.recorded())
            else:
                end_raised(frame, error)
        except GvError as e:
            raised = raised or e
            end_raised(frame, e)
        if self._top is None:
            if raised is not error and raised is not None:
                raise raised
            return
        performed = self._top.end(raised)
        self._app.last_run = performed.run
        if error is None and performed.error is not None:
            raise performed.error

    def recorded(self) -> tuple[Any, Any, Any, Any]:
        """Returns what the run returns, as it is recorded."""
        position, result, state = self._value
        assert self._keeper is not None
        return position, result, kept(state, self._keeper), self._app.sequence_id

    def step(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Outcome:
        """Takes one step, with the attempts that the action may have; returns its outcome.

        Raises:
            what the action raises, the last time it is tried.
        """
        for delay in _delays(action):
            try:
                if action.streaming:
                    return _exhausted(self._stream(action, state, inputs))
                return self._step(action, state, inputs)
            except Exception as e:
                if delay is None or not _is_to_retry(action.retry, e):
                    raise
                if self._executed:
                    time.sleep(delay)
        raise AssertionError

    async def astep(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Outcome:
        """The same, awaited, of any action."""
        import asyncio

        for delay in _delays(action):
            try:
                if action.streaming:
                    return await _exhausted_async(self._astream(action, state, inputs))
                return await self._astep(action, state, inputs)
            except Exception as e:
                if delay is None or not _is_to_retry(action.retry, e):
                    raise
                if self._executed:
                    await asyncio.sleep(delay)
        raise AssertionError

    _executed = True  # not answered from the record

    def _step(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Outcome:
        def attempt() -> Outcome:
            if action.timeout is None:
                return execute_action(action, state, inputs)
            return with_timeout(action, lambda: execute_action(action, state, inputs))

        parent = self._parent()
        if parent is None:
            return attempt()

        known = given_state(state, action.reads, action.writes)
        opened = self._opened(parent, action, known, inputs)

        def run() -> StepValue:
            return self._value_of(attempt(), action, state, known)

        return self._outcome(execute(opened, run, (), {}) if type(opened) is Frame else opened, state)

    async def _astep(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Outcome:
        async def attempt() -> Outcome:
            if action.timeout is None:
                return await execute_action_async(action, state, inputs)
            return await with_timeout_async(action, lambda: execute_action_async(action, state, inputs))

        parent = self._parent()
        if parent is None:
            return await attempt()

        known = given_state(state, action.reads, action.writes)
        opened = self._opened(parent, action, known, inputs)

        async def run() -> StepValue:
            return self._value_of(await attempt(), action, state, known)

        return self._outcome(await execute_async(opened, run, (), {}) if type(opened) is Frame else opened, state)

    def stream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Generator[Any, None, Outcome]:
        """Yields what a streaming action yields, and returns its outcome; it is tried again as long as nothing was told."""
        for delay in _delays(action):
            items, told = self._stream(action, state, inputs), False
            try:
                for item in items:
                    if isinstance(item, Outcome):
                        return item
                    told = True
                    yield item
            except Exception as e:
                if delay is None or told or not _is_to_retry(action.retry, e):
                    raise
                time.sleep(delay)
            finally:
                items.close()
        raise AssertionError

    def _stream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Generator[Any, None, None]:
        """Yields what one attempt yields, and last its outcome."""
        parent = self._parent()
        if parent is None:
            yield (yield from stream_with_timeout(action, stream_action(action, state, inputs)))
            return

        known = given_state(state, action.reads, action.writes)
        opened = self._opened(parent, action, known, inputs)

        def run() -> Generator[Any, None, None]:  # the outcome is told last, as where it is awaited
            outcome = yield from stream_with_timeout(action, stream_action(action, state, inputs))
            yield self._value_of(outcome, action, state, known)

        assert type(opened) is Frame
        with closing(execute_stream(opened, run, (), {})) as told:
            for item in told:
                yield self._outcome(item, state) if _is_last(item) else item

    async def astream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Yields what a streaming action yields, then its outcome; it is tried again as long as nothing was told."""
        import asyncio

        for delay in _delays(action):
            items, told = self._astream(action, state, inputs), False
            try:
                async for item in items:
                    told = True
                    yield item
                return
            except Exception as e:
                if delay is None or told or not _is_to_retry(action.retry, e):
                    raise
                await asyncio.sleep(delay)
            finally:
                await items.aclose()

    async def _astream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        parent = self._parent()
        if parent is None:
            async with aclosing(astream_with_timeout(action, stream_action_async(action, state, inputs))) as items:
                async for item in items:
                    yield item
            return

        known = given_state(state, action.reads, action.writes)
        opened = self._opened(parent, action, known, inputs)

        async def run() -> AsyncGenerator[Any, None]:
            async with aclosing(astream_with_timeout(action, stream_action_async(action, state, inputs))) as items:
                async for item in items:
                    yield self._value_of(item, action, state, known) if isinstance(item, Outcome) else item

        assert type(opened) is Frame
        async with aclosing(execute_async_stream(opened, run, (), {})) as told:
            async for item in told:
                yield self._outcome(item, state) if _is_last(item) else item

    def _parent(self) -> Frame | None:
        return None if self._frame is None else open_ancestor(self._frame)

    def _value_of(self, outcome: Outcome, action: Any, before: State[Any], known: Mapping[str, Any]) -> StepValue:
        """Returns what a step that was executed is recorded to have returned."""
        told = known if len(known) == len(action.reads) else {*known, *action.reads}
        seen = unread(outcome, told)
        if seen:
            assert self._frame is not None
            self._frame.recording.note_altered()
            warn_unread(action, seen)
        return step_value(outcome, before, told)

    def _opened(self, parent: Frame, action: Any, known: Mapping[str, Any], inputs: Mapping[str, Any]) -> Any:
        """Returns the frame of a step that has begun, or what the record answers."""
        given = {name: value for name, value in inputs.items() if not name.startswith(_PRIVATE)}
        if CONTEXT in inputs and (error := inputs[CONTEXT].error) is not None:  # it sees what the last step raised
            given[CONTEXT] = f"{type(error).__name__}: {error}"
        args = (action.name, known, {**action.bound, **given})
        opened = open_call(parent, component_of(action), args, {})
        if type(opened) is Frame:
            self._executed = True
            return opened
        self._executed = False
        if type(opened) is tuple:
            return checked_answer(action.name, action.writes, opened[0])
        try:
            return checked_answer(action.name, action.writes, opened.give())  # type: ignore[union-attr]
        except BaseException as e:
            parent.raised = e
            raise

    def _outcome(self, value: Any, before: State[Any]) -> Outcome:
        step = value if type(value) is StepValue else apply_step(value, before)
        frame = self._frame
        if frame is not None and frame.parent is None and frame.begun >= self._mark:
            assert self._keeper is not None
            frame.recording.states.append((frame.begun, step.state.store(self._keeper, self._marked)))
            self._marked, self._mark = step.state, frame.begun + STEPS_APART
        return Outcome(step.result, step.state)


def open_execution(
    app: Application[Any], method: str, *, halt_before: Sequence[str] = (), halt_after: Sequence[str] = (),
    inputs: Mapping[str, Any] | None = None, limit: int | None = None,
) -> Execution:  # fmt: skip
    """Begins a run of a machine, and its record where there is a store.

    Raises:
        StateValueError: the state holds what cannot be stored.
        WriteFailed, ReadOnly: nothing can be recorded.
    """
    stop_if_making()
    frame = CURRENT.get()
    joined = _JOINED.get()
    if frame is not None and joined is frame:
        _JOINED.set(None)
        return Execution(app, frame, keeper_of(current_store()), None, joined=True)
    above = None if frame is None else open_ancestor(frame)
    store = active_store()
    if store is None or (above is None and not _records(store)):
        return Execution(app, None, None, None)
    live: HeldComponent = app.__gv__
    keeper = keeper_of(store)
    given = {name: value for name, value in (inputs or {}).items() if not name.startswith(_PRIVATE)}
    args = (
        kept(app.state, keeper), app.position, app.sequence_id, "step" if method.endswith("step") else "run",
        tuple(halt_before), tuple(halt_after), given, limit, (app.uid if above is None or app.is_named else None, app.partition_key),
    )  # fmt: skip
    if above is not None:
        return Execution(app, _begin(above, live, args), keeper, None)
    options = RunOptions(target=target_of(live, store), labels=labels_of(app))
    top = Top(store, Subject(live, None, args, {}), Terms(options=options))
    return Execution(app, top.begin(), keeper, top)


def _records(store: Any) -> bool:
    """Returns whether machines at the top are recorded into a store: into a repository."""
    return getattr(store, "repository", None) is not None


def _begin(parent: Frame, live: HeldComponent, args: tuple[Any, ...]) -> Frame:
    """Returns the frame of a run below a recorded call, its recorded steps for answers."""
    recording = parent.recording
    data = recording.encode(args)
    if recording.unstored:
        warn_opaque(recording.altered() or [])
    answers = None
    if parent.answers is not None:
        lane = lane_below(parent) if parent.spawned else parent
        answer = parent.answers.take(live, data, NIL, lane.path)
        answers = parent.answers.unrecorded() if answer is None else answer.below()
    return recording.begin(live, parent, data, NIL, answers)


def target_of(live: HeldComponent, store: Any) -> str:
    """Returns how the machine is typed at a command line: `app.py:application`."""
    name = live.name(store.root)
    return name


def labels_of(app: Application[Any]) -> dict[str, str | int]:
    """Returns what a machine's runs are found by."""
    labels: dict[str, str | int] = {"app": app.uid or "", "sequence": app.sequence_id or 0}
    return labels if app.partition_key is None else {**labels, "partition": app.partition_key}


def function_of(app: Application[Any]) -> Callable[..., Any]:
    """Returns what a machine's component executes, in a replay and by `gv run`: a fork of it, from a state."""

    def fork(state: Any, position: Any, sequence_id: Any, identity: Any) -> Application[Any]:
        forked = app.fork(state=state, position=position, sequence_id=sequence_id, app_id=identity[0], partition_key=identity[1])
        _JOINED.set(CURRENT.get())
        return forked

    def run(
        state: Any, position: Any, sequence_id: Any, method: str, before: Any, after: Any, inputs: Any, limit: Any, identity: Any
    ) -> Any:
        forked, result = fork(state, position, sequence_id, identity), None
        if method == "step":
            done = forked.step(inputs)
            result = None if done is None else done[1]
        else:
            for _, result, _ in forked.proceed(before, after, inputs, limit):  # noqa: B007
                pass
        return forked.position, result, kept(forked.state, keeper_of(current_store())), forked.sequence_id

    async def arun(
        state: Any, position: Any, sequence_id: Any, method: str, before: Any, after: Any, inputs: Any, limit: Any, identity: Any
    ) -> Any:
        forked, result = fork(state, position, sequence_id, identity), None
        if method == "step":
            done = await forked.astep(inputs)
            result = None if done is None else done[1]
        else:
            async for _, result, _ in forked.aproceed(before, after, inputs, limit):  # noqa: B007
                pass
        return forked.position, result, kept(forked.state, keeper_of(current_store())), forked.sequence_id

    actions: list[Any] = app.graph.actions
    return arun if any(action.is_async() for action in actions) else run


def warn_unread(action: Any, fields: Sequence[str]) -> None:
    """Warns that a step looked at fields that its action only declares as written: no record can answer for it."""
    told = f"action {action.name} looks at {', '.join(fields)}, and declares only to write it: a replay executes it again. Add it to reads"
    warnings.warn(told, MachineWarning, stacklevel=2)


def _delays(action: Any) -> Sequence[float | None]:
    retry: Retry | None = action.retry
    return (None,) if retry is None else (*retry.delays(), None)


def _is_to_retry(retry: Retry | None, error: BaseException) -> bool:
    return retry is not None and retry.admits(error)


def _is_last(item: Any) -> bool:
    """Returns whether what a recorded stream told is the step's outcome, taken now or answered from the record."""
    return type(item) is StepValue or is_recorded(item)


def _exhausted(items: Generator[Any, None, None]) -> Outcome:
    found: Any = None
    for found in items:  # noqa: B007
        pass
    assert isinstance(found, Outcome)
    return found


async def _exhausted_async(items: AsyncGenerator[Any, None]) -> Outcome:
    found: Any = None
    async for found in items:  # noqa: B007
        pass
    assert isinstance(found, Outcome)
    return found
