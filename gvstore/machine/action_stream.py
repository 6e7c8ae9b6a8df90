"""Actions that tell their result piece by piece.

    StreamingAction                    stream_run yields results; the last is the result, and `update` writes it
    AsyncStreamingAction               the same with `async`
    SingleStepStreamingAction          stream_run_and_update yields (result, None), at the end (result, state)
    AsyncSingleStepStreamingAction     the same with `async`
    @streaming_action(reads, writes)   a generator function of that kind

What a stream raises is raised to who reads it, whatever came before.
"""

from __future__ import annotations

import abc
import inspect
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar, cast

from gvstore.machine.action_class import Action, SingleStepAction
from gvstore.machine.action_fault import YIELDS, ActionFault
from gvstore.machine.action_function import ActionFunction, Decorator, FunctionBasedAction, mark
from gvstore.machine.attempts import Retry
from gvstore.machine.state import State
from gvstore.machine.terms import Declared

P = ParamSpec("P")
Item = tuple[Mapping[str, Any], State[Any] | None]
Out = TypeVar("Out", covariant=True)
R = TypeVar("R", bound=Iterator[Item] | AsyncIterator[Item])


class StreamingAction(Action, abc.ABC):
    """An action whose `stream_run(state, **inputs)` yields results, dicts; the last is the result that `update` is given."""

    streaming = True

    @abc.abstractmethod
    def stream_run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Generator[dict[str, Any], None, None]:
        """Yields results."""

    def run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the last result of the stream."""
        result = None
        for result in self.stream_run(state, **run_kwargs):  # noqa: B007
            pass
        return result

    def _entry(self) -> Callable[..., Any]:
        return self.stream_run


class AsyncStreamingAction(Action, abc.ABC):
    """An action whose `stream_run(state, **inputs)` is an async generator of results; the last is the result."""

    streaming = True

    @abc.abstractmethod
    def stream_run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Yields results."""

    async def run(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the last result of the stream."""
        result = None
        async for result in self.stream_run(state, **run_kwargs):  # noqa: B007
            pass
        return result

    def is_async(self) -> bool:
        """Returns True."""
        return True

    def _entry(self) -> Callable[..., Any]:
        return self.stream_run


class SingleStepStreamingAction(SingleStepAction, abc.ABC):
    """An action whose `stream_run_and_update(state, **inputs)` yields (result, None), and at the end (result, state)."""

    streaming = True

    @abc.abstractmethod
    def stream_run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Yields (result, None), and at the end (result, state)."""

    def run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the last (result, state) of the stream."""
        last = None
        for last in self.stream_run_and_update(state, **run_kwargs):  # noqa: B007
            pass
        return last

    def _entry(self) -> Callable[..., Any]:
        return self.stream_run_and_update


class AsyncSingleStepStreamingAction(SingleStepStreamingAction, abc.ABC):
    """The same with an async generator."""

    async def run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the last (result, state) of the stream."""
        last = None
        async for last in self.stream_run_and_update(state, **run_kwargs):  # noqa: B007
            pass
        return last

    def is_async(self) -> bool:
        """Returns True."""
        return True


class FunctionBasedStreamingAction(FunctionBasedAction, SingleStepStreamingAction):
    """The action of a decorated generator function."""

    def _check_kind(self, called: str) -> None:
        if not (inspect.isgeneratorfunction(self._fn) or inspect.isasyncgenfunction(self._fn)) and self._fn is self._origin:
            hint = f"{YIELDS} Without items, type @action(...) above it."
            raise ActionFault(f"streaming action {called} is no generator function", hint=hint)

    def stream_run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the function's generator."""
        return FunctionBasedAction.run_and_update(self, state, **run_kwargs)

    def run_and_update(self, state: State[Any], *args: Any, **run_kwargs: Any) -> Any:
        """Returns the last (result, state) of the stream; to be awaited, if the function is async."""
        way = AsyncSingleStepStreamingAction if self._async else SingleStepStreamingAction
        return way.run_and_update(cast("Any", self), state, **run_kwargs)

    def __call__(self, state: State[Any], **inputs: Any) -> Any:
        return self.stream_run_and_update(state, **inputs)


class streaming_action(Decorator):
    """The decorator of generator functions that are actions; its parameters are those of `action`."""

    def __call__(self, fn: Callable[P, R]) -> ActionFunction[P, R]:
        """Returns the function, marked as a streaming action.

        Raises:
            ActionFault: it cannot be one.
        """
        scope = sys._getframe(1).f_locals
        made = FunctionBasedStreamingAction(
            fn, self.reads, self.writes, tags=self.tags, retry=self.retry, timeout=self.timeout, scope=scope
        )
        mark(fn, made)
        return cast("ActionFunction[P, R]", fn)

    @staticmethod
    def pydantic(
        reads: Declared,
        writes: Declared,
        state_input_type: type | None = None,
        state_output_type: type | None = None,
        stream_type: Any = None,
        tags: Sequence[str] | None = None,
        *,
        retry: Retry | int | None = None,
        timeout: float | None = None,
    ) -> Callable[[Callable[P, Out]], ActionFunction[P, Out]]:
        """Returns the decorator of generator functions over a pydantic model; `stream_type` is that of the items: a model, or dict."""

        def decorate(fn: Callable[P, Out]) -> ActionFunction[P, Out]:
            from gvstore.machine.action_pydantic import decorated

            scope = sys._getframe(1).f_locals
            types = (state_input_type, state_output_type)
            options = {"tags": tags, "retry": retry, "timeout": timeout}
            made = decorated(fn, reads, writes, types, scope, stream_type=stream_type, streaming=True, **options)
            return cast("ActionFunction[P, Out]", made)

        return decorate


pydantic_streaming_action = streaming_action.pydantic
