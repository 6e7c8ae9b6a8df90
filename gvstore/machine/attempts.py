"""How often an action is tried, and for how long it may take.

Whoever runs actions loops over the attempts: each is a call of its own.

A sync action that has a timeout runs in a thread of its own, as nothing can
stop a function from outside: it is left to itself when its time is over, and
what it returns then is not looked at.  What works in the main thread alone, as
setting signals, does not work there.
"""

from __future__ import annotations

import asyncio
import contextvars
import queue
import random
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from gvstore.machine.action_fault import (
    ActionFault,
    ActionTimeout,
    AsyncAction,
    MissingInputs,
    UndeclaredRead,
    UndeclaredWrite,
)

T = TypeVar("T")
R = TypeVar("R")
HOPELESS: Final = (UndeclaredRead, UndeclaredWrite, MissingInputs, AsyncAction)


class Timed(Protocol):
    """What can have a timeout."""

    @property
    def name(self) -> str | None: ...

    @property
    def timeout(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Retry:
    """What is done when an action raises: try again, up to `max_attempts` times in all.

    `on` are the exceptions that are worth it, `backoff` the seconds before the
    second attempt, which grow by `factor` up to `most`; `jitter` is the share
    of a delay that is left to chance, so that many do not come back at once.
    """

    max_attempts: int = 3
    on: type[BaseException] | tuple[type[BaseException], ...] = (Exception,)
    backoff: float = 0.5
    factor: float = 2
    most: float = 30
    jitter: float = 0

    def __post_init__(self) -> None:
        kinds = self.kinds
        object.__setattr__(self, "on", kinds)
        wrong = [each for each in kinds if not (isinstance(each, type) and issubclass(each, BaseException))]
        if wrong or not kinds:
            raise ActionFault(f"Retry(on=...) takes types of exceptions, not {wrong[0] if wrong else kinds!r}", hint="Type Retry(on=(TimeoutError,)).")
        if isinstance(self.max_attempts, bool) or not isinstance(self.max_attempts, int) or self.max_attempts < 1:
            raise ActionFault(f"max_attempts={self.max_attempts!r}: it is a whole number, at least 1", hint="Retry(max_attempts=1) tries once.")
        for name in ("backoff", "factor", "most", "jitter"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
                raise ActionFault(f"{name}={value!r}: it is a number, not below 0", hint="Type Retry(backoff=0.5, factor=2, most=30).")
        if self.jitter > 1:
            raise ActionFault(f"jitter={self.jitter!r}: it is a share, from 0 to 1")

    def admits(self, error: BaseException) -> bool:
        """Returns whether an attempt after this error is worth it: not where the next can only fail in the same way, unless `on` says so."""
        return isinstance(error, tuple(each for each in self.kinds if not isinstance(error, HOPELESS) or issubclass(each, HOPELESS)))

    @property
    def kinds(self) -> tuple[type[BaseException], ...]:
        """The exceptions of `on`, as a tuple."""
        return self.on if isinstance(self.on, tuple) else (self.on,)

    def delays(self) -> Iterator[float]:
        """Yields the seconds before the second attempt, before the third, and so on: one less than there are attempts."""
        delay = self.backoff
        for _ in range(self.max_attempts - 1):
            delay = min(delay, self.most)
            yield max(0.0, delay * (1 + self.jitter * random.uniform(-1, 1)))
            delay *= self.factor


def retry_of(given: object) -> Retry | None:
    """Returns what `retry=` stands for: a Retry, a number of attempts, or None.

    Raises:
        ActionFault: it is none of these.
    """
    if given is None or isinstance(given, Retry):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        return Retry(max_attempts=given)
    raise ActionFault(f"retry={given!r}: it is a Retry or a number of attempts", hint="Type retry=Retry(max_attempts=3, on=(TimeoutError,)).")


def timeout_of(given: object) -> float | None:
    """Returns what `timeout=` stands for: seconds, or None.

    Raises:
        ActionFault: it is no number above 0.
    """
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 < given < float("inf"):
        raise ActionFault(f"timeout={given!r}: it is a number of seconds above 0", hint="Type timeout=30, or leave it out.")
    return float(given)


def with_timeout(action: Timed, call: Callable[[], T]) -> T:
    """Returns what `call` returns, or raises what it raises.

    With a timeout it runs in a thread that has a copy of this context.

    Raises:
        ActionTimeout: it is not done in time.
    """
    if action.timeout is None:
        return call()
    worker = _Worker()
    try:
        value: T = worker.do(call, action.timeout, action)
        return value
    finally:
        worker.end()


async def with_timeout_async(action: Timed, call: Callable[[], Awaitable[T]]) -> T:
    """Returns what `call`'s awaitable returns; it is cancelled when its time is over.

    A sync action, which would hold up everybody else, is in a thread meanwhile.

    Raises:
        ActionTimeout: it is not done in time.
    """
    if action.timeout is None:
        return await call()
    if _may_await(action):
        async with _within(action, action.timeout):
            return await call()
    worker = _Worker()
    try:
        value: T = await worker.do_async(lambda: _driven(action, call()), action.timeout, action)
        return value
    finally:
        worker.end()


def stream_with_timeout(action: Timed, stream: Generator[T, None, R]) -> Generator[T, None, R]:
    """Yields and returns what a stream does; only the time that the stream itself takes counts, not its reader's.

    Raises:
        ActionTimeout: it is not done in time.
    """
    if action.timeout is None:
        return (yield from stream)
    worker, left = _Worker(), action.timeout
    try:
        while True:
            begun = time.monotonic()
            is_over, value = worker.do(lambda: _next(stream), left, action)
            left = max(0.0, left - (time.monotonic() - begun))
            if is_over:
                returned: R = value
                return returned
            yield value
    finally:
        worker.end(stream.close)


async def astream_with_timeout(action: Timed, stream: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yields what an async stream does; only the time that the stream itself takes counts, not its reader's.

    Raises:
        ActionTimeout: it is not done in time; the stream is cancelled.
    """
    left = action.timeout
    worker = None if left is None or _may_await(action) else _Worker()
    try:
        while True:
            begun = time.monotonic()
            try:
                if left is None:
                    value = await anext(stream)
                elif worker is not None:
                    value = await worker.do_async(lambda: _driven(action, anext(stream)), left, action)
                else:
                    async with _within(action, left):
                        value = await anext(stream)
            except StopAsyncIteration:
                return
            left = None if left is None else max(0.0, left - (time.monotonic() - begun))
            yield value
    finally:
        if worker is not None:
            worker.end()
        if worker is None or not worker.is_busy:  # of a thread that hangs nothing can be closed
            await stream.aclose()


@asynccontextmanager
async def _within(action: Timed, seconds: float) -> AsyncIterator[None]:
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError as e:
        if scope.expired():
            raise ActionTimeout(action.name or "", action.timeout or seconds) from e
        raise


def _may_await(action: Timed) -> bool:
    asked = getattr(action, "is_async", None)
    return asked is None or bool(asked())


def _driven(action: Timed, awaitable: Awaitable[T]) -> T:
    """Returns what something to await returns that never waits, as it is all of a sync action's."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as end:
        value: T = end.value
        return value
    except RuntimeError as e:
        if str(e) != "no running event loop":
            raise
    raise AsyncAction(action.name or "", "is written without async, has a timeout and awaits something", "Write it with `async def`.")


def _next(stream: Generator[Any, None, Any]) -> tuple[bool, Any]:
    """Returns (False, the next item), or, at the end, (True, what the stream returned)."""
    try:
        return False, next(stream)
    except StopIteration as end:
        return True, end.value


class _Worker:
    """A thread that does one thing after the other, in one copy of the context that it was made in."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()
        self.is_busy = False
        self._told: Callable[[], None] | None = None  # called in the thread when an answer is there
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(self._work,), daemon=True).start()

    def _work(self) -> None:
        while (call := self._asked.get()) is not None:
            try:
                answer: tuple[Any, BaseException | None] = (call(), None)
            except BaseException as e:
                answer = (None, e)
            self._answers.put(answer)
            if self._told is not None:
                self._told()
            del call, answer

    def do(self, call: Callable[[], Any], seconds: float, action: Timed) -> Any:
        """Returns what `call` returns, or raises what it raises.  Raises ActionTimeout: it is not done in time."""
        self.is_busy = True
        self._asked.put(call)
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise ActionTimeout(action.name or "", action.timeout or seconds) from None
        return self._value(answer)

    async def do_async(self, call: Callable[[], Any], seconds: float, action: Timed) -> Any:
        """Returns what `call` returns; others go on meanwhile.  Raises ActionTimeout: it is not done in time."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(done.set)

        self._told, self.is_busy = tell, True
        self._asked.put(call)
        async with _within(action, seconds):
            await done.wait()
        return self._value(self._answers.get())

    def _value(self, answer: tuple[Any, BaseException | None]) -> Any:
        self.is_busy = False
        value, error = answer
        if error is None:
            return value
        try:
            raise error
        finally:
            del error, answer

    def end(self, last: Callable[[], Any] | None = None) -> None:
        """Lets the thread go, when it is done with what it does; `last` is done before, and waited for if the thread is free."""
        if last is not None:
            self._asked.put(last)
        self._asked.put(None)
        if last is not None and not self.is_busy:
            self._answers.get()
