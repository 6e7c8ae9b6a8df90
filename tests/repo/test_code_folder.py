"""Code laid out as files: names as at a checkout, links that stay inside, and nothing left behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gvstore.objects.blob import put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.repo import Repository
from gvstore.repo.code_folder import lay_out, sweep_code
from gvstore.repo.fault import BadPath
from gvstore.repo.files import write_tree
from tests.transcript import ROOT

LINKS = {
    "near": ("lib/text.py", True), "lib/up": ("../agent.py", True), "lib/self": ("./text.py", True), "loop": ("loop", True),
    "far": ("/etc/passwd", False), "above": ("../x", False), "lib/above": ("../../x", False),
    "winding": ("lib/../../x", False), "lib/dos": ("..\\..\\x", False),
}  # fmt: skip


def tree_of(repo: Repository, files: dict[str, tuple[Mode, bytes]]) -> ObjectId:
    return write_tree(
        repo.objects, {path: TreeEntry(mode, put_blob(repo.objects, data)) for path, (mode, data) in files.items()}
    )


@pytest.fixture
def bare(tmp_path: Path) -> Repository:
    return Repository.init(tmp_path / "work")


def test_files_come_back_to_the_byte(bare: Repository) -> None:
    """Each file has its bytes and mode; the same tree has the same folder, a second one beside it another, and both go."""
    with bare:
        tree = tree_of(bare, {"a/b.py": (Mode.FILE, b"x = 1\r\n"), "run": (Mode.EXECUTABLE, b"#!/bin/sh\n")})
        first = lay_out(bare.objects, bare.gv, tree)

        assert b"x = 1\r\n" == (first.path / "a/b.py").read_bytes()
        assert (first.path / "run").stat().st_mode & 0o100
        second = lay_out(bare.objects, bare.gv, tree)
        assert first.path != second.path

        for folder in (first, second):
            assert ((), None) == folder.remove(bare.gv / "written")
        third = lay_out(bare.objects, bare.gv, tree)
        assert first.path == third.path
        third.remove(bare.gv / "written")
        assert ["lock"] == [each.name for each in (bare.gv / "code").iterdir()]


def test_links_stay_inside(bare: Repository) -> None:
    """A link is laid out if it cannot lead out of the folder, whatever other links there are; others are told."""
    with bare:
        files = {path: (Mode.SYMLINK, target.encode()) for path, (target, _) in LINKS.items()}
        folder = lay_out(bare.objects, bare.gv, tree_of(bare, files | {"lib/text.py": (Mode.FILE, b"")}))

        assert {path for path, (_, inside) in LINKS.items() if not inside} == set(folder.left_out)
        for path, (_, inside) in LINKS.items():
            assert inside == (folder.path / path).is_symlink(), path
        folder.remove(bare.gv / "written")


@pytest.mark.parametrize("name", ["..", ".gv", ".GIT", "a\0b"])
def test_names_are_checked_first(bare: Repository, name: str) -> None:
    """A tree with a name that no checkout writes lays nothing out."""
    with bare:
        entry = TreeEntry(Mode.FILE, put_blob(bare.objects, b""))
        try:
            tree = Tree({"ok.py": entry, name: entry}).put(bare.objects)
        except ValueError:  # such a tree cannot even be made here
            return
        with pytest.raises((BadPath, ValueError)):
            lay_out(bare.objects, bare.gv, tree)
        assert not [each for each in (bare.gv / "code").glob("*") if each.is_dir()]


def test_what_was_written_is_kept(bare: Repository) -> None:
    """Files that are new or changed are moved to a folder of their own, numbered; gc removes it when it is old enough."""
    with bare:
        tree = tree_of(bare, {"a.txt": (Mode.FILE, b"one"), "b.txt": (Mode.FILE, b"one")})
        for number in (1, 2):
            folder = lay_out(bare.objects, bare.gv, tree)
            (folder.path / "a.txt").write_bytes(b"two")
            (folder.path / "out").mkdir()
            (folder.path / "out/c.txt").write_bytes(b"three")
            kept = bare.gv / "written" / str(number)

            assert (("a.txt", "out/c.txt"), kept) == folder.remove(bare.gv / "written")
            assert b"two" == (kept / "a.txt").read_bytes()
        assert 0 == sweep_code(bare.gv, written_before_s=0.0)
        assert 2 == sweep_code(bare.gv, written_before_s=2**40)


def test_the_folder_of_a_dead_process_goes(bare: Repository) -> None:
    """What a killed process left is cleared away by the next, and by gc; what is in use is not."""
    with bare:
        tree = tree_of(bare, {"a.txt": (Mode.FILE, b"one")})
        bare.objects.sync()
    program = (
        "import os, sys\n"
        "from gvstore.objects.oid import ObjectId\n"
        "from gvstore.repo import Repository\n"
        "from gvstore.repo.code_folder import lay_out\n"
        "repo = Repository.discover(sys.argv[1])\n"
        "lay_out(repo.objects, repo.gv, ObjectId.from_hex(sys.argv[2]))\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, bare.path, tree.hex()], cwd=ROOT, check=False)
    assert 9 == done.returncode
    left = bare.gv / "code" / tree.hex()[:12]
    assert left.is_dir()
    with bare:
        mine = lay_out(bare.objects, bare.gv, tree)
        assert left / "files" == mine.path
        assert 0 == sweep_code(bare.gv)
        mine.remove(bare.gv / "written")
