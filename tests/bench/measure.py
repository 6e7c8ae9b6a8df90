"""What the benchmarks share: seeded text, folders on disk and their size, medians, tables, the machine.

Run a benchmark from the project's root:

    python -m tests.bench.record_calls

None of them is a test: they print, and nobody waits for a verdict.
"""

from __future__ import annotations

import contextlib
import os
import platform
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from pydoc_data.topics import topics
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("blake3", "click", "diskcache", "lmdb", "msgspec", "pyfastcdc", "rich", "rocksdict", "zstandard")


class Prose:
    """Seeded text: words that follow each other as in Python's language reference, which every Python brings along."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self._words = " ".join(topics.values()).split()
        self._after: dict[str, list[str]] = {}
        for word, after in pairwise([*self._words, self._words[0]]):
            self._after.setdefault(word, []).append(after)

    def take(self, length: int) -> str:
        """Returns `length` characters of new text."""
        chance, after = self.random.random, self._after
        word = self._words[int(chance() * len(self._words))]
        text, size = [word], len(word)
        while size < length:
            following = after[word]
            word = following[int(chance() * len(following))]
            text.append(word)
            size += len(word) + 1
        return " ".join(text)[:length]


@contextlib.contextmanager
def scratch() -> Iterator[Path]:
    """Gives a new folder where TMPDIR says, which should be a real disk; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gvbench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size_bytes(folder: Path) -> int:
    """Returns the sum of the sizes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def spread(figures: Sequence[float], digits: int = 2) -> str:
    """Returns `median (lowest to highest)`."""
    return f"{median(figures):,.{digits}f} ({min(figures):,.{digits}f} to {max(figures):,.{digits}f})"


def ratios(figures: Sequence[float], base: Sequence[float]) -> list[float]:
    """Returns the ratio of the two, round by round: what slows a whole round down cancels out."""
    return [one / other for one, other in zip(figures, base, strict=True)]


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Returns lines of aligned columns: the first to the left, the others to the right."""
    lines = [header, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(header))]
    cells = [
        [
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    return "\n".join("  ".join(line).rstrip() for line in cells)


def machine() -> list[tuple[str, str]]:
    """Returns what the figures depend on, as pairs of name and value."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = [f"{name} {version}" for name in PACKAGES if (version := _version(name))]
    one, five, _ = os.getloadavg()
    return [
        ("date", datetime.now(UTC).date().isoformat()),
        ("CPU", f"{_cpu()}, {os.cpu_count()} cores"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}"),
        ("Python", f"{platform.python_implementation()} {platform.python_version()}"),
        ("packages", ", ".join(versions)),
        ("beside it", f"SQLite {sqlite3.sqlite_version}, {_git()}"),
        ("load at the start", f"{one:.1f} (1 minute), {five:.1f} (5 minutes)"),
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git() -> str:
    try:
        return subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "no git"
