"""Steps kept in SQLite: a chat whose history grows by a message, and a counter.

Each step with its inputs and its result, in a transaction of its own; all
files counted, the persister closed.  Beside it the scheme of persisters that
write the whole state as JSON at every step (`whole`): one table, a commit a
step, without inputs and results.

    python -m tests.bench.machine_persister
"""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from statistics import median
from typing import Any

from gvstore.machine.persister_sqlite import SQLitePersister
from gvstore.machine.state import State
from tests.bench.measure import Prose, scratch, size_bytes, table

SIZES = (200, 400, 800)
LENGTH = 400
COUNTS = 10_000
SEED = 11
TABLE = (
    "CREATE TABLE steps (partition_key TEXT, app_id TEXT, sequence_id INTEGER, position TEXT, status TEXT, state TEXT,"
    " PRIMARY KEY (partition_key, app_id, sequence_id, position))"
)

script: list[str] = []


def kept(folder: Path, messages: int) -> tuple[int, float]:
    """Returns the bytes and the median microseconds of keeping a step, the making of the state not counted."""
    took = []
    state: State[Any] = State({"history": [], "prompt": ""})
    with SQLitePersister(folder / "steps.db") as persister:
        persister.initialize()
        for at in range(messages):
            message = {"role": ("user", "assistant")[at % 2], "content": script[at]}
            state = state.append(history=message).update(prompt=script[at])
            start = time.perf_counter()
            given: dict[str, Any] = {"inputs": {"prompt": script[at]}, "result": {"message": message}}
            persister.save("p", "chat", at, "say", state, "completed", **given)
            took.append((time.perf_counter() - start) * 1e6)
    return size_bytes(folder), median(took)


def whole(folder: Path, messages: int) -> tuple[int, float]:
    """Returns the same of whole states."""
    took, history = [], []
    connection = sqlite3.connect(folder / "steps.db")
    connection.execute(TABLE)
    for at in range(messages):
        history.append({"role": ("user", "assistant")[at % 2], "content": script[at]})
        start = time.perf_counter()
        row = ("p", "chat", at, "say", "completed", json.dumps({"history": history, "prompt": script[at]}))
        connection.execute("INSERT INTO steps VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.commit()
        took.append((time.perf_counter() - start) * 1e6)
    connection.close()
    return size_bytes(folder), median(took)


def reading(folder: Path, messages: int) -> tuple[float, float]:
    """Returns the milliseconds of loading a step, whole: the median of twenty, and the last step's."""
    took = []
    with SQLitePersister(folder / "steps.db") as persister:
        persister.load("p", "chat", 0)
        for at in (*range(0, messages, messages // 20), messages - 1):
            start = time.perf_counter()
            persister.load("p", "chat", at)
            took.append((time.perf_counter() - start) * 1e3)
    return median(took), took[-1]


def counted(folder: Path) -> tuple[int, float]:
    """Returns the bytes and the steps a second of a counter."""
    state: State[Any] = State({"count": 0})
    with SQLitePersister(folder / "steps.db") as persister:
        persister.initialize()
        start = time.perf_counter()
        for at in range(COUNTS):
            state = state.increment(count=1)
            persister.save(None, "counter", at, "count", state, "completed", inputs={}, result={"count": at + 1})
        took = time.perf_counter() - start
    return size_bytes(folder), COUNTS / took


def main() -> None:
    """Prints the figures."""
    prose = Prose(SEED)
    script.extend(prose.take(LENGTH) for _ in range(max(SIZES)))
    rows = []
    with scratch() as folder:
        for size in SIZES:
            for name in ("ours", "whole"):
                (folder / f"{size} {name}").mkdir()
            ours, theirs = kept(folder / f"{size} ours", size), whole(folder / f"{size} whole", size)
            middle, last = reading(folder / f"{size} ours", size)
            figures = [f"{ours[0] / 1e6:.2f}", f"{theirs[0] / 1e6:.1f}", f"{ours[1]:.0f}", f"{theirs[1]:,.0f}"]
            rows.append([f"{size}", *figures, f"{middle:.1f}", f"{last:.1f}"])
        (folder / "counter").mkdir()
        size, rate = counted(folder / "counter")
    print(table(["messages", "MB", "whole", "us a step", "whole", "ms to load a step", "the last"], rows))
    print(f"a counter of {COUNTS:,} steps: {size / COUNTS:.0f} bytes a step, {rate:,.0f} steps a second")


if __name__ == "__main__":
    main()
