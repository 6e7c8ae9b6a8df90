"""How a step is executed: here without a record, with what its action says of retries and time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gvstore.machine import attempts, cycle
from gvstore.machine.cycle_stream import execute_astream, execute_stream
from gvstore.machine.state import State

if TYPE_CHECKING:
    from gvstore.machine.application import Application


class Execution:
    """One call of an application's method, from its first step to its last."""

    def step(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> cycle.Outcome:
        """Returns what a step gave; raises what its action raised, after its retries."""
        retry = action.retry
        if retry is None and action.timeout is None:
            return cycle.execute(action, state, inputs)
        for pause in [*([] if retry is None else retry.delays()), None]:
            try:
                return attempts.with_timeout(action, lambda: cycle.execute(action, state, inputs))
            except Exception as e:
                if pause is None or not retry.admits(e):
                    raise
                time.sleep(pause)
        raise AssertionError

    async def astep(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> cycle.Outcome:
        """Returns what a step gave, as `step`."""
        retry = action.retry
        if retry is None and action.timeout is None:
            return await cycle.execute_async(action, state, inputs)
        for pause in [*([] if retry is None else retry.delays()), None]:
            try:
                return await attempts.with_timeout_async(action, lambda: cycle.execute_async(action, state, inputs))
            except Exception as e:
                if pause is None or not retry.admits(e):
                    raise
                await asyncio.sleep(pause)
        raise AssertionError

    def stream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> Generator[dict[str, Any], None, cycle.Outcome]:
        """Yields an action's results, and returns what the step gave."""
        return execute_stream(action, state, inputs)

    def astream(self, action: Any, state: State[Any], inputs: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
        """Yields an action's results, and last what the step gave."""
        return execute_astream(action, state, inputs)

    def end(self, value: tuple[str | None, Any, State[Any]]) -> None:
        """Takes what the method returns."""


@contextmanager
def open_execution(
    application: Application[Any],
    method: str,
    *,
    halt_before: Sequence[str] = (),
    halt_after: Sequence[str] = (),
    inputs: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Iterator[Execution]:
    """Opens the execution of one call of an application's method."""
    yield Execution()
