"""Streaming actions: results as they come, one outcome at the end, and what a stream raises reaches its reader."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest

from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import (
    ActionFault,
    AsyncAction,
    MissingInputs,
    UndeclaredRead,
    UndeclaredWrite,
    WrongReturn,
)
from gvstore.machine.action_function import action, create_action
from gvstore.machine.action_stream import (
    AsyncSingleStepStreamingAction,
    AsyncStreamingAction,
    SingleStepStreamingAction,
    StreamingAction,
    streaming_action,
)
from gvstore.machine.cycle import Outcome, execute, execute_async
from gvstore.machine.cycle_stream import execute_astream, execute_stream
from gvstore.machine.state import State


@streaming_action(reads=["prompt"], writes=["answer"], tags=["tell"])
def tell(state: State[Any], tail: str = "!") -> Generator[tuple[dict[str, Any], State[Any] | None], None, None]:
    for letter in state["prompt"]:
        yield {"part": letter}, None
    whole = state["prompt"] + tail
    yield {"answer": whole}, state.update(answer=whole)


@streaming_action(reads=["prompt"], writes=["answer"])
async def tell_later(state: State[Any], tail: str = "!") -> AsyncGenerator[tuple[dict[str, Any], State[Any] | None], None]:
    for letter in state["prompt"]:
        await asyncio.sleep(0)
        yield {"part": letter}, None
    whole = state["prompt"] + tail
    yield {"answer": whole}, state.update(answer=whole)


class Tell(StreamingAction):
    reads = ("prompt",)
    writes = ("answer",)

    def stream_run(self, state: State[Any], tail: str = "!") -> Generator[dict[str, Any], None, None]:
        for letter in state["prompt"]:
            yield {"part": letter}
        yield {"answer": state["prompt"] + tail}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        return state.update(**result)


class TellLater(AsyncStreamingAction):
    reads = ("prompt",)
    writes = ("answer",)

    async def stream_run(self, state: State[Any], tail: str = "!") -> AsyncGenerator[dict[str, Any], None]:
        for letter in state["prompt"]:
            await asyncio.sleep(0)
            yield {"part": letter}
        yield {"answer": state["prompt"] + tail}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        return state.update(**result)


class TellOnce(SingleStepStreamingAction):
    reads = ("prompt",)
    writes = ("answer",)

    def stream_run_and_update(self, state: State[Any], tail: str = "!") -> Any:
        return tell(state, tail)


class TellOnceLater(AsyncSingleStepStreamingAction):
    reads = ("prompt",)
    writes = ("answer",)

    async def stream_run_and_update(self, state: State[Any], tail: str = "!") -> Any:
        async for item in tell_later(state, tail):
            yield item


SYNC = [tell, tell.bind(tail="!"), Tell(), TellOnce()]
ASYNC = [tell_later, tell_later.bind(tail="!"), TellLater(), TellOnceLater()]
STATE: State[Any] = State({"prompt": "ab", "other": 1})
PARTS = [{"part": "a"}, {"part": "b"}]
DONE = Outcome({"answer": "ab!"}, State({"prompt": "ab", "answer": "ab!", "other": 1}))


def named(value: Any) -> Action:
    return create_action(value, "step")


def read(value: Any, state: State[Any] = STATE, **inputs: Any) -> tuple[list[Any], Any]:
    stream, items = execute_stream(named(value), state, inputs), []
    while True:
        try:
            items.append(next(stream))
        except StopIteration as end:
            return items, end.value


def read_async(value: Any, state: State[Any] = STATE, **inputs: Any) -> tuple[list[Any], Any]:
    async def reading() -> list[Any]:
        return [item async for item in execute_astream(named(value), state, inputs)]

    *items, last = asyncio.run(reading())
    return items, last


@pytest.mark.parametrize("value", SYNC)
def test_sync_streams(value: Any) -> None:
    """The parts, then the outcome; the same whether they are read, awaited, or not looked at."""
    assert (PARTS, DONE) == read(value)
    assert (PARTS, DONE) == read_async(value)
    assert DONE == execute(named(value), STATE) == asyncio.run(execute_async(named(value), STATE))
    assert "ab?" == read(value, tail="?")[1].result["answer"] or value is SYNC[1]


@pytest.mark.parametrize("value", ASYNC)
def test_async_streams(value: Any) -> None:
    """The same, awaited; where nothing can be awaited, an error."""
    assert (PARTS, DONE) == read_async(value)
    assert DONE == asyncio.run(execute_async(named(value), STATE))
    for run in (read, lambda each: execute(named(each), STATE)):
        with pytest.raises(AsyncAction, match="action step is async"):
            run(value)


def test_an_action_that_does_not_stream_has_no_items() -> None:
    """It has an outcome."""

    @action(reads=["prompt"], writes=["answer"])
    def plain(state: State[Any]) -> State[Any]:
        return state.update(answer=state["prompt"])

    for reading in (read, read_async):
        assert ([], {"prompt": "ab", "answer": "ab", "other": 1}) == (reading(plain)[0], reading(plain)[1].state)


def test_a_stream_stays_a_generator_function() -> None:
    """It is called as it was."""
    assert ["tell"] == tell.tags
    assert [*((part, None) for part in PARTS)] == list(tell(State({"prompt": "ab"})))[:2]
    assert "ab?" == list(tell.bind(tail="?")(STATE))[-1][0]["answer"]
    assert {"answer": "ab!"} == Tell().run(STATE)
    assert {"answer": "ab!"} == asyncio.run(TellLater().run(STATE))
    assert {"answer": "ab!"} == named(tell).run_and_update(STATE)[0]  # type: ignore[attr-defined]


def test_what_a_stream_raises_reaches_its_reader() -> None:
    """Also after items; no state is made of the half that came."""
    closed = []

    @streaming_action(reads=[], writes=["answer"])
    def breaks(state: State[Any]) -> Any:
        try:
            yield {"part": "a"}, None
            raise ConnectionError("gone")
        finally:
            closed.append("closed")

    class Breaks(Tell):
        def stream_run(self, state: State[Any], tail: str = "!") -> Any:
            yield {"part": "a"}
            yield {"answer": "half"}
            raise ConnectionError("gone")

    for value in (breaks, Breaks()):
        for reading in (read, read_async):
            with pytest.raises(ConnectionError, match="gone"):
                reading(value)
    assert ["closed"] * 2 == closed
    stream = execute_stream(named(breaks), STATE)
    next(stream)
    stream.close()
    assert ["closed"] * 3 == closed


def wrong(*items: Any, **declared: Any) -> Any:
    @streaming_action(reads=[], writes=["answer"])
    def stream(state: State[Any]) -> Any:
        for item in items:
            yield item(state) if callable(item) else item

    return stream


def final(state: State[Any]) -> Any:
    return {}, state.update(answer=1)


ITEMS: list[tuple[tuple[Any, ...], str]] = [
    ((), "yielded nothing"),
    ((({}, None),), "must yield .* but value for state was None"),
    (({"a": 1},), "must yield .* but value for state was None"),
    ((([], None),), "returned a non-dict: it yielded list"),
    (((1, 2, 3),), "and yielded tuple"),
    ((final, ({}, None)), "yielded more after it had yielded the state"),
    ((({}, {"answer": 1}),), "returned dict .* for the state"),
]


@pytest.mark.parametrize(("items", "what"), ITEMS)
def test_wrong_items_say_what_came(items: tuple[Any, ...], what: str) -> None:
    """And what should."""
    for reading in (read, read_async):
        with pytest.raises(WrongReturn, match=f"action step .*{what}") as found:
            reading(wrong(*items))
        assert found.value.hint


def test_wrong_streams_of_classes_say_what_came() -> None:
    """Nothing, no dicts, no stream."""

    class Of(Tell):
        def __init__(self, *items: Any) -> None:
            self.items = items

        def stream_run(self, state: State[Any], tail: str = "!") -> Any:
            return iter(self.items)

    class NoStream(Tell):
        def stream_run(self, state: State[Any], tail: str = "!") -> Any:
            return {"answer": 1}

    class Hidden(Tell):
        def stream_run(self, state: State[Any], tail: str = "!") -> Any:
            return TellLater().stream_run(state, tail)

    for value, what in ((Of(), "yielded nothing"), (Of({}, 3), "returned a non-dict: it yielded int"), (NoStream(), "which is no stream")):
        for reading in (read, read_async):
            with pytest.raises(WrongReturn, match=what):
                reading(value)
    assert (PARTS, DONE) == read_async(Hidden())
    with pytest.raises(AsyncAction, match="async stream"):
        read(Hidden())


def test_streams_keep_to_what_they_declare() -> None:
    """As all actions do."""
    cases: list[tuple[Callable[[Any], Any], type[Exception]]] = [
        (lambda state: ({"a": state["prompt"]}, None), UndeclaredRead),
        (lambda state: ({}, state.update(other=1)), UndeclaredWrite),
    ]
    for item, error in cases:
        with pytest.raises(error):
            read(wrong(item))
    with pytest.raises(MissingInputs):

        @streaming_action(reads=[], writes=[])
        def needs(state: State[Any], what: str) -> Any:
            yield {}, state

        read(needs)


def test_a_function_that_does_not_yield_is_no_stream() -> None:
    """It is told which decorator to take."""
    with pytest.raises(ActionFault, match="streaming action plain is no generator function") as found:

        @streaming_action(reads=[], writes=[])
        def plain(state: State[Any]) -> Any:
            return {}, state

    assert "@action" in found.value.hint
