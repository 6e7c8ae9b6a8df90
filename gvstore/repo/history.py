"""Commits and what came before them.

Every commit has a generation, one more than its parents' largest: a walk by
falling generation meets each commit after all that follow it, and a
question about ancestors need not look below the generation asked for.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader


class LogEntry(NamedTuple):
    """A commit with its name."""

    oid: ObjectId
    commit: Commit


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
) -> Iterator[LogEntry]:
    """Yields the commits that lead to `starts`, the newest first, none before one that follows it.

    Left out are the commits that lead to `without`, these included.
    """
    commits = Commits(reader)
    hidden = set(without)
    queue: list[tuple[int, int, bytes, ObjectId]] = []
    queued: set[ObjectId] = set()

    def push(oid: ObjectId) -> None:
        if oid not in queued:
            queued.add(oid)
            commit = commits[oid]
            heapq.heappush(queue, (-commit.generation, -commit.created_at, oid, oid))

    for oid in (*starts, *hidden):
        push(oid)
    given = 0
    while queue and (limit is None or given < limit):
        if len(hidden) >= len(queue) and all(entry[3] in hidden for entry in queue):
            return  # only what is left out remains
        oid = heapq.heappop(queue)[3]
        commit = commits[oid]
        if oid in hidden:
            hidden.update(commit.parents)
        else:
            given += 1
            yield LogEntry(oid, commit)
        for parent in commit.parents[:1] if first_parent and oid not in hidden else commit.parents:
            push(parent)


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
