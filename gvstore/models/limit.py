"""How often an endpoint may be asked: so many requests and tokens a minute, for all threads of the process.

    [models.limits."gpt-4o-mini"]
    requests = 500
    tokens = 200_000

Each is a bucket that fills steadily and holds a minute's worth at most.  What
an answer will take is not known before it came: a request waits until the
bucket is not empty, then takes what was estimated, and settles afterwards;
so the bucket may run into debt, which those who come next wait off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gvstore.models.fault import BadModelSetting
from gvstore.models.protocol import Message, Options

_MINUTE_S = 60.0
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Limit:
    """What an endpoint allows in a minute; 0 is no limit."""

    requests: int = 0
    tokens: int = 0


class Bucket:
    """What may be taken now of what fills up steadily; `clock` counts seconds."""

    def __init__(self, a_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._most, self._clock = a_minute / _MINUTE_S, float(a_minute), clock
        self._level, self._at = self._most, clock()

    def wait_s(self, amount: float) -> float:
        """Returns how long to wait until `amount`, or all that it can hold, is there; 0 for now."""
        self._fill()
        missing = min(amount, self._most) - self._level
        return max(0.0, missing / self._rate)

    def take(self, amount: float) -> None:
        """Takes `amount`, also below nothing; gives back where it is negative."""
        self._fill()
        self._level = min(self._most, self._level - amount)

    def _fill(self) -> None:
        now = self._clock()
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now


class Limiter:
    """One limit, shared by the threads that ask."""

    def __init__(
        self, limit: Limit, *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._requests = Bucket(limit.requests, clock=clock) if limit.requests else None
        self._tokens = Bucket(limit.tokens, clock=clock) if limit.tokens else None

    def enter(self, tokens: int) -> None:
        """Waits until a request of about so many tokens may be made, and counts it."""
        while True:
            with self._lock:
                wait_s = max(
                    self._requests.wait_s(1) if self._requests else 0.0, self._tokens.wait_s(tokens) if self._tokens else 0.0
                )
                if wait_s <= 0:
                    self._count(1, tokens)
                    return
            self._sleep(wait_s)

    def settle(self, estimated: int, used: int) -> None:
        """Corrects what a request was thought to take to what it took."""
        with self._lock:
            self._count(0, used - estimated)

    def _count(self, requests: int, tokens: int) -> None:
        if self._requests and requests:
            self._requests.take(requests)
        if self._tokens:
            self._tokens.take(tokens)


_limiters: dict[tuple[str, Limit], Limiter] = {}
_lock = threading.Lock()


def limiter_of(name: str, limit: Limit) -> Limiter:
    """Returns the limiter of this process for a model or provider."""
    with _lock:
        return _limiters.setdefault((name, limit), Limiter(limit))


def estimated_tokens(messages: Sequence[Message], options: Options) -> int:
    """Returns about how many tokens a request takes, before it is made: a quarter of the characters, and the longest answer."""
    asked = sum(len(message.content) for message in messages) // _CHARACTERS_A_TOKEN + len(messages) * 4
    return asked + (options.max_tokens or 0) * options.n


def limits_of(table: Mapping[str, object]) -> dict[str, Limit]:
    """Returns the limits that a table of the configuration spells, by model or provider.

    Raises:
        BadModelSetting: one of them is none.
    """
    found = {}
    for name, row in table.items():
        setting = f'models.limits."{name}"'
        if not isinstance(row, Mapping) or not set(row) <= {"requests", "tokens"}:
            raise BadModelSetting(setting, "is a table of requests and tokens, a minute")
        for key, value in row.items():
            if type(value) is not int or value < 1:
                raise BadModelSetting(f"{setting}.{key}", f"is a number above 0, not {value!r:.80}")
        found[str(name)] = Limit(**row)
    return found
