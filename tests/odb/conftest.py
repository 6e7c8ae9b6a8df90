"""A small database on disk, and ways to look at its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase
from gvstore.odb import compact as compaction


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here cuts the power: no test waits for the disk."""
    monkeypatch.setattr(fs, "sync_data", lambda fd: None)
    monkeypatch.setattr(fs, "sync_folder", lambda path: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The objects folder of an empty database."""
    path = tmp_path / "objects"
    ObjectDatabase.init(path)
    return path


def fill(folder: Path, objects: list[bytes]) -> list[ObjectId]:
    """Writes through a handle of its own, one batch for every three objects."""
    with ObjectDatabase.open(folder) as database:
        oids = []
        for i, data in enumerate(objects):
            oids.append(database.write(data))
            if i % 3 == 2:
                database.sync()
    return oids


def fill_pack(folder: Path, objects: list[bytes], monkeypatch: pytest.MonkeyPatch) -> list[ObjectId]:
    """Writes a pack, however little it is."""
    with monkeypatch.context() as patch:
        patch.setattr(compaction, "SMALL_BYTES", 0)
        return fill(folder, objects)


def samples(count: int = 8) -> list[bytes]:
    """Different objects: text, noise that stays raw, and tiny ones."""
    return [_sample(i) for i in range(count)]


def _sample(i: int) -> bytes:
    if i % 3 == 0:
        return b"v" + b"The answer to question %d is what the model said. " % i * 2
    if i % 3 == 1:
        return b"b" + hashlib.sha256(b"%d" % i).digest() * (1 + i % 2)
    return b"i" + b"%d" % i


def tree_hash(folder: Path) -> dict[str, str]:
    """Every file's content, by its path."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def files(folder: Path, suffix: str) -> list[Path]:
    """The files of a sort."""
    return sorted(p for p in folder.rglob("*") if p.suffix == suffix)
