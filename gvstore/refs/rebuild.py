"""Refs from operations: what refs.db held, when it is lost.

Each transaction wrote its Operation among the objects before it changed
refs.db, so the operations that a database still has tell every change.  They
were made one after the other, under one lock: each names the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation
from gvstore.objects.protocol import ObjectReader


def rebuilt(operations: Iterable[Operation]) -> dict[str, str]:
    """Returns the refs that the operations, in any order, lead to, with their textual values.

    Follows the longest chain of `old` -> `new`: a crash between writing an
    operation and changing refs.db leaves one that never came into force; it
    shares its parent with the one that did, whose followers are more.
    """
    return replayed(chain(operations))


def chain(operations: Iterable[Operation]) -> list[Operation]:
    """Returns the operations that came into force, the oldest first."""
    by_oid = {_name(operation): operation for operation in operations}
    depth: dict[ObjectId, int] = {}
    for oid in by_oid:
        path = []
        at: ObjectId | None = oid
        while at is not None and at not in depth and at in by_oid:
            path.append(at)
            at = by_oid[at].parent
        below = depth.get(at, 0) if at is not None else 0
        for n, each in enumerate(reversed(path), 1):
            depth[each] = below + n
    if not depth:
        return []
    # Of two ends of one depth the later one: it may have been the last to come into force.
    at = max(depth, key=lambda oid: (depth[oid], by_oid[oid].created_at, oid))
    found = []
    while at is not None and at in by_oid:
        found.append(by_oid[at])
        at = by_oid[at].parent
    return found[::-1]


def replayed(operations: Iterable[Operation]) -> dict[str, str]:
    """Returns the refs after these operations, in this order."""
    refs: dict[str, str] = {}
    for operation in operations:
        for change in operation.changes:
            if change.new:
                refs[change.name] = change.new
            else:
                refs.pop(change.name, None)
    return refs


def read_operations(reader: ObjectReader, oids: Iterable[ObjectId]) -> list[Operation]:
    """Returns the operations of these names."""
    return [Operation.get(reader, oid) for oid in oids]


class _Names:
    """A writer that only names."""

    def write(self, data: bytes) -> ObjectId:
        return ObjectId.of(data)

    def flush(self) -> None:
        """Nothing to hand over."""

    def sync(self) -> None:
        """Nothing to make durable."""


def _name(operation: Operation) -> ObjectId:
    return operation.put(_Names())
