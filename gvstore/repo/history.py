"""Commits and what came before them.

Every commit has a generation, one more than its parents' largest: a walk by
falling generation meets each commit after all that follow it, and a
question about ancestors need not look below the generation asked for.  Clocks
are not trusted with more than the order of commits that do not lead to each other.

Source: git, revision.c, init_topo_walk, for the walk in two steps.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader


class LogEntry(NamedTuple):
    """A commit with its name."""

    oid: ObjectId
    commit: Commit


ParentsOf = Callable[[ObjectId, Commit], tuple[ObjectId, ...]]


class Commits:
    """Reads commits, each once."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._read: dict[ObjectId, Commit] = {}

    def __getitem__(self, oid: ObjectId) -> Commit:
        commit = self._read.get(oid)
        if commit is None:
            commit = self._read[oid] = Commit.get(self._reader, oid)
        return commit


def log(
    reader: ObjectReader,
    starts: Iterable[ObjectId],
    *,
    without: Iterable[ObjectId] = (),
    limit: int | None = None,
    first_parent: bool = False,
    lines_apart: bool = False,
    parents: ParentsOf | None = None,
    commits: Commits | None = None,
) -> Iterator[LogEntry]:
    """Returns, one by one, the commits that lead to `starts`, the newest first, none before one that follows it.

    Left out are the commits that lead to `without`, these included.  With `lines_apart` each line of history
    is gone to its end before another begins, as graphs want it.  `parents` says which parents of a commit are
    gone to; it is asked of a commit after all that follow it.  No more is read than the commits given so far ask for; `commits` are those
    read before.
    """
    if parents is None:
        parents = (lambda oid, commit: commit.parents[:1]) if first_parent else (lambda oid, commit: commit.parents)
    walk = _Walk(Commits(reader) if commits is None else commits, without, parents)
    return islice(walk.entries(starts, lines_apart=lines_apart), limit)


class _Walk:
    """A walk in two steps: by falling generation to learn what follows what, and behind it by date to give commits out.

    All that can follow a commit has a larger generation: once the first step is below it, it is known how many do,
    and whether it is left out.
    """

    def __init__(self, commits: Commits, without: Iterable[ObjectId], parents: ParentsOf) -> None:
        self._commits, self._parents_of = commits, parents
        self._parents: dict[ObjectId, tuple[ObjectId, ...]] = {}
        self._queue: list[tuple[int, ObjectId]] = []
        self._queued: set[ObjectId] = set()
        self._hidden: set[ObjectId] = set()
        self._following: dict[ObjectId, int] = {}  # how many that were not given out yet follow a commit
        for oid in without:
            self._hidden.add(oid)
            self._push(oid)

    def entries(self, starts: Iterable[ObjectId], *, lines_apart: bool) -> Iterator[LogEntry]:
        """Yields the commits in their order."""
        ready: list[tuple[int, int, ObjectId]] = []
        given: set[ObjectId] = set()
        number = 0
        firsts = list(dict.fromkeys(starts))
        for oid in sorted(firsts, key=lambda each: self._commits[each].created_at) if lines_apart else firsts:
            self._push(oid)
            ready.append((0 if lines_apart else -self._commits[oid].created_at, -number if lines_apart else number, oid))
            number += 1
        heapq.heapify(ready)
        while ready:
            oid = heapq.heappop(ready)[2]
            commit = self._commits[oid]
            self._explore(commit.generation)
            if oid in self._hidden or self._following.get(oid) or oid in given:
                continue
            given.add(oid)
            yield LogEntry(oid, commit)
            for parent in self._parents.pop(oid):
                self._following[parent] -= 1
                if not self._following[parent]:
                    date = 0 if lines_apart else -self._commits[parent].created_at
                    heapq.heappush(ready, (date, -number if lines_apart else number, parent))
                    number += 1

    def _push(self, oid: ObjectId) -> None:
        if oid not in self._queued:
            self._queued.add(oid)
            heapq.heappush(self._queue, (-self._commits[oid].generation, oid))

    def _explore(self, generation: int) -> None:
        """Takes the first step down to this generation, which included."""
        while self._queue and -self._queue[0][0] >= generation:
            oid = heapq.heappop(self._queue)[1]
            commit = self._commits[oid]
            if oid in self._hidden:
                self._hidden.update(commit.parents)
                for parent in commit.parents:
                    self._push(parent)
                continue
            parents = self._parents[oid] = tuple(dict.fromkeys(self._parents_of(oid, commit)))
            for parent in parents:
                self._following[parent] = self._following.get(parent, 0) + 1
                self._push(parent)


def ancestors(reader: ObjectReader, oid: ObjectId) -> Iterator[ObjectId]:
    """Yields the commit and all that lead to it."""
    return (entry.oid for entry in log(reader, [oid]))


def is_ancestor(reader: ObjectReader, ancestor: ObjectId, oid: ObjectId) -> bool:
    """Returns whether `ancestor` is `oid`, or leads to it."""
    commits = Commits(reader)
    lowest = commits[ancestor].generation
    stack, seen = [oid], {oid}
    while stack:
        at = stack.pop()
        if at == ancestor:
            return True
        commit = commits[at]
        if commit.generation > lowest:
            fresh = [parent for parent in commit.parents if parent not in seen]
            seen.update(fresh)
            stack += fresh
    return False


def merge_bases(reader: ObjectReader, left: ObjectId, right: ObjectId) -> list[ObjectId]:
    """Returns the best commits that lead to both: none of them leads to another; several after crosswise merges, none if unrelated."""
    if left == right:
        return [left]
    commits = Commits(reader)
    sides = {left: 1, right: 2}  # which of the two a commit leads to; 4: it leads to a base already found
    queue = [(-commits[oid].generation, oid) for oid in (left, right)]
    heapq.heapify(queue)
    bases: list[ObjectId] = []
    done: set[ObjectId] = set()
    while queue and any(sides[oid] != 7 for _, oid in queue):
        oid = heapq.heappop(queue)[1]
        if oid in done:
            continue
        done.add(oid)
        side = sides[oid]
        if side == 3:
            bases.append(oid)
            side = 7
        for parent in commits[oid].parents:
            if parent not in sides:
                heapq.heappush(queue, (-commits[parent].generation, parent))
            sides[parent] = sides.get(parent, 0) | side
    return sorted(bases)
