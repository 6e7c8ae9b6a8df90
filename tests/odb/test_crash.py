"""A process that dies before or after any one of its writes, syncs, renames and deletions."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact, repack
from tests.odb.conftest import fill, fill_pack, samples

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
KILLED = 9


def die_at(step: int, *, after: bool, half: bool) -> None:
    """Makes this process end at the `step`-th change of a file: before it, after it, or with half of it written."""
    count = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **options: object) -> object:
            nonlocal count
            count += 1
            if count == step and not after:
                if half and real is write_at:
                    fd, data, offset = args
                    write_at(fd, bytes(data)[: len(bytes(data)) // 2], offset)  # type: ignore[call-overload, arg-type]
                os._exit(KILLED)
            result = real(*args, **options)
            if count == step:
                os._exit(KILLED)
            return result

        return call

    write_at = fs.write_at
    for name in ("write_at", "sync_data", "sync_folder", "rename", "remove", "create"):
        setattr(fs, name, counted(getattr(fs, name)))


def command(folder: Path, told: int) -> None:
    """Writes and merges all that a command may, in both ways; tells on `told` what is durable."""
    compact.SMALL_BYTES = 300
    compact.FEW = compact.FEW_PACKS = 2
    with ObjectDatabase.open(folder) as database:
        for i in range(4):
            with database.batch():
                for j in range(4):
                    database.put(b"object %d of batch %d " % (j, i) * 4)
            os.write(told, b"%d" % i)
            if i == 1:
                database.close()  # sealed; the handle goes on
        repack.LARGE_BYTES = 0
        database.repack()
        database.put(b"one more")
        database.close()
        repack.LARGE_BYTES = 64 << 20
        database.repack()


@pytest.mark.parametrize(("after", "half"), [(False, False), (True, False), (False, True)])
def test_a_kill_at_any_step_loses_nothing_durable(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: bool, half: bool
) -> None:
    """What was there before, and every batch that ended, is there; nothing is damaged; the next command works."""
    old = fill(folder, samples(5)) + fill_pack(folder, samples(20)[5:], monkeypatch) + fill(folder, [b"vsmall"])
    step = 0
    status = KILLED
    while status == KILLED:
        step += 1
        store = tmp_path / "store"
        shutil.rmtree(store, ignore_errors=True)
        shutil.copytree(folder, store)
        status, told = in_child(store, step, after=after, half=half)

        with ObjectDatabase.open(store, read_only=True) as database:
            promised = [ObjectId.of(b"b" + b"object %d of batch %d " % (j, i) * 4) for i in told for j in range(4)]
            assert [oid for oid in old + promised if not database.has(oid)] == [], f"step {step}"
            assert [d.why for d in database.check(full=True) if "index is missing" not in d.why] == [], f"step {step}"
        with ObjectDatabase.open(store) as database:
            new = database.put(b"the next command")
            database.repack()
        with ObjectDatabase.open(store) as database:
            assert all(database.has(oid) for oid in [*old, *promised, new])
            assert [] == list(database.check(full=True))
    assert status == 0
    assert step > 20


def in_child(store: Path, step: int, *, after: bool, half: bool) -> tuple[int, list[int]]:
    """Runs the command in a fork that dies at `step`; returns its status and the batches it told to be durable."""
    out, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            die_at(step, after=after, half=half)
            command(store, told)
            os._exit(0)
        except BaseException:
            os._exit(1)
    os.close(told)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with os.fdopen(out, "rb") as pipe:
        return status, [int(c) for c in pipe.read().decode()]
