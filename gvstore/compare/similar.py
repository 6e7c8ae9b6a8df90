"""Files that moved and were edited on the way: a deleted and an added one that have most of their lines in common.

How alike two contents are is told by their lines, wherever they stand: the bytes of those that both have, as a share of the larger one.

Source: git, diffcore-rename.c and diffcore-delta.c: the idea, the half that is asked for, and names before likeness.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gvstore.compare.trees import FileChange, FileDiff
from gvstore.objects.tree import Mode

ENOUGH: Final = 50
"""From this many percent on two files are one that moved."""

MOST_PAIRS: Final = 40_000
"""With more pairs than this to look at, only exact renames are told."""

TOO_LARGE_BYTES: Final = 4 << 20

Read = Callable[[FileDiff], bytes | None]
"""Returns the content of the side that a deleted or added file has; None where it is not to be looked at."""


def similarity(old: bytes, new: bytes) -> int:
    """Returns how many percent of the larger content the two have in common, line by line; 100 only for equal ones."""
    if old == new:
        return 100
    if not old or not new:
        return 0
    return min(99, _shared(_lines(old), _lines(new)) * 100 // max(len(old), len(new)))


def find_similar(diffs: Sequence[FileDiff], read: Read) -> tuple[FileDiff, ...]:
    """Returns the differences with deleted and added files joined that are much alike, the likest first.

    Of equally alike ones those that kept their name are joined, then the first with the first.
    """
    gone = [_Side(diff, read) for diff in diffs if diff.change is FileChange.DELETED and diff.old and _is_file(diff.old.mode)]
    come = [_Side(diff, read) for diff in diffs if diff.change is FileChange.ADDED and diff.new and _is_file(diff.new.mode)]
    if not gone or not come or len(gone) * len(come) > MOST_PAIRS:
        return tuple(diffs)
    pairs = []
    for i, old in enumerate(gone):
        for j, new in enumerate(come):
            score = old.score(new)
            if score >= ENOUGH:
                pairs.append((-score, old.name != new.name, i, j))
    moved: dict[str, FileDiff] = {}
    used: set[tuple[int, int]] = set()
    for _, _, i, j in sorted(pairs):
        if (0, i) not in used and (1, j) not in used:
            used |= {(0, i), (1, j)}
            before, after = gone[i].diff, come[j].diff
            moved[after.path] = FileDiff(FileChange.RENAMED, after.path, before.path, before.old, after.new)
    left = {diff.old_path for diff in moved.values()}
    return tuple(
        moved.get(diff.path, diff) if diff.change is FileChange.ADDED else diff
        for diff in diffs
        if not (diff.change is FileChange.DELETED and diff.path in left)
    )


@dataclass(slots=True)
class _Side:
    """A file that is gone or came; read when first asked for."""

    diff: FileDiff
    read: Read
    _known: tuple[int, Counter[bytes]] | None = None

    @property
    def name(self) -> str:
        return self.diff.path.rpartition("/")[2]

    def score(self, other: _Side) -> int:
        size, lines = self._content()
        other_size, other_lines = other._content()
        if min(size, other_size) * 100 < ENOUGH * max(size, other_size) or not size:
            return 0
        return _shared(lines, other_lines) * 100 // max(size, other_size)

    def _content(self) -> tuple[int, Counter[bytes]]:
        if self._known is None:
            data = self.read(self.diff) or b""
            self._known = len(data), _lines(data) if len(data) <= TOO_LARGE_BYTES else Counter()
        return self._known


def _is_file(mode: Mode) -> bool:
    return mode is not Mode.SYMLINK


def _lines(data: bytes) -> Counter[bytes]:
    """Returns the lines, each with its end, and how often it occurs."""
    return Counter(data.splitlines(keepends=True))


def _shared(old: Counter[bytes], new: Counter[bytes]) -> int:
    if len(new) < len(old):
        old, new = new, old
    return sum(len(line) * min(count, new[line]) for line, count in old.items() if line in new)
