"""What the kinds of fault tests share: units of work, failures, and how to see one again."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that did not hold: `unit` makes it again."""

    kind: str
    unit: str
    why: str

    def command(self, seed: int) -> str:
        """Returns what to type to see it again."""
        return f"python -m tests.bench.faults --only {self.kind} --seed {seed} --unit '{self.unit}'"


@dataclass(slots=True)
class Outcome:
    """What one unit came to: how many cases of which sort, and those that did not hold."""

    cases: int = 0
    failures: list[Failure] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)

    def note(self, what: str, count: int = 1) -> None:
        """Counts something worth a line in the table."""
        self.notes[what] = self.notes.get(what, 0) + count

    def add(self, other: Outcome) -> None:
        """Takes another's counts in."""
        self.cases += other.cases
        self.failures += other.failures
        for what, count in other.notes.items():
            self.note(what, count)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault: `units` says what there is to do at a scale (1 is the full count), `run` does one of them.

    A unit is text; `run` also takes a narrower one, which names a single case.
    """

    name: str
    about: str
    units: Callable[[float], Iterable[str]]
    run: Callable[[str, int, Path], Outcome]
    alone: bool = False  # it wants all processors for itself


def settle_environment() -> None:
    """Stops the clock and fixes who writes, so that a program does the same every time."""
    for name, value in {
        "GV_NOW": "2026-11-20T10:02:11Z",
        "GV_AUTHOR": "Ada <ada@example.org>",
        "GV_HOST": "engine",
        "GV_PYTHON": "3.12.4",
        "LOGNAME": "ada",
    }.items():
        os.environ[name] = value


def shown(error: BaseException) -> str:
    """Returns an error in one line, with where it came from."""
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[-3:]]
    return f"{type(error).__name__}: {str(error)[:300]} ({' < '.join(reversed(frames))})"


def in_fork(work: Callable[[], None]) -> int:
    """Runs `work` in a fork of this process and ends it there; returns its status, negative for a signal."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
