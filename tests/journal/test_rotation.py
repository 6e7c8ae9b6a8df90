"""A journal that is replaced while its run goes on: nothing that had ended is lost, and the run is the one it would have been."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.journal import rotation, running
from gvstore.journal.repository import Repository
from gvstore.repo import layout


@gv.register
def leaf(i: int) -> str:
    return "x" * 300 + str(i)


@gv.register
def group(i: int, size: int) -> list[str]:
    return [leaf(i * size + k)[-3:] for k in range(size)]


@gv.register
def top(groups: int, size: int) -> list[list[str]]:
    return [group(i, size) for i in range(groups)]


@gv.register
def top_killed(groups: int, size: int, told: int) -> None:
    for i in range(groups):
        group(i, size)
        os.write(told, b"%d\n" % i)
    os.kill(os.getpid(), signal.SIGKILL)


@gv.register
def gathered(count: int) -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(leaf, range(count)))
    return [leaf(count), found[-1], group(count, 3)[0]]


@pytest.fixture
def always() -> Iterator[None]:
    """The journal is replaced after every call, where it can be."""
    rotation.always = True
    yield
    rotation.always = False


def test_the_record_is_the_same(tmp_path: Path) -> None:
    """Whether the journal was replaced after every call, or never; also where threads hinder it now and then."""
    found = []
    for often in (False, True):
        rotation.always = often
        try:
            repo = gv.init(tmp_path / str(often))
            runs = [repo.run(top, 4, 7), repo.run(gathered, 5)]
        finally:
            rotation.always = False
        found.append([(run.invocation.part, run.calls, run.record.counts) for run in runs])
        assert [] == list(repo.fsck())
        repo.close()

    assert found[0] == found[1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_what_had_ended_is_there_after_a_kill(repo: Repository, always: None) -> None:
    """And a replay makes none of it again."""
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(out)
        with Repository.open(repo.path) as child:
            child.run(top_killed, 5, 4, told)
        os._exit(0)
    os.close(told)
    with os.fdopen(out, "rb") as file:
        assert [0, 1, 2, 3, 4] == [int(line) for line in file]
    os.waitpid(pid, 0)

    run = repo.runs[1]
    assert ("interrupted", 25) == (run.status, run.calls)
    assert [[f"x{i * 4 + k}"[-3:].rjust(3, "x") for k in range(4)] for i in range(5)] == [
        call.output for call in run.invocation.get_children()
    ]
    assert [] == [each for each in repo.fsck() if each.damage]


def test_a_journal_that_grows_is_replaced(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size stays bounded while the run goes on."""
    monkeypatch.setattr(running, "ROTATE_BYTES", 20_000)
    sizes: list[int] = []

    @gv.register
    def long() -> int:
        folder = layout.journal_folder(repo.gv)
        end = time.monotonic() + 20
        made = 0
        while time.monotonic() < end and not (sizes and sizes[-1] < max(sizes)):
            leaf(made)
            made += 1
            sizes.append(sum(path.stat().st_size for path in folder.iterdir() if path.suffix == ".wal"))
        return made

    run = repo.run(long)

    assert run.output == len(list(run.invocation.get_children()))
    assert max(sizes) > 20_000 > sizes[-1]
    assert run.calls == run.output + 1
