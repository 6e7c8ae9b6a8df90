"""A large file in and out again, and the memory that it takes.

A file of 512 MB, noise and text by turns, is committed (`gv commit
--allow-large`), handed out (`gv get -o`) and checked out; each command is a
process of its own, and its largest resident memory is told, beside that of the
same command on a file of 1 MB.  Keys are looked for in the file, so a commit
reads it twice.

    python -m tests.bench.store_streams [MB]
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path

from tests.bench.measure import Prose, scratch, table

SIZES_MB = (1, 512)
MB = 1_000_000


def make(path: Path, size: int) -> None:
    """Writes a file of `size` bytes, piece by piece."""
    chance = random.Random(17)
    text = Prose(17).take(4 * MB).encode()
    with path.open("wb") as file:
        while (left := size - file.tell()) > 0:
            at = chance.randrange(len(text) - 64_000)
            file.write((chance.randbytes(64_000) + text[at : at + 64_000])[:left])


def run(folder: Path, *arguments: str) -> tuple[float, float, float]:
    """Returns the seconds that a command takes, those of the processor, and the MB of memory."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "gvstore", "-C", str(folder), *arguments]
    child = os.posix_spawn(sys.executable, command, {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
                           file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)])  # fmt: skip
    _, status, usage = os.wait4(child, 0)
    if status:
        raise RuntimeError(f"gv {arguments[0]} failed")
    kilo = 1024 if sys.platform != "darwin" else 1
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * kilo / MB


def measure(size_mb: int) -> list[list[str]]:
    """Returns the rows of one size."""
    rows = []
    with scratch() as folder:
        make(folder / "large.bin", size_mb * MB)
        run(folder, "init")
        (folder / ".gvignore").write_text("out\n")
        for name, *arguments in (
            ("commit", "commit", "-q", "-m", "in", "--allow-large"),
            ("get", "get", "main:large.bin", "-o", str(folder / "out")),
            ("checkout", "checkout", "-q", "main", "--", "large.bin"),
        ):
            if name == "checkout":
                (folder / "large.bin").rename(folder / "before")
            taken, processor, memory = run(folder, *arguments)
            row = (f"{taken:.1f}", f"{processor:.1f}", f"{size_mb / taken:.0f}", f"{memory:.0f}")
            rows.append([f"{name}, {size_mb:,} MB", *row])
        whole = (folder / "before").open("rb"), (folder / "out").open("rb"), (folder / "large.bin").open("rb")
        while piece := whole[0].read(MB):
            assert piece == whole[1].read(MB) == whole[2].read(MB)
    return rows


def main() -> None:
    """Prints the figures."""
    sizes = (1, int(sys.argv[1])) if len(sys.argv) > 1 else SIZES_MB
    print(table(["", "s", "s of processor", "MB/s", "MB of memory"], [row for size in sizes for row in measure(size)]))


if __name__ == "__main__":
    main()
