"""400 snapshots of a growing list of messages.

After each of 400 messages of 50 to 750 characters the whole conversation is
stored.  gvstore is given the list, as a value, the others its JSON; git packs
with `git fast-import`, then with `git repack -a -d -k`, and its smaller pack
counts; gvstore's bytes are told as written, and after `gv repack`.  The backup programs are given a folder of 400 files.  Writing is timed
from an empty folder to durable and closed; reading gives the snapshots back,
one after the other (the backup programs: all at once).  Bytes are those of all
files; those of an empty repository are among gvstore's, and told.

    python -m tests.bench.store_messages [ROUNDS]
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import gvstore as gv
from tests.bench.archives import ARCHIVES, installed
from tests.bench.measure import ratios, scratch, size_bytes, spread, table
from tests.bench.peers import GIT, GVSTORE, STORES, Git, absent, present
from tests.bench.store_data import snapshots
from tests.bench.store_large import Figures, archive

ROUNDS = 5


def own(folder: Path, taken: list[list[dict[str, Any]]]) -> Figures:
    """Returns the figures of gvstore."""
    start = time.perf_counter()
    with gv.init(folder) as repo, repo.objects.batch():
        refs = [repo.put(snapshot) for snapshot in taken]
    written_s = time.perf_counter() - start
    size = size_bytes(folder)
    start = time.perf_counter()
    with gv.open(folder) as repo:
        found = [repo.store.get(ref.oid) for ref in refs]
        read_s = time.perf_counter() - start
        assert found == taken
    return written_s, read_s, size


def other(folder: Path, name: str, documents: list[bytes]) -> Figures:
    """Returns the figures of another store."""
    start = time.perf_counter()
    store = STORES[name](folder)
    keys = store.put(documents)
    store.close()
    written_s = time.perf_counter() - start
    size = size_bytes(folder)
    start = time.perf_counter()
    store = STORES[name](folder)
    found = [store.get(key) for key in keys]
    read_s = time.perf_counter() - start
    assert found == documents
    store.close()
    if name == GIT:
        Git(folder).pack()
        size = min(size, size_bytes(folder))
    return written_s, read_s, size


def main() -> None:
    """Prints the figures."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    taken = snapshots()
    documents = [json.dumps(snapshot).encode() for snapshot in taken]
    runs: dict[str, Callable[[Path], Figures]] = {GVSTORE: lambda folder: own(folder, taken)}
    for name in present():
        if name != GVSTORE:
            runs[name] = lambda folder, name=name: other(folder, name, documents)  # type: ignore[misc]
    with scratch() as whole:
        files = whole / "files"
        files.mkdir()
        for at, document in enumerate(documents):
            (files / f"{at:03d}").write_bytes(document)
        for name, make in ARCHIVES.items():
            if installed(make):
                runs[name] = lambda folder, make=make: archive(folder, make, files)  # type: ignore[misc]
        found: dict[str, list[Figures]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                with scratch() as folder:
                    gc.collect()
                    os.sync()
                    found[name].append(run(folder / "store"))
        with gv.init(whole / "packed") as repo, repo.objects.batch():
            for snapshot in taken:
                repo.put(snapshot)
        with gv.open(whole / "packed") as repo:
            repo.objects.repack()
        packed = size_bytes(whole / "packed")
        gv.init(whole / "empty").close()
        empty = size_bytes(whole / "empty")
    show(found, sum(map(len, documents)), rounds)
    print(f"after gv repack: {packed / 1e6:.3f} MB; an empty repository: {empty / 1e6:.3f} MB")


def show(found: dict[str, list[Figures]], total: int, rounds: int) -> None:
    """Prints the table."""
    print(f"{total / 1e6:.1f} MB as JSON, {rounds} rounds: median (lowest to highest); in times of gvstore's")
    own_write, own_read, _ = zip(*found[GVSTORE], strict=True)
    rows = []
    for name, figures in found.items():
        written, reading, size = zip(*figures, strict=True)
        rows.append([
            name, spread(written), f"{median(ratios(written, own_write)):.2f}", spread(reading),
            f"{median(ratios(reading, own_read)):.2f}", f"{size[-1] / 1e6:.3f}", f"{found[GVSTORE][-1][2] / size[-1]:.2f}",
        ])  # fmt: skip
    print(table(["", "s to write", "time", "s to read", "time", "MB", "gvstore's of it"], rows))
    left = [*absent(), *(name for name, make in ARCHIVES.items() if not installed(make))]
    if left:
        print("not installed, left out:", ", ".join(left))


if __name__ == "__main__":
    main()
