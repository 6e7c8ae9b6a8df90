"""gc, repack, forget and repair that are killed, or refused, at any change of a file: nothing is lost, and the next one goes on."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.errors import GvError
from gvstore.odb import ObjectDatabase, compact
from gvstore.odb.collect import Moment
from gvstore.repo import Repository, layout
from gvstore.repo.gc import DAY_US, gc
from tests.odb.test_crash import KILLED, die_at

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

AUTHOR = "Ada <ada@example.org>"
NOW_US = 1795168931_000000
STRIDE = int(os.environ.get("GV_STRIDE", "5"))


@pytest.fixture
def used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with commits, puts, garbage, something condemned, and something damaged set aside."""
    monkeypatch.setenv("GV_AUTHOR", AUTHOR)
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:02:11Z")
    monkeypatch.setattr(compact, "SMALL_BYTES", 600)
    path = tmp_path / "used"
    with Repository.init(path, author=AUTHOR, now=NOW_US, branch="main") as repo:
        repo.config.set("gc.reflog", 0)
        for i in range(4):
            for name in "abc":
                (path / f"{name}.txt").write_text(f"{name} of commit {i} " * 40)
            repo.commit(f"commit {i}")
            repo.objects.put(b"put %d, " % i * 30)
            if i < 2:
                with repo.transaction("lose it") as transaction:
                    transaction.delete("refs/heads/main")
            repo.close()
            if i == 0:
                gc(Repository.open(path), Moment(NOW_US, 0, "boot"))
    return path


def collect(path: Path) -> None:
    """Runs gc, which deletes at once."""
    with Repository.open(path) as repo:
        gc(repo, Moment(NOW_US + DAY_US, DAY_US, "boot"), prune="now")


def repack(path: Path) -> None:
    """Makes one pack."""
    with Repository.open(path) as repo:
        repo.objects.repack()


def forget(path: Path) -> None:
    """Forgets a file of the last commit."""
    with Repository.open(path) as repo:
        repo.forget(repo.forget_targets(["main:b.txt"]), why="test")


def repair(path: Path) -> None:
    """Repairs, when refs.db is lost and a pack is damaged."""
    layout.refs_path(path / ".gv").unlink(missing_ok=True)
    with Repository.open(path) as repo:
        list(repo.repair())


def holds(path: Path, what: str, *, forgotten: bool) -> None:
    """Asserts that all that must be there is there, and nothing is damaged."""
    with Repository.open(path) as repo:
        if not layout.refs_path(repo.gv).exists():
            list(repo.repair())
        faults = [f"{f.where}: {f.why}" for f in repo.fsck() if f.damage and "index is missing" not in f.why]
        assert [] == faults, what
        assert 2 == len(list(repo.log())), what
        for name in "abc":
            oid = repo.head_files()[f"{name}.txt"].oid
            if name != "b" or not forgotten:
                assert f"{name} of commit 3 " * 40 == repo.objects.get(oid).decode(), what
    with ObjectDatabase.open(layout.objects_folder(path / ".gv"), read_only=True) as objects:
        assert 4 == sum(objects.get(oid).startswith(b"put ") for oid in objects), what


@pytest.mark.parametrize("work", [collect, repack, forget, repair])
def test_it_may_be_killed_anywhere(used: Path, tmp_path: Path, work: Callable[[Path], None]) -> None:
    """Before and after any change of a file; the next one finds all that it must, and ends."""
    path = tmp_path / "work"
    step, status = 1, KILLED
    while status == KILLED:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(used, path)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                die_at(step, after=step % 2 == 0, half=step % 3 == 0)
                work(path)
                code = 0
            finally:
                os._exit(code)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status in (0, KILLED)
        holds(path, f"step {step}", forgotten=work is forget)
        work_again(work, path)
        collect(path)
        holds(path, f"after step {step}", forgotten=work is forget)
        step += STRIDE
    assert step > 5


def work_again(work: Callable[[Path], None], path: Path) -> None:
    """Does it again; what is forgotten already cannot be named any more."""
    try:
        work(path)
    except GvError:
        assert work is forget


@pytest.mark.parametrize("work", [collect, repack, forget])
def test_a_full_disk_stops_it_and_loses_nothing(
    used: Path, tmp_path: Path, work: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At any write; it ends with an error of ours, and works when there is room."""
    path = tmp_path / "work"
    real = fs.write_at
    left = {"writes": -1}

    def write(fd: int, data: bytes, offset: int) -> None:
        left["writes"] -= 1
        if left["writes"] == 0:
            left["writes"] = 1  # it stays full
            real(fd, bytes(data)[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(fd, data, offset)

    monkeypatch.setattr(fs, "write_at", write)
    for room in range(1, 1000, STRIDE):
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(used, path)
        left["writes"] = room
        try:
            work(path)
        except GvError:
            pass
        full, left["writes"] = left["writes"] == 1, -1
        holds(path, f"room for {room} writes", forgotten=work is forget)
        if not full:
            break
        work_again(work, path)
        holds(path, f"after room for {room} writes", forgotten=work is forget)
    assert room > 5
