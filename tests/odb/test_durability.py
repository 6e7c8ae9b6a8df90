"""What reaches the system and the disk, and when; and what happens when they refuse."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.odb import ObjectDatabase, Poisoned, ReadOnly, WriteFailed
from tests.odb.conftest import fill, fill_pack, samples, tree_hash


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that were synced."""
    seen: list[int] = []
    real = fs.sync_data

    def sync(fd: int) -> None:
        seen.append(fd)
        real(fd)

    monkeypatch.setattr(fs, "sync_data", sync)
    return seen


def test_each_put_is_durable_and_a_batch_syncs_once(folder: Path, syncs: list[int]) -> None:
    """Also a batch in a batch; what was there already needs no sync."""
    with ObjectDatabase.open(folder) as database:
        database.put(b"one")
        assert 1 == len(syncs)
        database.put(b"two")
        database.put(b"two")
        assert 2 == len(syncs)
        with database.batch():
            for i in range(50):
                database.put(b"%d" % i)
            with database.batch():
                database.put(b"inner")
            assert 2 == len(syncs)
        assert 3 == len(syncs)
        database.sync()
        assert 3 == len(syncs)
    assert 3 == len(syncs)


def test_a_batch_of_one_database_does_not_cover_another(tmp_path: Path, syncs: list[int]) -> None:
    """Each has its own."""
    for name in "ab":
        ObjectDatabase.init(tmp_path / name)
    with ObjectDatabase.open(tmp_path / "a") as a, ObjectDatabase.open(tmp_path / "b") as b:
        syncs.clear()
        with a.batch():
            a.put(b"x")
            assert 0 == len(syncs)
            b.put(b"y")
            assert 1 == len(syncs)
        assert 2 == len(syncs)


def test_a_full_disk_stops_a_write_and_a_retry_works(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is lost: what could not be written is kept, and written when there is room again."""
    full = {"full": False}
    real = fs.write_at

    def write(fd: int, data: bytes, offset: int) -> None:
        if full["full"]:
            real(fd, data[: len(data) // 2], offset)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(fd, data, offset)

    monkeypatch.setattr(fs, "write_at", write)
    database = ObjectDatabase.open(folder)
    first = database.put(b"first")
    full["full"] = True
    with pytest.raises(WriteFailed, match="No space"):
        database.put(b"second" * 50)
    with pytest.raises(WriteFailed):
        database.sync()
    assert database.get(first) == b"first"
    full["full"] = False
    second = database.put(b"second" * 50)
    database.close()

    with ObjectDatabase.open(folder) as again:
        assert [b"first", b"second" * 50] == [again.get(first), again.get(second)]
        assert [] == list(again.check(full=True))


def test_a_failed_sync_is_never_taken_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handle is done: every later write and sync raises; another handle finds what was durable before."""
    database = ObjectDatabase.open(folder)
    first = database.put(b"first")
    failing = {"now": True}
    real = fs.sync_data

    def sync(fd: int) -> None:
        if failing["now"]:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(fd)

    monkeypatch.setattr(fs, "sync_data", sync)
    with pytest.raises(Poisoned):
        database.put(b"second")
    failing["now"] = False
    for call in (lambda: database.put(b"third"), database.sync, database.close):
        with pytest.raises(Poisoned):
            call()

    with ObjectDatabase.open(folder) as again:
        assert again.get(first) == b"first"
        third = again.put(b"third")
        assert again.get(third) == b"third"
        assert [] == list(again.check(full=True))


@pytest.fixture
def read_only_copy(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy with a pack, a closed segment and one that was killed, nothing of it writable."""
    fill_pack(folder, samples(9), monkeypatch)
    fill(folder, [b"vclosed"])
    with ObjectDatabase.open(folder) as database:
        database.write(b"vkilled")
        database.flush()
        copy = tmp_path / "copy"
        shutil.copytree(folder, copy)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
    yield copy
    for path in [copy, *copy.rglob("*")]:
        path.chmod(path.stat().st_mode | stat.S_IWUSR)


@pytest.mark.parametrize("read_only", [False, True])
def test_reading_a_read_only_copy_changes_no_byte(read_only_copy: Path, read_only: bool) -> None:
    """All of the reading face, with `read_only` or without."""
    before = tree_hash(read_only_copy)
    with ObjectDatabase.open(read_only_copy, read_only=read_only) as database:
        oids = list(database)
        assert 11 == len(oids)
        for oid in oids:
            assert database.has(oid) and database.read(oid) and [oid] == database.resolve(oid.hex()[:20])
        assert [] == list(database.check(full=True))

    assert before == tree_hash(read_only_copy)


def test_read_only_refuses_to_write(folder: Path) -> None:
    """And makes no file."""
    before = tree_hash(folder)
    with ObjectDatabase.open(folder, read_only=True) as database:
        with pytest.raises(ReadOnly):
            database.write(b"vx")
        with pytest.raises(ReadOnly):
            database.put(b"x")

    assert before == tree_hash(folder)


def test_init_twice_does_no_harm(folder: Path) -> None:
    """What is there stays."""
    (oid,) = fill(folder, [b"vx"])
    ObjectDatabase.init(folder)

    with ObjectDatabase.open(folder) as database:
        assert database.has(oid)


def test_a_folder_that_is_a_symlink_is_not_followed(folder: Path, tmp_path: Path) -> None:
    """`objects/pack` replaced by a link to elsewhere."""
    shutil.move(folder / "pack", tmp_path / "elsewhere")
    (folder / "pack").symlink_to(tmp_path / "elsewhere")

    with ObjectDatabase.open(folder) as database, pytest.raises(OSError, match="symlink"):
        list(database)
