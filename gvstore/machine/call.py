"""One call of an application: what was asked for, looked at at once; then step after step.

    given         looks at halts, inputs and bounds, before anything runs
    proceed       the loop that all calls share, within an execution
    step run ...  the calls: hooks around an execution around the loop

Each stands here plain and awaited.
"""

from __future__ import annotations

import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gvstore.errors import UsageFault
from gvstore.machine import execution as executions
from gvstore.machine import walk
from gvstore.machine.application_fault import MachineWarning, TooManySteps, UnknownInput
from gvstore.machine.halts import Halts, all_of, check, named
from gvstore.machine.hook import ExecuteMethod
from gvstore.machine.node import name_of
from gvstore.machine.turn import Done

if TYPE_CHECKING:
    from gvstore.machine.application import Application, Inputs, Names
    from gvstore.machine.execution import Execution


class CallFault(UsageFault, ValueError):
    """What was asked of an application contradicts itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one call was asked for."""

    method: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    inputs: Mapping[str, Any]
    limit: int | None
    gathers: bool  # it answers (state, results), as `until` does


def given(
    app: Application[Any],
    method: str,
    halt_before: Names = None,
    halt_after: Names = None,
    inputs: Inputs = None,
    until: Names = None,
    until_all: Names = None,
    max_steps: int | None = None,
) -> Asked:
    """Returns what a call was asked for.

    Raises:
        CallFault: `until` together with `halt_after`; no number of steps; a persister that is to be
            awaited, and a method that is not.
        UnknownInput: no action takes an input.
        MachineFault: it can never halt where it is to.
    """
    before, after = named(halt_before, "halt_before"), named(halt_after, "halt_after")
    gathers = until is not None or until_all is not None
    if gathers and halt_after is not None:
        raise CallFault("until= means halt_after=: give one of them", hint="until= answers (state, results), halt_after= (action, result, state).")
    after += named(until, "until") + tuple(all_of(*named(until_all, "until_all")))
    if max_steps is not None and (isinstance(max_steps, bool) or not isinstance(max_steps, int) or max_steps < 1):
        raise CallFault(f"max_steps= is a whole number from 1, not {max_steps!r}", hint="Leave it out for a run without bound.")
    if inputs is None:
        inputs = {}
    elif not isinstance(inputs, Mapping):
        raise CallFault(f"inputs= is a dict of names and values, not {type(inputs).__name__}", hint='Type inputs={"name": value}.')
    takers = app._graph.takers
    for name in inputs:
        if name not in takers:
            raise UnknownInput(str(name), takers)
    if not method.startswith("a"):
        _check_awaited(app, method)
    key = (app._position, before, after)
    if not method.endswith("step") and key not in app._checked:
        if before or after or max_steps is None:
            check(app._graph, app._position, before, after)
        app._checked.add(key)
    return Asked(method, before, after, inputs, max_steps, gathers)


def _check_awaited(app: Application[Any], method: str) -> None:
    """Looks for what a call that is not awaited would leave out."""
    if app._saver is not None and app._saver.is_async:
        raise CallFault(f"the persister of this application is async: {method}() cannot await it", hint=f"Type await application.a{method}(...).")
    left = sorted(name for name in app._ahooked if app._hooks.does_hook(name, True))
    if left and "hooks" not in app._checked:
        app._checked.add("hooks")
        told = f"{', '.join(left)}: awaited hooks are not told of {method}(). Type await application.a{method}(...)"
        warnings.warn(told, MachineWarning, stacklevel=4)


@contextmanager
def calling(app: Application[Any], asked: Asked) -> Iterator[Execution]:
    """Opens an execution, between the hooks of a call."""
    if "pre_run_execute_call" in app._hooked:
        app._hooks.call_all_lifecycle_hooks_sync("pre_run_execute_call", **_told(app, asked))
    try:
        with _opened(app, asked) as execution:
            try:
                yield execution
            except GeneratorExit:  # nobody reads on: what was done stands
                execution.end((app._position, None, app._state))
                raise
    except BaseException as e:
        walk.noting(e, partial(_ended, app, asked, e))
        raise
    _ended(app, asked, None)


def _ended(app: Application[Any], asked: Asked, error: BaseException | None) -> None:
    try:
        if app._saver is not None:
            app._saver.rest()
    finally:
        if "post_run_execute_call" in app._hooked:
            app._hooks.call_all_lifecycle_hooks_sync("post_run_execute_call", **_told(app, asked), exception=_raised(error))


@asynccontextmanager
async def acalling(app: Application[Any], asked: Asked) -> AsyncIterator[Execution]:
    """Opens an execution, between the hooks of a call."""
    if "pre_run_execute_call" in app._ahooked:
        await app._hooks.call_all_lifecycle_hooks_sync_and_async("pre_run_execute_call", **_told(app, asked))
    try:
        with _opened(app, asked) as execution:
            try:
                yield execution
            except GeneratorExit:  # nobody reads on: what was done stands
                execution.end((app._position, None, app._state))
                raise
    except BaseException as e:
        await walk.anoting(e, _aended(app, asked, e))
        raise
    await _aended(app, asked, None)


async def _aended(app: Application[Any], asked: Asked, error: BaseException | None) -> None:
    try:
        if app._saver is not None:
            await app._saver.arest()
    finally:
        if "post_run_execute_call" in app._ahooked:
            told = {**_told(app, asked), "exception": _raised(error)}
            await app._hooks.call_all_lifecycle_hooks_sync_and_async("post_run_execute_call", **told)


def _opened(app: Application[Any], asked: Asked) -> AbstractContextManager[Execution]:
    return executions.open_execution(
        app, asked.method, halt_before=asked.before, halt_after=asked.after, inputs=asked.inputs, limit=asked.limit
    )


def _raised(error: BaseException | None) -> BaseException | None:
    return None if isinstance(error, GeneratorExit) else error  # nobody reads on: no failure


def _told(app: Application[Any], asked: Asked) -> dict[str, Any]:
    return {
        "app_id": app._uid,
        "partition_key": app._partition_key,
        "state": app._state,
        "method": ExecuteMethod(asked.method),
    }


class Course:
    """How far one call is: it counts, gathers, and says when it is over."""

    def __init__(self, app: Application[Any], asked: Asked) -> None:
        self.app, self.asked = app, asked
        self.halts = Halts(app._graph, asked.before, asked.after)
        self.count = 0
        self.last: Done | None = None
        self.next: Any = None  # the action that it halted before
        self.results: list[Any] = []

    def bound(self) -> None:
        """Raises TooManySteps if there may be no further step, and would be one."""
        if self.count == self.asked.limit:
            following = self.app.get_next_action()
            if following is not None:
                raise TooManySteps(self.count, name_of(following))

    def took(self, done: Done) -> None:
        """Takes a step."""
        self.count += 1
        self.last = done
        if self.asked.gathers and done[1] is not None:
            self.results.append(done[1])

    def is_over(self) -> bool:
        """Returns whether the call ends with the step it took last."""
        last = self.last
        assert last is not None
        failed = self.app._error is not None
        if self.halts.before:
            following = self.app.get_next_action()
            if following is not None and name_of(following) in self.halts.before:
                self.next = following
                return True
        return not failed and self.halts.stops_after(name_of(last[0]))

    def value(self) -> Any:
        """Returns what the call answers."""
        state = self.app._state
        if self.asked.gathers:
            return state, self.results
        if self.next is not None:
            return self.next, None, state
        return (None, None, state) if self.last is None else (self.last[0], self.last[1], state)

    def end(self, execution: Execution) -> Any:
        """Tells an execution what the call answers, and returns that."""
        last = self.next if self.next is not None else None if self.last is None else self.last[0]
        result = None if self.next is not None or self.last is None else self.last[1]
        execution.end((None if last is None else name_of(last), result, self.app._state))
        return self.value()


def step(app: Application[Any], asked: Asked) -> Done | None:
    """Runs one step."""
    with calling(app, asked) as execution:
        done = walk.step(app, execution, asked.inputs, asked.method)
        execution.end((None, None, app._state) if done is None else (name_of(done[0]), done[1], done[2]))
    return done


async def astep(app: Application[Any], asked: Asked) -> Done | None:
    """Runs one step."""
    async with acalling(app, asked) as execution:
        done = await walk.astep(app, execution, asked.inputs, asked.method)
        execution.end((None, None, app._state) if done is None else (name_of(done[0]), done[1], done[2]))
    return done


def proceed(app: Application[Any], asked: Asked, execution: Execution) -> Generator[Done, None, Any]:
    """Yields step after step, and returns what the call answers."""
    course = Course(app, asked)
    while True:
        course.bound()
        done = walk.step(app, execution, asked.inputs, asked.method)
        if done is None:
            break
        course.took(done)
        yield done
        if course.is_over():
            break
    return course.end(execution)


async def aproceed(
    app: Application[Any], asked: Asked, execution: Execution, course: Course | None = None
) -> AsyncGenerator[Done, None]:
    """Yields step after step; the course knows what the call answers."""
    course = course or Course(app, asked)
    while True:
        course.bound()
        done = await walk.astep(app, execution, asked.inputs, asked.method)
        if done is None:
            break
        course.took(done)
        yield done
        if course.is_over():
            break
    course.end(execution)


def iterate(app: Application[Any], asked: Asked) -> Generator[Done, None, Any]:
    """Yields step after step, and returns what the call answers."""
    with calling(app, asked) as execution:
        return (yield from proceed(app, asked, execution))


async def aiterate(app: Application[Any], asked: Asked) -> AsyncGenerator[Done, None]:
    """Yields step after step."""
    async with acalling(app, asked) as execution:
        steps = aproceed(app, asked, execution)
        try:
            async for done in steps:
                yield done
        finally:
            await steps.aclose()


def run(app: Application[Any], asked: Asked) -> Any:
    """Runs step after step, and returns what the call answers."""
    with calling(app, asked) as execution:
        steps = proceed(app, asked, execution)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value


async def arun(app: Application[Any], asked: Asked) -> Any:
    """Runs step after step, and returns what the call answers."""
    async with acalling(app, asked) as execution:
        course = Course(app, asked)
        async for _ in aproceed(app, asked, execution, course):
            pass
        return course.value()
