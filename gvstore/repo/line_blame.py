"""Which commit each line of a file came from: one walk back, with our own alignment of lines.

The lines still in question go with the file from commit to parent, the youngest generation first.  Where the file is
the same, all of them go on unread; where it differs, those go on that the parent has, and the rest came with the commit.
Of a merge the first parent is asked first.  Where the path is missing, the file is followed to the name it had before.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gvstore.compare.align import align
from gvstore.compare.text import is_binary
from gvstore.errors import BadRev
from gvstore.objects.blob import get_blob
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import EntryFinder, Mode
from gvstore.repo.fault import printable
from gvstore.repo.history import Commits
from gvstore.repo.path_history import renamed_from

_FILES = (Mode.FILE, Mode.EXECUTABLE)


class BlamedLine(NamedTuple):
    """A line, and where it came from: `commit` is None for one that is in no commit yet; `number` (from 1) and `path` are those there."""

    text: bytes
    commit: ObjectId | None
    path: str
    number: int


def blame_lines(
    reader: ObjectReader, start: ObjectId, path: str, *, now: bytes | None = None, wanted: range | None = None, blanks: bool = True
) -> list[BlamedLine]:
    """Returns the lines of a file at the commit `start`, or with `now` of this content of it, each with its origin.

    `wanted` are the lines that are asked for, counted from 0.  Without `blanks`, lines that differ in blanks alone are the same.

    Raises:
        BadRev: there is no such file, or it is no text.
    """
    walk = _Walk(reader, path, blanks)
    entry = walk.trees.find(walk.commits[start].tree, path)
    if entry is None and now is None:
        raise BadRev(f"{short(start)} has no file {printable(path)}", hint="`gv log -- FILE` tells when it was there.")
    if entry is not None and entry.mode not in _FILES:
        raise BadRev(f"{printable(path)} is a {'folder' if entry.mode is Mode.FOLDER else 'symlink'}, and has no lines")
    data = now if now is not None else get_blob(reader, entry.oid) if entry is not None else b""
    if is_binary(data):
        raise BadRev(f"{printable(path)} is no text, and has no lines")
    lines = split_lines(data)
    asked = [n for n in (wanted if wanted is not None else range(len(lines))) if n < len(lines)]
    walk.found = {n: BlamedLine(lines[n], None, path, n + 1) for n in asked}
    pairs = [(n, n) for n in asked]
    if now is not None:
        there = walk.lines(entry.oid) if entry is not None else []
        pairs, _ = walk.shared(there, lines, pairs)
    walk.pass_on(start, path, pairs)
    walk.run()
    return [walk.found[n] for n in asked]


def split_lines(data: bytes) -> list[bytes]:
    """Returns the lines with their ends; only a line feed ends one."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


_Pairs = list[tuple[int, int]]  # (number in the file that is blamed, number here)


@dataclass(slots=True)
class _Walk:
    reader: ObjectReader
    path: str
    blanks: bool
    found: dict[int, BlamedLine] = field(default_factory=dict)
    _queue: list[tuple[int, int, ObjectId]] = field(default_factory=list)
    _pending: dict[ObjectId, dict[str, _Pairs]] = field(default_factory=dict)
    _lines: dict[ObjectId, list[bytes]] = field(default_factory=dict)
    commits: Commits = field(init=False)
    trees: EntryFinder = field(init=False)

    def __post_init__(self) -> None:
        self.commits, self.trees = Commits(self.reader), EntryFinder(self.reader)

    def run(self) -> None:
        """Goes back until every line has its commit."""
        while self._queue:
            oid = heapq.heappop(self._queue)[2]
            for path, pairs in self._pending.pop(oid).items():
                for number, here in self._left(oid, path, pairs):
                    line = self.found[number]
                    self.found[number] = BlamedLine(line.text, oid, path, here + 1)

    def pass_on(self, oid: ObjectId, path: str, pairs: _Pairs) -> None:
        """Asks a commit for lines."""
        if not pairs:
            return
        if oid not in self._pending:
            commit = self.commits[oid]
            heapq.heappush(self._queue, (-commit.generation, -commit.created_at, oid))
        self._pending.setdefault(oid, {}).setdefault(path, []).extend(pairs)

    def _left(self, oid: ObjectId, path: str, pairs: _Pairs) -> _Pairs:
        """Returns the lines that came with a commit; all others are passed on to its parents."""
        commit = self.commits[oid]
        entry = self.trees.find(commit.tree, path)
        assert entry is not None
        there = [(parent, self.trees.find(self.commits[parent].tree, path)) for parent in commit.parents]
        for parent, was in there:
            if was is not None and was.oid == entry.oid:
                self.pass_on(parent, path, pairs)
                return []
        for parent, was in there:
            if not pairs:
                break
            name = path
            if was is None:
                name = renamed_from(self.reader, self.commits[parent].tree, commit.tree, path, folder=False) or path
                was = self.trees.find(self.commits[parent].tree, name)
            if was is not None and was.mode in _FILES:
                passed, pairs = self.shared(self.lines(was.oid), self.lines(entry.oid), pairs)
                self.pass_on(parent, name, passed)
        return pairs

    def shared(self, old: Sequence[bytes], new: Sequence[bytes], pairs: _Pairs) -> tuple[_Pairs, _Pairs]:
        """Returns the lines that `old` has too, with their numbers there, and those that it has not."""
        before, after = (old, new) if self.blanks else ([b"".join(line.split()) for line in each] for each in (old, new))
        places: dict[int, int] = {}
        for match in align(before, after):
            places.update(zip(range(match.new, match.new + match.size), range(match.old, match.old + match.size), strict=True))
        passed = [(number, places[here]) for number, here in pairs if here in places]
        return passed, [pair for pair in pairs if pair[1] not in places]

    def lines(self, blob: ObjectId) -> list[bytes]:
        """Returns the lines of a stored file."""
        if blob not in self._lines:
            self._lines[blob] = split_lines(get_blob(self.reader, blob))
        return self._lines[blob]
