"""enact's async half: Invokables that are awaited, tasks at once, tasks left behind."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

import pytest

import gvstore as enact
from gvstore.journal.repository import Repository
from tests.journal.bodies import BODIES, note


@enact.typed_invokable(type(None), int)
@dataclass
class Fetch(enact.AsyncInvokable):
    """Comes back after a while."""

    number: int
    fetched: int = 0

    async def call(self) -> int:
        note(self.number)
        await asyncio.sleep(random.random() / 200)
        self.fetched += 1
        return self.number * 10


@enact.typed_invokable(int, int)
class FetchAll(enact.AsyncInvokable):
    async def call(self, count: int) -> int:
        return sum(await asyncio.gather(*(Fetch(i)() for i in range(count))))


@enact.register
async def two_stages(count: int) -> list[int]:
    """Each task goes on as soon as its own first answer is there."""

    async def chain(i: int) -> int:
        first: int = await Fetch(i)()
        second: int = await Fetch(first + 1)()
        return second

    return list(await asyncio.gather(*map(chain, range(count))))


@dataclass
class Parcel:
    """An object with a coroutine method."""

    @enact.register
    async def open(self, n: int) -> int:
        return n + 1


def test_async_invokables_are_invoked(repo: Repository) -> None:
    """`await obj.invoke(ref)` records, with states before and after; it is a run of the repository."""

    async def go() -> enact.Invocation:
        return await FetchAll().invoke(enact.commit(3))

    invocation = asyncio.run(go())
    child = invocation.get_child(1)

    assert 30 == invocation.get_output() and 1 == len(repo.runs)
    assert (Fetch(1, 0), Fetch(1, 1)) == (child.request().invokable(), child.response().invokable())
    assert (type(None), int) == (Fetch.get_input_type(), Fetch.get_output_type())
    with pytest.raises(enact.InvokableTypeError):
        asyncio.run(FetchAll()("3"))


def test_children_stand_in_the_order_in_which_they_began() -> None:
    """Not in that of their ends: what runs at once gives the same object every time, and the same replay."""
    with enact.InMemoryStore():
        made = {asyncio.run(enact.invoke_async(FetchAll(), (6,))) for _ in range(8)}
        (invocation,) = made
        BODIES.clear()

        assert [0, 10, 20, 30, 40, 50] == [each.get_output() for each in invocation.get_children()]
        for kept in range(6):
            BODIES.clear()
            assert invocation == asyncio.run(invocation.rewind(6 - kept).replay_async())
            assert list(range(kept, 6)) == BODIES


def test_two_stages_replay_strictly() -> None:
    """Calls are matched by what they are, never by timing: every strict replay of the whole record succeeds."""
    with enact.InMemoryStore():
        invocation = asyncio.run(enact.invoke_async(two_stages, (5,)))
        for _ in range(20):
            BODIES.clear()
            again = asyncio.run(invocation.rewind(0).replay_async())
            assert invocation.get_output() == again.get_output() and [] == BODIES
            assert sorted(c.oid for c in invocation.get_children()) == sorted(c.oid for c in again.get_children())


def test_tasks_left_behind_are_an_error() -> None:
    """Whatever its parent returned or raised: which task, of which parent."""

    @enact.register
    async def hasty(fails: bool) -> int:
        task = asyncio.get_running_loop().create_task(Fetch(7)())
        await asyncio.sleep(0)
        if fails:
            raise KeyError("first")
        return len(str(task))

    async def go(fails: bool) -> None:
        await enact.invoke_async(hasty, (fails,))

    with enact.InMemoryStore():
        for fails in (False, True):
            with pytest.raises(
                enact.IncompleteSubinvocationError, match=r"Subinvocation 0 .*Fetch\(number=7"
            ) as caught:
                asyncio.run(go(fails))
            assert fails == isinstance(caught.value.__cause__, KeyError)
        kept = enact.last_invocation()
        assert kept is not None and isinstance(kept.get_raised(), enact.IncompleteSubinvocationError)


def test_cancelled_tasks_are_no_loose_ends() -> None:
    """A task that was cancelled and awaited has ended."""

    @enact.register
    async def careful() -> str:
        task = asyncio.get_running_loop().create_task(Fetch(7)())
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return "cancelled"
        return "done"

    with enact.InMemoryStore():
        invocation = asyncio.run(enact.invoke_async(careful))

        assert ("cancelled", ["cancelled"]) == (
            invocation.get_output(),
            [each.status for each in invocation.get_children()],
        )


def test_coroutine_methods_are_recorded() -> None:
    """As any method, with their instance."""

    @enact.register
    async def unpack() -> int:
        return await Parcel().open(2)

    with enact.InMemoryStore():
        invocation = asyncio.run(enact.invoke_async(unpack))

        assert ("open", {"n": 2}) == (invocation.get_child(0).name, invocation.get_child(0).args)
        assert 5 == asyncio.run(enact.invoke_async(Parcel().open, (4,))).get_output()


def test_async_replays_answer_from_a_record() -> None:
    """invoke_async takes replay_from too, and a complete record is given back at once."""

    async def go(record: enact.Invocation) -> enact.Invocation:
        return await enact.invoke_async(FetchAll(), (3,), replay_from=record)

    with enact.InMemoryStore():
        invocation = asyncio.run(enact.invoke_async(FetchAll(), (3,)))
        BODIES.clear()

        assert invocation == asyncio.run(go(invocation)) == asyncio.run(invocation.replay_async())
        assert [] == BODIES
        assert invocation == asyncio.run(go(invocation.rewind(1)))
        assert [2] == BODIES
