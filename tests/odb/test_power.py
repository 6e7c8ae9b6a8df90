"""The power fails: what was not synced is written in part, in any order, or not at all.

All changes of files are recorded while commands run; then the disk is built as
it may look after a cut at any moment: of each file what was synced, and of the
writes since then some, some of them torn; of the names what was synced with
their folder, and of later changes the first few.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact
from tests.odb.conftest import fill, fill_pack, samples

Step = tuple[str, tuple[Any, ...]]


class Recorder:
    """Notes every change below a folder, in order."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.steps: list[Step] = []
        self.start = {self.short(p): p.read_bytes() for p in root.rglob("*") if p.is_file()}
        self.inodes = {name: i for i, name in enumerate(self.start)}
        self._ids = {(root / name).stat().st_ino: i for name, i in self.inodes.items()}  # the system gives a number twice
        self._real = {name: getattr(fs, name) for name in ("create", "write_at", "rename", "remove")}
        for name, note in (("create", self.create), ("write_at", self.write), ("rename", self.rename), ("remove", self.remove)):
            patch.setattr(fs, name, note)
        patch.setattr(fs, "sync_data", lambda fd: self.steps.append(("sync", (self.id(fd),))))
        patch.setattr(fs, "sync_folder", lambda path: self.steps.append(("sync names", (self.short(path),))))

    def short(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def id(self, fd: int) -> int:
        return self._ids[os.fstat(fd).st_ino]

    def create(self, path: Path, mode: int = 0o644) -> int:
        fd: int = self._real["create"](path, mode)
        self._ids[os.fstat(fd).st_ino] = len(self.steps) + len(self.start)
        self.steps.append(("create", (self.short(path), self.id(fd))))
        return fd

    def write(self, fd: int, data: bytes, offset: int) -> None:
        self._real["write_at"](fd, data, offset)
        self.steps.append(("write", (self.id(fd), offset, bytes(data))))

    def rename(self, path: Path, target: Path) -> None:
        self._real["rename"](path, target)
        self.steps.append(("rename", (self.short(path), self.short(target))))

    def remove(self, path: Path) -> None:
        if path.exists():
            self.steps.append(("remove", (self.short(path),)))
        self._real["remove"](path)

    def promise(self, oids: list[ObjectId]) -> None:
        """Notes that these are durable from here on."""
        self.steps.append(("promise", tuple(oids)))


class Disk:
    """What is durable after some steps, and what is on its way."""

    def __init__(self, recorder: Recorder) -> None:
        self.content = {recorder.inodes[name]: bytearray(data) for name, data in recorder.start.items()}
        self.names = dict(recorder.inodes)
        self.writes: dict[int, list[tuple[int, bytes]]] = {}
        self.renames: list[Step] = []
        self.promised: list[ObjectId] = []

    def step(self, step: Step) -> None:
        """Takes one step."""
        what, args = step
        if what == "write":
            inode, offset, data = args
            self.writes.setdefault(inode, []).append((offset, data))
        elif what == "sync":
            (inode,) = args
            for offset, data in self.writes.pop(inode, []):
                self.put(inode, offset, data)
        elif what == "sync names":
            here = [s for s in self.renames if str(Path(str(s[1][1 if s[0] == "rename" else 0])).parent) == args[0]]
            for s in here:
                self.apply(s)
            self.renames = [s for s in self.renames if s not in here]
        elif what == "promise":
            self.promised += args
        else:
            self.renames.append(step)

    def put(self, inode: int, offset: int, data: bytes) -> None:
        """Writes durably; what lies before a write beyond the end is zeros."""
        content = self.content.setdefault(inode, bytearray())
        content.extend(bytes(max(0, offset + len(data) - len(content))))
        content[offset : offset + len(data)] = data

    def apply(self, step: Step) -> None:
        """Changes names durably."""
        what, args = step
        name = str(args[0])
        if what == "create":
            self.names[name] = args[1]
        elif what == "rename" and name in self.names:
            self.names[str(args[1])] = self.names.pop(name)
        elif what == "remove":
            self.names.pop(name, None)

    def cut(self, root: Path, choose: random.Random) -> None:
        """Builds a disk as it may be when the power comes back."""
        for step in self.renames[: choose.randint(0, len(self.renames))]:
            self.apply(step)
        for inode, writes in self.writes.items():
            for offset, data in writes:
                fate = choose.random()
                if fate < 0.4:
                    self.put(inode, offset, data)
                elif fate < 0.7:
                    keep = choose.randint(0, len(data))
                    self.put(inode, offset, data[:keep] + bytes(choose.choice((0, len(data) - keep))))
        for name in ("live", "pack", "dict", "lease"):
            (root / name).mkdir(parents=True)
        for name, inode in self.names.items():
            (root / name).write_bytes(self.content.get(inode, b""))


def commands(folder: Path, promise: Callable[[list[ObjectId]], None]) -> None:
    """A few commands: writing, sealing, taking over, merging."""
    for k in range(3):
        with ObjectDatabase.open(folder) as database:
            for i in range(3):
                with database.batch():
                    oids = [database.put(b"command %d batch %d object %d " % (k, i, j) * 5) for j in range(3)]
                    database.flush()
                promise(oids)
    with ObjectDatabase.open(folder) as database:
        database.repack()
        promise([database.put(b"after all")])


def recorded(folder: Path) -> tuple[Recorder, list[ObjectId]]:
    """Returns what the commands changed on the disk, and what was there before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compact, "SMALL_BYTES", 300)
        patch.setattr(compact, "FEW", 1)
        patch.setattr(compact, "FEW_PACKS", 1)
        old = fill(folder, samples(5)) + fill_pack(folder, samples(20)[5:], patch) + fill(folder, [b"vsmall"])
        recorder = Recorder(folder, patch)
        commands(folder, recorder.promise)
    return recorder, old


def check_cut(recorder: Recorder, old: list[ObjectId], cut: int, choose: random.Random, store: Path) -> None:
    """Builds a disk in `store` as it may be after so many steps; fails where something that was promised is lost."""
    disk = Disk(recorder)
    for step in recorder.steps[:cut]:
        disk.step(step)
    disk.cut(store, choose)

    with ObjectDatabase.open(store, read_only=True) as database:
        assert [oid for oid in old + disk.promised if not database.has(oid)] == [], f"cut {cut}"
        assert [d for d in database.check(full=True) if "index is missing" not in d.why] == [], f"cut {cut}"
    with ObjectDatabase.open(store) as database:
        new = database.put(b"the next command")
    with ObjectDatabase.open(store) as database:
        assert all(database.has(oid) for oid in [*old, *disk.promised, new])
        assert [] == list(database.check(full=True))


@pytest.mark.parametrize("seed", range(6))
def test_the_power_may_fail_at_any_moment(folder: Path, tmp_path: Path, seed: int) -> None:
    """Nothing that was promised is lost, nothing counts as damaged, and the next command works."""
    choose = random.Random(seed)
    recorder, old = recorded(folder)

    for cut in range(len(recorder.steps) + 1):
        check_cut(recorder, old, cut, choose, tmp_path / f"cut{cut}")
