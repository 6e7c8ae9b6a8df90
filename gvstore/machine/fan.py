"""Tasks run at once: in the threads of an executor, or as tasks of an event loop.

What comes back is in the order of the tasks, whichever ended first.  Tasks are
begun in that order too, so that a replay knows each by its place.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final

from gvstore.machine.context import ApplicationContext
from gvstore.machine.parallel_fault import BranchFailure, failure_of
from gvstore.machine.state import State
from gvstore.machine.task import SubGraphTask

MOST_THREADS: Final = 32  # of a step that says nothing of a limit
FAILS: Final = ("fast", "all", "keep")

Result = State[Any] | BranchFailure


class Results:
    """What branches came to, in the order of their tasks: for `for` and for `async for`."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._left = iter(results)

    def __iter__(self) -> Iterator[Result]:
        return self

    def __next__(self) -> Result:
        return next(self._left)

    def __aiter__(self) -> AsyncIterator[Result]:
        return self

    async def __anext__(self) -> Result:
        for each in self._left:
            return each
        raise StopAsyncIteration


def run_all(tasks: Sequence[SubGraphTask], context: ApplicationContext, action: str, fail: str, limit: int | None) -> list[Result]:
    """Returns what the tasks come to, run by the executor of the application, by default in threads.

    Raises:
        what a branch raises; see `failure_of`.
    """
    fan = _Fan(tasks, action, fail)
    if tasks:
        make = context.parallel_executor_factory or (lambda: ThreadPoolExecutor(min(len(tasks), limit or MOST_THREADS)))
        with make() as executor:
            fan.through(executor, context, len(tasks) if limit is None else limit)
    return fan.results()


class _Fan:
    """Tasks on the way."""

    def __init__(self, tasks: Sequence[SubGraphTask], action: str, fail: str) -> None:
        self.tasks, self.action, self.fail = tasks, action, fail
        self.states: dict[int, State[Any]] = {}
        self.errors: dict[int, BaseException] = {}

    def took(self, at: int, error: BaseException | None, state: Callable[[], State[Any]]) -> bool:
        """Takes what a task came to; returns whether no other is to be begun."""
        if error is None:
            self.states[at] = state()
            return False
        self.errors[at] = error
        return self.fail == "fast" or not isinstance(error, Exception)

    def through(self, executor: Executor, context: ApplicationContext, limit: int) -> None:
        """Runs all tasks, `limit` at once; after a failure that is not waited with, those that have begun."""
        ended: queue.SimpleQueue[tuple[int, Future[State[Any]]]] = queue.SimpleQueue()
        running: dict[int, Future[State[Any]]] = {}
        submit = _submitting(executor, context)
        waiting = iter(enumerate(self.tasks))
        stopped = False
        try:
            while True:
                while not stopped and len(running) < limit and (found := next(waiting, None)) is not None:
                    at, task = found
                    running[at] = future = submit(task)
                    future.add_done_callback(lambda each, at=at: ended.put((at, each)))  # type: ignore[misc]
                if not running:
                    return
                at, future = ended.get()
                del running[at]
                if not future.cancelled() and self.took(at, future.exception(), future.result):
                    stopped = True  # those before it go on, so that the first error by order is the same every time
                    _cancel(each for other, each in running.items() if other > at)
        except BaseException:
            _cancel(running.values())
            raise

    def results(self) -> list[Result]:
        """Returns what the tasks came to.  Raises what is not kept of what they raised."""
        errors = [(self.tasks[at].key or str(at), self.errors[at]) for at in sorted(self.errors)]
        error = failure_of(errors, self.action, len(self.tasks), self.fail)
        if error is not None:
            try:
                raise error
            finally:
                del error
        kept = {at: BranchFailure(self.tasks[at].key or str(at), each) for at, each in self.errors.items() if isinstance(each, Exception)}
        return [self.states[at] if at in self.states else kept[at] for at in range(len(self.tasks))]


def _submitting(executor: Executor, context: ApplicationContext) -> Callable[[SubGraphTask], Future[State[Any]]]:
    """Returns what begins a task: a thread of this process knows what the step knows, another process what goes there."""
    if isinstance(executor, ProcessPoolExecutor):
        there = replace(context, tracker=None, state_persister=None, state_initializer=None, parallel_executor_factory=None, error=None)
        return lambda task: executor.submit(_perform, task, there)
    if isinstance(executor, ThreadPoolExecutor):
        return lambda task: executor.submit(contextvars.copy_context().run, _perform, task, context)
    return lambda task: executor.submit(_perform, task, context)


def _perform(task: SubGraphTask, context: ApplicationContext) -> State[Any]:
    return task.run(context)


def _cancel(futures: Any) -> None:
    for each in list(futures):
        each.cancel()


async def arun_all(tasks: Sequence[SubGraphTask], context: ApplicationContext, action: str, fail: str, limit: int | None) -> list[Result]:
    """Returns what the tasks come to, as tasks of the event loop.

    Raises:
        what a branch raises; see `failure_of`.
    """
    fan, gate = _Fan(tasks, action, fail), nullcontext() if limit is None else asyncio.Semaphore(limit)

    async def perform(task: SubGraphTask) -> State[Any]:
        async with gate:
            return await task.arun(context)

    running = [asyncio.create_task(perform(task), name=task.name) for task in tasks]
    stopped = False
    try:
        left: set[asyncio.Task[State[Any]]] = set(running)
        while left and not stopped:
            ended, left = await asyncio.wait(left, return_when=asyncio.FIRST_EXCEPTION)
            stopped = any(_ends(each, fail) for each in ended)
    finally:
        _cancel(running)
        await asyncio.gather(*running, return_exceptions=True)
    for at, each in enumerate(running):
        if not each.cancelled():
            fan.took(at, each.exception(), each.result)
        elif not stopped:
            fan.took(at, asyncio.CancelledError(), each.result)
    return fan.results()


def _ends(task: asyncio.Task[State[Any]], fail: str) -> bool:
    error = None if task.cancelled() else task.exception()
    return error is not None and (fail == "fast" or not isinstance(error, Exception))
