"""Kill -9 before, in and after every change that a program makes on disk, and at random moments.

A unit is a program's number, or `PROGRAM:STEP:MOMENT`. Each program starts from what
an earlier one left that was killed in turn: torn segments, journals without an end.
"""

from __future__ import annotations

import functools
import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gvstore as gv
from tests.crash.kind import Failure, Kind, Outcome, in_fork, settle_environment
from tests.crash.program import Program, Promises, all_refs, teller, watching_refs
from tests.crash.shim import Shim, Strike, kill
from tests.crash.verdict import faults_of

MOMENTS = ("before", "torn", "after")
PROGRAMS = 14
TIMED_PROGRAMS = 40
TIMED_EACH = 50


@dataclass(slots=True)
class Base:
    """A repository to start from, and what it has promised."""

    root: Path
    promises: Promises = field(default_factory=Promises)


@functools.cache
def _warm() -> None:
    """Imports, here and once, what programs import when they need it: every fork would do it again."""
    with tempfile.TemporaryDirectory() as scratch:
        gv.Repository.init(scratch).close()
        program = Program("warm", Path(scratch), lambda promise: None)
        for act in program.all_acts():
            act()
        program.repo.close()


def prepare(seed: str, folder: Path) -> Base:
    """Returns a repository that a program was killed in, at a random step."""
    settle_environment()
    _warm()
    root = folder / "base"
    base = Base(root)
    in_fork(lambda: gv.Repository.init(root).close())
    for earlier in range(2):
        chance = random.Random(f"{seed} {earlier}")
        promises, _ = play(base, f"{seed} before {earlier}", kill("torn", chance.random()), chance.randint(30, 120))
        base.promises.add(promises)
    return base


def play(base: Base, seed: str, strike: Strike | None, step: int) -> tuple[Promises, int]:
    """Runs a program on the repository itself in a fork that is struck at a step; returns what it told, and its status."""
    out, told = os.pipe()

    def work() -> None:
        if strike is not None:
            Shim(strike, step).install()
        Program(seed, base.root, teller(told)).play()
        os._exit(0)  # SQLite must not find our calls gone

    status = in_fork(work)
    os.close(told)
    return read_promises(out), status


def read_promises(out: int) -> Promises:
    """Returns all that was told through a pipe."""
    promises = Promises()
    with os.fdopen(out, "rb") as pipe:
        for line in pipe.read().split(b"\n"):
            if line.endswith(b"}"):
                promises.take(json.loads(line))
    return promises


def copied(base: Base, root: Path) -> Base:
    """Returns a copy of a repository to be maltreated, in place of the last one."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(base.root, root, symlinks=True)
    return Base(root, base.promises)


def history(base: Base, seed: str, folder: Path) -> tuple[list[dict[str, str]], list[int], list[str]]:
    """Plays undisturbed; returns each state of the refs in order, where each act ended in it, and what went wrong."""
    out, told = os.pipe()
    copy = copied(base, folder / "dry")

    def work() -> None:
        tell = teller(told)
        program = Program(seed, copy.root, tell)
        tell({"refs": all_refs(program.repo), "state": True})
        with watching_refs(lambda refs: tell({"refs": refs.list(""), "state": True})):
            program.play()

    in_fork(work)
    os.close(told)
    states: list[dict[str, str]] = []
    ends: list[int] = []
    faults: list[str] = []
    with os.fdopen(out, "rb") as pipe:
        for line in map(json.loads, pipe.read().splitlines()):
            if "state" in line:
                states.append(line["refs"])
            elif "refs" in line:
                ends.append(len(states) - 1)
            faults += [line["fault"]] if "fault" in line else []
    return states, ends, faults


def allowed_states(states: list[dict[str, str]], ends: list[int], told: int) -> list[dict[str, str]]:
    """Returns the states in which a program's death may leave the refs that had told of so many acts."""
    first = ends[told - 1] if told else 0
    last = ends[told] if told < len(ends) else len(states) - 1
    return states[first : last + 1]


def run(unit: str, seed: int, folder: Path) -> Outcome:
    """Kills a program at every step, or at one."""
    program, *only = unit.split(":")
    name = f"{seed} {program}"
    base = prepare(name, folder)
    states, ends, faults = history(base, name, folder)
    outcome = Outcome(failures=[Failure("kill", unit, f"undisturbed: {each}") for each in faults])
    for step, moment in [(int(only[0]), only[1])] if only else _steps():
        case = f"{program}:{step}:{moment}"
        copy = copied(base, folder / "copy")
        strike = kill(moment, random.Random(f"{seed} {case}").random())
        promises, status = play(copy, name, strike, step)
        if status == 0 and not only:
            break
        outcome.cases += 1
        outcome.failures += _judged("kill", case, copy, base, promises, status, allowed_states(states, ends, len(promises.refs)))
    outcome.note("programs")
    return outcome


def _steps() -> Iterator[tuple[int, str]]:
    for step in range(1, 1_000_000):
        for moment in MOMENTS:
            yield step, moment


def _judged(
    kind: str, case: str, copy: Base, base: Base, promises: Promises, status: int, allowed: list[dict[str, str]]
) -> list[Failure]:
    faults = [f"the program ended with status {status}"] if status not in (0, -signal.SIGKILL) else []
    faults += promises.faults
    promises.add(base.promises)
    return [Failure(kind, case, why) for why in faults + faults_of(copy.root, promises, allowed)]


def run_timed(unit: str, seed: int, folder: Path) -> Outcome:
    """Kills a program at random moments: some fall between two changes, or into SQLite's shared memory."""
    program, *only = unit.split(":")
    name = f"{seed} timed {program}"
    base = prepare(name, folder)
    states, ends, _ = history(base, name, folder)
    started = time.perf_counter()
    play(copied(base, folder / "copy"), name, None, 0)
    whole_s = time.perf_counter() - started
    outcome = Outcome()
    for at in [int(only[0])] if only else range(TIMED_EACH):
        copy = copied(base, folder / "copy")
        promises, status = _killed_after(copy, name, whole_s * random.Random(f"{name} {at}").random())
        outcome.cases += 1
        allowed = allowed_states(states, ends, len(promises.refs))
        outcome.failures += _judged("kill-timed", f"{program}:{at}", copy, base, promises, status, allowed)
    return outcome


def _killed_after(copy: Base, name: str, delay_s: float) -> tuple[Promises, int]:
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            Program(name, copy.root, teller(told)).play()
        finally:
            os._exit(0)
    os.close(told)
    time.sleep(delay_s)
    os.kill(pid, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return read_promises(out), status


def _units(count: int, scale: float) -> Iterable[str]:
    return map(str, range(max(1, round(count * scale))))


KILL = Kind("kill", "SIGKILL before, in and after every change on disk", lambda scale: _units(PROGRAMS, scale), run)
TIMED = Kind("kill-timed", "SIGKILL at random moments", lambda scale: _units(TIMED_PROGRAMS, scale), run_timed)
