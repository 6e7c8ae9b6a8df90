"""Many small records, durable every 1,000, and random reads.

100,000 JSON records of 100 to 1,000 bytes, 30% of them equal to an earlier one,
are written in batches of 1,000, each durable before the next begins; then
20,000 of them are read at random by a store opened anew, after 2,000 others.
The stores take turns, five rounds long.  One file a record is so slow that it
gets the first 5,000 records only, git's reads 5,000; both are given per record.
git checks no hash when it reads; the others do.  Bytes are those of all files.

    python -m tests.bench.store_small [ROUNDS]
"""

from __future__ import annotations

import gc
import json
import os
import random
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Prose, ratios, scratch, size_bytes, spread, table
from tests.bench.peers import FILES, GIT, GVSTORE, STORES, Peer, absent, present

RECORDS = 100_000
REPEATED = 0.3
BATCH = 1_000
READS = 20_000
WARM = 2_000
ROUNDS = 5
SEED = 13
FEWER_RECORDS = {FILES: 5_000}
FEWER_READS = {GIT: 5_000, FILES: 5_000}


def make_records() -> list[bytes]:
    """Returns the records: calls, arguments, answers and messages, as programs around models make them."""
    prose = Prose(SEED)
    chance = prose.random
    names = [prose.take(12).replace(" ", "_") for _ in range(40)]
    records: list[bytes] = []
    while len(records) < RECORDS:
        if records and chance.random() < REPEATED:
            records.append(chance.choice(records))
            continue
        shape: dict[str, Any] = chance.choice(
            (
                {"call": chance.choice(names), "id": f"{chance.getrandbits(64):016x}", "status": "ok"},
                {"prompt": chance.choice(names), "temperature": chance.choice((0.0, 0.7)), "max_tokens": 256},
                {"tokens": chance.randint(1, 900), "finish_reason": "stop"},
                {"role": chance.choice(("user", "assistant", "system"))},
            )
        )
        room = chance.randint(100, 1000) - len(json.dumps(shape | {"text": ""}))
        records.append(json.dumps(shape | {"text": prose.take(max(room, 10))}).encode())
    return records


def write(store: Peer, records: list[bytes]) -> tuple[float, list[Any]]:
    """Returns the seconds it takes to write all records and close, and their keys."""
    gc.collect()
    os.sync()  # nobody pays for the store before
    keys: list[Any] = []
    start = time.perf_counter()
    for at in range(0, len(records), BATCH):
        keys += store.put(records[at : at + BATCH])
    store.close()
    return time.perf_counter() - start, keys


def read(store: Peer, records: list[bytes], keys: list[Any], count: int, seed: int) -> float:
    """Returns the seconds that `count` random reads take."""
    chance = random.Random(seed)
    for at in chance.choices(range(len(keys)), k=WARM):
        assert records[at] == store.get(keys[at])
    asked = [keys[at] for at in chance.choices(range(len(keys)), k=count)]
    get = store.get
    gc.collect()
    start = time.perf_counter()
    for key in asked:
        get(key)
    taken = time.perf_counter() - start
    store.close()
    return taken


def measure(folder: Path, name: str, records: list[bytes], seed: int) -> tuple[float, float, float]:
    """Returns (µs a record written, µs a read, bytes a record) of one store in a new folder."""
    records = records[: FEWER_RECORDS.get(name, len(records))]
    count = FEWER_READS.get(name, READS)
    store = STORES[name]
    written_s, keys = write(store(folder), records)
    size = size_bytes(folder)
    read_s = read(store(folder), records, keys, count, seed)
    return written_s * 1e6 / len(records), read_s * 1e6 / count, size / len(records)


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    records = make_records()
    names = present()
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in names}
    for at in range(rounds):
        for name in names:
            with scratch() as folder:
                found[name].append(measure(folder / "store", name, records, at))
    print(f"{len(records):,} records, {sum(map(len, records)) / 1e6:.1f} MB; {len(set(records)):,} distinct, ", end="")
    print(f"{sum(map(len, set(records))) / 1e6:.1f} MB; {rounds} rounds: median (lowest to highest)")
    rows = []
    own_write, own_read, _ = zip(*found[GVSTORE], strict=True)
    for name, figures in found.items():
        written, reading, size = zip(*figures, strict=True)
        slower, slower_read = median(ratios(written, own_write)), median(ratios(reading, own_read))
        rows.append([name, spread(written), f"{slower:.2f}", spread(reading), f"{slower_read:.2f}", f"{size[-1]:.0f}"])
    print(table(["", "µs a write", "of gvstore's", "µs a read", "of gvstore's", "bytes a record"], rows))
    if absent():
        print("not installed, left out:", ", ".join(absent()))


if __name__ == "__main__":
    main()
