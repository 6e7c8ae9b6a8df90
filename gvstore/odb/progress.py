"""How far long work on the database has come, told to whoever listens.

The work is deep below whoever shows it, and is mostly not watched at all: so
nothing is passed down to it.  A stage has a beginning and a number of steps;
who listens hears of it a few hundred times, not at every step.  Used by this
room and `repo`; the command line listens (`Output.working`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Listener = Callable[[int, int | None], object]
"""(steps done, of so many or of nobody knows how many)"""

_TELLINGS = 400
_STEP = 250  # where the end is not known


class _Stage:
    __slots__ = ("done", "listener", "next", "step", "total")

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.begin(None)

    def begin(self, total: int | None) -> None:
        self.done, self.total = 0, total
        self.step = self.next = _STEP if total is None else total // _TELLINGS


_stages: list[_Stage] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has `listener` called for long work of this process while the block runs, in the thread that works."""
    stage = _Stage(listener)
    _stages.append(stage)
    try:
        yield
    finally:
        _stages.remove(stage)


def begin(total: int | None = None) -> None:
    """A stage of so many steps begins."""
    for stage in _stages:
        stage.begin(total)
        stage.listener(0, total)


def step(count: int = 1) -> None:
    """So many steps more are done."""
    for stage in _stages:
        stage.done += count
        if stage.done >= stage.next:
            stage.next = stage.done + stage.step
            stage.listener(stage.done, stage.total)
