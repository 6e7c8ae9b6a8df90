"""Retries and timeouts: when an action is tried again, and that nothing waits for one that hangs."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine.action_fault import ActionFault, ActionTimeout, AsyncAction, MissingInputs, WrongType
from gvstore.machine.action_function import action, create_action
from gvstore.machine.action_stream import streaming_action
from gvstore.machine.attempts import Retry, astream_with_timeout, stream_with_timeout, with_timeout, with_timeout_async
from gvstore.machine.cycle import execute, execute_async
from gvstore.machine.cycle_stream import execute_astream
from gvstore.machine.state import State

WHERE: contextvars.ContextVar[str] = contextvars.ContextVar("where", default="nowhere")
HANG = 30.0  # seconds that nothing here lasts


def timed(seconds: float | None) -> Any:
    @action(reads=[], writes=["where"], timeout=seconds)
    def look(state: State[Any]) -> State[Any]:
        return state.update(where=WHERE.get())

    return create_action(look, "look")


def timed_async(seconds: float | None) -> Any:
    @action(reads=[], writes=[], timeout=seconds)
    async def look(state: State[Any]) -> State[Any]:
        return state

    return create_action(look, "look")


@settings(deadline=None)
@given(
    st.integers(1, 8), st.floats(0, 10), st.floats(0, 10), st.floats(0, 60), st.floats(0, 1)
)
def test_delays_grow_up_to_a_bound(attempts: int, backoff: float, factor: float, most: float, jitter: float) -> None:
    """There is one less than attempts; none is below 0 or, but for chance, above the bound."""
    delays = list(Retry(attempts, backoff=backoff, factor=factor, most=most, jitter=jitter).delays())
    assert attempts - 1 == len(delays)
    assert all(0 <= each <= most * (1 + jitter) for each in delays)


def test_what_is_tried_again() -> None:
    """The types that were named, and no others."""
    assert [0.5, 1.0, 2.0] == list(Retry(max_attempts=4).delays())
    assert [0.5, 1.0, 1.5, 1.5] == list(Retry(max_attempts=5, most=1.5).delays())
    assert [] == list(Retry(max_attempts=1).delays())
    assert Retry(on=TimeoutError).admits(ActionTimeout("a", 1))
    assert not Retry(on=(TimeoutError, OSError)).admits(ValueError())
    assert not Retry().admits(KeyboardInterrupt())
    hopeless = MissingInputs("a", ["b"], [], "a(b)")
    assert not Retry().admits(hopeless)
    assert Retry(on=MissingInputs).admits(hopeless)
    assert Retry().admits(WrongType("what a model wrote", reads=False))


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: Retry(on=3), "types of exceptions, not 3"),  # type: ignore[arg-type]
    (lambda: Retry(on=()), r"types of exceptions, not \(\)"),
    (lambda: Retry(on=(ValueError())), "types of exceptions"),  # type: ignore[arg-type]
    (lambda: Retry(0), "max_attempts=0"),
    (lambda: Retry(True), "max_attempts=True"),
    (lambda: Retry(2.5), "max_attempts=2.5"),  # type: ignore[arg-type]
    (lambda: Retry(backoff=-1), "backoff=-1"),
    (lambda: Retry(factor=float("nan")), "factor=nan"),
    (lambda: Retry(most=float("inf")), "most=inf"),
    (lambda: Retry(jitter=2), "jitter=2"),
]


@pytest.mark.parametrize(("make", "what"), WRONG)
def test_wrong_retries_are_errors_at_once(make: Callable[[], Any], what: str) -> None:
    """With the argument and its value."""
    with pytest.raises(ActionFault, match=what):
        make()


@pytest.mark.parametrize("seconds", [None, HANG])
def test_a_call_sees_the_context(seconds: float | None) -> None:
    """With a timeout, from a thread; what is raised comes through."""
    look = timed(seconds)
    token = WHERE.set("here")
    try:
        assert "here" == with_timeout(look, lambda: execute(look, State())).state["where"]
    finally:
        WHERE.reset(token)
    error = LookupError("mine")

    def fail() -> None:
        raise error

    with pytest.raises(LookupError) as found:
        with_timeout(look, fail)
    assert found.value is error


def test_nothing_waits_for_a_call_that_hangs() -> None:
    """It is left to itself; the error names the action and its timeout."""
    released = threading.Event()
    with pytest.raises(ActionTimeout, match=r"action look took longer than its timeout of 0\.05 s") as found:
        with_timeout(timed(0.05), lambda: released.wait(HANG))
    released.set()
    assert isinstance(found.value, TimeoutError)


def test_an_async_call_that_hangs_is_cancelled() -> None:
    """A TimeoutError of its own stays one."""
    cancelled = []

    async def hangs() -> None:
        try:
            await asyncio.sleep(HANG)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def fails() -> None:
        raise TimeoutError("mine")

    async def runs() -> int:
        await asyncio.sleep(0)
        return 3

    assert 3 == asyncio.run(with_timeout_async(timed_async(HANG), runs))
    assert 3 == asyncio.run(with_timeout_async(timed_async(None), runs))
    with pytest.raises(ActionTimeout, match="took longer"):
        asyncio.run(with_timeout_async(timed_async(0.05), hangs))
    assert [True] == cancelled
    with pytest.raises(TimeoutError, match="mine"):
        asyncio.run(with_timeout_async(timed_async(HANG), fails))


class Counting:
    """A stream of numbers that tells when it was closed, and hangs at one of them."""

    def __init__(self, hang_at: int | None = None) -> None:
        self.closed = False
        self.threads: set[int] = set()
        self.hang_at = hang_at
        self.released = threading.Event()

    def stream(self) -> Generator[int, None, str]:
        try:
            for number in range(3):
                self.threads.add(threading.get_ident())
                if number == self.hang_at:
                    self.released.wait(HANG)
                yield number
            return "end"
        finally:
            self.closed = True

    async def astream(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(3):
                if number == self.hang_at:
                    await asyncio.sleep(HANG)
                yield number
        finally:
            self.closed = True


@pytest.mark.parametrize("seconds", [None, HANG])
def test_streams_in_time(seconds: float | None) -> None:
    """All comes through, from one thread; who stops reading closes the stream."""
    counting = Counting()

    def whole() -> Generator[int, None, str]:
        return (yield from stream_with_timeout(timed(seconds), counting.stream()))

    stream, items = whole(), []
    with pytest.raises(StopIteration) as end:
        while True:
            items.append(next(stream))
    assert ([0, 1, 2], "end", 1) == (items, end.value.value, len(counting.threads))

    left = Counting()
    stream = stream_with_timeout(timed(seconds), left.stream())
    assert 0 == next(stream)
    stream.close()
    assert left.closed


def test_a_stream_that_hangs() -> None:
    """Nobody waits for it."""
    counting = Counting(hang_at=0)
    stream = stream_with_timeout(timed(0.05), counting.stream())
    with pytest.raises(ActionTimeout):
        next(stream)
    counting.released.set()


@pytest.mark.parametrize("seconds", [None, HANG])
def test_async_streams(seconds: float | None) -> None:
    """The same, awaited; one that hangs is cancelled, one that nobody reads on is closed."""

    async def read(counting: Counting, within: float | None, most: int = 9) -> list[int]:
        found = []
        stream = astream_with_timeout(timed_async(within), counting.astream())
        async for number in stream:
            found.append(number)
            if len(found) == most:
                break
        await stream.aclose()
        return found

    left, hanging = Counting(), Counting(hang_at=0)
    assert [0, 1, 2] == asyncio.run(read(Counting(), seconds))
    assert [0] == asyncio.run(read(left, seconds, 1))
    assert left.closed
    with pytest.raises(ActionTimeout):
        asyncio.run(read(hanging, 0.05))
    assert hanging.closed


def test_a_sync_action_in_an_async_run_holds_up_nobody() -> None:
    """With a timeout it is in a thread, where it can wait for what others do; so is a sync stream."""
    asked, answered = threading.Event(), threading.Event()

    @action(reads=[], writes=["done"], timeout=HANG)
    def waits(state: State[Any]) -> State[Any]:
        asked.set()
        return state.update(done=answered.wait(HANG))

    @streaming_action(reads=[], writes=["done"], timeout=HANG)
    def tells(state: State[Any]) -> Any:
        asked.set()
        yield {"done": answered.wait(HANG)}, None
        yield {}, state.update(done=True)

    async def answers() -> None:
        while not asked.is_set():
            await asyncio.sleep(0.001)
        answered.set()

    async def waiting() -> Any:
        other = asyncio.create_task(answers())
        waiter = create_action(waits, "waits")
        done = await with_timeout_async(waiter, lambda: execute_async(waiter, State()))
        await other
        return done.state

    async def telling() -> list[Any]:
        other = asyncio.create_task(answers())
        teller = create_action(tells, "tells")
        found = [each async for each in astream_with_timeout(teller, execute_astream(teller, State()))]
        await other
        return found

    assert {"done": True} == asyncio.run(waiting())
    asked.clear()
    answered.clear()
    items = asyncio.run(telling())
    assert ({"done": True}, {"done": True}) == (items[0], items[1].state)


def test_a_sync_action_that_hangs_in_an_async_run() -> None:
    """It is left to itself; what it raises otherwise comes through, and what it returns to be awaited is refused."""
    released = threading.Event()

    def made(body: Callable[[], Any], seconds: float) -> Any:
        @action(reads=[], writes=[], timeout=seconds)
        def step(state: State[Any]) -> Any:
            return body()

        return create_action(step, "step")

    async def runs(body: Callable[[], Any], seconds: float = HANG) -> Any:
        each = made(body, seconds)
        return await with_timeout_async(each, lambda: execute_async(each, State()))

    def fail() -> None:
        raise LookupError("mine")

    with pytest.raises(ActionTimeout):
        asyncio.run(runs(lambda: released.wait(HANG), 0.05))
    released.set()
    with pytest.raises(LookupError, match="mine"):
        asyncio.run(runs(fail))
    with pytest.raises(AsyncAction, match="awaits something"):
        asyncio.run(runs(lambda: asyncio.sleep(1)))
