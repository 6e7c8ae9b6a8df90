"""Maltreats repositories in every way that tests/crash knows, as often as the issue of faults is to be taken seriously.

    python -m tests.bench.faults [--only KIND]... [--scale 0.1] [--jobs 2] [--write]
    python -m tests.bench.faults --only KIND --seed N --unit UNIT         one case again, as a failure names it

Prints a table, and with `--write` puts it into docs/faults.md; the kinds that were not run this time keep their lines there.
Exits 1 if anything did not hold. The full counts take hours of one processor; a slice of them runs in the tests.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.measure import ROOT, machine
from tests.crash.crowd import SIXTEEN, STOP
from tests.crash.failing import FAIL
from tests.crash.flips import CUT, FLIP
from tests.crash.fuzz import FUZZ
from tests.crash.kills import KILL, TIMED
from tests.crash.kind import Failure, Kind, Outcome, shown
from tests.crash.power import POWER

KINDS = (KILL, TIMED, POWER, FAIL, STOP, SIXTEEN, FLIP, CUT, FUZZ)
PAGE = ROOT / "docs" / "faults.md"
SHOWN = 20
SEED = 20261120
HEAD = """# Faults

Written by `python -m tests.bench.faults --write`; edit the script and `tests/crash/`, not this page. Each case maltreats a
repository, or what reads it, in one way, and looks at what is left: nothing that was promised is lost, what is damaged is
found and named, and the next command works. A case that does not hold is printed with the command that makes it again. The same
kinds run in the tests, a few cases of each.
"""
CASES = (
    ("kill, kill-timed", "a program of seven commands (put, batch, commit, record, replay, undo, gc, repack ...), killed "
     "there: every object, commit, ref and finished call that it was told of is there, `gv fsck --full` finds nothing, the "
     "next command works, and `fsck` is clean after it"),
    ("power", "a disk as it may be after a cut between two calls: writes that were not synced are there, torn or lost"),
    ("fail", "the call refused, or no memory: an error of ours, nothing lost, and the same command works afterwards"),
    ("stop", "a program stopped there, gc twice, and the program goes on to its end: all that it wrote is whole"),
    ("sixteen", "a commit: all are there, each branch's reflog is one line"),
    ("flip", "a bit of a repository with one of everything: `gv fsck --full` finds it, or no answer differs (harmless: free "
     "pages of SQLite, spare bits of a dictionary's frame, what is only a hint); at most one object is lost; never a wrong answer"),
    ("cut", "a length"),
    ("fuzz", "an input to a parser: a value or an error of ours, within a second and 256 MB"),
)  # fmt: skip


def work(kind: Kind, units: Sequence[str], seed: int, place: Path) -> None:
    """Does units one after the other, each in an empty folder; tells what they came to, a line each."""
    with (place / f"{os.getpid()}.told").open("a") as told:
        while (unit := _next(place, units)) is not None:
            folder = Path(tempfile.mkdtemp(dir=place))
            started = time.perf_counter()
            outcome = done(kind, unit, seed, folder)
            shutil.rmtree(folder, ignore_errors=True)
            line = asdict(outcome) | {"s": time.perf_counter() - started}
            print(json.dumps(line), file=told, flush=True)


def _next(place: Path, units: Sequence[str]) -> str | None:
    """Returns a unit that no other process has taken."""
    for number, unit in enumerate(units):
        try:
            os.close(os.open(place / f"{number}.taken", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            continue
        return unit
    return None


def done(kind: Kind, unit: str, seed: int, folder: Path) -> Outcome:
    """Does a unit in a fork of its own: what it sets and loads goes with it."""
    told = folder.with_suffix(".outcome")
    pid = os.fork()
    if pid == 0:
        try:
            outcome = kind.run(unit, seed, folder)
        except BaseException as e:
            outcome = Outcome(failures=[Failure(kind.name, unit, shown(e))])
        told.write_text(json.dumps(asdict(outcome)))
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status:
        return Outcome(failures=[Failure(kind.name, unit, f"the process ended with status {status}")])
    return _outcome(json.loads(told.read_text()))


def _outcome(line: dict[str, object]) -> Outcome:
    failures = line["failures"]
    notes = line["notes"]
    assert isinstance(failures, list) and isinstance(notes, dict)
    return Outcome(int(str(line["cases"])), [Failure(**each) for each in failures], notes)


def run(kind: Kind, units: Sequence[str], seed: int, jobs: int) -> tuple[Outcome, float]:
    """Returns what all units of a kind came to, and the seconds of processes that they took."""
    place = Path(tempfile.mkdtemp(prefix="gvfaults-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    whole, seconds = Outcome(), 0.0
    try:
        pids = []
        for _ in range(1 if kind.alone else min(jobs, len(units))):
            pid = os.fork()
            if pid == 0:
                try:
                    work(kind, units, seed, place)
                finally:
                    os._exit(0)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        for line in _lines(place):
            whole.add(_outcome(line))
            seconds += float(str(line["s"]))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return whole, seconds


def _lines(place: Path) -> Iterator[dict[str, object]]:
    for path in sorted(place.glob("*.told")):
        yield from map(json.loads, path.read_text().splitlines())


def row(kind: Kind, outcome: Outcome, seconds: float, seed: int) -> str:
    """Returns a line of the table."""
    notes = ", ".join(f"{what}: {count:,}" for what, count in sorted(outcome.notes.items()))
    held = "all" if not outcome.failures else f"all but {len({f.unit for f in outcome.failures}):,}"
    when = datetime.now(UTC).date().isoformat()
    return f"| {kind.name} | {kind.about} | {outcome.cases:,} | {held} | {notes} | {seconds:,.0f} s | {seed} | {when} |"


def write(rows: dict[str, str]) -> None:
    """Writes the page; lines of other kinds stay."""
    before = PAGE.read_text().splitlines() if PAGE.exists() else []
    old = {line.split(" | ")[0].removeprefix("| "): line for line in before if line.startswith("| ")}
    page = [HEAD, "| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in machine()[1:6])]
    page += ["", "| kind | what is done | cases | held | of these | time of one processor | seed | date |"]
    page += ["| --- | --- | ---: | --- | --- | ---: | ---: | --- |"]
    page += [rows.get(kind.name) or old[kind.name] for kind in KINDS if kind.name in rows or kind.name in old]
    page += ["", "| kind | a case, and what must hold |", "| --- | --- |", *(f"| {kind} | {what} |" for kind, what in CASES)]
    PAGE.write_text("\n".join(page) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the kinds; returns 1 if anything did not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", action="append", choices=[kind.name for kind in KINDS], help="this kind (can be repeated)")
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full counts, or a multiple")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--unit", action="append", help="this unit or case only (can be repeated)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at once")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/faults.md")
    chosen = parser.parse_args(arguments)
    failures: list[Failure] = []
    for kind in KINDS:
        if chosen.only and kind.name not in chosen.only:
            continue
        outcome, seconds = run(kind, chosen.unit or list(kind.units(chosen.scale)), chosen.seed, chosen.jobs)
        line = row(kind, outcome, seconds, chosen.seed)
        print(line, flush=True)
        if chosen.write and not chosen.unit:
            write({kind.name: line})
        for failure in outcome.failures[:SHOWN]:
            print(f"  {failure.why}\n    {failure.command(chosen.seed)}", flush=True)
        failures += outcome.failures
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
