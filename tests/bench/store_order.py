"""Reading a run's tree in order.

A run of 10,000 calls, each with a few hundred bytes of argument and output, is
recorded; all its objects are listed depth first, as `gv show` goes through
them.  Both stores hold the same objects and are opened anew each round; every
object is read once, in that order, and its hash verified.  gvstore is asked for
one after the other (`read`), and for all in a row (`read_many`).

    python -m tests.bench.store_order [ROUNDS]
"""

from __future__ import annotations

import gc
import sys
import time
from pathlib import Path
from statistics import median

import gvstore as gv
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from tests.bench.measure import Prose, ratios, scratch, spread, table
from tests.bench.peers import Sqlite

CALLS = 10_000
ROUNDS = 7
PROSE = Prose(23)


@gv.register
def answer(question: str) -> str:
    """Returns some text."""
    return PROSE.take(PROSE.random.randint(50, 500))


@gv.register
def talk(calls: int) -> int:
    """Asks many questions."""
    return sum(len(answer(PROSE.take(PROSE.random.randint(50, 500)))) for _ in range(calls))


def record(folder: Path) -> list[tuple[ObjectId, bytes]]:
    """Returns the objects of a new run, depth first, each once."""
    with gv.init(folder) as repo:
        top = gv.run(talk, CALLS).oid
        assert top is not None
    with gv.open(folder) as repo:
        found: dict[ObjectId, bytes] = {}
        stack = [top]
        while stack:
            oid = stack.pop()
            if oid not in found:
                found[oid] = repo.objects.read(oid)
                stack.extend(reversed(links(found[oid])[0]))
    return list(found.items())


def each(folder: Path, oids: list[ObjectId]) -> float:
    """Returns the seconds that it takes to read one after the other."""
    with gv.open(folder) as repo:
        read = repo.objects.read
        read(oids[0])
        start = time.perf_counter()
        for oid in oids:
            read(oid)
        return time.perf_counter() - start


def in_a_row(folder: Path, oids: list[ObjectId]) -> float:
    """Returns the seconds that it takes to read them in a row."""
    with gv.open(folder) as repo:
        repo.objects.read(oids[0])
        start = time.perf_counter()
        for _ in repo.objects.read_many(oids):
            pass
        return time.perf_counter() - start


def sqlite(folder: Path, oids: list[ObjectId]) -> float:
    """Returns the seconds that SQLite takes."""
    store = Sqlite(folder)
    keys = list(map(bytes, oids))
    store.get(keys[0])
    start = time.perf_counter()
    for key in keys:
        store.get(key)
    taken = time.perf_counter() - start
    store.close()
    return taken


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    with scratch() as folder:
        objects = record(folder / "own")
        other = Sqlite(folder / "sqlite")
        other.put([data for _, data in objects])
        other.close()
        oids = [oid for oid, _ in objects]
        ways = {"gvstore, in a row": (in_a_row, "own"), "gvstore, each": (each, "own"), "SQLite": (sqlite, "sqlite")}
        found: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (way, place) in ways.items():
                gc.collect()
                found[name].append(way(folder / place, oids) * 1e6 / len(oids))
    size = sum(len(data) for _, data in objects)
    print(f"{len(oids):,} objects, {size / 1e6:.1f} MB, {rounds} rounds: median (lowest to highest)")
    base = found["gvstore, in a row"]
    rows = [[name, spread(taken), f"{median(ratios(taken, base)):.2f}"] for name, taken in found.items()]
    print(table(["", "µs a read", "of gvstore's in a row"], rows))


if __name__ == "__main__":
    main()
