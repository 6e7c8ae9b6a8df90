"""A repository that is copied file by file while others write to it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase
from gvstore.repo import Repository, layout
from tests.crash.test_many import forked, shared

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

__all__ = ["shared"]
MOST = 4


def copied(source: Path, target: Path) -> None:
    """Copies a folder as `cp -r` does; a file that goes away meanwhile is left out."""
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        try:
            if path.is_dir():
                copied(path, target / path.name)
            else:
                shutil.copyfile(path, target / path.name)
        except FileNotFoundError:
            continue


def known(path: Path) -> dict[str, str]:
    """Returns the branches, and all commits that they lead to."""
    with Repository.open(path, read_only=True) as repo:
        branches = [each.name for each in repo.branches()]
        return {entry.oid.hex(): entry.commit.message for name in branches for entry in repo.log(name)}


@pytest.mark.parametrize("again", [False, True])
def test_a_copy_made_while_others_write_is_sound(shared: Path, tmp_path: Path, again: bool) -> None:
    """Its objects are whole; what refs.db says of others is told, and repaired from operations.

    Objects that came too late for the copy are missing there, and nothing else is wrong. With the objects copied `again`
    nothing is missing: every commit that was there when the copy began is in it.
    """
    pids = forked(shared, 3)
    copies: list[tuple[Path, dict[str, str]]] = []
    while pids:
        if len(copies) < MOST:
            before = known(shared)
            copies.append((tmp_path / f"copy{len(copies)}", before))
            copied(shared, copies[-1][0])
            if again:
                copied(layout.objects_folder(shared / ".gv"), layout.objects_folder(copies[-1][0] / ".gv"))
        pid, status = os.waitpid(pids[0], os.WNOHANG if len(copies) < MOST else 0)
        if pid:
            assert 0 == os.waitstatus_to_exitcode(status)
            pids.remove(pid)

    for copy, before in copies:
        with ObjectDatabase.open(layout.objects_folder(copy / ".gv")) as objects:
            assert [] == [d for d in objects.check(full=True) if "index is missing" not in d.why]
            assert all(oid == ObjectId.of(objects.read(oid)) for oid in objects)
            objects.put(b"and it can be written")
        with Repository.open(copy) as repo:
            list(repo.fsck())  # whatever it finds, it says so
            list(repo.repair())
        with Repository.open(copy) as repo:
            found = [f for f in repo.fsck() if f.damage]
            assert [] == [(f.where, f.why) for f in found if again or f.why != "is missing"]
        if again:
            assert before.items() <= known(copy).items()
