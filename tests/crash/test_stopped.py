"""A writer that is stopped anywhere while gc runs: its commit is whole when it goes on."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.errors import GvError
from gvstore.odb import ObjectDatabase, compact
from gvstore.odb.collect import Moment
from gvstore.odb.fault import Busy
from gvstore.repo import Repository, layout
from gvstore.repo.gc import gc

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

AUTHOR = "Ada <ada@example.org>"
NOW_US = 1795168931_000000
WATCHED = ("write_at", "sync_data", "rename", "remove", "create", "open_read", "open_update", "list_folder", "try_lock")


@pytest.fixture
def wasteful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository full of garbage: commits that no ref leads to any more, some of it condemned already."""
    monkeypatch.setenv("GV_AUTHOR", AUTHOR)
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:02:11Z")
    monkeypatch.setattr(compact, "SMALL_BYTES", 600)
    path = tmp_path / "wasteful"
    with Repository.init(path, author=AUTHOR, now=NOW_US, branch="main") as repo:
        repo.config.set("gc.reflog", 0)
        for i in range(3):
            for name in "abc":
                (path / f"{name}.txt").write_text(f"{name} of commit {i} " * 40)
            repo.commit(f"commit {i}")
            with repo.transaction("lose it") as transaction:
                transaction.delete("refs/heads/main")
            repo.close()
            if i == 0:
                collect(path, prune=None)
    return path


def collect(path: Path, prune: str | None = "now") -> None:
    """Runs gc as another process would; one that is stopped while it merges stops gc too."""
    with Repository.open(path) as repo:
        try:
            gc(repo, Moment(NOW_US, 0, "boot"), prune=prune)
        except Busy:
            pass


def work(path: Path) -> None:
    """Commits what was committed before, as garbage, and more; by two handles after each other."""
    for i in (0, 2, 3):
        with Repository.open(path) as repo:
            for name in "abc":
                (path / f"{name}.txt").write_text(f"{name} of commit {i} " * 40)
            repo.commit(f"again {i}")
            repo.objects.put(b"put %d" % i * 50)


def stop_at(step: int) -> None:
    """Makes this process stop itself before the `step`-th call that touches a file."""
    count = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal count
            count += 1
            if count == step:
                os.kill(os.getpid(), signal.SIGSTOP)
            return real(*args, **options)

        return call

    for name in WATCHED:
        setattr(fs, name, counted(getattr(fs, name)))


def stopped_worker(path: Path, step: int) -> int | None:
    """Returns the process that stopped at the step, or None if it ended before."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            stop_at(step)
            work(path)
            status = 0
        except GvError as e:
            os.write(2, f"{type(e).__name__}: {e}\n".encode())
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return pid
    assert 0 == os.waitstatus_to_exitcode(status)
    return None


@pytest.mark.parametrize("part", range(4))
def test_a_commit_is_whole_wherever_it_was_stopped(
    wasteful: Path, tmp_path: Path, part: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gc --prune=now, twice, while it stands still; and twice after it has ended."""
    from gvstore.odb import lock

    monkeypatch.setattr(lock, "WAIT_S", 0.0)
    path = tmp_path / "work"
    step = 1 + part * STRIDE
    pid: int | None = 0
    while pid is not None:
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(wasteful, path)
        pid = stopped_worker(path, step)
        if pid is not None:
            collect(path)
            collect(path)
            os.kill(pid, signal.SIGCONT)
            assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), f"step {step}"
        for _ in range(2):
            collect(path)
            with Repository.open(path, read_only=True) as repo:
                assert [] == list(repo.fsck()), f"step {step}"
                assert 3 == len(list(repo.log()))
                assert all(f"{name} of commit 3 " * 40 == text(repo, name) for name in "abc"), f"step {step}"
        with ObjectDatabase.open(layout.objects_folder(path / ".gv"), read_only=True) as objects:
            assert 3 == sum(objects.get(oid).startswith(b"put ") for oid in objects), f"step {step}"
        step += 4 * STRIDE
    assert step > 50


def text(repo: Repository, name: str) -> str:
    """Returns what HEAD has of a file."""
    return repo.objects.get(repo.head_files()[f"{name}.txt"].oid).decode()


STRIDE = int(os.environ.get("GV_STRIDE", "13"))
