"""Asking again: which failures may be asked again, how long to wait, and when to give up.

One call of `complete` is one call in the record, however many attempts it
took; `Completion.retried` and `ModelFailed.retried` tell of them.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gvstore.models.fault import BadModelSetting, ModelFailed
from gvstore.models.protocol import Completion, OnText

_SECTION = "models.retry"


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often to ask, and how many seconds to wait before each further attempt.

    Waits grow by `factor` from `first_s` to `most_s`; of each, a random part of up
    to `jitter` is left out, so that clients that failed together do not come
    back together.  An endpoint that asks for a longer wait gets it, up to
    `longest_s`; what asks for still more has failed.
    """

    attempts: int = 4
    first_s: float = 0.5
    factor: float = 2.0
    most_s: float = 30.0
    jitter: float = 0.25
    longest_s: float = 120.0

    def wait_s(self, failed: int, after_s: float | None, chance: float) -> float | None:
        """Returns how long to wait when `failed` attempts have failed, or None to give up; `chance` is random, below 1."""
        if failed >= self.attempts or (after_s is not None and after_s > self.longest_s):
            return None
        grown = min(self.most_s, self.first_s * self.factor ** min(failed - 1, 60))
        return max(grown * (1.0 - self.jitter * chance), after_s or 0.0)


NO_RETRY = Backoff(attempts=1)


def backoff_of(table: Mapping[str, object]) -> Backoff:
    """Returns the backoff that a table of the configuration spells: any of the fields of `Backoff`.

    Raises:
        BadModelSetting: an unknown name, or what is no number that fits.
    """
    found: dict[str, Any] = {}
    for name, value in table.items():
        if name not in Backoff.__slots__:
            raise BadModelSetting(f"{_SECTION}.{name}", f"is no setting; known: {', '.join(Backoff.__slots__)}")
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not 0 <= float(str(value)) <= 86_400 or (name == "attempts" and (type(value) is not int or value < 1)):
            raise BadModelSetting(f"{_SECTION}.{name}", f"is a number, not {value!r:.80}")
        found[name] = value
    return Backoff(**found)


def persist(
    ask: Callable[[OnText | None], Completion],
    backoff: Backoff,
    on_text: OnText | None,
    *,
    sleep: Callable[[float], object] = time.sleep,
    chance: Callable[[], float] = random.random,
) -> Completion:
    """Returns what `ask` gives, asked again while its failures may be.

    An answer that broke off when `on_text` had heard some of it is not asked
    for again: the pieces heard have to be those of the answer.

    Raises:
        ModelFailed: the last failure, which tells of those before it.
    """
    retried: list[str] = []
    while True:
        heard = _Heard(on_text)
        failed: ModelFailed
        try:
            completion = ask(None if on_text is None else heard)
            return replace(completion, retried=tuple(retried)) if retried else completion
        except ModelFailed as e:
            failed = e
        wait_s = backoff.wait_s(len(retried) + 1, failed.after_s, chance()) if failed.again and not heard.anything else None
        if wait_s is None:
            raise failed.after(tuple(retried))
        retried.append(failed.why)
        sleep(wait_s)


class _Heard:
    """Hands pieces on, and knows whether there were any."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self.anything = False

    def __call__(self, piece: str) -> None:
        self.anything = True
        assert self._on_text is not None
        self._on_text(piece)
