"""64 blobs of 4 MB, half of them edited versions of others.

32 blobs on their own and four families of eight versions, noise and text by
turns; a version has some twenty places inserted, deleted or replaced.  All are
written, durable at the end, then read once each in random order by a store
opened anew.  The stores take turns.  Each names a blob by its BLAKE3 hash and
verifies it (git: SHA-1, which it does not verify when it reads).  "git, packed"
is the same repository after `git repack -a -d -k`, "gvstore, packed" after `gv
repack`, their writing counted from the start.  The backup programs take a
folder of files and give all back at once.

    python -m tests.bench.store_large [ROUNDS [BLOBS]]
"""

from __future__ import annotations

import gc
import os
import random
import sys
import time
from pathlib import Path
from statistics import median

from tests.bench.archives import ARCHIVES, Archive, installed
from tests.bench.measure import ratios, scratch, size_bytes, spread, table
from tests.bench.peers import GVSTORE, STORES, Git, Gvstore, Peer, absent, present
from tests.bench.store_data import BLOBS, blobs

ROUNDS = 5
Figures = tuple[float, float, int]  # seconds to write, seconds to read, bytes


def measure(folder: Path, name: str, data: list[bytes], seed: int) -> dict[str, Figures]:
    """Returns the figures of one store in a new folder; of gvstore and git those after packing too."""
    make = STORES[name]
    gc.collect()
    os.sync()
    start = time.perf_counter()
    store = make(folder)
    keys = store.put(data)
    store.close()
    written_s = time.perf_counter() - start
    order = random.Random(seed).sample(range(len(data)), len(data))
    found = {name: (written_s, read(make, folder, data, keys, order), size_bytes(folder))}
    if make in (Git, Gvstore):
        start = time.perf_counter()
        store = make(folder)
        store.pack()
        store.close()
        written_s += time.perf_counter() - start
        row = f"{name.partition(' ')[0]}, packed"
        found[row] = (written_s, read(make, folder, data, keys, order), size_bytes(folder))
    return found


def read(make: type[Peer], folder: Path, data: list[bytes], keys: list[object], order: list[int]) -> float:
    """Returns the seconds it takes to open a store and read every blob once."""
    gc.collect()
    start = time.perf_counter()
    store = make(folder)
    for at in order:
        store.get(keys[at])
    taken = time.perf_counter() - start
    assert all(store.get(keys[at]) == data[at] for at in order[:3])
    store.close()
    return taken


def archive(folder: Path, make: type[Archive], files: Path) -> Figures:
    """Returns the figures of a backup program."""
    target = folder.with_name("restored")
    target.mkdir()
    os.sync()
    start = time.perf_counter()
    store = make(folder)
    store.save(files)
    written_s = time.perf_counter() - start
    start = time.perf_counter()
    store.restore(target)
    return written_s, time.perf_counter() - start, size_bytes(folder)


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    data = blobs(int(sys.argv[2]) if len(sys.argv) > 2 else BLOBS)
    found: dict[str, list[Figures]] = {}
    with scratch() as whole:
        files = whole / "files"
        files.mkdir()
        for at, blob in enumerate(data):
            (files / f"{at:03d}").write_bytes(blob)
        for at in range(rounds):
            for name in present():
                with scratch() as folder:
                    for row, figures in measure(folder / "store", name, data, at).items():
                        found.setdefault(row, []).append(figures)
            for name, make in ARCHIVES.items():
                if installed(make):
                    with scratch() as folder:
                        found.setdefault(name, []).append(archive(folder / "store", make, files))
    show(found, sum(map(len, data)), rounds)


def show(found: dict[str, list[Figures]], total: int, rounds: int) -> None:
    """Prints the table."""
    print(f"{total / 1e6:.1f} MB, {rounds} rounds: median (lowest to highest); in times of gvstore's")
    own_write, own_read, _ = zip(*found[GVSTORE], strict=True)
    rows = []
    for name, figures in found.items():
        written, reading, size = zip(*figures, strict=True)
        rows.append([
            name, spread([total / 1e6 / each for each in written], 0), f"{median(ratios(written, own_write)):.2f}",
            spread([total / 1e6 / each for each in reading], 0), f"{median(ratios(reading, own_read)):.2f}",
            f"{size[-1] / 1e6:.1f}", f"{found[GVSTORE][-1][2] / size[-1]:.2f}",
        ])  # fmt: skip
    print(table(["", "MB/s written", "time", "MB/s read", "time", "MB", "gvstore's of it"], rows))
    left = [*absent(), *(name for name, make in ARCHIVES.items() if not installed(make))]
    if left:
        print("not installed, left out:", ", ".join(left))


if __name__ == "__main__":
    main()
