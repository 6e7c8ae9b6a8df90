"""Leases, epochs and tombstones: what is unreadable holds everything, and hides what it must."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, lease, midx, tombstone
from gvstore.odb.collect import Moment, Roots, collect
from gvstore.odb.fault import BadRecord, Forgotten
from tests.odb.conftest import files, fill


def gc(folder: Path) -> None:
    """Collects all but what is put, and deletes it at once."""
    collect(folder, lambda: Roots(()), Moment(0, 0, "boot"), grace_us=0)


def test_a_lease_lives_as_long_as_its_process(folder: Path) -> None:
    """Also one that is killed; its file is swept."""
    held, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        lease.Lease(folder)
        os.write(told, b"x")
        signal.pause()
        os._exit(0)
    os.read(held, 1)
    assert [0] == lease.living(folder)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)

    assert [] == lease.living(folder)
    assert [] == list((folder / "lease").iterdir())


def test_a_fork_holds_what_its_parent_was_told_of(folder: Path) -> None:
    """The lease ends with the last of the two."""
    (oid,) = fill(folder, [b"vtold"])
    database = ObjectDatabase.open(folder)
    assert database.has(oid)
    wait, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        os.read(wait, 1)
        os._exit(0 if database.read(oid) == b"vtold" else 1)
    database.close()
    gc(folder)
    assert 1 == len(lease.living(folder))
    os.write(go, b"x")

    assert 0 == os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    gc(folder)
    with ObjectDatabase.open(folder) as again:
        assert not again.has(oid)


@given(text=st.binary(max_size=60))
def test_any_epoch_and_any_lease_can_be_read(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    """What is no number holds everything."""
    folder = tmp_path_factory.mktemp("objects")
    (folder / "epoch").write_bytes(text)
    held = lease.Lease(folder)
    assert held.epoch >= 0
    held.path.write_bytes(text)

    assert all(epoch >= 0 for epoch in lease.living(folder))
    held.close()


def test_an_epoch_that_is_lost_loses_nothing(folder: Path) -> None:
    """Who begins then holds everything; the next gc begins an epoch above all."""
    (oid,) = fill(folder, [b"vgarbage"])
    collect(folder, lambda: Roots(()), Moment(0, 0, "boot"), grace_us=10**15)
    (folder / "epoch").unlink()
    with ObjectDatabase.open(folder) as database:
        assert database.read(oid)
        gc(folder)
        assert database.read(oid)
    gc(folder)

    assert [] == files(folder / "condemned", ".pack")
    assert lease.current_epoch(folder) >= 3


@given(text=st.binary(max_size=80))
def test_any_tombstone_is_one(tmp_path_factory: pytest.TempPathFactory, text: bytes) -> None:
    """Whatever it says, the object is forgotten."""
    folder = tmp_path_factory.mktemp("objects")
    ObjectDatabase.init(folder)
    oid = ObjectId.of(b"vsecret")
    (folder / "forgotten").mkdir()
    (folder / "forgotten" / oid.hex()).write_bytes(text)

    assert tombstone.read(folder, oid) is not None
    with ObjectDatabase.open(folder) as database:
        with pytest.raises(Forgotten):
            database.write(b"vsecret")
        with pytest.raises(Forgotten):
            database.read(oid)
        assert not database.has(oid)


@given(raw=st.binary(max_size=200))
def test_any_layer_is_one_or_none(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    """Of the multi-pack index."""
    path = tmp_path_factory.mktemp("objects") / "x.midx"
    for data in (raw, midx.MAGIC + b"\x01\0\0\0" + raw):
        path.write_bytes(data)
        try:
            midx.Layer(path).find(bytes(32))
        except BadRecord:
            continue
