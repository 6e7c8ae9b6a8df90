"""What a replay may spend: tokens, or time.

    5000     tokens      30s   2m   1.5h   500ms      time since the first call is executed

A call that has begun is not cut short: what stops is the beginning of the next.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from gvstore import host

_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)")
_UNITS: Final = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "min": 60_000_000, "h": 3_600_000_000}
_TOKENS: Final = ("prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True)
class Budget:
    """So many tokens, or so many microseconds; the other is None."""

    tokens: int | None = None
    time_us: int | None = None

    def __str__(self) -> str:
        if self.tokens is not None:
            return f"{self.tokens:,} token{'s'[: self.tokens != 1]}"
        us = self.time_us or 0
        name, unit = next((each for each in reversed(_UNITS.items()) if us >= each[1] and each[0] != "min"), ("s", 1_000_000))
        return f"{us / unit:g} {name}"


def parse_budget(given: int | str | timedelta) -> Budget:
    """Returns the budget that a number of tokens, a text, or a duration stands for.

    Raises:
        ValueError: it is none.
    """
    if isinstance(given, timedelta) and given >= timedelta(0):
        return Budget(time_us=given // timedelta(microseconds=1))
    text = "" if isinstance(given, bool | timedelta) else str(given).strip()
    if text.replace(",", "").replace("_", "").isdecimal():
        return Budget(tokens=int(text.replace(",", "").replace("_", "")))
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError(f"{given!r} is no budget: give a number of tokens (5000), or a time (30s, 2m, 1h)")
    return Budget(time_us=round(float(found[1]) * _UNITS[found[2]]))


def tokens_in(value: Any) -> int:
    """Returns the tokens that a completion counts; of any other value none."""
    found = [getattr(value, name, None) for name in _TOKENS]
    return sum(each for each in found if type(each) is int)


class Purse:
    """A budget being spent by one replay, or by several in turn."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self._found = self._earlier = 0  # tokens: in outputs, and of replays that have ended
        self._usage: dict[str, int] = {}
        self._clock: Callable[[], int] | None = None  # made when the first call begins: until then it goes to other processes
        self._began_ns = 0

    def open(self, usage: dict[str, int]) -> None:
        """Goes on with another recording, whose program tells in `usage` what it spends."""
        self._earlier, self._found, self._usage = self.tokens, 0, usage

    def spend(self, value: Any) -> None:
        """Counts the tokens of a call that was executed and made no calls."""
        self._found += tokens_in(value)

    @property
    def tokens(self) -> int:
        """What was spent: as outputs tell, or as the program does, whichever is more."""
        return self._earlier + max(self._found, sum(self._usage.get(name, 0) for name in _TOKENS))

    @property
    def time_us(self) -> int:
        """The time since the first call was executed."""
        return 0 if self._clock is None else (self._clock() - self._began_ns) // 1000

    @property
    def left(self) -> Budget:
        """What may still be spent."""
        if self.budget.tokens is not None:
            return Budget(tokens=max(0, self.budget.tokens - self.tokens))
        return Budget(time_us=max(0, (self.budget.time_us or 0) - self.time_us))

    def begin(self) -> bool:
        """Returns whether one more call may begin."""
        left = self.left
        if left.tokens == 0 or left.time_us == 0:
            return False
        if self._clock is None:
            self._clock = host.stopwatch()
            self._began_ns = self._clock()
        return True
