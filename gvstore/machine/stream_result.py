"""What a streaming action gives: its results one after the other, and then the state.

    action, answer = application.stream_result(halt_after=["answer"])
    for item in answer: ...
    result, state = answer.get()
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

from gvstore.machine.state import State
from gvstore.machine.turn import Done, Ended


class StreamingResultContainer:
    """The results of one step, to be iterated once; the step ends, and the state is updated, when they are through.

    One that is closed or forgotten half-way is a step that failed.
    """

    def __init__(self, items: Generator[Any, None, Done]) -> None:
        self._items = items
        self._done: Done | None = None

    @classmethod
    def pass_through(cls, results: Any, final_state: State[Any]) -> StreamingResultContainer:
        """Returns the container of a result that is there already."""
        made = cls(iter(()))  # type: ignore[arg-type]
        made._done = (None, results, final_state)
        return made

    def __iter__(self) -> Iterator[Any]:
        while self._done is None:
            try:
                item = next(self._items)
            except StopIteration as stop:
                self._done = stop.value
                return
            yield item

    def get(self) -> tuple[Any, State[Any]]:
        """Runs what is left, and returns (result, state); the result is None if the step failed and an error transition took it."""
        for _ in self:
            pass
        if self._done is None:
            raise RuntimeError("this stream was closed, or failed, before it was through: it has no result")
        return self._done[1], self._done[2]

    def close(self) -> None:
        """Ends the stream here; the step has failed, unless it was through."""
        if self._done is None:
            self._items.close()


class AsyncStreamingResultContainer:
    """The results of one step, as StreamingResultContainer, to be iterated with `async for` and asked with `await x.get()`."""

    def __init__(self, items: AsyncGenerator[Any, None] | None) -> None:
        self._items = items
        self._done: Done | None = None

    @classmethod
    def pass_through(cls, results: Any, final_state: State[Any]) -> AsyncStreamingResultContainer:
        """Returns the container of a result that is there already."""
        made = cls(None)
        made._done = (None, results, final_state)
        return made

    async def __aiter__(self) -> AsyncIterator[Any]:
        while self._done is None and self._items is not None:
            try:
                item = await anext(self._items)
            except StopAsyncIteration:
                return
            if isinstance(item, Ended):
                self._done = item.done
                await self._finish()
                return
            yield item

    async def _finish(self) -> None:
        assert self._items is not None
        async for _ in self._items:  # what its execution does last
            pass

    async def get(self) -> tuple[Any, State[Any]]:
        """Runs what is left, and returns (result, state)."""
        async for _ in self:
            pass
        if self._done is None:
            raise RuntimeError("this stream was closed, or failed, before it was through: it has no result")
        return self._done[1], self._done[2]

    async def aclose(self) -> None:
        """Ends the stream here; the step has failed, unless it was through."""
        if self._done is None and self._items is not None:
            await self._items.aclose()
