"""Writing what is there already.

100,000 records, all different, are written in batches of 1,000, each durable;
then all of them again by a store opened anew.  Nothing may be stored twice:
told are the bytes by which the files grow.  The stores take turns.

    python -m tests.bench.store_again [ROUNDS]
"""

from __future__ import annotations

import sys
from statistics import median

from tests.bench.measure import ratios, scratch, size_bytes, spread, table
from tests.bench.peers import GVSTORE, LMDB, SQLITE, STORES
from tests.bench.store_data import records
from tests.bench.store_small import write

COUNT = 100_000
ROUNDS = 5


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    distinct = list(dict.fromkeys(records(COUNT)))
    distinct += [record + b" " for record in distinct[: COUNT - len(distinct)]]
    first: dict[str, list[float]] = {name: [] for name in (GVSTORE, SQLITE, LMDB)}
    again: dict[str, list[float]] = {name: [] for name in first}
    grown: dict[str, int] = {}
    for _ in range(rounds):
        for name in first:
            with scratch() as folder:
                first[name].append(write(STORES[name](folder / "store"), distinct)[0] * 1e6 / len(distinct))
                size = size_bytes(folder)
                again[name].append(write(STORES[name](folder / "store"), distinct)[0] * 1e6 / len(distinct))
                grown[name] = size_bytes(folder) - size
    print(f"{len(distinct):,} records, {sum(map(len, distinct)) / 1e6:.1f} MB, {rounds} rounds: median (lowest to highest)")
    rows = [
        [name, spread(first[name]), spread(again[name]), f"{median(ratios(again[name], first[name])):.2f}", f"{grown[name]:,}"]
        for name in first
    ]
    print(table(["", "µs a write", "µs again", "of it", "bytes grown"], rows))


if __name__ == "__main__":
    main()
