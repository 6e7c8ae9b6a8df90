"""Whatever can be called can be run, and an object that is called is the instance of its method."""

from __future__ import annotations

import asyncio
import functools
import operator
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository


@gv.register
def inner(x: Any) -> Any:
    return x


class Counter:
    """An object that is called."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: int = 3) -> int:
        self.calls += 1
        return int(inner(x))

    def plain(self, x: int) -> int:
        return int(inner(x))

    @classmethod
    def of_class(cls, x: int) -> int:
        return int(inner(x))

    @property
    @gv.register
    def twice(self) -> int:
        return 2 * self.calls


class Waiter:
    """An object that is awaited when it is called."""

    async def __call__(self, x: int = 3) -> int:
        await asyncio.sleep(0)
        return int(inner(x))


class Teller:
    """An object whose call is a stream."""

    async def __call__(self, x: int = 3) -> AsyncIterator[int]:
        yield int(inner(x))


@functools.lru_cache
def cached(x: int, y: int = 2) -> int:
    return int(inner(x)) + y


CALLABLES: list[tuple[Callable[..., Any], tuple[Any, ...], Any]] = [
    (Counter(), (), 3), (Counter().plain, (4,), 4), (Counter.of_class, (5,), 5), (functools.partial(Counter(), 6), (), 6),
    (cached, (7,), 9), (lambda *words: inner(words), (1, 2), (1, 2)), (operator.itemgetter(0), ("ab",), "a"), (max, (1, 2), 2),
    (int, ("3",), 3), ("-".join, (["a", "b"],), "a-b"),
]  # fmt: skip


@pytest.mark.parametrize(("subject", "args", "output"), CALLABLES)
def test_whatever_can_be_called_can_be_run(
    repo: Repository, subject: Callable[..., Any], args: tuple[Any, ...], output: Any
) -> None:
    """It is recorded, and its record can be read."""
    run = gv.run(subject, *args)

    assert output == run.output
    assert run.invocation.args is not None
    assert "= " in gv.invocation_summary(run.invocation)


def test_whatever_can_be_awaited_can_be_run(repo: Repository) -> None:
    """An object whose call is async is async, and so is what it yields."""
    runs = [asyncio.run(gv.run_async(each)) for each in (Waiter(), functools.partial(Waiter(), 4))]
    stream: Any = Teller()

    assert [3, 4] == [run.output for run in runs]
    assert [3] == asyncio.run(gv.run_async(stream)).output
    with pytest.raises(TypeError, match=r"await gv\.run_async"):
        gv.run(Waiter())
    with pytest.raises(TypeError, match=r"use gv\.run or"):
        asyncio.run(gv.run_async(Counter()))  # type: ignore[arg-type]


def test_registered_objects_are_components(repo: Repository) -> None:
    """Each call has the state of the object, and is answered with it."""
    count, wait, tell = gv.register(Counter()), gv.register(Waiter()), gv.register(Teller())

    @gv.register
    async def everything(x: int) -> list[Any]:
        return [count(x), await wait(x), [chunk async for chunk in tell(x)]]

    run = asyncio.run(gv.run_async(everything, 5))
    calls = [gv.invocation_summary(call).splitlines()[0] for call in run.invocation.get_children()]

    assert [5, 5, [5]] == run.output
    assert ["->Counter(calls=0).__call__(5) = 5", "->Waiter().__call__(5) = 5", "->Teller().__call__(5) = [5]"] == calls


def test_properties_are_recorded_by_their_function(repo: Repository, warned: list[str]) -> None:
    """`@property` above `@gv.register`."""

    @gv.register
    def looked_at(counter: Counter) -> int:
        return counter.twice

    run = gv.run(looked_at, Counter())

    assert (0, "twice") == (run.output, run.invocation.get_child(0).name)
