"""A state stored after each of many steps: a chat whose history grows by a message, and a counter.

Into a repository's object database, in one batch; counted are all files under
`.gv`, the repository closed, less those of an empty one.  Nothing of a step's
record but its state is written.  Beside it, for scale: the same states stored
each as a whole, and each as JSON.

    python -m tests.bench.machine_state
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any

import gvstore as gv
from gvstore.machine.state import State
from gvstore.objects.oid import ObjectId
from tests.bench.measure import Prose, scratch, size_bytes, table

SIZES = (200, 400, 800, 1600)
LENGTH = 400
COUNTS = 10_000
SEED = 11

script: list[str] = []


def stored(folder: Path, messages: int, *, as_changes: bool) -> tuple[int, list[float], list[ObjectId]]:
    """Returns the bytes under `.gv`, microseconds of each step, and the states' names."""
    with gv.init(folder) as repo:
        objects = repo.objects
        state: State[Any] = State({"history": [], "prompt": "", "turns": 0})
        oids, times = [state.store(objects)], []
        with objects.batch():
            for at in range(messages):
                start = time.perf_counter()
                message = {"role": ("user", "assistant")[at % 2], "content": script[at]}
                after = state.append(history=message).update(prompt=message["content"]).increment(turns=1)
                oids.append(after.store(objects, after=state if as_changes else None))
                times.append((time.perf_counter() - start) * 1e6)
                state = after
    return size_bytes(folder / ".gv"), times, oids


def counted(folder: Path) -> tuple[int, float]:
    """Returns the bytes under `.gv` and microseconds a step of a counter."""
    with gv.init(folder) as repo, repo.objects.batch():
        state: State[Any] = State({"counter": 0})
        start = time.perf_counter()
        for _ in range(COUNTS):
            after = state.increment(counter=1)
            after.store(repo.objects, after=state)
            state = after
        took = time.perf_counter() - start
    return size_bytes(folder / ".gv"), took / COUNTS * 1e6


def reading(folder: Path, oids: list[ObjectId]) -> list[float]:
    """Returns the median milliseconds of opening a state and reading one field, and its history, from any step; each in a database opened anew."""
    found = []
    for name in ("turns", "prompt", "history"):
        took = []
        for oid in oids[:: len(oids) // 20]:
            with gv.open(folder) as repo:
                objects = repo.objects
                objects.has(oid)  # the files are open
                start = time.perf_counter()
                State.load(objects, oid)[name]
                took.append((time.perf_counter() - start) * 1e3)
        found.append(median(took))
    return found


def main() -> None:
    """Prints the figures."""
    prose = Prose(SEED)
    script.extend(prose.take(LENGTH) for _ in range(max(SIZES)))
    rows, before = [], 0
    with scratch() as folder:
        with gv.init(folder / "empty"):
            pass
        empty = size_bytes(folder / "empty" / ".gv")
        for size in SIZES:
            found, times, oids = stored(folder / f"{size}", size, as_changes=True)
            whole, _, _ = stored(folder / f"{size} whole", size, as_changes=False)
            quarter = size // 4
            text = [f"{(found - empty) / 1e3:.0f}", f"{(found - empty) / before:.2f}" if before else "", f"{(whole - empty) / 1e3:.0f}"]
            as_json = sum((len(json.dumps(each)) + 40) * (size - at) for at, each in enumerate(script[:size]))
            text += [f"{as_json / 1e3:,.0f}", f"{median(times[:quarter]):.0f}", f"{median(times[-quarter:]):.0f}"]
            text += [f"{each:.2f}" for each in reading(folder / f"{size}", oids)]
            rows.append([f"{size}", *text])
            before = found - empty
        size, took = counted(folder / "counter")
    header = ["messages", "kB", "of the line above", "each whole, kB", "as JSON, kB", "us a step: first quarter", "last quarter"]
    print(table([*header, "ms to read a number", "a text", "the history"], rows))
    print(f"the text itself, of {SIZES[-1]} messages: {SIZES[-1] * LENGTH / 1e3:.0f} kB")
    print(f"a counter of {COUNTS:,} steps: {(size - empty) / COUNTS:.0f} bytes and {took:.1f} us a step")


if __name__ == "__main__":
    main()
