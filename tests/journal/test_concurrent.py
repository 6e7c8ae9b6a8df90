"""Several threads, tasks and processes record at once."""

from __future__ import annotations

import asyncio
import contextvars
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.address import walk
from gvstore.journal.repository import Repository
from gvstore.journal.running import RunningRun
from gvstore.journal.timing import timing_of
from gvstore.odb.fault import Poisoned, ReadOnly, WriteFailed
from gvstore.odb.wal import WalWriter
from gvstore.repo import layout
from tests.journal.bodies import BODIES, note
from tests.journal.process import NOTE, Project


@gv.register
def leaf(who: int, i: int) -> str:
    note((who, i))
    return f"{who}:{i}" * (1 + i % 40)


@gv.register
def branch(who: int, n: int) -> int:
    return sum(len(leaf(who, i)) for i in range(n))


@gv.register
def parallel(threads: int, n: int) -> int:
    started = [
        threading.Thread(target=contextvars.copy_context().run, args=(work, who, n)) for who in range(threads)
    ]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return threads


def work(who: int, n: int) -> None:
    """Makes calls at two levels."""
    for i in range(n):
        leaf(who, i)
    branch(who, n)


def test_threads_record_below_one_parent(repo: Repository) -> None:
    """Every call of every thread is in the record once, with its output and its times."""
    run = repo.run(parallel, 4, 150)
    calls = list(run.invocation.get_children())

    assert 4 * 151 == len(calls) and 4 * 301 + 1 == run.calls
    leaves = [call for call in calls if call.name == "leaf"]
    assert {(who, i) for who in range(4) for i in range(150)} == {(c.args["who"], c.args["i"]) for c in leaves}
    assert all(f"{c.args['who']}:{c.args['i']}" in c.output for c in leaves)
    assert all(150 == len(call) for call in calls if call.name == "branch")
    for path, _ in list(walk(run.invocation))[::50]:
        assert timing_of(run.record.times, path, repo.objects).duration_us >= 0
    assert [] == [each for each in repo.fsck() if each.damage]


def test_threads_are_answered_by_identity(repo: Repository) -> None:
    """Whatever the order in which threads ask, each call is answered once, and by its own record."""
    run = repo.run(parallel, 4, 60)
    BODIES.clear()
    again = run.replay()

    assert [] == BODIES
    assert run.calls == again.calls
    oids = [sorted(call.oid for _, call in walk(each.invocation) if call.name != "parallel") for each in (run, again)]
    assert oids[0] == oids[1]


def test_a_thread_that_outlives_its_call(repo: Repository) -> None:
    """Calls made when their parent has returned go to the nearest that has not; after the run they are plain."""
    started: list[threading.Thread] = []
    go, last = threading.Event(), threading.Event()
    outputs: list[str] = []

    @gv.register
    def begin() -> None:
        def late() -> None:
            go.wait()
            outputs.append(leaf(1, 1))
            last.wait()
            outputs.append(leaf(2, 2))

        thread = threading.Thread(target=contextvars.copy_context().run, args=(late,))
        started.append(thread)
        thread.start()

    def root() -> int:
        begin()
        go.set()
        while not outputs:
            pass
        return 1

    run = repo.run(root)
    last.set()
    started[0].join()

    assert ["begin", "leaf"] == [call.name for call in run.invocation.get_children()]
    assert 2 == len(outputs)


def test_tasks_use_stores_of_their_own(repo: Repository) -> None:
    """Each task may enter a store of its own, and leave it while others are inside theirs."""

    async def use(n: int) -> Any:
        with gv.InMemoryStore() as store:
            await asyncio.sleep(0.001 * (n % 3))
            ref = gv.commit({"n": n})
            await asyncio.sleep(0.001 * (n % 2))
            assert store.has(ref)
            return ref.checkout()["n"]

    async def together() -> list[Any]:
        return list(await asyncio.gather(*map(use, range(9))))

    assert list(range(9)) == asyncio.run(together())


def test_a_task_that_is_cancelled(repo: Repository) -> None:
    """Cancellation is part of the record, and a replay executes the call again."""

    @gv.register
    async def forever() -> None:
        await asyncio.sleep(100)

    def root() -> str:
        async def cancel() -> str:
            task = asyncio.create_task(forever())
            await asyncio.sleep(0)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return "cancelled"
            return ""

        return asyncio.run(cancel())

    run = repo.run(gv.register(root))

    assert ["cancelled"] == [call.status for call in run.invocation.get_children()]
    assert "cancelled" == run.output == run.replay().output


BUSY = NOTE + """
import sys, gvstore as gv

@gv.register
def leaf(i): return i * i

@gv.register
def busy(who, n): return sum(leaf(who * 1000 + i) for i in range(n))

with gv.open('.') as repo:
    for k in range(3):
        gv.run(busy, int(sys.argv[1]), 200)
"""


def test_processes_record_into_one_repository(tmp_path: Path) -> None:
    """Nobody waits, nothing is lost, each run has a number of its own."""
    Repository.init(tmp_path).close()
    project = Project(tmp_path)
    processes = [project.start(BUSY, str(who)) for who in range(3)]
    for process in processes:
        assert (0, "") == (process.wait(60), process.stderr.read() if process.stderr else "")
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    with Repository.open(tmp_path) as repo:
        assert list(range(9, 0, -1)) == [run.number for run in repo.runs]
        for run in repo.runs:
            who = run.invocation.args["who"]
            assert sum((who * 1000 + i) ** 2 for i in range(200)) == run.output
        assert [] == [each for each in repo.fsck() if each.damage]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_writes_nothing_of_the_run(repo: Repository, tmp_path: Path) -> None:
    """The child's calls are plain; the parent's record is whole; a child that returns from the run is told."""
    told = tmp_path / "told"

    @gv.register
    def root() -> list[str]:
        first = leaf(0, 0)
        pid = os.fork()
        if pid == 0:
            for i in range(200):
                leaf(9, i)
            raise RuntimeError("the child goes on")
        os.waitpid(pid, 0)
        return [first, leaf(0, 1)]

    main = os.getpid()
    try:
        run = repo.run(root)
    except gv.InvocationError as e:
        told.write_text(f"{os.getpid() != main} {e}")
        os._exit(0)

    assert ["0:0", "0:10:1"] == run.output
    assert [{"who": 0, "i": 0}, {"who": 0, "i": 1}] == [call.args for call in run.invocation.get_children()]
    assert told.read_text().startswith("True this process was forked while run/1 was recorded")
    assert [] == [each for each in repo.fsck() if each.damage]


def _in_child(repo: Repository, queue: Any) -> None:
    queue.put((branch(7, 50), repo.run(branch, 8, 5).output))
    repo.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_multiprocessing_in_a_component(repo: Repository) -> None:
    """A forked worker calls components as plain functions, and may record runs of its own."""

    @gv.register
    def root() -> Any:
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        worker = context.Process(target=_in_child, args=(repo, queue))
        worker.start()
        found = queue.get()
        worker.join()
        assert 0 == worker.exitcode
        return found[0] + branch(1, 3)

    run = repo.run(root)

    assert [1, 2] == sorted(each.number for each in repo.runs)
    assert ["branch"] == [call.name for call in run.invocation.get_children()]
    assert 5 == len(repo.runs[2].invocation)
    assert [] == [each for each in repo.fsck() if each.damage]


def test_a_start_that_fails_leaves_nothing(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the journal, the number or the first record cannot be had there is no run, no file, no lock."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise WriteFailed(Path("x"), OSError(28, "No space left on device"))

    for owner, name in ((WalWriter, "append"), (type(repo.refs), "allocate_run"), (RunningRun, "_facts")):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, refuse)
            with pytest.raises(WriteFailed, match="No space left"):
                repo.run(leaf, 1, 1)

        assert [] == list(layout.journal_folder(repo.gv).iterdir())
        assert (0, []) == (len(repo.runs), BODIES)
    assert "1:11:1" == repo.run(leaf, 1, 1).output


def test_a_repository_for_reading_records_nothing(repo: Repository) -> None:
    """A run into a repository that is read only is refused at once."""
    repo.run(leaf, 1, 1)
    BODIES.clear()
    with Repository.open(repo.path, read_only=True) as reader:
        with pytest.raises(ReadOnly):
            reader.run(leaf, 1, 2)

        assert "1:11:1" == reader.runs[1].output
    assert [] == BODIES


def test_a_disk_that_does_not_confirm_is_told(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault of the syncing thread surfaces in the program, at the latest at the end of the run."""
    from gvstore import fs

    def refuse(fd: int) -> None:
        raise OSError(5, "Input/output error")

    @gv.register
    def slow() -> int:
        leaf(1, 1)
        threading.Event().wait(0.2)
        return len(leaf(1, 2))

    with monkeypatch.context() as patch:
        patch.setattr(fs, "sync_data", refuse)
        with pytest.raises((Poisoned, WriteFailed), match="Input/output error"):
            repo.run(slow)
        with pytest.raises(Poisoned):
            repo.close()

    run = repo.runs[1]
    assert (None, "ok", "1:11:1") == (run.oid, run.status, run.invocation.get_child(0).output)
    assert 9 == run.replay().output
