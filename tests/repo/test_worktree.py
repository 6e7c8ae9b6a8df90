from __future__ import annotations

import os
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore.objects.blob import blob_oid, get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb import MemoryDatabase
from gvstore.repo import Repository
from gvstore.repo.fault import FileChanged, NoSuchPath, UnreadableFile
from gvstore.repo.files import differing, find, read_files, write_tree
from gvstore.repo.stat_cache import StatCache
from gvstore.repo.worktree import NO_STOPS, Worktree
from tests.repo.conftest import put, write


def _age(repo: Repository) -> None:
    """Lets time pass: files written before are not racy any more.

    The file system's clock, which ticks every few milliseconds, is waited for.
    """
    stamp = repo.gv / "cache" / "age"
    newest = max((p.lstat().st_ctime_ns for p in repo.path.rglob("*") if ".gv" not in p.parts), default=0)
    while True:
        stamp.write_text("x")
        if stamp.stat().st_mtime_ns > newest:
            return


def test_unchanged_files_are_not_read(repo: Repository) -> None:
    """After one reading, only what changed is read again, by status and commit alike."""
    for n in range(5):
        put(repo, f"d/{n}", str(n))
    _age(repo)

    assert 5 == repo.snapshot().read
    assert 0 == repo.snapshot().read
    assert 0 == repo.worktree.look().read
    write(repo, d__2="changed")
    assert 1 == repo.worktree.look().read
    (repo.path / "d" / "3").chmod(0o755)  # changes ctime: read again, to be sure
    _age(repo)
    assert 2 == repo.snapshot().read
    assert 0 == repo.snapshot().read


def test_racy_files_are_read_again(repo: Repository) -> None:
    """A file changed in the same tick, with its size and times as before, is seen."""
    for n in range(50):
        write(repo, a=f"{n:04}")
        times = (repo.path / "a").stat()
        repo.worktree.look()
        write(repo, a=f"{n + 5000:04}")
        os.utime(repo.path / "a", ns=(times.st_atime_ns, times.st_mtime_ns))

        assert blob_oid(f"{n + 5000:04}".encode()) == repo.worktree.look().files["a"].oid


def test_a_lost_object_is_stored_again(repo: Repository) -> None:
    """The cache alone is not believed: what the database does not have is read and stored."""
    write(repo, a="x")
    _age(repo)
    repo.worktree.look()  # names, does not store

    assert not repo.objects.has(blob_oid(b"x"))
    assert 1 == repo.snapshot().read
    assert repo.objects.has(blob_oid(b"x"))


@pytest.mark.parametrize("damage", [b"", b"gv stat\x01", b"x" * 500])
def test_damaged_cache_is_no_cache(repo: Repository, damage: bytes) -> None:
    """What is in `cache/` may be lost or broken at any time."""
    write(repo, a="x")
    _age(repo)
    repo.snapshot()
    path = repo.gv / "cache" / "stat"
    path.write_bytes(damage or path.read_bytes()[:-1])

    assert 1 == repo.snapshot().read
    assert {"a"} == set(repo.worktree.look().files)


def test_cache_round_trip(tmp_path: Path) -> None:
    """What was put is loaded, strange names included."""
    (tmp_path / "cache").mkdir()
    cache = StatCache(tmp_path, device=tmp_path.stat().st_dev)
    names = ["a", "a b\n", "\udcff", "é/ü"]
    from gvstore.repo.stat_cache import Look

    look = Look(-5, 7, 2**40, 2**64 - 1, 0o100644)
    _until_later(cache, tmp_path)
    for name in names:
        cache.put(name, look, ObjectId.of(name.encode("utf-8", "surrogateescape")), flags=1)
    cache.save()
    again = StatCache(tmp_path)

    assert [ObjectId.of(n.encode("utf-8", "surrogateescape")) for n in names] == [
        k.oid for n in names if (k := again.get(n, look))
    ]
    assert again.get("a", look._replace(size=1)) is None


def _until_later(cache: StatCache, folder: Path) -> None:
    cache.begin()


def test_every_kind_of_file(repo: Repository) -> None:
    """Executable bits, symlinks, bytes of any name, empty and large files come into the tree as they are."""
    write(repo, empty="", large=bytes(300_000) + b"x" * 200_000)
    put(repo, "bin/tool", "#!/bin/sh")
    (repo.path / "bin/tool").chmod(0o755)
    (repo.path / "to nowhere").symlink_to("../outside/nothing")
    (repo.path / "to folder").symlink_to("bin")
    (repo.path / "hollow" / "deep").mkdir(parents=True)
    os.close(os.open(os.fsencode(repo.path) + b"/\xff\xfe\n", os.O_CREAT | os.O_WRONLY, 0o644))
    taken = repo.snapshot()

    assert {
        "empty": Mode.FILE, "large": Mode.FILE, "bin/tool": Mode.EXECUTABLE, "to nowhere": Mode.SYMLINK,
        "to folder": Mode.SYMLINK, "\udcff\udcfe\n": Mode.FILE,
    } == {path: entry.mode for path, entry in taken.files.items()}  # fmt: skip
    assert b"../outside/nothing" == get_blob(repo.objects, taken.files["to nowhere"].oid)
    assert taken.files == read_files(repo.objects, taken.tree)


def test_what_no_tree_can_hold_is_skipped(repo: Repository) -> None:
    """Sockets and FIFOs do not block, and are told."""
    os.mkfifo(repo.path / "fifo")
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as short:
        server.bind(f"{short}/s")
        os.rename(f"{short}/s", repo.path / "sock")  # noqa: PTH104 - a path to a socket may have 108 bytes only
        write(repo, a="x")
        status = repo.status()

    assert [("fifo", "a FIFO"), ("sock", "a socket")] == [(s.path, s.why) for s in status.skipped]
    assert ("a",) == status.added


class Disturbing(MemoryDatabase):
    """A database in whose time of writing something happens to the work tree."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self.happens = happens

    def write(self, data: bytes) -> ObjectId:
        self.happens()
        return super().write(data)


def test_a_file_that_changes_while_it_is_read(repo: Repository) -> None:
    """It is read again, and told if it never stands still; one change is survived."""
    write(repo, a="x")
    path, left = repo.path / "a", [1]

    def once() -> None:
        if left:
            left.pop()
            path.write_text("changed")

    def always() -> None:
        with path.open("a") as file:
            file.write("more")

    taken = Worktree(repo.path, repo.gv, Disturbing(once)).take(base={}, stops=NO_STOPS)
    assert blob_oid(b"changed") == taken.files["a"].oid
    with pytest.raises(FileChanged, match="a changes while it is read") as caught:
        Worktree(repo.path, repo.gv, Disturbing(always)).take(base={}, stops=NO_STOPS)
    assert 11 == caught.value.exit_code


def test_a_file_that_goes_while_it_is_read(repo: Repository) -> None:
    """What was there when its name was read and is gone now is not in the tree."""
    write(repo, a="x", b="y")
    happens = lambda: (repo.path / "b").unlink(missing_ok=True)  # noqa: E731
    taken = Worktree(repo.path, repo.gv, Disturbing(happens)).take(base={}, stops=NO_STOPS)

    assert ["a"] == list(taken.files)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="no users here")
@pytest.mark.parametrize("what", ["file", "folder"])
def test_unreadable(what: str, tmp_path: Path) -> None:
    """What cannot be read is named, with the line that leaves it out; it is never left out silently."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o777)
        (root / "d").mkdir()
        (root / "d" / "secret").write_text("x")
        (root / "d" / "secret").chmod(0)
        if what == "folder":
            (root / "d").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(UnreadableFile) as caught:
                Worktree(root, tmp_path, MemoryDatabase()).take(base={})
        finally:
            os.seteuid(user)
            (root / "d").chmod(0o700)

    shown = "d/secret" if what == "file" else "d"
    assert (13, shown) == (caught.value.exit_code, caught.value.path)
    assert f"/{shown}" in caught.value.hint


def test_part_of_the_work_tree(repo: Repository) -> None:
    """With paths, the rest is as HEAD has it; a path that is nowhere is refused."""
    write(repo, a="1", b="1", d__x="1", d__y="1")
    repo.commit("first")
    write(repo, a="2", b="2", d__x=None, d__z="2")
    files = repo.snapshot(paths=["a", "d"]).files

    assert {"a", "b", "d/y", "d/z"} == set(files)
    assert (blob_oid(b"2"), blob_oid(b"1")) == (files["a"].oid, files["b"].oid)
    with pytest.raises(NoSuchPath):
        repo.snapshot(paths=["a", "none"])
    write(repo, _gvignore="skip\n", skip="x")
    with pytest.raises(NoSuchPath) as caught:
        repo.snapshot(paths=["skip"])
    assert "ignored" in caught.value.hint


def test_code_of_a_run(repo: Repository) -> None:
    """A run's code is a commit's files with some as they are now, ignored or not; keys are left out and told."""
    write(repo, a="1", b="1", _gvignore="made.py\n")
    base = repo.commit("first")
    write(repo, a="2", b="2", made_py="x", keys_py="key = 'sk-ant-abcdefghij0123456789'")
    (repo.path / "way").symlink_to("/etc")
    code = repo.snapshot_code(["a", "made.py", "keys.py", "none", ".gv/format", "way/passwd", "../x"], base=base)

    assert {".gvignore", "a", "b", "made.py"} == set(code.files)
    assert (blob_oid(b"2"), blob_oid(b"1")) == (code.files["a"].oid, code.files["b"].oid)
    assert ["keys.py"] == [stop.path for stop in code.left_out]


def test_trees_and_files(repo: Repository) -> None:
    """Files make a tree and a tree files; what differs is found."""
    entry, other = (TreeEntry(Mode.FILE, repo.objects.put(data)) for data in (b"1", b"2"))
    old = {"a": entry, "d/e/f": entry, "d/x": entry, "gone/y": entry}
    new = {"a": other, "d/e/f": entry, "d/x/z": entry, "gone": entry}
    left, right = write_tree(repo.objects, old), write_tree(repo.objects, new)

    assert (old, new) == (read_files(repo.objects, left), read_files(repo.objects, right))
    assert {
        "a": (entry, other),
        "d/x": (entry, None),
        "d/x/z": (None, entry),
        "gone": (None, entry),
        "gone/y": (entry, None),
    } == differing(repo.objects, left, right)
    assert entry == find(repo.objects, left, "d/e/f") and find(repo.objects, left, "d/e/f/g") is None
    assert {} == read_files(repo.objects, write_tree(repo.objects, {}))


def test_modes_of_files_made_by_others(repo: Repository) -> None:
    """The owner's executable bit counts, as in git."""
    write(repo, a="1", b="1")
    (repo.path / "a").chmod(stat.S_IRUSR | stat.S_IXGRP)
    (repo.path / "b").chmod(stat.S_IRUSR | stat.S_IXUSR)

    assert [Mode.FILE, Mode.EXECUTABLE] == [entry.mode for entry in repo.snapshot().files.values()]
