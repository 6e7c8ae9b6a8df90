"""refs.db made anew from the operations among the objects: refs, reflog, operations and run numbers.

Each transaction stored its Operation before it changed refs.db, so nothing
that a user was told is lost.  What comes back otherwise than it was: the
reflog's messages are the commands; runs whose journals still lie there get
their rows again, under the numbers that are missing, or else behind all others,
in the order in which they began.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation, RefChange
from gvstore.refs import schema
from gvstore.refs.names import HEAD, RUN, RUNS, folded, run_ref
from gvstore.refs.rebuild import chain
from gvstore.refs.record import RECORDING, ReflogEntry
from gvstore.refs.transaction import write_reflog
from gvstore.refs.value import format_symbolic, value_run, value_target

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a run object says of the row that it had."""

    target: str
    status: str
    started_at: int
    ended_at: int


class JournalFacts(NamedTuple):
    """What a journal says of the row that its run had."""

    name: str
    started_at: int
    target: str


def restore(
    path: Path,
    operations: Mapping[ObjectId, Operation],
    runs: Mapping[ObjectId, RunFacts],
    journals: Sequence[JournalFacts],
    *,
    branch: str,
) -> dict[str, str]:
    """Writes a new refs.db to `path`, where nothing is yet, and returns the refs in it.

    `runs` are those that `refs/runs/*` ever held, as far as they can be read;
    `journals` those that lie there, the oldest first.  HEAD is on
    `branch` where no operation tells of it.
    """
    names = {id(operation): oid for oid, operation in operations.items()}
    schema.create(path)
    connection = schema.connect(path)
    try:
        connection.execute("BEGIN IMMEDIATE")
        in_force = chain(operations.values())
        refs, run_moves = _replay(connection, in_force, names, runs)
        if moved_to := _log_run(connection, run_moves):
            refs[RUN] = moved_to
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
    connection: sqlite3.Connection,
    operations: Iterable[Operation],
    names: Mapping[int, ObjectId],
    runs: Mapping[ObjectId, RunFacts],
) -> tuple[dict[str, str], list[ReflogEntry]]:
    """Writes operations and reflog, but for RUN's; returns the other refs as they are after all, and the moves of RUN."""
    refs: dict[str, str] = {}
    moves: list[ReflogEntry] = []
    for operation in operations:
        number = connection.execute(
            "INSERT INTO operations (oid, command, author, created_at) VALUES (?, ?, ?, ?)",
            (bytes(names[id(operation)]), operation.command, operation.author, operation.created_at),
        ).lastrowid
        before = _resolved(refs, HEAD)
        changed = set()
        for change in sorted(operation.changes, key=lambda each: each.new != ""):
            if change.name == RUN:
                moves.append(_run_move(operation, change, number, runs))
                continue
            changed.add(change.name)
            refs[change.name] = change.new
            if not change.new:
                del refs[change.name]
            if change.name != HEAD:
                _log(connection, operation, number, change.name, change.old, change.new)
        after = _resolved(refs, HEAD)
        if changed & {HEAD, value_target(refs.get(HEAD))} and (before or after):
            _log(connection, operation, number, HEAD, before, after)
    return refs, moves


def _run_move(
    operation: Operation, change: RefChange, number: int | None, runs: Mapping[ObjectId, RunFacts]
) -> ReflogEntry:
    """Returns a move of RUN: one that a run's operation tells of happened when the run began, and was no operation's."""
    began = value_run(change.new)
    for each in operation.changes:
        if began is not None and each.name == run_ref(began) and each.new:
            facts = runs.get(ObjectId.from_hex(each.new))
            at, message = (facts.started_at, f"run {facts.target}") if facts else (operation.created_at, "run")
            return ReflogEntry(RUN, change.old, change.new, operation.author, min(at, operation.created_at), message, None)
    return ReflogEntry(
        RUN, change.old, change.new, operation.author, operation.created_at, operation.command, number
    )


def _log_run(connection: sqlite3.Connection, moves: Iterable[ReflogEntry]) -> str:
    """Writes RUN's reflog, in the order in which it moved; returns its last value.

    Runs overlap, so their operations tell of its moves in another order; and of
    runs that have no operation yet nobody tells: what lies between is filled.
    """
    at = ""
    for entry in sorted(moves, key=lambda each: each.created_at):
        if entry.operation is None:
            entry = entry._replace(old=at)
        elif entry.old != at:
            write_reflog(connection, entry._replace(old=at, new=entry.old, operation=None))
        if entry.old != entry.new:
            write_reflog(connection, entry)
        at = entry.new
    return at


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
    journals: Sequence[JournalFacts],
) -> None:
    """Writes the rows of runs: those that operations tell of under their numbers, and those of journals."""
    rows: dict[int, tuple[ObjectId, int, str | None]] = {}
    for operation in operations:
        before = next((change.old for change in operation.changes if change.name == RUN), None)
        for change in operation.changes:
            if change.name.startswith(RUNS) and change.new:
                rows[int(change.name[len(RUNS) :])] = ObjectId.from_hex(change.new), operation.created_at, before
    known = {
        number: (runs.get(oid) or RunFacts("", "unknown", created_at, created_at), before)
        for number, (oid, created_at, before) in sorted(rows.items())
    }
    for number, (facts, before) in known.items():
        connection.execute(
            "INSERT INTO runs (number, journal, target, status, started_at, ended_at, run_before) VALUES (?, '', ?, ?, ?, ?, ?)",
            (number, facts.target, facts.status, facts.started_at, facts.ended_at, before),
        )
    numbers = _free_numbers({number: facts.started_at for number, (facts, _) in known.items()}, journals)
    for number, journal in zip(numbers, journals, strict=True):
        connection.execute(
            "INSERT INTO runs (number, journal, target, status, started_at) VALUES (?, ?, ?, ?, ?)",
            (number, journal.name, journal.target, RECORDING, journal.started_at),
        )


def _free_numbers(known: Mapping[int, int], journals: Sequence[JournalFacts]) -> list[int]:
    """Returns a number for each journal: one that no known run has and that fits when it began, else a new one."""
    taken, found, least = set(known), list[int](), 0
    for journal in journals:
        least = max([least, *(number for number, began in known.items() if began < journal.started_at)])
        fits = least + 1 not in taken
        number = least + 1 if fits else max(taken) + 1
        least = number if fits else least
        taken.add(number)
        found.append(number)
    return found
