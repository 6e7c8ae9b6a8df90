"""Four processes that write into one store at once.

Each writes 10,000 records of its own, of 100 to 1,000 bytes, durable every
1,000; timed from the moment when all four have the store open until the last
has closed it.  SQLite waits for its one writer with a busy timeout, as LMDB
does by itself; both compress within their transactions, as the plain program
does, but for "LMDB, prepared", which compresses before it asks for the lock.
RocksDB and `git fast-import` let one process write only.

    python -m tests.bench.store_writers [ROUNDS]
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from typing import Any

from blake3 import blake3

from tests.bench.measure import ratios, scratch, spread, table
from tests.bench.peers import GVSTORE, LMDB, SQLITE, STORES, Lmdb, Peer, absent, present
from tests.bench.store_data import records

WRITERS = 4
EACH = 10_000
BATCH = 1_000
ROUNDS = 5
ABLE = (GVSTORE, SQLITE, LMDB, "diskcache")


class Prepared(Lmdb):
    """LMDB that keeps others waiting no longer than it must."""

    def put(self, records: list[bytes]) -> list[Any]:
        """Returns the keys of records that are durable now."""
        made = [(blake3(record).digest(), self.compress(record)) for record in records]
        with self._env.begin(write=True) as transaction:
            for key, packed in made:
                transaction.put(key, packed, overwrite=False)
        return [key for key, _ in made]


def work(make: type[Peer], folder: Path, data: list[bytes], ready: Barrier) -> None:
    """Writes in a process of its own."""
    store = make(folder)
    ready.wait()
    for at in range(0, len(data), BATCH):
        store.put(data[at : at + BATCH])
    store.close()


def measure(make: type[Peer], folder: Path, shares: list[list[bytes]]) -> float:
    """Returns the seconds until all shares are written."""
    make(folder).close()
    os.sync()
    ready = multiprocessing.Barrier(len(shares) + 1)
    children = [multiprocessing.Process(target=work, args=(make, folder, share, ready)) for share in shares]
    for child in children:
        child.start()
    ready.wait()
    start = time.perf_counter()
    for child in children:
        child.join()
    taken = time.perf_counter() - start
    if any(child.exitcode for child in children):
        raise RuntimeError(f"a writer of {make.__name__} failed")
    return taken


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    multiprocessing.set_start_method("fork")
    data = records(WRITERS * EACH)
    shares = [data[at : at + EACH] for at in range(0, len(data), EACH)]
    makes = {name: STORES[name] for name in present() if name in ABLE} | {f"{LMDB}, prepared": Prepared}
    found: dict[str, list[float]] = {name: [] for name in makes}
    for _ in range(rounds):
        for name, make in makes.items():
            with scratch() as folder:
                found[name].append(measure(make, folder / "store", shares))
    print(f"{len(data):,} records, {sum(map(len, data)) / 1e6:.1f} MB, {rounds} rounds: median (lowest to highest)")
    rows = [
        [name, spread([len(data) / each / 1e3 for each in taken], 1), f"{median(ratios(taken, found[GVSTORE])):.2f}"]
        for name, taken in found.items()
    ]
    print(table(["", "thousand records a second", "time, of gvstore's"], rows))
    if absent():
        print("not installed, left out:", ", ".join(absent()))


if __name__ == "__main__":
    main()
