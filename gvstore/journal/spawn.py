"""Threads, executors and tasks: what a recorded call spawns is recorded below it, without the program's doing.

From the first recording on `Thread.start`, `submit` of the standard executors
and an event loop's `create_task` look whether they are called inside a
recorded call.  If so, what they start knows that call, and has a lane of its
own among its children.  Elsewhere they do what they always did.
"""

from __future__ import annotations

import functools
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar, copy_context
from types import ModuleType
from typing import Any, Final

from gvstore.journal.frame import HERE, LANE, Lane, open_ancestor
from gvstore.journal.recorder import CURRENT

_OURS: Final = "gvstore."


def new_lane() -> Lane | None:
    """Returns a lane for what is about to be spawned; None outside of any recorded call."""
    frame = CURRENT.get()
    if frame is None:
        return None
    above = open_ancestor(frame)
    return None if above is None or above.recording.closed else above.recording.spawn(above)


class Carried:
    """What a thread takes along: the recorded call, the active store, open contexts, its lane."""

    __slots__ = ("_lane", "_values")

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._values: list[tuple[ContextVar[Any], Any]] = [
            (variable, value) for variable, value in copy_context().items() if variable.name.startswith(_OURS)
        ]

    def call(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Returns what the function returns, called with it."""
        tokens = [(variable, variable.set(value)) for variable, value in self._values]
        outer, HERE.lane = HERE.lane, self._lane
        try:
            return function(*args, **kwargs)
        finally:
            HERE.lane = outer
            for variable, token in reversed(tokens):
                variable.reset(token)


def _threads(module: ModuleType) -> None:
    original = threading.Thread.start

    @functools.wraps(original)
    def start(self: threading.Thread) -> None:
        target = getattr(self, "_target", None)
        lane = None if getattr(target, "__module__", "") == "concurrent.futures.thread" else new_lane()
        if lane is None:  # an executor's worker knows the call of each submit, not that of the first
            original(self)
            return
        carried, run = Carried(lane), self.run

        def run_below() -> None:
            self.__dict__.pop("run", None)
            try:
                carried.call(run)
            finally:
                lane.close()

        self.run = run_below  # type: ignore[method-assign]
        try:
            original(self)
        except BaseException:
            self.__dict__.pop("run", None)
            lane.close()
            raise

    threading.Thread.start = start  # type: ignore[method-assign]


def _thread_pools(module: ModuleType) -> None:
    _patch_submit(module.ThreadPoolExecutor, lambda lane, function: functools.partial(Carried(lane).call, function))


def _process_pools(module: ModuleType) -> None:
    from gvstore.journal.processes import Carrier

    _patch_submit(module.ProcessPoolExecutor, Carrier.to)


def _patch_submit(executor: Any, bound: Callable[[Lane, Callable[..., Any]], Callable[..., Any]]) -> None:
    original = executor.submit

    @functools.wraps(original)
    def submit(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        lane = new_lane()
        if lane is None:
            return original(self, fn, *args, **kwargs)
        try:
            future = original(self, bound(lane, fn), *args, **kwargs)
        except BaseException:
            lane.close()
            raise
        future.add_done_callback(lane.close)
        return future

    executor.submit = submit


def _event_loops(module: ModuleType) -> None:
    from asyncio.events import _get_running_loop

    loop: Any = module.Loop if module.__name__ == "uvloop" else module.BaseEventLoop
    original = loop.create_task

    @functools.wraps(original)
    def create_task(self: Any, coro: Any, **kwargs: Any) -> Any:
        # Before the loop runs nothing else does: what `asyncio.run` begins is the caller's own lane.
        lane = None if _get_running_loop() is None else new_lane()
        if lane is None:
            return original(self, coro, **kwargs)
        context = kwargs.get("context")
        if context is not None:
            context.run(LANE.set, lane)
        token = LANE.set(lane)
        try:
            task = original(self, coro, **kwargs)
        except BaseException:
            lane.close()
            raise
        finally:
            LANE.reset(token)
        task.add_done_callback(lane.close)
        return task

    loop.create_task = create_task


_PLACES: Final[dict[str, Callable[[ModuleType], None]]] = {
    "threading": _threads,
    "concurrent.futures.thread": _thread_pools,
    "concurrent.futures.process": _process_pools,
    "asyncio.base_events": _event_loops,
    "uvloop": _event_loops,
}


class _WhenImported(importlib.abc.MetaPathFinder):
    """Lets modules that are not loaded yet be found as always, and prepares them when they are."""

    def __init__(self, places: set[str]) -> None:
        self._places = places

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in self._places:
            return None
        self._places.discard(fullname)
        spec = importlib.util.find_spec(fullname)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _PLACES[fullname](module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


_lock = threading.Lock()
_installed = False


def install() -> None:
    """Prepares what spawns; once a process, when it first records."""
    global _installed
    with _lock:
        if _installed:
            return
        _installed = True
        waiting = set(_PLACES)
        for name, prepare in _PLACES.items():
            module = sys.modules.get(name)
            if module is not None:
                prepare(module)
                waiting.discard(name)
        sys.meta_path.insert(0, _WhenImported(waiting))
