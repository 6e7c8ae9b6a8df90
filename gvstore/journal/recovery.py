"""Runs whose process died: read from their journals, and stored by the next writer."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gvstore import fs, host
from gvstore.errors import GvError
from gvstore.journal.running import SUFFIX, run_of, status_of
from gvstore.journal.wal import Recovered, recover
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.record import NIL
from gvstore.objects.run import Run
from gvstore.odb.fault import Unreadable, WriteFailed
from gvstore.odb.wal import is_held
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo import Repository as BareRepository
    from gvstore.repo import RunRow

_OLD_US: Final = 3_600_000_000
_LOCK: Final = "settle.lock"


def run_of_journal(path: Path, row: RunRow, objects: ObjectStore, *, running: bool) -> Run:
    """Returns the run that a journal holds, its calls folded into `objects`.

    The same journal always gives the same run, whoever reads it.
    """
    try:
        found = recover(path, objects)
    except (FileNotFoundError, fs.NotAFile):
        found = Recovered()
    except OSError as e:
        raise Unreadable(path, e) from e
    facts = found.facts or {"target": row.target, "started_at": row.started_at}
    outcome = found.root.outcome if found.root is not None else NIL
    counts = {"calls": found.executed + found.reused, "executed": found.executed, "reused": found.reused}
    status = "running" if running else status_of(outcome)
    notes = (f"{found.damaged} records of its journal were damaged; they are left out",) if found.damaged else ()
    ended_at = row.started_at + found.end_us
    return run_of(facts, found.root, status, ended_at, counts | found.usage, objects, notes=notes)


def settle(repo: Repository) -> int:
    """Stores the runs whose process died; returns how many.

    One process settles at a time.  The lock of a journal itself is its
    recorder's alone, so that whoever reads meanwhile takes no settler for one.
    """
    rows = repo.refs.unfinished_runs()
    if not any(_is_dead(repo, row) for row in rows):
        return 0
    lock = layout.journal_folder(repo.gv) / _LOCK
    try:
        fd = fs.open_lock(lock)
    except OSError as e:
        raise WriteFailed(lock, e) from e
    try:
        fs.wait_lock(fd)
        dead = [row for row in repo.refs.unfinished_runs() if _is_dead(repo, row)]
        for row in dead:
            _settle(repo, row)
        _sweep(repo)
    finally:
        fs.close(fd)
    return len(dead)


def dead_runs(repo: BareRepository) -> list[RunRow]:
    """Returns the runs whose process died and that are not stored yet, the oldest first; nothing is changed."""
    return [row for row in repo.refs.unfinished_runs() if _is_dead(repo, row)]


def _is_dead(repo: BareRepository, row: RunRow) -> bool:
    return not row.journal or not is_held(layout.journal_folder(repo.gv) / row.journal)


def _settle(repo: Repository, row: RunRow) -> None:
    path = layout.journal_folder(repo.gv) / row.journal
    run = run_of_journal(path, row, repo.objects, running=False)
    oid = run.put(repo.objects)
    try:
        repo.refs.finish_run(
            row.number,
            oid,
            status=run.status,
            ended_at=run.ended_at,
            author=run.author,
            command=f"recover run/{row.number}",
        )
    except GvError:
        fresh = repo.refs.run(row.number)
        if fresh is None or fresh.oid is None:
            raise
        return  # its recorder, that had let go of the journal, ended it meanwhile
    if row.journal:
        _remove(path)


def _remove(path: Path) -> None:
    """Deletes a journal that nobody needs; one that cannot be deleted now is swept later."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def _sweep(repo: Repository) -> None:
    """Deletes journals that no run names: of processes that died before theirs had a number."""
    folder = layout.journal_folder(repo.gv)
    names = [name for name in fs.list_folder(folder) if name.endswith(SUFFIX) and _is_old(name)]
    named = {row.journal for row in repo.refs.unfinished_runs()} if names else set()
    for name in names:
        if name not in named and not is_held(folder / name):
            _remove(folder / name)


def _is_old(name: str) -> bool:
    """Returns whether a journal was made so long ago, by its name, that its run has a number if it ever gets one."""
    started, _, _ = name.partition("-")
    try:
        return abs(host.now_us() - int(started, 16)) > _OLD_US
    except ValueError:
        return False
