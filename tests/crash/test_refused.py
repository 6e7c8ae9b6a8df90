"""The system refuses for a moment: nothing is told to be missing, or to be our fault, for that."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import gvstore as gv
from gvstore import fs
from gvstore.odb import ObjectDatabase, WriteFailed
from gvstore.odb.fault import Unreadable
from gvstore.odb.wal import WalWriter
from gvstore.repo.fault import BadFormat, CannotWrite, NotARepository
from tests.odb.conftest import fill


def refuse(*_: object, **__: object) -> int:
    """Fails as the system does where too many files are open."""
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_what_cannot_be_opened_is_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many open files: the file is named, and read when there is room again."""
    folder = tmp_path / "objects"
    ObjectDatabase.init(folder)
    (oid,) = fill(folder, [b"vhere"])
    with ObjectDatabase.open(folder, read_only=True) as database:
        with monkeypatch.context() as patch:
            patch.setattr(fs, "open_read", refuse)
            with pytest.raises(Unreadable, match="Too many open files"):
                database.read(oid)
            with pytest.raises(Unreadable):
                database.has(oid)

        assert b"vhere" == database.read(oid)
        assert not database.has(type(oid).of(b"velsewhere"))


def test_a_repository_that_cannot_be_read_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No such file, and no such luck, are told apart."""
    gv.Repository.init(tmp_path).close()
    with pytest.raises(NotARepository):
        gv.Repository.open(tmp_path / "elsewhere")
    monkeypatch.setattr(fs, "open_read", refuse)

    with pytest.raises(BadFormat, match="Too many open files"):
        gv.Repository.open(tmp_path)


@pytest.mark.parametrize("act", ["commit", "settle"])
def test_a_lock_that_cannot_be_made_is_our_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """Not an OSError that nobody expects."""
    repo = gv.Repository.init(tmp_path)
    repo.refs.allocate_run(journal="gone.wal", target="t", started_at=1)
    monkeypatch.setattr(fs, "open_lock", refuse)
    calls: dict[str, Callable[[], object]] = {
        "commit": lambda: repo.worktree_lock().__enter__(),
        "settle": lambda: repo.commit("x", allow_empty=True),
    }

    with pytest.raises((CannotWrite, WriteFailed), match="Too many open files"):
        calls[act]()
    repo.close()


def test_a_journal_that_cannot_be_deleted_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says is stored: it is swept later."""
    wal = WalWriter(tmp_path / "a.wal")
    wal.append(b"x")
    monkeypatch.setattr(os, "unlink", refuse)

    wal.close(remove=True)


def test_a_run_without_a_journal_stops_nobody(tmp_path: Path) -> None:
    """A number taken and nothing more: the next command stores it as interrupted."""
    with gv.Repository.init(tmp_path) as repo:
        number = repo.refs.allocate_run(journal="", target="t", started_at=1)

        assert "interrupted" == repo.runs[number].status
        repo.commit("next", allow_empty=True)
        assert () == repo.refs.unfinished_runs()
