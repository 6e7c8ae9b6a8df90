"""Files touched by hand: whole or not at all, and nothing but files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gvstore import fs


def test_a_replacement_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """The old content stays until the block has ended well; no temporary file is left."""
    path = tmp_path / "x"
    fs.write_atomic(path, b"old")

    with pytest.raises(KeyError), fs.replacing(path) as fd:
        fs.write_at(fd, b"half", 0)
        assert path.read_bytes() == b"old"
        raise KeyError

    assert path.read_bytes() == b"old"
    fs.write_atomic(path, b"new", durable=False)
    assert path.read_bytes() == b"new"
    assert ["x"] == fs.list_folder(tmp_path)


def test_only_plain_files_are_opened(tmp_path: Path) -> None:
    """No symlink is followed, no FIFO waited for, no folder read."""
    (tmp_path / "file").write_bytes(b"data")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()

    assert b"data" == fs.read_bytes(tmp_path / "file")
    for name in ("link", "fifo", "folder"):
        with pytest.raises(fs.NotAFile):
            fs.read_bytes(tmp_path / name)
    for name in ("link", "fifo"):
        with pytest.raises(fs.NotAFile):
            fs.open_update(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        fs.open_read(tmp_path / "none")
    with pytest.raises(FileExistsError):
        fs.create(tmp_path / "link")
    with pytest.raises(OSError, match="larger than 3"):
        fs.read_bytes(tmp_path / "file", limit=3)


def test_a_lock_is_one_descriptors_and_dies_with_it(tmp_path: Path) -> None:
    """Another descriptor of the same file waits."""
    first, second = fs.open_lock(tmp_path / "lock"), fs.open_lock(tmp_path / "lock")

    assert fs.try_lock(first)
    assert not fs.try_lock(second)
    fs.unlock(first)
    assert fs.try_lock(second)
    fs.close(second)
    fs.wait_lock(first)
    fs.close(first)


def test_a_sweep_takes_what_dead_writers_left(tmp_path: Path) -> None:
    """A file that is being written stays."""
    (tmp_path / "tmp-dead").write_bytes(b"half")
    (tmp_path / "kept").write_bytes(b"")
    alive = fs.Replacement(tmp_path / "x")

    fs.sweep(tmp_path)

    assert sorted(["kept", alive.temporary.name]) == fs.list_folder(tmp_path)
    alive.commit()
    assert ["kept", "x"] == fs.list_folder(tmp_path)


def test_listing_is_sorted_and_follows_no_link(tmp_path: Path) -> None:
    """No folder, no names."""
    for name in ("b", "a", "é"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path)

    assert ["a", "b", "link", "é"] == fs.list_folder(tmp_path)
    assert [] == fs.list_folder(tmp_path / "none")
    with pytest.raises(fs.NotAFile):
        fs.list_folder(tmp_path / "link")


def test_positions_are_exact(tmp_path: Path) -> None:
    """Written at an offset, read at an offset, to the end and no further."""
    fd = fs.create(tmp_path / "x")
    fs.write_at(fd, b"hello", 3)

    assert b"\0\0\0hel" == fs.read_at(fd, 6, 0)
    assert b"lo" == fs.read_at(fd, 100, 6)
    assert b"" == fs.read_at(fd, 10, 100)
    assert 8 == fs.size_bytes(fd)
    assert b"\0\0\0hello" == bytes(fs.map_read(fd)[:])
    assert fs.has_name(fd)
    (tmp_path / "x").unlink()
    assert not fs.has_name(fd)
    fs.close(fd)


def test_a_folder_without_write_permission_is_read_only(tmp_path: Path) -> None:
    """Told from its mode (root may write anywhere)."""
    tmp_path.chmod(0o555)
    try:
        assert fs.is_read_only(tmp_path) == (os.geteuid() != 0)
    finally:
        tmp_path.chmod(0o755)
    assert not fs.is_read_only(tmp_path)
