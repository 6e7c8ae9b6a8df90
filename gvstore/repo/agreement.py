"""Whether refs.db agrees with the operations, runs and journals, which tell the same.

SQLite finds what is wrong with its tree, not what is wrong with a value in it.
But each transaction is an object too, and so is each finished run: what refs.db
says beside them must be what they say.  What no object repeats (a reflog
entry's message) has a checksum in refs.db itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import GvError
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.operation import Operation, RefChange
from gvstore.objects.run import Run
from gvstore.odb.wal import read_records
from gvstore.refs.fault import CorruptRefs
from gvstore.refs.names import HEAD, RUN, RUNS, run_ref, short_name
from gvstore.refs.rebuild import replayed
from gvstore.refs.record import OperationEntry, ReflogEntry, RunRow
from gvstore.repo import layout
from gvstore.repo.fsck import Finding
from gvstore.repo.repair import JOURNAL_SUFFIX, journal_facts

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_REPAIR = "`gv fsck --repair` makes refs.db anew"


def disagreements(repo: Repository) -> Iterator[Finding]:
    """Yields where refs.db says something else than the objects do; reads each object once to find operations."""
    try:
        yield from _all(repo)
    except CorruptRefs as e:
        yield Finding(layout.REFS, f"{e.why}; {_REPAIR}")


def _all(repo: Repository) -> Iterator[Finding]:
    rows = repo.refs.operations()[::-1]
    known = dict(_operations(repo))
    yield from _of_operations(rows, known)
    if all(row.oid in known for row in rows):
        yield from _of_refs(repo, [known[row.oid] for row in rows])
    for name in repo.refs.logged():
        yield from _of_reflog(name, repo.refs.reflog(name), {row.number: known.get(row.oid) for row in rows})
    runs = repo.refs.runs()
    for name in sorted(repo.refs.list(RUNS).keys() - {run_ref(row.number) for row in runs}):
        yield Finding(short_name(name), f"there is no row for it; {_REPAIR}")
    for row in runs:
        yield from _of_run(repo, row)
    yield from _lost(rows, known)
    yield from _of_journals(repo)


def _operations(repo: Repository) -> Iterator[tuple[ObjectId, Operation]]:
    for oid in repo.objects:
        try:
            if repo.objects.read(oid)[0] == Kind.OPERATION:
                yield oid, Operation.get(repo.objects, oid)
        except GvError:
            continue  # told elsewhere


def _of_operations(rows: tuple[OperationEntry, ...], known: dict[ObjectId, Operation]) -> Iterator[Finding]:
    before: ObjectId | None = None
    for number, row in enumerate(rows, 1):
        if row.number != number:
            yield Finding(layout.REFS, f"operation {row.number} stands in the place of operation {number}; {_REPAIR}", row.oid)
        operation = known.get(row.oid)
        if operation is not None:
            told = (operation.parent, operation.command, operation.author, operation.created_at)
            if told != (before, row.command, row.author, row.created_at):
                yield Finding(layout.REFS, f"operation {row.number} is another than its object says; {_REPAIR}", row.oid)
        before = row.oid


def _of_refs(repo: Repository, operations: list[Operation]) -> Iterator[Finding]:
    """Yields refs that hold something else than the operations lead to; RUN moves without one when a run begins."""
    told, here = replayed(operations), repo.refs.list("")
    told.setdefault(HEAD, here.get(HEAD, ""))  # where refs.db was made anew, no operation may tell of it
    for name in sorted({*told, *here} - {RUN}):
        if told.get(name) != here.get(name):
            yield Finding(short_name(name), f"it is not what the operations lead to; {_REPAIR}")
    for name, value in here.items():
        newest = next(iter(repo.refs.reflog(name, limit=1)), None)
        if newest is not None and name != HEAD and newest.new != value:
            yield Finding(short_name(name), f"it is not what its reflog says; {_REPAIR}")


def _of_reflog(name: str, entries: tuple[ReflogEntry, ...], by_number: dict[int, Operation | None]) -> Iterator[Finding]:
    where = f"reflog of {short_name(name)}"
    for newer, older in pairwise(entries):
        if newer.old != older.new:
            yield Finding(where, f"an entry begins at another place than the one before it ended; {_REPAIR}")
    for entry in entries:
        if entry.operation is None:
            continue
        if entry.operation not in by_number:
            yield Finding(where, f"there is no operation {entry.operation}; {_REPAIR}")
            continue
        operation = by_number[entry.operation]
        if operation is None:
            continue
        change = RefChange(name, entry.old, entry.new)
        if (entry.author, entry.created_at) != (operation.author, operation.created_at) or (
            name != HEAD and change not in operation.changes
        ):
            yield Finding(where, f"an entry is another than operation {entry.operation} says; {_REPAIR}")


def _of_run(repo: Repository, row: RunRow) -> Iterator[Finding]:
    where = f"run/{row.number}"
    if row.oid is None:
        facts = _facts(repo, row)
        if facts and (row.target, row.started_at, row.ended_at) != (facts.get("target"), facts.get("started_at"), None):
            yield Finding(where, f"its row is another than its journal says; {_REPAIR}")
        return
    try:
        run = Run.get(repo.objects, row.oid)
    except GvError:
        return  # told elsewhere
    if (row.target, row.status, row.started_at, row.ended_at) != (run.target, run.status, run.started_at, run.ended_at):
        yield Finding(where, f"its row is another than its object says; {_REPAIR}", row.oid)


def _facts(repo: Repository, row: RunRow) -> dict[str, object]:
    """Returns what a journal's first record says of its run; nothing where it cannot be read."""
    return {} if row.finished or not row.journal else journal_facts(repo, row.journal)


def _of_journals(repo: Repository) -> Iterator[Finding]:
    """Yields journals with calls whose run has no row, and objects that journals need and nobody has."""
    folder = layout.journal_folder(repo.gv)
    named = {row.journal for row in repo.refs.unfinished_runs()}
    for name in fs.list_folder(folder):
        if name.endswith(JOURNAL_SUFFIX) and name not in named and _has_calls(folder / name):
            why = "no run names it: its run is stored, and its process was killed then, or refs.db lost the run"
            yield Finding(f"{layout.JOURNAL}/{name}", why, damage=False)
    for oid in sorted(set(repo._journal_links())):
        if not repo.objects.has(oid):
            yield Finding(layout.JOURNAL, "an object that an unfinished run names is missing", oid, damage=False)


def _has_calls(path: Path) -> bool:
    try:
        return any(payload is not None and payload[:1] == b"B" for payload in read_records(path))
    except OSError:
        return False  # its run ended meanwhile


def _lost(rows: tuple[OperationEntry, ...], known: dict[ObjectId, Operation]) -> Iterator[Finding]:
    """Yields operations that refs.db does not have, where it should: after its newest.

    One alone may never have come into force: it is written first, and its process may have been killed then.  Had it
    not come into force, none would name it as the one before.
    """
    here = {row.oid for row in rows}
    newest = rows[-1].oid if rows else None
    late = {oid: operation for oid, operation in known.items() if oid not in here and operation.parent == newest}
    followed = {operation.parent for operation in known.values()}
    for oid, operation in late.items():
        if oid in followed:
            yield Finding(layout.REFS, f"{operation.command!r} and what came after it is missing; {_REPAIR}", oid)
        else:
            why = f"{operation.command!r} did not come into force: its process was killed, or refs.db lost it"
            yield Finding(f"operation {short(oid)}", why, oid, damage=False)

