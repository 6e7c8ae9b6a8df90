"""Many processes, and many small commands: all commits are there, one reflog each, few files."""

from __future__ import annotations

import os
import traceback
from itertools import pairwise
from pathlib import Path

import pytest

from gvstore.objects.commit import Commit
from gvstore.odb import ObjectDatabase, compact
from gvstore.odb.collect import Moment
from gvstore.odb.fault import Busy
from gvstore.refs.fault import RefMoved
from gvstore.repo import Repository, layout
from gvstore.repo.gc import gc

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

AUTHOR = "Ada <ada@example.org>"
NOW_US = 1795168931_000000
PROCESSES = 16
EACH = int(os.environ.get("GV_COMMITS", "4"))


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit."""
    monkeypatch.setenv("GV_AUTHOR", AUTHOR)
    path = tmp_path / "shared"
    with Repository.init(path, author=AUTHOR, branch="main") as repo:
        (path / "a.txt").write_text("first")
        repo.commit("first")
    return path


def commit_on(repo: Repository, branch: str, message: str) -> None:
    """Puts a commit on a branch that others move too: again, until nobody was faster."""
    while True:
        parent = repo.refs.resolve(branch)
        old = Commit.get(repo.objects, parent) if parent is not None else None
        tree = repo.objects.put(message.encode() * 30)
        new = Commit(
            tree=Commit.get(repo.objects, repo.head or parent).tree if old is None else old.tree,  # type: ignore[arg-type]
            parents=(parent,) if parent is not None else (),
            author=AUTHOR,
            created_at=NOW_US,
            message=message,
            values={"note": tree},
            generation=1 + (old.generation if old is not None else 0),
        ).put(repo.objects)
        try:
            with repo.transaction(message, author=AUTHOR, now=NOW_US) as transaction:
                transaction.update(branch, new, expected=parent)
        except RefMoved:
            continue
        return


def work(path: Path, number: int) -> None:
    """Commits to the common branch and to one's own."""
    with Repository.open(path) as repo:
        for i in range(EACH):
            commit_on(repo, "refs/heads/common", f"process {number} common {i}")
            commit_on(repo, f"refs/heads/own-{number}", f"process {number} own {i}")


def forked(path: Path, count: int) -> list[int]:
    """Starts processes that work; returns them."""
    pids = []
    for number in range(count):
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                work(path, number)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        pids.append(pid)
    return pids


@pytest.mark.parametrize("collecting", [False, True])
def test_sixteen_processes_commit(shared: Path, collecting: bool) -> None:
    """Every commit is on its branch, each reflog is one line without gaps; also while gc runs again and again."""
    pids = forked(shared, PROCESSES)
    collections = 0
    if collecting:
        waiting = set(pids)
        while waiting:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid:
                assert 0 == os.waitstatus_to_exitcode(status)
                waiting.discard(pid)
                continue
            try:
                gc(Repository.open(shared), Moment(NOW_US, 0, "boot"), prune="now")
                collections += 1
            except Busy:
                pass
    else:
        assert all(0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids)

    with Repository.open(shared) as repo:
        messages = [entry.commit.message for entry in repo.log("common")]
        assert sorted(f"process {p} common {i}" for p in range(PROCESSES) for i in range(EACH)) == sorted(messages)
        for number in range(PROCESSES):
            own = [entry.commit.message for entry in repo.log(f"own-{number}")]
            assert [f"process {number} own {i}" for i in reversed(range(EACH))] == own
        for name in ("refs/heads/common", *(f"refs/heads/own-{n}" for n in range(PROCESSES))):
            moves = repo.refs.reflog(name)[::-1]
            assert "" == moves[0].old
            assert all(a.new == b.old for a, b in pairwise(moves))
        assert [] == list(repo.fsck())
        assert collections or not collecting


def test_many_small_commands_leave_few_files(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many handles wrote a little each; and what they wrote is found."""
    from gvstore import fs

    monkeypatch.setattr(fs, "sync_data", lambda fd: None)
    monkeypatch.setattr(fs, "sync_folder", lambda path: None)
    folder = layout.objects_folder(shared / ".gv")
    oids = []
    most = 0
    for i in range(int(os.environ.get("GV_COMMANDS", "500"))):
        with ObjectDatabase.open(folder) as database:
            oids += [database.write(b"vcommand %d, object %d, %d" % (i, j, i * j * 7919)) for j in range(4)]
        if i % 50 == 0:
            names = [p for p in folder.glob("*/*") if p.suffix in (".seg", ".pack")]
            most = max(most, len(names))

    assert most <= compact.FEW + 1 + compact.FEW_PACKS + 2
    assert [] == list((folder / "lease").iterdir())
    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in oids)
