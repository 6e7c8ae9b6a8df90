"""The k-th call to the system fails, once or from there on, for every k.

A unit is a program's number, or `PROGRAM:STEP:MODE`. A refused act must say so in an error of ours,
lose nothing that was promised, and work when it is done again.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.crash.kills import Base, allowed_states, copied, history, prepare, read_promises
from tests.crash.kind import Failure, Kind, Outcome, in_fork
from tests.crash.program import Program, Promises, teller
from tests.crash.shim import Shim, Strike, refuse, shorten, starve
from tests.crash.verdict import faults_of

PROGRAMS = 1
# EINTR from there on would be no failure but the end: every program, SQLite first, calls again and again.
MODES = ("EIO", "EIO+", "ENOSPC", "ENOSPC+", "EINTR", "EMFILE", "EMFILE+", "short", "short+", "memory")
HANG_S = 20


def run(unit: str, seed: int, folder: Path) -> Outcome:
    """Refuses every call of a program, or one."""
    program, *only = unit.split(":")
    name = f"{seed} failing {program}"
    base = prepare(name, folder)
    states, ends, faults = history(base, name, folder)
    outcome = Outcome(failures=[Failure("fail", unit, f"undisturbed: {each}") for each in faults])
    for step, mode in [(int(only[0]), only[1])] if only else _cases(base, name, folder):
        case = f"{program}:{step}:{mode}"
        copy = copied(base, folder / "copy")
        promises, status = _play(copy, name, mode, step)
        outcome.cases += 1
        outcome.note("refused", bool(promises.faults))
        told = promises.refs
        allowed = told[-1:] if promises.ended else allowed_states(states, ends, len(told))
        faults = [each for each in promises.faults if each.startswith("untyped") and not each.startswith("untyped MemoryError")]
        if status != 0:
            faults.append(f"the program ended with status {status}, after {promises.faults}")
        if mode.startswith("short") and promises.faults:
            faults.append(f"short writes were taken for failures: {promises.faults}")
        promises.add(base.promises)
        outcome.failures += [Failure("fail", case, why) for why in faults + faults_of(copy.root, promises, allowed)]
    return outcome


def _cases(base: Base, name: str, folder: Path) -> Iterator[tuple[int, str]]:
    """Yields every step of the undisturbed program with every mode."""
    for mode in MODES:
        for step in range(1, _count(copied(base, folder / "copy"), name, mode) + 1):
            yield step, mode


def _shim(mode: str, step: int) -> Shim:
    what = mode.removesuffix("+")
    strike: Strike = {"short": shorten, "memory": starve}.get(what) or refuse(getattr(errno, what))
    return Shim(strike, step, sticky=mode.endswith("+"), opens=what == "EMFILE", codecs=what == "memory")


def _count(copy: Base, name: str, mode: str) -> int:
    """Returns how many calls of the mode's sort the program makes."""
    out, told = os.pipe()

    def work() -> None:
        program = Program(name, copy.root, lambda promise: None)
        shim = _shim(mode, 1 << 60)
        shim.install()
        program.play()
        os.close(out)
        teller(told)({"objects": ["x"] * shim.count})
        shim.remove()

    def count() -> int:
        with os.fdopen(out, "rb") as pipe:
            return pipe.read().count(b'"x"')

    status = in_fork(work)
    os.close(told)
    assert status == 0
    return count()


def _play(copy: Base, name: str, mode: str, step: int) -> tuple[Promises, int]:
    out, told = os.pipe()

    def work() -> None:
        signal.alarm(HANG_S)
        program = Program(name, copy.root, teller(told))
        _shim(mode, step).install()
        program.play(forgiving=not mode.endswith("+"))
        os._exit(0)  # SQLite must not find our calls gone

    status = in_fork(work)
    os.close(told)
    return read_promises(out), status


def units(scale: float) -> Iterable[str]:
    """Returns the programs."""
    return map(str, range(max(1, round(PROGRAMS * scale))))


FAIL = Kind("fail", "each call to the system refused: EIO, ENOSPC, EINTR, EMFILE, no memory, short writes; once and from there on", units, run)
