"""Opening a repository of 1,000,000 objects, and one of 10,000.

Objects of 100 to 200 bytes, written by one process.  Each figure is of a
process of its own that imports gvstore, opens the repository and reads one
object, then 1,000 at random: the seconds for opening and the first read, for
each further one, and the memory by which the process grew, in anonymous pages:
what is mapped of packs and indices is the system's, and can go at any time.

    python -m tests.bench.store_opening [OBJECTS]
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from statistics import median

import gvstore as gv
from tests.bench.measure import ROOT, scratch, size_bytes, spread, table

SIZES = (10_000, 1_000_000)
ROUNDS = 5
PROGRAM = """
import json, re, sys, time
from pathlib import Path
import gvstore as gv
from gvstore.objects.oid import ObjectId

def memory():
    status = Path("/proc/self/status")
    return int(re.search(r"RssAnon:\\s+(\\d+)", status.read_text())[1]) if status.exists() else 0

oids = [ObjectId.from_hex(line) for line in Path(sys.argv[2]).read_text().split()]
with gv.init(Path(sys.argv[1]).with_name("other")) as other:
    other.objects.get(other.objects.put(b"so that all is imported"))
before, start = memory(), time.perf_counter()
with gv.open(sys.argv[1]) as repo:
    repo.objects.get(oids[0])
    opened = time.perf_counter()
    for oid in oids:
        repo.objects.get(oid)
    end = time.perf_counter()
    print(json.dumps([opened - start, (end - opened) / len(oids), memory() - before]))
"""


def fill(folder: Path, count: int) -> list[str]:
    """Makes a repository; returns the names of 1,000 of its objects."""
    chance = random.Random(count)
    chosen = set(chance.sample(range(count), 1_000))
    oids = []
    with gv.init(folder) as repo, repo.objects.batch() as batch:
        for at in range(count):
            oid = batch.put(b"%d " % at * (100 // (len(str(at)) + 1) + at % 10))
            if at in chosen:
                oids.append(oid.hex())
    return oids


def main() -> None:
    """Prints the figures."""
    sizes = (SIZES[0], int(sys.argv[1])) if len(sys.argv) > 1 else SIZES
    rows = []
    with scratch() as folder:
        found: dict[int, list[list[float]]] = {}
        for size in sizes:
            (folder / f"{size}.txt").write_text("\n".join(fill(folder / str(size), size)))
        for _ in range(ROUNDS):
            for size in sizes:
                program = [sys.executable, "-c", PROGRAM, str(folder / str(size)), str(folder / f"{size}.txt")]
                out = subprocess.run(program, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
                found.setdefault(size, []).append(json.loads(out))
        for size, figures in found.items():
            opened, reading, memory = zip(*figures, strict=True)
            disk = size_bytes(folder / str(size)) / 1e6
            rows.append([
                f"{size:,} objects", f"{disk:.1f}", spread([each * 1e3 for each in opened]),
                spread([each * 1e6 for each in reading]), f"{median(memory):,.0f}",
            ])  # fmt: skip
    print(table(["", "MB", "ms to open and read one", "µs a further read", "KiB of memory"], rows))


if __name__ == "__main__":
    main()
