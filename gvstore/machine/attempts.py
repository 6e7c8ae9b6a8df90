"""How often an action is tried, and for how long it may take.

Whoever runs actions loops over the attempts: each is a call of its own.

A sync action that has a timeout runs in a thread of its own, as nothing can
stop a function from outside: it is left to itself when its time is over, and
what it returns then is not looked at.
"""

from __future__ import annotations

import asyncio
import contextvars
import random
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from gvstore.machine.action_fault import ActionFault, ActionTimeout

T = TypeVar("T")


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
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
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
        """Returns whether an attempt after this error is worth it."""
        return isinstance(error, self.on)

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
    value: T = _Thread(call).within(action, action.timeout)
    return value


async def with_timeout_async(action: Timed, call: Callable[[], Awaitable[T]]) -> T:
    """Returns what `call`'s awaitable returns; it is cancelled when its time is over.

    Raises:
        ActionTimeout: it is not done in time.
    """
    if action.timeout is None:
        return await call()
    scope = asyncio.timeout(action.timeout)
    try:
        async with scope:
            return await call()
    except TimeoutError as e:
        if scope.expired():
            raise ActionTimeout(action.name or "", action.timeout) from e
        raise


class _Thread:
    """A call in a thread."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._value: Any = None
        self._error: BaseException | None = None
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._run,), daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as e:
            self._error = e

    def within(self, action: Timed, seconds: float) -> Any:
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise ActionTimeout(action.name or "", action.timeout or seconds)
        if self._error is not None:
            try:
                raise self._error
            finally:
                self._error = None
        return self._value
