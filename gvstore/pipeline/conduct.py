"""How a pipeline is run, beside what it is: how many steps at once, what a failure stops, who listens.

None of it is an argument of anything that is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol


class Ended(NamedTuple):
    """How a step ended: `how` is ran, reused, skipped, failed, waiting or not run; `why` it was not; `value` is its result."""

    step: str
    how: str
    duration_ns: int = 0
    value: Any = None
    why: str = ""


class Listener(Protocol):
    """Hears how far a pipeline has come, from the threads that run it."""

    def began(self, step: str) -> None:
        """A step is about to be executed."""
        ...

    def said(self, step: str, piece: str) -> None:
        """A model that a step asks has said something."""
        ...

    def ended(self, ended: Ended) -> None:
        """A step has ended."""
        ...


class Silence:
    """Hears, and says nothing."""

    def began(self, step: str) -> None: ...

    def said(self, step: str, piece: str) -> None: ...

    def ended(self, ended: Ended) -> None: ...


@dataclass(frozen=True, slots=True)
class Within:
    """Hears of a pipeline that a step runs: its steps have the step's name before them, `s.topic`."""

    listener: Listener
    step: str

    def began(self, step: str) -> None:
        self.listener.began(f"{self.step}.{step}")

    def said(self, step: str, piece: str) -> None:
        self.listener.said(f"{self.step}.{step}", piece)

    def ended(self, ended: Ended) -> None:
        self.listener.ended(ended._replace(step=f"{self.step}.{ended.step}"))


_SILENCE: Final = Silence()


@dataclass(frozen=True, slots=True)
class Conduct:
    """`jobs` steps at once; with `keep_going` a failure stops only what depends on it; `streams`: the listener hears pieces.

    With `install` what a generated program requires is installed, in an environment of its own.
    """

    jobs: int = 1
    keep_going: bool = False
    listener: Listener = _SILENCE
    streams: bool = False
    install: bool = False


_CONDUCT: Final[ContextVar[Conduct]] = ContextVar("gvstore.pipeline.conduct", default=Conduct())  # noqa: B039 - it cannot be changed


def current_conduct() -> Conduct:
    """Returns the conduct of the innermost block."""
    return _CONDUCT.get()


@contextmanager
def conducted(conduct: Conduct) -> Iterator[None]:
    """Has pipelines run so in the block."""
    token = _CONDUCT.set(conduct)
    try:
        yield
    finally:
        _CONDUCT.reset(token)
