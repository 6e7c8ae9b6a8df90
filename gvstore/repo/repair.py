"""Mends a repository as far as it can be, and deletes nothing.

Damaged files of objects are set aside when every whole object in them is saved
(odb/repair.py).  A refs.db that is lost or damaged is set aside too, and made
anew from the operations among the objects.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import GvError
from gvstore.objects.decode import decode
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.operation import Operation
from gvstore.objects.run import Run
from gvstore.odb.fault import WriteFailed
from gvstore.odb.repair import quarantine
from gvstore.odb.wal import read_records
from gvstore.refs.fault import CorruptRefs, RefsReadOnly
from gvstore.refs.names import RUNS
from gvstore.refs.restore import JournalFacts, RunFacts, restore
from gvstore.refs.value import value_oid
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

JOURNAL_SUFFIX = ".wal"


@dataclass(frozen=True, slots=True)
class Mended:
    """One thing that was done: to which file under `.gv`, and what."""

    file: str
    what: str


def repair(repo: Repository) -> Iterator[Mended]:
    """Mends what can be mended, and yields what was done.

    Raises:
        RefsReadOnly: nothing can be written here.
        Busy: another process is merging or collecting.
    """
    if repo.read_only:
        raise RefsReadOnly(str(repo.gv))
    for each in repo.objects.repair():
        saved = f", {each.saved} objects saved" if each.saved else ""
        yield Mended(f"{layout.OBJECTS}/{each.file}", each.what + saved)
    why = _refs_fault(repo)
    if why:
        repo.refs.close()
        try:
            count = _restore_refs(repo)
        except OSError as e:
            raise WriteFailed(layout.refs_path(repo.gv), e) from e
        yield Mended(layout.REFS, f"made anew, {count} refs: {why}")


def _refs_fault(repo: Repository) -> str:
    """Returns what is wrong with refs.db, nothing if it is sound."""
    from gvstore.repo.agreement import disagreements

    try:
        for why in repo.refs.check():
            return why
        for finding in disagreements(repo):
            if finding.damage:
                return f"{finding.where}: {finding.why.partition(';')[0]}"
    except CorruptRefs as e:
        return e.why
    return ""


def _restore_refs(repo: Repository) -> int:
    """Sets refs.db aside and makes another; returns how many refs came back."""
    path = layout.refs_path(repo.gv)
    operations, runs = _read_past(repo)
    folder = repo.gv / layout.TMP
    folder.mkdir(exist_ok=True)
    new = folder / layout.REFS
    for left in (new, *_beside(new)):
        left.unlink(missing_ok=True)
    branch = f"refs/heads/{repo.config.text('init.branch')}"
    refs = restore(new, operations, runs, _journals(repo), branch=branch)
    for old in (path, *_beside(path)):  # a WAL of the old file must not meet the new one
        if old.exists():
            quarantine(layout.objects_folder(repo.gv), old)
    fs.rename(new, path)
    fs.sync_folder(repo.gv)
    return len(refs)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]


def _read_past(repo: Repository) -> tuple[dict[ObjectId, Operation], dict[ObjectId, RunFacts]]:
    """Returns all operations that can be read, and the runs that they tell of."""
    operations: dict[ObjectId, Operation] = {}
    for oid in repo.objects:
        try:
            if repo.objects.read(oid)[0] == Kind.OPERATION:
                operations[oid] = Operation.get(repo.objects, oid)
        except GvError:
            continue
    runs: dict[ObjectId, RunFacts] = {}
    for operation in operations.values():
        for change in operation.changes:
            found = value_oid(change.new) if change.name.startswith(RUNS) else None
            if found is not None and found not in runs:
                try:
                    run = Run.get(repo.objects, found)
                except GvError:
                    continue
                runs[found] = RunFacts(run.target, run.status, run.started_at, run.ended_at)
    return operations, runs


def _journals(repo: Repository) -> list[JournalFacts]:
    """Returns the journals that lie there, the oldest first, with what they say; where one says nothing, its name tells when it began."""
    found = []
    for name in fs.list_folder(layout.journal_folder(repo.gv)):
        if name.endswith(JOURNAL_SUFFIX):
            facts = journal_facts(repo, name)
            target, started_at = facts.get("target"), facts.get("started_at")
            try:
                named = int(name.partition("-")[0], 16)
            except ValueError:
                continue
            found.append(
                JournalFacts(
                    name,
                    started_at if type(started_at) is int else named,
                    target if type(target) is str else "",
                )
            )
    return sorted(found, key=lambda each: each.started_at)


def journal_facts(repo: Repository, name: str) -> dict[str, object]:
    """Returns what a journal's first record says of its run; nothing where it cannot be read."""
    try:
        first = next(read_records(layout.journal_folder(repo.gv) / name), None)
        facts = decode(first[1:], repo.objects) if first is not None and first[:1] == b"R" else {}
    except (OSError, GvError):
        return {}
    return facts if type(facts) is dict else {}
