"""Recording a call, and answering one from the record.

One registered function calls another 10,000 times; that one adds 1 to a number.
gvstore records the calls as a run in a repository on disk.  The plain JSONL
journal is what one would write by hand: one line when a call begins (number,
name, time, arguments), one when it ends (number, time, result), each flushed to
the operating system, one fsync at the end.  Replay is that of the run after
`rewind(1)`: 9,999 calls are answered, one is executed.  The three take turns,
nine rounds long, in one process.  Bytes are those by which all files under `.gv`
grow with a run of 10,000 calls, the repository closed.

    python -m tests.bench.record_calls [ROUNDS]
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import gvstore as gv
from tests.bench.measure import ratios, scratch, size_bytes, spread, table

CALLS = 10_000
ROUNDS = 9
JOURNAL = "journal.jsonl"
T = TypeVar("T")


@gv.register
def step(number: int) -> int:
    """Returns the number after."""
    return number + 1


@gv.register
def steps(first: int, count: int) -> int:
    """Returns the sum of `count` steps."""
    return sum(step(first + at) for at in range(count))


def expected(first: int, count: int) -> int:
    """Returns what `steps` returns."""
    return count * (first + 1) + count * (count - 1) // 2


def plain_step(number: int) -> int:
    """Does what `step` does, unregistered."""
    return number + 1


def journaled(path: Path, first: int, count: int) -> int:
    """Returns the sum of calls that a plain JSONL journal records."""
    total = 0
    with path.open("w", buffering=1 << 16) as file:
        for number in range(count):
            argument = first + number
            begin = {"call": number, "function": "plain_step", "at": time.time_ns(), "args": [argument]}
            file.write(json.dumps(begin) + "\n")
            file.flush()
            result = plain_step(argument)
            file.write(json.dumps({"call": number, "at": time.time_ns(), "result": result}) + "\n")
            file.flush()
            total += result
        os.fsync(file.fileno())
    return total


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Returns how many seconds `work` took, and what it returned."""
    gc.collect()
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def rounds(folder: Path, count: int) -> tuple[list[float], list[float], list[float]]:
    """Returns the seconds of journal, recording and replay, one each a round."""
    times: tuple[list[float], list[float], list[float]] = [], [], []
    with gv.init(folder / "project"):
        gv.run(steps, -1000, 500)
        for at in range(count):
            first = at * 1_000_000  # never the same arguments twice: no round leans on the one before
            plain_s, total = timed(partial(journaled, folder / JOURNAL, first, CALLS))
            recorded_s, run = timed(partial(gv.run, steps, first, CALLS))
            replayed_s, again = timed(run.rewind(1).replay)
            for each, taken in zip(times, (plain_s, recorded_s, replayed_s), strict=True):
                each.append(taken)

            assert [expected(first, CALLS)] * 3 == [total, run.output, again.output]
    return times


def bytes_of_run(folder: Path) -> int:
    """Returns by how many bytes a repository grows with a run of CALLS calls."""
    with gv.init(folder):
        gv.run(steps, -1000, 500)  # pays for what a repository needs once
    before = size_bytes(folder / ".gv")
    with gv.open(folder):
        gv.run(steps, 0, CALLS)
    return size_bytes(folder / ".gv") - before


def main() -> None:
    """Prints the figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with scratch() as folder:
        plain, recorded, replayed = rounds(folder, count)
        line = (folder / JOURNAL).stat().st_size
        grown = bytes_of_run(folder / "bytes")
    micro = 1e6 / CALLS
    rows = [
        [name, spread([each * micro for each in times]), spread(ratios(times, plain)), size]
        for name, times, size in (
            ("plain JSONL journal", plain, f"{line / CALLS:.0f}"),
            ("gvstore, record", recorded, f"{grown / CALLS:.0f}"),
            ("gvstore, replay", replayed, ""),
        )
    ]
    print(f"{CALLS:,} calls, {count} rounds: median (lowest to highest)")
    print(table(["", "µs a call", "of the journal's time", "bytes a call"], rows))
    print(f"replay, of the recording's time: {spread(ratios(replayed, recorded))}")


if __name__ == "__main__":
    main()
