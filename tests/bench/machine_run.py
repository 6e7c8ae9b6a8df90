"""Runs of machines, every step recorded: a chat whose history grows by a message, and a counter.

Counted are all files under `.gv`, the repository closed, with and without those
of an empty one.  The text is random and does not compress.  A step is read back
in a repository opened anew: the state after it, its first field and the whole
history.  The counter runs durable per step against `kill -9`, as everything
that is recorded.  Beside it a stand-in for Burr's trackers, that only
writes: the whole state as JSON at each step, a line in a log or a row in SQLite, committed.

    python -m tests.bench.machine_run
"""

from __future__ import annotations

import json
import random
import sqlite3
import string
import time
from pathlib import Path
from statistics import median
from typing import Any

import gvstore as gv
from gvstore.machine import ApplicationBuilder, State, action, expr
from gvstore.machine.steps import MachineCall
from tests.bench.measure import scratch, size_bytes, table

SIZES = (400, 800, 1600)
LENGTH = 200
COUNTS = 10_000
COMMITS = 500  # of SQLite, which syncs each
LETTERS = string.ascii_letters + string.digits

script: list[str] = []


@action(reads=["turns"], writes=["history", "turns"])
def say(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """Says the next message."""
    at = state["turns"]
    message = {"role": ("user", "assistant")[at % 2], "content": script[at]}
    return {}, state.append(history=message).increment(turns=1)


@action(reads=["counter"], writes=["counter"])
def count(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """Counts."""
    result = {"counter": state["counter"] + 1}
    return result, state.update(**result)


def run(folder: Path, act: Any, limit: str, **state: Any) -> tuple[float, int]:
    """Returns seconds and bytes under `.gv` of a machine's run."""
    with gv.init(folder):
        app = (
            ApplicationBuilder().with_actions(act=act).with_transitions(("act", "act", expr(limit))).with_state(**state)
            .with_identifiers(app_id="bench").build()
        )  # fmt: skip
        start = time.perf_counter()
        app.run()
        took = time.perf_counter() - start
    return took, size_bytes(folder / ".gv")


def reading(folder: Path, steps: int) -> list[float]:
    """Returns the median milliseconds of coming to the state after a step: a number of it, and the whole history."""
    took: dict[str, list[float]] = {"turns": [], "history": []}
    for name, times in took.items():
        for at in range(steps // 20, steps, steps // 20):
            with gv.open(folder) as repo:
                record = repo.runs[1]
                call = record.invocation
                start = time.perf_counter()
                MachineCall.of_run(call, record.record).state_after(at)[name]
                times.append((time.perf_counter() - start) * 1e3)
    return [median(times) for times in took.values()]


def in_log(folder: Path) -> tuple[float, int]:
    """Returns seconds and bytes of a stand-in for Burr's LocalTrackingClient: two lines a step, the whole state in one."""
    start = time.perf_counter()
    with (folder / "log.jsonl").open("a") as file:
        for at in range(COUNTS):
            common = {"action": "count", "sequence_id": at}
            file.write(json.dumps({"type": "begin_entry", "start_time": time.time(), "inputs": {}, **common}) + "\n")
            file.flush()
            done = {"end_time": time.time(), "result": {"counter": at + 1}, "exception": None, "state": {"counter": at + 1}}
            file.write(json.dumps({"type": "end_entry", **done, **common}) + "\n")
            file.flush()
    return time.perf_counter() - start, size_bytes(folder)


def in_rows(folder: Path) -> tuple[float, int]:
    """Returns seconds and bytes, of fewer steps, of a stand-in for Burr's SQLitePersister: a row a step, the whole state in it, committed."""
    base = sqlite3.connect(folder / "rows.db")
    base.execute("CREATE TABLE s (p TEXT, a TEXT, n INTEGER, q TEXT, state TEXT, status TEXT, created_at TEXT, PRIMARY KEY(p, a, n, q))")
    start = time.perf_counter()
    for at in range(COMMITS):
        base.execute("INSERT INTO s VALUES (?,?,?,?,?,?,?)", ("", "bench", at, "count", json.dumps({"counter": at + 1}), "completed", "now"))
        base.commit()
    took = time.perf_counter() - start
    base.close()
    return took, size_bytes(folder)


def main() -> None:
    """Prints the figures."""
    chance = random.Random(11)
    script.extend("".join(chance.choices(LETTERS, k=LENGTH)) for _ in range(max(SIZES)))
    rows: list[list[str]] = []
    before = 0
    with scratch() as folder:
        with gv.init(folder / "empty"):
            pass
        empty = size_bytes(folder / "empty" / ".gv")
        for size in SIZES:
            took, found = run(folder / f"{size}", say, f"turns < {size}", history=[], turns=0)
            grew = f"{(found - empty) / before:.2f}" if before else ""
            figures = [f"{each:.2f}" for each in reading(folder / f"{size}", size)]
            rows.append([f"{size}", f"{found / 1e3:.0f}", f"{(found - empty) / 1e3:.0f}", grew, f"{took / size * 1e6:.0f}", *figures])
            before = found - empty
        print(table(["messages", "kB", "less an empty one", "of the line above", "us a step", "ms to read a number", "the history"], rows))
        print(f"the text itself, of {SIZES[-1]} messages: {SIZES[-1] * LENGTH / 1e3:.0f} kB; an empty repository: {empty / 1e3:.0f} kB\n")
        lines = []
        took, found = run(folder / "counter", count, f"counter < {COUNTS}", counter=0)
        lines.append(["gvstore, durable against kill -9", f"{COUNTS / took:,.0f}", f"{(found - empty) / COUNTS:.0f}"])
        for name, stand_in, steps in (("writes of Burr's tracker", in_log, COUNTS), ("writes of Burr's SQLitePersister", in_rows, COMMITS)):
            (folder / name).mkdir()
            took, found = stand_in(folder / name)
            lines.append([name, f"{steps / took:,.0f}", f"{found / steps:.0f}"])
    print(table([f"a counter of {COUNTS:,} steps", "steps/s", "bytes a step"], lines))


if __name__ == "__main__":
    main()
