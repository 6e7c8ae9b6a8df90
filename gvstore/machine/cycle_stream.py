"""A step whose action streams: its results as they come, and the outcome after the last.

The generators of the action are closed when nobody reads on.  What they raise
goes to the reader.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping
from typing import Any

from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import YIELDS, AsyncAction, WrongReturn, shown
from gvstore.machine.cycle import Outcome, execute, execute_async, finished, reduced
from gvstore.machine.state import State
from gvstore.machine.view import view_of

_RESULTS = "Yield dicts; the last one is the result."


def execute_stream(
    action: Action, state: State[Any], inputs: Mapping[str, Any] | None = None
) -> Generator[Any, None, Outcome]:
    """Yields the results of a sync action but for the last, and returns the outcome; one that does not stream yields nothing.

    Raises:
        ActionFault: as `execute`, and where what it yields is no result.
        Exception: whatever the action raises.
    """
    if not action.streaming:
        return execute(action, state, inputs)
    fold = _Fold(action, state)
    if fold.terms.is_async:
        raise AsyncAction(fold.terms.label)
    stream = fold.begun(inputs)
    if hasattr(stream, "__aiter__") or inspect.isawaitable(stream):
        raise fold.unawaited(stream)
    if not hasattr(stream, "__next__"):
        raise fold.no_stream(stream)
    try:
        for item in stream:
            yield from fold.take(item)
    finally:
        if hasattr(stream, "close"):
            stream.close()
    return fold.outcome()


async def execute_astream(
    action: Action, state: State[Any], inputs: Mapping[str, Any] | None = None
) -> AsyncGenerator[Any, None]:
    """Yields the results of an action, sync or async, but for the last, and then the Outcome; otherwise as `execute_stream`."""
    if not action.streaming:
        yield await execute_async(action, state, inputs)
        return
    fold = _Fold(action, state)
    stream = fold.begun(inputs)
    if inspect.isawaitable(stream):
        stream = await stream
    if hasattr(stream, "__aiter__"):
        try:
            async for item in stream:
                for each in fold.take(item):
                    yield each
        finally:
            if hasattr(stream, "aclose"):
                await stream.aclose()
    elif hasattr(stream, "__next__"):
        try:
            for item in stream:
                for each in fold.take(item):
                    yield each
        finally:
            if hasattr(stream, "close"):
                stream.close()
    else:
        raise fold.no_stream(stream)
    yield fold.outcome()


def drained(action: Action, state: State[Any], inputs: Mapping[str, Any] | None) -> Outcome:
    """Returns the outcome of a sync action that streams, its items unseen."""
    stream = execute_stream(action, state, inputs)
    while True:
        try:
            next(stream)
        except StopIteration as end:
            outcome: Outcome = end.value
            return outcome


async def drained_async(action: Action, state: State[Any], inputs: Mapping[str, Any] | None) -> Outcome:
    """Returns the outcome of an action that streams, its items unseen."""
    stream: AsyncIterator[Any] = execute_astream(action, state, inputs)
    last = None
    async for last in stream:  # noqa: B007
        pass
    assert isinstance(last, Outcome)
    return last


class _Fold:
    """What came of a stream so far; the same for sync and async."""

    def __init__(self, action: Action, state: State[Any]) -> None:
        self.action, self.terms = action, action.terms()
        self._view = view_of(state, self.terms)
        self._last: Any = None  # in two steps: the last result, which may be the final one
        self._final: tuple[Any, Any] | None = None
        self._count = 0

    def begun(self, inputs: Mapping[str, Any] | None) -> Any:
        given, view = self.terms.given(inputs), self._view
        action: Any = self.action
        return action.stream_run_and_update(view, **given) if action.single_step else action.stream_run(view, **given)

    def take(self, item: Any) -> list[Any]:
        """Returns what is to be told now that this item came."""
        self._count += 1
        label = self.terms.label
        if not self.action.single_step:
            if not isinstance(item, dict):
                raise WrongReturn(label, f"returned a non-dict: it yielded {shown(item)}", _RESULTS)
            before, self._last = self._last, item
            return [before] if self._count > 1 else []
        if isinstance(item, State):
            item = ({}, item)
        elif isinstance(item, dict):  # a part, without the None beside it
            item = (item, None)
        if not isinstance(item, tuple) or len(item) != 2:
            raise WrongReturn(label, f"must yield (result, None) or (result, state), and yielded {shown(item)}", YIELDS)
        if self._final is not None:
            raise WrongReturn(label, "yielded more after it had yielded the state", YIELDS)
        result, after = item
        if not isinstance(result, dict) and not self.terms.any_result:
            raise WrongReturn(label, f"returned a non-dict: it yielded {shown(result)} as a result", YIELDS)
        if after is None:
            self._last = result
            return [result]
        self._final = (result, after)
        return []

    def outcome(self) -> Outcome:
        """Returns what the stream came to, now that it is over."""
        terms = self.terms
        if not self.action.single_step:
            if not self._count:
                raise WrongReturn(terms.label, "yielded nothing", _RESULTS)
            return reduced(self.action, self._view, self._last)
        if self._final is None:
            what = "yielded nothing" if not self._count else "must yield (result, state) at the end, but value for state was None"
            raise WrongReturn(terms.label, what, YIELDS)
        return finished(terms, self._view, self._final)

    def unawaited(self, stream: Any) -> AsyncAction:
        if inspect.iscoroutine(stream):
            stream.close()
        return AsyncAction(self.terms.label, f"returned an async stream ({type(stream).__name__}), so it is async, and this run is not")

    def no_stream(self, stream: Any) -> WrongReturn:
        return WrongReturn(self.terms.label, f"returned {shown(stream)}, which is no stream", YIELDS if self.action.single_step else _RESULTS)


