"""Streams go to the reader as they come; the step ends, and the state is updated, with the last item."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from typing import Any

import pytest

from gvstore.machine import (
    Application,
    ApplicationBuilder,
    ApplicationContext,
    MemoryPersister,
    PostEndStreamHook,
    PostRunStepHook,
    PostStreamItemHook,
    PreStartStreamHook,
    State,
    StepUnderway,
    action,
    on_error,
    streaming_action,
)
from gvstore.machine.call import CallFault
from tests.machine.counting import count

Item = tuple[dict[str, Any], State[Any] | None]


@streaming_action(reads=["count"], writes=["text"])
def tell(state: State[Any]) -> Generator[Item, None, None]:
    """Says as many words as were counted."""
    words = [f"w{n}" for n in range(state["count"])]
    for word in words:
        yield {"word": word}, None
    text = " ".join(words)
    yield {"text": text}, state.update(text=text)


@streaming_action(reads=["count"], writes=["text"])
async def tell_slowly(state: State[Any]) -> AsyncGenerator[Item, None]:
    """The same, to be awaited."""
    words = [f"w{n}" for n in range(state["count"])]
    for word in words:
        await asyncio.sleep(0)
        yield {"word": word}, None
    text = " ".join(words)
    yield {"text": text}, state.update(text=text)


@streaming_action(reads=[], writes=["text"])
def break_off(state: State[Any]) -> Generator[Item, None, None]:
    """Fails in the middle."""
    yield {"word": "w0"}, None
    raise OSError("line cut")


def talking(how: Any = tell, *more: Any) -> ApplicationBuilder[Any]:
    """Counts, counts, tells."""
    return (
        ApplicationBuilder()
        .with_actions(count, again=count, tell=how)
        .with_transitions(("count", "again"), ("again", "tell"), *more)
        .with_state(count=0)
    )


def test_stream_result() -> None:
    """It runs up to the action, hands out its items, and then result and state."""
    app = talking().build()
    acted, stream = app.stream_result(halt_after=["tell"])

    assert ("tell", "again", 1) == (acted.name, app.position, app.sequence_id)
    assert [{"word": "w0"}, {"word": "w1"}] == list(stream)
    assert ("tell", "w0 w1") == (app.position, app.state["text"])
    result, state = stream.get()
    assert {"text": "w0 w1"} == result
    assert app.state == state
    assert [] == list(stream)


def test_an_action_that_does_not_stream() -> None:
    """It has run when it is returned; so has what a halt_before stands before, or the last."""
    app = talking().build()
    acted, stream = app.stream_result(halt_after=["again"])

    assert ("again", [], {"count": 2}) == (acted.name, list(stream), stream.get()[0])
    acted, stream = app.stream_result(halt_before=["tell"], halt_after=[])
    assert ("tell", {"text": "w0 w1"}) == (acted.name, stream.get()[0])
    with pytest.raises(CallFault, match="where to halt"):
        app.stream_result()


def test_astream_result() -> None:
    """The same, awaited, of either kind."""

    async def program(how: Any) -> None:
        app = talking(how).build()
        acted, stream = await app.astream_result(halt_after=["tell"])
        assert ("tell", "again") == (acted.name, app.position)
        assert [{"word": "w0"}, {"word": "w1"}] == [each async for each in stream]
        result, state = await stream.get()
        assert ({"text": "w0 w1"}, "w0 w1") == (result, state["text"])
        app.reset_to_entrypoint()
        acted, whole = await app.astream_result(halt_after=["again"])
        assert {"count": 4} == (await whole.get())[0]
        assert "again" == acted.name

    asyncio.run(program(tell))
    asyncio.run(program(tell_slowly))


def test_stream_iterate() -> None:
    """Every action comes with a stream; what nobody reads is run through."""
    app = talking().build()
    names = []
    for acted, stream in app.stream_iterate(halt_after=["tell"]):
        names.append(acted.name)
        if acted.name == "tell":
            assert {"word": "w0"} == next(iter(stream))

    assert ["count", "again", "tell"] == names
    assert "w0 w1" == app.state["text"]


def test_astream_iterate() -> None:
    """The same, awaited."""

    async def program() -> list[Any]:
        app = talking(tell_slowly).build()
        found = [(acted.name, (await stream.get())[0]) async for acted, stream in app.astream_iterate(halt_after=["tell"])]
        assert "tell" == app.position
        return found

    assert [("count", {"count": 1}), ("again", {"count": 2}), ("tell", {"text": "w0 w1"})] == asyncio.run(program())


def test_run_reads_streams_itself() -> None:
    """A streaming action in a run is a step like others."""
    assert "w0 w1" == talking().build().run()[2]["text"]
    assert "w0 w1" == asyncio.run(talking(tell_slowly).build().arun())[2]["text"]


def test_a_stream_that_fails() -> None:
    """What it raises comes to the reader; nothing of the step is kept."""
    app = talking(break_off).build()
    _, stream = app.stream_result(halt_after=["tell"])
    items = iter(stream)

    assert {"word": "w0"} == next(items)
    with pytest.raises(OSError, match="line cut"):
        next(items)
    assert ("again", 2) == (app.position, app.sequence_id)
    assert "text" not in app.state
    with pytest.raises(RuntimeError, match="no result"):
        stream.get()


def test_a_stream_that_fails_and_leads_on() -> None:
    """An error transition takes it: the stream ends without a result, and the next action is the one it leads to."""
    app = talking(break_off, ("tell", "count", on_error(OSError))).build()
    _, stream = app.stream_result(halt_after=["tell"])

    assert [{"word": "w0"}] == list(stream)
    assert None is stream.get()[0]
    assert "line cut" == str(app.error)
    assert "count" == app.get_next_action().name  # type: ignore[union-attr]


def test_a_stream_that_is_left() -> None:
    """Closed half-way it is a step that failed: saved as such, and run again next time."""
    persister = MemoryPersister()
    app = talking().with_identifiers("a").with_state_persister(persister).build()
    _, stream = app.stream_result(halt_after=["tell"])
    next(iter(stream))
    stream.close()

    assert ("again", "text" in app.state) == (app.position, False)
    assert "failed" == persister.load(None, "a")["status"]  # type: ignore[index]
    assert "w0 w1" == app.run()[2]["text"]


class Watch(PreStartStreamHook, PostStreamItemHook, PostEndStreamHook, PostRunStepHook):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def pre_start_stream(self, *, action: str, **future_kwargs: Any) -> None:
        self.seen.append(("start", action))

    def post_stream_item(self, *, item: Any, item_index: int, **future_kwargs: Any) -> None:
        assert future_kwargs["stream_initialize_time"] <= future_kwargs["first_stream_item_start_time"]
        self.seen.append((item_index, item))

    def post_end_stream(self, *, action: str, sequence_id: int, **future_kwargs: Any) -> None:
        self.seen.append(("end", sequence_id))

    def post_run_step(self, *, action: Any, **future_kwargs: Any) -> None:
        self.seen.append(("post", action.name))


def test_hooks_are_told_of_streams() -> None:
    """Of their start, of each item, of their end."""
    expected = [("post", "count"), ("post", "again"), ("start", "tell"), (0, {"word": "w0"}), (1, {"word": "w1"}), ("end", 2), ("post", "tell")]
    watch = Watch()
    talking().with_hooks(watch).build().stream_result(halt_after=["tell"])[1].get()
    assert expected == watch.seen

    async def program(app: Application[Any]) -> None:
        await (await app.astream_result(halt_after=["tell"]))[1].get()

    watch = Watch()
    asyncio.run(program(talking(tell_slowly).with_hooks(watch).build()))
    assert expected == watch.seen


def test_the_context_is_the_actions_alone() -> None:
    """Between two items the reader is in no action."""
    inside = []

    @streaming_action(reads=[], writes=["n"])
    def look(state: State[Any]) -> Generator[Item, None, None]:
        inside.append(ApplicationContext.get())
        yield {}, None
        inside.append(ApplicationContext.get())
        yield {"n": 1}, state.update(n=1)

    _, stream = ApplicationBuilder().with_actions(look).build().stream_result(halt_after=["look"])
    for _ in stream:
        assert ApplicationContext.get() is None

    assert ["look", "look"] == [each.action_name for each in inside if each]


def test_a_step_that_is_no_generator_still_runs() -> None:
    """Actions of both kinds stand in one machine."""

    @action(reads=["text"], writes=["length"])
    def measure(state: State[Any]) -> State[Any]:
        return state.update(length=len(state["text"]))

    app = talking(tell, ("tell", "measure")).with_actions(measure).build()
    assert 5 == app.run()[2]["length"]


def test_one_step_at_a_time() -> None:
    """While a stream is open there is no other step; closed, the next can be taken."""
    app = talking().build()
    _, stream = app.stream_result(halt_after=["tell"])
    with pytest.raises(StepUnderway):
        app.step()
    next(iter(stream))

    with pytest.raises(StepUnderway, match="the stream of action tell is not through") as caught:
        app.step()
    assert "close it" in caught.value.hint
    assert 2 == app.fork().run()[2]["count"]
    stream.close()
    app.stream_result(halt_after=["tell"])[1].close()
    assert 3 == app.fork().run()[2]["count"] + 1
    for acted, _ in app.stream_iterate(halt_after=["tell"]):
        with pytest.raises(StepUnderway):
            app.step()
        assert "tell" == acted.name
        break
    assert "w0 w1" == app.run()[2]["text"]


def test_a_stream_that_nobody_keeps() -> None:
    """Let go of half-way, it is closed."""
    app = talking().build()
    _, stream = app.stream_result(halt_after=["tell"])
    next(iter(stream))
    del stream
    gc.collect()

    assert "w0 w1" == app.run()[2]["text"]


def test_a_stream_that_is_closed_is_closed_then_and_there() -> None:
    """Its action cleans up in the reader's thread, whatever the collector does and when; awaited or not."""
    left: list[str] = []

    @streaming_action(reads=[], writes=["text"])
    def sync(state: State[Any]) -> Generator[Item, None, None]:
        try:
            yield {"word": "a"}, None
            yield {}, state.update(text="a")
        finally:
            left.append("sync")

    @streaming_action(reads=[], writes=["text"])
    async def awaited(state: State[Any]) -> AsyncGenerator[Item, None]:
        try:
            yield {"word": "a"}, None
            yield {}, state.update(text="a")
        finally:
            left.append("awaited")

    async def read_one() -> list[str]:
        _, stream = await ApplicationBuilder().with_actions(awaited).build().astream_result(halt_after=["awaited"])
        async for _ in stream:
            break
        await stream.aclose()
        return list(left)

    gc.disable()
    try:
        _, stream = ApplicationBuilder().with_actions(sync).build().stream_result(halt_after=["sync"])
        for _ in stream:
            break
        stream.close()

        assert ["sync"] == left
        assert ["sync", "awaited"] == asyncio.run(read_one())
    finally:
        gc.enable()


def test_an_awaited_stream_that_is_left() -> None:
    """Closed half-way it is a step that failed; so is one that is cancelled."""

    async def program() -> None:
        persister = MemoryPersister()
        app = talking(tell_slowly).with_identifiers("a").with_state_persister(persister).build()
        _, stream = await app.astream_result(halt_after=["tell"])
        async for _ in stream:
            break
        with pytest.raises(StepUnderway):
            await app.astep()
        await stream.aclose()
        assert "failed" == persister.load(None, "a")["status"]  # type: ignore[index]
        assert "text" not in app.state
        _, stream = await app.astream_result(halt_after=["tell"])
        assert "w0 w1" == (await stream.get())[1]["text"]

    asyncio.run(program())


def test_a_cancelled_step() -> None:
    """A task that is cancelled leaves the state before its step, and the next call tries it again."""
    slow = [True]

    @action(reads=["count"], writes=["count"])
    async def wait(state: State[Any]) -> State[Any]:
        if slow:
            await asyncio.sleep(60)
        return state.increment(count=10)

    async def program() -> None:
        persister = MemoryPersister()
        app = (
            ApplicationBuilder()
            .with_actions(count, wait)
            .with_transitions(("count", "wait"))
            .with_state(count=0)
            .with_identifiers("a")
            .with_state_persister(persister)
            .build()
        )
        task = asyncio.create_task(app.arun())
        await asyncio.sleep(0.01)
        with pytest.raises(StepUnderway, match="action wait is not through"):
            await app.astep()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ("failed", 1) == (persister.load(None, "a")["status"], app.state["count"])  # type: ignore[index]
        slow.clear()
        assert 11 == (await app.arun())[2]["count"]

    asyncio.run(program())
