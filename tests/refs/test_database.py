from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from gvstore.errors import Conflict
from gvstore.refs import CorruptRefs, Refs, RefsLocked, RefsReadOnly, RefsUnwritten, schema
from tests.refs.conftest import AUTHOR, MAIN, Objects, oid

PROCESSES = 8
EACH = 12


def _add_up(path: Path, lines: list[str]) -> None:
    """Moves a ref EACH times, by compare-and-swap from what it read; on a clash again."""
    with Refs.open(path, Objects()) as refs:
        for _ in range(EACH):
            while True:
                old = refs.resolve(MAIN)
                n = 0 if old is None else int.from_bytes(old[:4], "big")
                new = type(oid(0))((n + 1).to_bytes(4, "big") + bytes(28))
                try:
                    with refs.transaction("add", author=AUTHOR, now=n) as transaction:
                        transaction.update(MAIN, new, expected=old)
                    break
                except Conflict:
                    continue
            lines.append(str(refs.allocate_run(journal="", target="t", started_at=1)))


def test_processes_lose_no_update(path: Path) -> None:
    """8 processes that add one by compare-and-swap come to the sum, and no run number is given twice."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        numbers = pool.map(_added, [path] * PROCESSES, chunksize=1)
    with Refs.open(path) as refs:
        total = refs.resolve(MAIN)
        assert total is not None
        assert PROCESSES * EACH == int.from_bytes(total[:4], "big")
        assert PROCESSES * EACH == len(refs.operations()) == len(refs.reflog(MAIN))
        assert sorted(map(str, range(1, PROCESSES * EACH + 1))) == sorted(n for each in numbers for n in each)


def _added(path: Path) -> list[str]:
    lines: list[str] = []
    _add_up(path, lines)
    return lines


def test_threads_share_a_refs(refs: Refs) -> None:
    """Threads may use one Refs; no number is given twice."""
    numbers: list[int] = []
    threads = [
        threading.Thread(target=lambda: numbers.append(refs.allocate_run(journal="", target="t", started_at=1)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(range(1, 9)) == sorted(numbers)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_child_of_a_fork_has_its_own_connection(refs: Refs) -> None:
    """A child reads, writes and ends without harm to its parent's connection."""
    refs.allocate_run(journal="", target="parent", started_at=1)
    child = os.fork()
    if child == 0:
        try:
            refs.allocate_run(journal="", target="child", started_at=2)
            refs.close()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)

    assert 0 == status
    assert 3 == refs.allocate_run(journal="", target="parent", started_at=3)
    assert ["parent", "child", "parent"] == [row.target for row in reversed(refs.runs())]
    assert () == refs.check()


def _digest(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        p.name: (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns) for p in sorted(folder.iterdir())
    }


def test_reading_a_copy_changes_no_byte(refs: Refs, path: Path, tmp_path: Path) -> None:
    """Opened for reading only, refs.db and a WAL left by a crash are read whole, and stay as they are."""
    with refs.transaction("commit", author=AUTHOR, now=1) as transaction:
        transaction.update(MAIN, oid(1), expected=None)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("refs.db", "refs.db-wal"):
        shutil.copy(path.parent / name, copy / name)
    copy.chmod(0o555)
    before = _digest(copy)
    with Refs.open(copy / "refs.db", read_only=True) as readable:
        assert oid(1) == readable.resolve("HEAD")
        assert 1 == len(readable.reflog(MAIN))
        with pytest.raises(RefsReadOnly):
            readable.allocate_run(journal="", target="t", started_at=1)
        with pytest.raises(RefsReadOnly), readable.transaction("x", author=AUTHOR, now=1):
            pass

    assert before == _digest(copy)
    assert before["refs.db-wal"]
    copy.chmod(0o755)


def test_reading_goes_on_where_sqlite_cannot_open(refs: Refs, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk has no room for the files that it makes beside the database even to read: a copy is read, never a stale one."""
    real, full = sqlite3.connect, [True]

    def connect(place: Path, **options: Any) -> sqlite3.Connection:
        if full[0] and place == path:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorname = "SQLITE_IOERR_SHMSIZE"
            raise error
        connection: sqlite3.Connection = real(place, **options)
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)
    with Refs.open(path, Objects()) as starved:
        assert "ref: refs/heads/main" == starved.read("HEAD")
        refs.allocate_run(journal="", target="t", started_at=1)
        assert 1 == len(starved.runs())
        with pytest.raises(RefsUnwritten):
            starved.allocate_run(journal="", target="t", started_at=1)
        full[0] = False

        assert 2 == starved.allocate_run(journal="", target="t", started_at=1)
        assert 2 == len(starved.runs())


def test_closing_truncates_the_wal(refs: Refs, path: Path) -> None:
    """After the last one closes, all is in the one file; the next use opens it again."""
    refs.allocate_run(journal="", target="t", started_at=1)
    refs.close()

    assert [path] == list(path.parent.iterdir())
    assert 2 == refs.allocate_run(journal="", target="t", started_at=1)


@pytest.mark.parametrize("damage", ["missing", "text", "empty", "foreign", "newer"])
def test_what_is_no_refs_database(path: Path, damage: str) -> None:
    """A file that is not ours is Corrupt, whatever it is; it is not touched."""
    if damage == "missing":
        path.unlink()
    elif damage == "text":
        path.write_bytes(b"no database" * 1000)
    elif damage == "empty":
        path.write_bytes(b"")
    else:
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA application_id=7" if damage == "foreign" else "PRAGMA user_version=9")
        connection.close()
    with pytest.raises(CorruptRefs) as caught:
        Refs.open(path).read("HEAD")

    assert 14 == caught.value.exit_code
    assert (damage == "missing") == (not path.exists())


def test_create_keeps_what_is_there(refs: Refs, path: Path) -> None:
    """To create refs.db again does nothing."""
    Refs.create(path)

    assert MAIN == refs.head_ref()


def test_somebody_else_holds_it(refs: Refs, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits too long for another process is told so, exit 11; readers do not wait."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(schema, "BUSY_TIMEOUT_S", 0.05)
    with Refs.open(path, Objects()) as waiting:
        assert MAIN == waiting.head_ref()
        with pytest.raises(RefsLocked) as caught:
            waiting.allocate_run(journal="", target="t", started_at=1)
    other.close()

    assert 11 == caught.value.exit_code
