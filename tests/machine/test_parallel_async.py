"""Parallel steps that are awaited: as those in threads, with tasks of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine import (
    ApplicationContext,
    AsyncMemoryPersister,
    BranchesFailed,
    MapStates,
    Retry,
    State,
    SubGraphTask,
    action,
    map_reduce_action,
)
from gvstore.machine.action_fault import ActionTimeout, AsyncAction
from tests.machine.fanning import OfNumbers, Squares, Tasks, answers, asquare, builder, built, each_number, square


class Awaited(Squares):
    """Squares each number, awaited."""

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the async action."""
        return asquare

    def is_async(self) -> bool:
        """Returns True: its methods do not tell."""
        return True


class Throughout(OfNumbers, MapStates):
    """Async in all its methods."""

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the async action."""
        return asquare

    async def states(self, state: State[Any], context: Any, inputs: dict[str, Any]) -> AsyncIterator[State[Any]]:
        """Yields a state a number."""
        for number in state["numbers"]:
            await asyncio.sleep(0)
            yield state.update(number=number)

    async def reduce(self, state: State[Any], states: Any) -> State[Any]:  # type: ignore[override]
        """Returns the answers in order."""
        return state.update(answers=[each["answer"] async for each in states])


@given(st.lists(st.integers(-(2**40), 2**40), max_size=12), st.integers(1, 14) | st.none(), st.sampled_from([Awaited, Throughout]))
@settings(max_examples=30, deadline=None)
def test_parallel_is_sequential(numbers: list[int], limit: int | None, kind: Any) -> None:
    """For any numbers and limit: the answers of plain Python, in the order of the tasks."""
    parallel = kind()
    parallel.limit = limit
    assert {"numbers": numbers, "answers": [number**2 for number in numbers]} == asyncio.run(built(parallel, numbers).arun())[2]


def test_map_reduce_is_async_where_something_of_it_is() -> None:
    """An async function among those given, or an async action, makes the action async; sync branches may stand beside."""

    async def reduced(state: State[Any], states: Any) -> State[Any]:
        return state.update(answers=[each["answer"] async for each in states])

    def states(state: State[Any]) -> list[State[Any]]:
        return [state.update(number=number) for number in state["numbers"]]

    def plainly(state: State[Any], states: Any) -> State[Any]:
        return state.update(answers=answers(states))

    for run, reducer in ((square, reduced), ([asquare, square], plainly), (asquare, reduced)):
        app = built(map_reduce_action(run, states, reducer, ["numbers"], ["answers"]), [3])
        assert asyncio.run(app.arun())[2]["answers"] in ([9], [9, 9])
    late = map_reduce_action(lambda state: asquare, states, plainly, ["numbers"], ["answers"], awaits=True)
    assert [9] == asyncio.run(built(late, [3]).arun())[2]["answers"]


def test_the_order_is_that_of_the_tasks_whichever_ends_first() -> None:
    """Each branch waits for the one behind it; the answers stand in order."""

    async def main() -> list[int]:
        ended = [asyncio.Event() for _ in range(4)]
        ended[3].set()

        @action(reads=["number"], writes=["answer"])
        async def backwards(state: State[Any]) -> State[Any]:
            number = state["number"]
            await ended[number].wait()
            if number:
                ended[number - 1].set()
            return state.update(answer=number)

        found: list[int] = (await built(Gathered(each_number(backwards)), [0, 1, 2, 3]).arun())[2]["answers"]
        return found

    assert [0, 1, 2, 3] == asyncio.run(main())


class Gathered(Tasks):
    """Tasks that are awaited."""

    def is_async(self) -> bool:
        """Returns True."""
        return True


def test_a_limit_holds() -> None:
    """Never more than `limit` branches are under way."""
    here, most = [0], [0]

    @action(reads=["number"], writes=["answer"])
    async def counted(state: State[Any]) -> State[Any]:
        here[0] += 1
        most[0] = max(most[0], here[0])
        await asyncio.sleep(0)
        here[0] -= 1
        return state.update(answer=state["number"])

    assert list(range(12)) == asyncio.run(built(Gathered(each_number(counted), limit=3), list(range(12))).arun())[2]["answers"]
    assert 3 == most[0]


def test_failures() -> None:
    """fast cancels the others and raises the first; all waits and raises all; keep hands them to reduce."""
    cancelled: list[int] = []

    @action(reads=["number"], writes=["answer"])
    async def failing(state: State[Any]) -> State[Any]:
        if state["number"] % 2:
            raise ArithmeticError(f"odd: {state['number']}")
        if state["number"] == 8:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(8)
                raise
        return state.update(answer=state["number"])

    app = built(Gathered(each_number(failing)), [2, 8, 5, 7])
    with pytest.raises(ArithmeticError, match="odd: 5"):
        asyncio.run(app.arun())
    assert [8] == cancelled
    assert {"numbers": [2, 8, 5, 7]} == app.state
    with pytest.raises(BranchesFailed, match="2 of 3 branches"):
        asyncio.run(built(Gathered(each_number(failing), fail="all"), [3, 4, 5]).arun())
    kept = asyncio.run(built(Kept(each_number(failing), fail="keep"), [3, 4]).arun())[2]["answers"]
    assert ["odd: 3", 4] == kept


class Kept(Gathered):
    """Tells failures by their text."""

    def reduce(self, state: State[Any], states: Any) -> State[Any]:
        """Returns the answers, or what was raised."""
        return state.update(answers=[each["answer"] if each else str(each.error) for each in states])


def test_a_step_that_is_cancelled_cancels_its_branches() -> None:
    """Nothing of a branch goes on after its step was cancelled."""
    left: list[str] = []

    async def main() -> None:
        begun = asyncio.Event()

        @action(reads=["number"], writes=["answer"])
        async def endless(state: State[Any]) -> State[Any]:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                left.append("left")
            return state

        running = asyncio.create_task(built(Gathered(each_number(endless))).arun())
        await begun.wait()
        await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert ["left"] * 3 == left


def test_retry_and_timeout() -> None:
    """A task that is awaited is tried again, and has its time."""
    ran: list[int] = []

    @action(reads=["number"], writes=["answer"])
    async def flaky(state: State[Any]) -> State[Any]:
        ran.append(state["number"])
        if ran.count(state["number"]) < 2:
            raise ConnectionError("down")
        return state.update(answer=state["number"])

    @action(reads=["number"], writes=["answer"])
    async def endless(state: State[Any]) -> State[Any]:
        await asyncio.Event().wait()
        return state

    assert [1, 2, 3] == asyncio.run(built(Gathered(each_number(flaky), task_retry=Retry(2, backoff=0))).arun())[2]["answers"]
    with pytest.raises(ActionTimeout, match=r"fan \(branch 1\)"):
        asyncio.run(built(Gathered(lambda state: [
            SubGraphTask(square, {}, State({"number": 1})), SubGraphTask(endless, {}, State({"number": 1}), timeout=0.01),
        ])).arun())  # fmt: skip


def test_async_persisters_cascade() -> None:
    """Branches are saved by the application's async persister."""

    class Saved(Awaited):
        def state_initializer(self, **kwargs: Any) -> Any:
            return None

    async def main() -> list[str]:
        persister = AsyncMemoryPersister()
        await persister.initialize()
        app = await builder(Saved()).with_state_persister(persister).abuild()
        await app.arun()
        return await persister.list_app_ids("north")

    assert 4 == len(asyncio.run(main()))


def test_a_task_runs_by_itself() -> None:
    """`arun` takes a context."""
    task = SubGraphTask(asquare, {"plus": 1}, State({"number": 4}), "child")
    assert {"number": 4, "answer": 17} == asyncio.run(task.arun(ApplicationContext("parent", None, 3)))


def test_async_in_what_is_not() -> None:
    """An async action, or async tasks, in a parallel action that is not: an error that says what to type."""
    with pytest.raises(AsyncAction, match="fan runs asquare, which is async, in branch 0") as caught:
        built(Tasks(each_number(asquare))).run()
    assert "is_async" in caught.value.hint

    async def tasks(state: State[Any]) -> AsyncIterator[SubGraphTask]:
        yield SubGraphTask(square)

    async def returned(state: State[Any]) -> list[SubGraphTask]:
        return []

    for make in (tasks, returned):
        with pytest.raises(AsyncAction, match="action fan has async tasks, and is itself not"):
            built(Tasks(make)).run()
    with pytest.raises(AsyncAction, match="fan is async, and this run is not"):
        built(Throughout()).run()
