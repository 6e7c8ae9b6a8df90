"""refs.db made anew from the operations among the objects: refs, reflog, operations and run numbers.

Each transaction stored its Operation before it changed refs.db, so nothing
that a user was told is lost.  What comes back otherwise than it was: the
reflog's messages are the commands; runs whose journals still lie there get
their rows again, in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation
from gvstore.refs import schema
from gvstore.refs.names import HEAD, RUN, RUNS, folded
from gvstore.refs.rebuild import chain
from gvstore.refs.record import RECORDING, ReflogEntry
from gvstore.refs.transaction import write_reflog
from gvstore.refs.value import format_symbolic, value_target

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run object says of the row that it had."""

    target: str
    status: str
    started_at: int
    ended_at: int


def restore(
    path: Path,
    operations: Mapping[ObjectId, Operation],
    runs: Mapping[ObjectId, RunFacts],
    journals: Sequence[tuple[str, int]],
    *,
    branch: str,
) -> dict[str, str]:
    """Writes a new refs.db to `path`, where nothing is yet, and returns the refs in it.

    `runs` are those that `refs/runs/*` ever held, as far as they can be read;
    `journals` are (file name, microseconds when it began), the oldest first.
    HEAD is on `branch` where no operation tells of it.
    """
    names = {id(operation): oid for oid, operation in operations.items()}
    schema.create(path)
    connection = schema.connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        in_force = chain(operations.values())
        refs = _replay(connection, in_force, names)
        if not refs.get(HEAD):
            refs[HEAD] = format_symbolic(branch)
        for name, value in refs.items():
            connection.execute("INSERT INTO refs (name, folded, value) VALUES (?, ?, ?)", (name, folded(name), value))
        _runs(connection, in_force, runs, journals)
        connection.execute("COMMIT")
        schema.checkpoint(connection)
    finally:
        connection.close()
    return refs


def _replay(
    connection: sqlite3.Connection, operations: Iterable[Operation], names: Mapping[int, ObjectId]
) -> dict[str, str]:
    """Writes operations and reflog; returns the refs as they are after all."""
    refs: dict[str, str] = {}
    for operation in operations:
        number = connection.execute(
            "INSERT INTO operations (oid, command, author, created_at) VALUES (?, ?, ?, ?)",
            (bytes(names[id(operation)]), operation.command, operation.author, operation.created_at),
        ).lastrowid
        before = _resolved(refs, HEAD)
        changed = set()
        for change in sorted(operation.changes, key=lambda each: each.new != ""):
            changed.add(change.name)
            refs[change.name] = change.new
            if not change.new:
                del refs[change.name]
            if change.name != HEAD:
                _log(connection, operation, number, change.name, change.old, change.new)
        after = _resolved(refs, HEAD)
        if changed & {HEAD, value_target(refs.get(HEAD))} and (before or after):
            _log(connection, operation, number, HEAD, before, after)
    return refs


def _log(
    connection: sqlite3.Connection, operation: Operation, number: int | None, name: str, old: str, new: str
) -> None:
    entry = ReflogEntry(name, old, new, operation.author, operation.created_at, operation.command, number)
    write_reflog(connection, entry)


def _resolved(refs: Mapping[str, str], name: str) -> str:
    value = refs.get(name, "")
    target = value_target(value)
    return value if target is None else refs.get(target, "")


def _runs(
    connection: sqlite3.Connection,
    operations: Iterable[Operation],
    runs: Mapping[ObjectId, RunFacts],
    journals: Sequence[tuple[str, int]],
) -> None:
    """Writes the rows of runs: those that operations tell of under their numbers, then those of journals."""
    rows: dict[int, tuple[ObjectId, int, str | None]] = {}
    for operation in operations:
        before = next((change.old for change in operation.changes if change.name == RUN), None)
        for change in operation.changes:
            if change.name.startswith(RUNS) and change.new:
                rows[int(change.name[len(RUNS) :])] = ObjectId.from_hex(change.new), operation.created_at, before
    for number, (oid, created_at, before) in sorted(rows.items()):
        facts = runs.get(oid) or RunFacts("", "unknown", created_at, created_at)
        connection.execute(
            "INSERT INTO runs (number, journal, target, status, started_at, ended_at, run_before) VALUES (?, '', ?, ?, ?, ?, ?)",
            (number, facts.target, facts.status, facts.started_at, facts.ended_at, before),
        )
    for journal, started_at in journals:
        connection.execute(
            "INSERT INTO runs (journal, target, status, started_at) VALUES (?, '', ?, ?)",
            (journal, RECORDING, started_at),
        )
