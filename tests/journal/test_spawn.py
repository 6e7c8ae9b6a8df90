"""Threads, executors, tasks and processes: recorded below the call that spawned them, replayed whatever the timing."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.repository import Repository
from gvstore.objects.lanes import iter_lanes
from tests.journal.bodies import BODIES, note
from tests.journal.process import NOTE, Project

SEED = 20261120
chance = random.Random(SEED)


def doze() -> None:
    time.sleep(chance.random() * 0.002)


@gv.register
def sample(prompt: Any) -> float:
    note(prompt)
    doze()
    return chance.random()


@gv.register
async def asample(prompt: Any) -> float:
    note(prompt)
    await asyncio.sleep(chance.random() * 0.002)
    return chance.random()


@gv.register
async def improve(first: float) -> float:
    note("improve")
    await asyncio.sleep(chance.random() * 0.002)
    return first + 1


@gv.register
async def judge(given: list[float]) -> float:
    return max(given)


async def draft() -> float:
    """Two equal calls and one that depends on the first."""
    first, second = await asample("draft"), await asample("draft")
    return await improve(first) + second


@gv.register
async def gathered(n: int) -> float:
    return await judge(list(await asyncio.gather(*(draft() for _ in range(n)))))


@gv.register
async def grouped(n: int) -> float:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(draft()) for _ in range(n)]
    first = await judge([task.result() for task in tasks])
    return first + await asyncio.to_thread(lambda: sample("draft") + sample("draft"))


def twice(i: int) -> float:
    return sample("same") + sample(("one", i))


@gv.register
def pooled(n: int) -> float:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(twice, range(n)))
    return sample(found)


@gv.register
def threaded(n: int) -> float:
    found: dict[int, float] = {}
    threads = [threading.Thread(target=lambda i=i: found.update({i: twice(0) + i})) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sample([found[i] for i in range(n)])


@gv.register
def looped(n: int) -> float:
    return asyncio.run(gathered(n)) + sample("end")


CONCURRENT = [gathered, grouped, pooled, threaded, looped]


@pytest.mark.parametrize("flow", CONCURRENT, ids=lambda flow: flow.__name__)
def test_replayed_strictly_every_time(repo: Repository, flow: Callable[[int], Any]) -> None:
    """No body runs, and the record is the record, however threads and tasks take turns."""
    run = repo.perform(flow, (4,), {}).run
    assert run is not None
    for _ in range(5):
        BODIES.clear()
        again = run.rewind(0).replay(strict=True)

        assert ([], run.output) == (BODIES, again.output)
        assert run.invocation.oid == again.invocation.oid


def test_a_flow_of_two_stages_replays_strictly_100_times_of_100() -> None:
    """Equal calls in many tasks are matched by who made them, never by timing."""

    async def all_of_it() -> None:
        recorded = await gv.invoke_async(gathered, (5,))
        for _ in range(100):
            BODIES.clear()
            again = await recorded.rewind(1).replay_async(strict=True)

            assert (recorded.oid, []) == (again.oid, BODIES)

    with gv.InMemoryStore():
        asyncio.run(all_of_it())


@pytest.mark.parametrize("flow", CONCURRENT, ids=lambda flow: flow.__name__)
def test_rewound_anywhere_it_is_carried_on(repo: Repository, flow: Callable[[int], Any]) -> None:
    """What is kept is answered to whom it was answered before; the rest runs."""
    run = repo.perform(flow, (3,), {}).run
    assert run is not None
    made = len(run.invocation)
    for count in range(1, made + 1):
        BODIES.clear()
        again = run.rewind(count).replay()

        assert made == len(again.invocation)
        assert made - count <= again.record.counts["reused"]


async def lazily(n: int, order: list[int]) -> list[float]:
    async def one(i: int) -> float:
        await asyncio.sleep(0.001 * order[i])
        return await asample(i)

    return await asyncio.gather(*(one(i) for i in range(n)))


def test_the_order_of_children_is_that_of_the_program(repo: Repository) -> None:
    """Calls stand where their tasks were spawned, in whatever order they begin and end."""
    orders = [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]]

    @gv.register
    async def root(which: int) -> None:
        await asample("before")
        await lazily(4, orders[which])
        await asample("after")

    for which in range(3):
        run = repo.perform(root, (which,), {}).run
        assert run is not None
        call = run.invocation.call

        assert ["before", 0, 1, 2, 3, "after"] == [c.args["prompt"] for c in run.invocation.get_children()]
        assert [((), 1), ((0,), 1), ((1,), 1), ((2,), 1), ((3,), 1), ((), 1)] == list(
            iter_lanes(call.lanes, repo.objects)
        )


def test_lanes_below_lanes(repo: Repository) -> None:
    """A thread that starts threads, a task that makes tasks: each has its place below the other."""

    @gv.register
    def root() -> Any:
        def outer(i: int) -> None:
            sample(i)
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(sample, [10 * i, 10 * i + 1]))
            sample(-i)

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(outer, [1, 2]))

    run = repo.run(root)

    assert [1, 10, 11, -1, 2, 20, 21, -2] == [call.args["prompt"] for call in run.invocation.get_children()]
    assert [(0,), (0, 0), (0, 1), (0,), (1,), (1, 0), (1, 1), (1,)] == [
        path for path, _ in iter_lanes(run.invocation.call.lanes, repo.objects)
    ]
    assert run.invocation.oid == run.rewind(0).replay(strict=True).invocation.oid


def test_outside_a_recording_nothing_is_different() -> None:
    """Threads, executors and tasks get no context, and methods are what they were called."""
    seen: list[Any] = []

    class Mine(threading.Thread):
        def run(self) -> None:
            seen.append(type(self).run is Mine.run and "run" not in vars(self))

    Mine().start()
    with ThreadPoolExecutor(1) as pool:
        assert 3 == pool.submit(len, "abc").result()

    assert [True] == seen
    assert "start" == threading.Thread.start.__name__


def test_a_thread_runs_its_own_method_below_the_call(repo: Repository) -> None:
    """Subclasses of Thread are recorded; a thread can be looked at afterwards as any other."""

    class Worker(threading.Thread):
        def run(self) -> None:
            self.found = sample("worker")

    @gv.register
    def root() -> Any:
        worker = Worker()
        worker.start()
        worker.join()
        assert "run" not in vars(worker)
        return worker.found

    run = repo.run(root)

    assert [run.output] == [call.output for call in run.invocation.get_children()]


def test_who_is_left_running_is_noted(repo: Repository) -> None:
    """A run says that a call returned before what it began; the child stands there unfinished."""
    go = threading.Event()
    threads: list[threading.Thread] = []

    @gv.register
    def slow() -> int:
        go.wait()
        return 1

    @gv.register
    def hasty() -> int:
        threads.append(threading.Thread(target=slow))
        threads[0].start()
        while not threads[0].is_alive():
            pass
        time.sleep(0.02)
        return 2

    run = repo.run(hasty)
    go.set()
    threads[0].join()

    assert (2, ["unfinished"]) == (run.output, [call.status for call in run.invocation.get_children()])
    assert "hasty returned while" in run.record.notes[0]
    assert repo.runs[run.number].invocation == run.invocation


def test_invoke_forbids_leaving_a_task_behind() -> None:
    """enact's contract: it outranks what the body returned or raised."""

    @gv.register
    async def leaves(fails: bool) -> int:
        task = asyncio.create_task(asample("left"))
        await asyncio.sleep(0)
        if fails:
            raise ValueError("body")
        return int(task.done())

    with gv.InMemoryStore():
        for fails in (False, True):
            with pytest.raises(gv.IncompleteSubinvocationError, match=r"Subinvocation 0 did not complete"):
                asyncio.run(gv.invoke_async(leaves, (fails,)))


def test_cancelled_tasks_are_recorded_as_cancelled(repo: Repository) -> None:
    """Of a group in which one fails the others are cancelled; the record says so, and a retry is answered."""
    fails = [True]

    @gv.register
    async def failing() -> int:
        await asyncio.sleep(0.005)
        if fails.pop():
            raise ValueError("first")
        return 1

    @gv.register
    async def forever() -> None:
        await asyncio.sleep(100)

    @gv.register
    async def root() -> str:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(failing())
                group.create_task(forever())
        except* ValueError:
            pass
        return "failed"

    run = repo.perform(root, (), {}).run
    assert run is not None

    assert ("failed", ["raised", "cancelled"]) == (run.output, [c.status for c in run.invocation.get_children()])


POOL = (
    NOTE
    + """
import sys, multiprocessing, concurrent.futures, gvstore as gv

@gv.register
def leaf(x):
    note(x)
    return f"{x}" * 50

def work(i):
    if i == 9:
        leaf("fails")
        raise KeyError(i)
    return leaf("same") + leaf(i)

@gv.register
def root(n):
    context = multiprocessing.get_context(sys.argv[1])
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        found = list(pool.map(work, range(n)))
        try:
            pool.submit(work, 9).result()
        except KeyError as e:
            found.append(repr(e))
    with context.Pool(1) as pool:
        found += pool.map(gv.propagate(work), [7, 8])
    return leaf(len(found))

if __name__ == "__main__":
    with gv.open('.') as repo:
        run = gv.run(root, 3)
        print(run.calls, [*(next(iter(c.args.values())) for c in run.invocation.get_children())])
        ran = open("ran").read().split()
        again = run.rewind(0).replay(strict=True)
        assert ran == open("ran").read().split(), open("ran").read()
        print(run.invocation.oid == again.invocation.oid, again.record.counts)
        assert not [each for each in repo.fsck() if each.damage]
"""
)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_process_pools_are_recorded_and_replayed(repo: Repository, method: str) -> None:
    """What other processes record is below the call that sent it; a replay answers there too."""
    project = Project(repo.path)
    project.write("pool.py", POOL)
    said = project.run(
        f"import runpy, sys; sys.argv = ['pool.py', {method!r}]; runpy.run_path('pool.py', run_name='__main__')"
    )

    assert [
        "15 ['same', 0, 'same', 1, 'same', 2, 'fails', 7, 8, 6]",
        "True {'calls': 15, 'executed': 1, 'reused': 14}",
    ] == said.splitlines()
