"""THE DEBUGGER: run, and while it fails let a model mend it.

`debug` is the loop alone: it asks four functions and touches nothing itself, so
that whoever records hands in recorded calls.  `Program` and `take_answer` are what
they usually do: run `main.py` of a working folder, and write an answer's files.

An error is told to the model without what differs from machine to machine (the
working folder's path, Python's own, temporary names): the same failure is the same
prompt, which a record can answer.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from gvstore.pipeline.environment import Environment
from gvstore.pipeline.extract import Fault, extract
from gvstore.pipeline.refusal import PathsRefused, Refusal
from gvstore.pipeline.sandbox import SCRATCH, Ended, Limits, run_program
from gvstore.pipeline.working_folder import Change, WorkingFolder

ATTEMPTS = 3
ERROR_CHARACTERS = 6_000
_SHARED = ("/", "/usr", "/usr/local")  # where Python may live among others
_ADDRESS = re.compile(r"\b0x[0-9a-f]{6,16}\b")


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of the program: whether it works, how it ended, and `error`, what a model is told of it ("" if it works)."""

    stage: Literal["missing", "install", "run"]
    ended: Ended
    error: str

    @property
    def works(self) -> bool:
        """Whether the program exited with 0."""
        return self.stage == "run" and self.ended.works


@dataclass(frozen=True, slots=True)
class Failure:
    """What a model is asked to mend: `number` counts attempts from 1, `model` is None for the step's own."""

    number: int
    code: str
    error: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an answer: the files that changed, those that were refused, the blocks that were not read."""

    changes: tuple[Change, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    faults: tuple[Fault, ...] = ()

    def notes(self) -> str:
        """Returns what a model should know of its last answer, a line each; "" if all is well."""
        lines = [str(each) for each in (*self.refusals, *self.faults)]
        if not self.changes:
            lines.append("the answer changed no file")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One repair: what was asked, what came, what was made of it, and the run after it."""

    failure: Failure
    answer: str
    taken: Taken
    trial: Trial


@dataclass(frozen=True, slots=True)
class Debugged:
    """How it went: the first run and every attempt; of all runs the last counts."""

    first: Trial
    attempts: tuple[Attempt, ...]

    @property
    def last(self) -> Trial:
        """The run after the last attempt."""
        return self.attempts[-1].trial if self.attempts else self.first

    @property
    def works(self) -> bool:
        """Whether the program works now."""
        return self.last.works

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, in order, as `WorkingFolder.take_back` takes them."""
        return tuple(change for attempt in self.attempts for change in attempt.taken.changes)


def debug(
    trial: Callable[[], Trial],
    codebase: Callable[[], str],
    ask: Callable[[Failure], str],
    take: Callable[[str], Taken],
    *,
    attempts: int = ATTEMPTS,
    other_model: str | None = None,
    other_after: int = 0,
) -> Debugged:
    """Returns how the program was mended, or not: at most `attempts` times it is asked for.

    `ask` gets the code and the error and returns an answer; `take` writes its files.
    After `other_after` attempts `other_model` is asked instead.  What the four
    functions raise comes out.
    """
    first = last = trial()
    made: list[Attempt] = []
    while not last.works and len(made) < attempts:
        number = len(made) + 1
        model = other_model if number > other_after else None
        notes = made[-1].taken.notes() if made else ""
        error = f"{last.error}\n\nOf the last answer:\n{notes}" if notes else last.error
        failure = Failure(number, codebase(), error, model)
        answer = ask(failure)
        taken = take(answer)
        last = trial()
        made.append(Attempt(failure, answer, taken, last))
    return Debugged(first, tuple(made))


def take_answer(folder: WorkingFolder, answer: str) -> Taken:
    """Writes an answer's files into the folder, except those that may not be; returns what became of each.

    Raises:
        AnswerRefused: the answer is too large.
    """
    found = extract(answer)
    files = [(file.path, file.content.encode(errors="replace")) for file in found.files]
    refusals = folder.check(files)
    bad = {refusal.path for refusal in refusals}
    changes = folder.write([file for file in files if file[0] not in bad])
    return Taken(changes, refusals, found.faults)


class Program:
    """What a working folder holds, run by Python: `entry` with `arguments`, `stdin` for whom it asks.

    With an `environment` its requirements.txt is installed there first, and again
    when it changes; without one nothing ever is.
    """

    def __init__(
        self,
        folder: WorkingFolder,
        *,
        entry: str = "main.py",
        arguments: Sequence[str] = (),
        stdin: bytes = b"",
        limits: Limits | None = None,
        environment: Environment | None = None,
    ) -> None:
        self.folder, self.entry, self.arguments, self.stdin = folder, entry, tuple(arguments), stdin
        self.limits, self.environment = limits or Limits(), environment

    def trial(self) -> Trial:
        """Runs it once."""
        try:
            there = self.folder.read(self.entry)
            requirements = self.folder.read("requirements.txt")
        except PathsRefused as e:
            return Trial("missing", Ended("not_started"), f"{e.refusals[0]}")
        if there is None:
            return Trial("missing", Ended("not_started"), f"there is no {self.entry}")
        if self.environment is not None and requirements is not None and requirements.strip():
            if not self.environment.has(requirements):
                done = self.environment.install(requirements, cwd=self.folder.path)
                if not done.works:
                    return Trial("install", done, self._error("installing requirements.txt", done, self.environment.limits))
            python = str(self.environment.python)
        else:
            python = sys.executable
        ended = run_program([python, self.entry, *self.arguments], cwd=self.folder.path, limits=self.limits, stdin=self.stdin)
        error = "" if ended.works else self._error(self.entry, ended, self.limits)
        if error and requirements and requirements.strip() and self.environment is None:
            error += "\n(requirements.txt is not installed)"
        return Trial("run", ended, error)

    def _error(self, what: str, ended: Ended, limits: Limits) -> str:
        written = ended.stderr.text.strip() or ended.stdout.text.strip()
        text = self.anywhere(f"{what} {ended.told(limits)}\n{written}".rstrip())
        if len(text) <= ERROR_CHARACTERS:
            return text
        first, _, rest = text.partition("\n")
        return f"{first}\n[...]\n{rest[-ERROR_CHARACTERS:]}"

    def anywhere(self, text: str) -> str:
        """Returns a text without what differs from machine to machine and from run to run."""
        own = [(str(self.folder.path), ""), (str(self.folder.path.resolve()), "")]
        if self.environment is not None:
            own += [(str(self.environment.folder), "<environment>"), (str(self.environment.folder.resolve()), "<environment>")]
        own += [(path, "<python>") for path in (sysconfig.get_path("stdlib"), sys.prefix, sys.base_prefix) if path not in _SHARED]
        for path, name in sorted(own, key=lambda each: -len(each[0])):
            text = text.replace(f"{path}/", f"{name}/" if name else "")
            text = re.sub(rf"{re.escape(path)}(?![\w.-])", name or ".", text)
        for folder in {tempfile.gettempdir(), os.path.realpath(tempfile.gettempdir())}:
            text = re.sub(rf"{re.escape(folder)}/{SCRATCH}\w+", "<temporary>", text)
        return _ADDRESS.sub("0x...", text)
