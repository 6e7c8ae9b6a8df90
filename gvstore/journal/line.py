"""Which runs of this line no commit holds yet, without reading all commits and all runs each time.

A run is of this line if it started from a commit that HEAD comes from, or,
before there is one, from none.  To know which of them are loose, every run
that some commit of the line holds must be known: with 100,000 runs that
takes seconds, so what was found is kept in `cache/runs`, and only what came
since is looked at: commits that lead to HEAD now and did not then, and runs that the reflog
tells of.  Where that does not do (another branch, a run removed), all is read.

docs/format/repo.md has the file, which may be deleted at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import Corrupt
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.repo import layout
from gvstore.repo.history import is_ancestor, log

if TYPE_CHECKING:
    from gvstore.repo import Repository

_FIRST = "gv runs 1"
_NONE = "-"


@dataclass(slots=True)
class Line:
    """What was found: `loose` runs by number; `others`, which started elsewhere and are in no commit of the line, with where they did."""

    head: ObjectId | None
    mark: str
    loose: dict[int, ObjectId] = field(default_factory=dict)
    others: dict[int, tuple[ObjectId, ObjectId]] = field(default_factory=dict)

    def take_in(self, entries: Iterable[tuple[ObjectId, Commit]]) -> None:
        """Lets these commits be of the line."""
        held: set[ObjectId] = set()
        fresh: set[ObjectId] = set()
        for oid, commit in entries:
            fresh.add(oid)
            held.update(commit.runs)
        self.loose |= {number: oid for number, (oid, base) in self.others.items() if base in fresh}
        self.loose = {number: oid for number, oid in self.loose.items() if oid not in held}
        self.others = {
            number: each for number, each in self.others.items() if each[0] not in held and each[1] not in fresh
        }


def loose_runs(repo: Repository, also: Sequence[ObjectId] = ()) -> tuple[ObjectId, ...]:
    """Returns the finished runs of this line that no commit of it holds yet, the oldest first.

    The lines of the commits `also`, which a merge is about to join with it, are taken as its own.
    """
    path = repo.gv / layout.RUN_CACHE
    mark, head = repo.refs.log_mark(), repo.head
    line = _read(path)
    known = None if line is None else (line.head, line.mark)
    if line is None or not _follow(repo, line, head, mark):
        line = _whole(repo, head, mark)
    if known != (head, mark) and not repo.read_only:
        with suppress(OSError):
            fs.write_atomic(path, _format(line).encode(), durable=False)
    if also:
        line.take_in(log(repo.objects, also, without=[head] if head is not None else []))
    return tuple(oid for _, oid in sorted(line.loose.items()) if repo.objects.has(oid))


def in_line(repo: Repository, head: ObjectId | None, base: ObjectId | None) -> bool:
    """Returns whether what started from commit `base` is of the line that ends in `head`."""
    if base is None or base == head:
        return True
    try:
        return head is not None and is_ancestor(repo.objects, base, head)
    except Corrupt:  # the commit is damaged, or gone
        return False


def _follow(repo: Repository, line: Line, head: ObjectId | None, mark: str) -> bool:
    """Brings what was found up to date; returns False where all must be read."""
    fresh = repo.refs.runs_since(line.mark)
    if fresh is None or len(fresh) > len(line.loose) + 10_000:
        return False
    if line.head != head:
        if head is None or (line.head is not None and not in_line(repo, head, line.head)):
            return False
        without = [line.head] if line.head is not None else []
        line.take_in(log(repo.objects, [head], without=without))
    line.head, line.mark = head, mark
    _add(repo, line, fresh, {})
    return True


def _whole(repo: Repository, head: ObjectId | None, mark: str) -> Line:
    """Returns what is found by reading everything."""
    line = Line(head, mark)
    rows = [(row.number, row.oid) for row in repo.refs.runs() if row.oid is not None]
    if not rows:
        return line
    held: set[ObjectId] = set()
    commits: dict[ObjectId, bool] = {}
    for oid, commit in log(repo.objects, [head]) if head is not None else ():
        commits[oid] = True
        held.update(commit.runs)
    _add(repo, line, [(number, oid) for number, oid in rows if oid not in held], commits)
    return line


def _add(repo: Repository, line: Line, runs: Iterable[tuple[int, ObjectId]], commits: dict[ObjectId, bool]) -> None:
    """Adds runs that no commit of the line holds; `commits` remembers which are of it."""
    from gvstore.objects.run import Run

    for number, oid in runs:
        try:
            base = Run.get(repo.objects, oid).base
        except Corrupt:  # damaged or gone: no commit holds what cannot be read
            continue
        if base is None:
            line.loose[number] = oid
            continue
        if base not in commits:
            commits[base] = in_line(repo, line.head, base)
        if commits[base]:
            line.loose[number] = oid
        else:
            line.others[number] = (oid, base)


def _format(line: Line) -> str:
    """Returns the cache's text: a line of its own, HEAD, the mark, and a line for each run."""
    lines = [_FIRST, line.head.hex() if line.head else _NONE, line.mark]
    lines += [f"{number} {oid.hex()}" for number, oid in line.loose.items()]
    lines += [f"{number} {oid.hex()} {base.hex()}" for number, (oid, base) in line.others.items()]
    return "\n".join([*lines, "."])


def _read(path: Path) -> Line | None:
    """Returns what the cache says; None where there is none, or it is damaged."""
    try:
        lines = fs.read_bytes(path).decode().split("\n")
        if lines[0] != _FIRST or lines[-1] != ".":
            return None
        line = Line(None if lines[1] == _NONE else ObjectId.from_hex(lines[1]), lines[2])
        for number, oid, base in _rows(lines[3:-1]):
            if base is None:
                line.loose[number] = oid
            else:
                line.others[number] = (oid, base)
    except (OSError, ValueError, IndexError):
        return None
    return line


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, ObjectId, ObjectId | None]]:
    for text in lines:
        number, *oids = text.split(" ")
        first, second = [*map(ObjectId.from_hex, islice(oids, 2)), None][:2]
        if first is None:
            raise ValueError(text)
        yield int(number), first, second
