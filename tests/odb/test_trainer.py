"""Dictionaries trained while writing: one for several writers, none from noise, and never waited for."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from gvstore import fs
from gvstore.objects.decode import get_value
from gvstore.objects.oid import ObjectId
from gvstore.objects.value import put_value
from gvstore.odb import ObjectDatabase, lock, trainer

COUNT = 1_200


def records(seed: int) -> list[bytes]:
    """Records of one kind, half a kilobyte each, that the shipped dictionary does not know."""
    words = [hashlib.sha256(b"%d" % i).hexdigest()[:12] for i in range(60)]
    chance = random.Random(seed)
    return [b"v" + ",".join(chance.choices(words, k=40)).encode() for _ in range(COUNT)]


def trained(folder: Path) -> int:
    """How many dictionaries there are beside the shipped one."""
    return len(list((folder / "dict").glob("*.zd"))) - 1


def write(database: ObjectDatabase, objects: list[bytes]) -> list[ObjectId]:
    """Writes them durably."""
    oids = [database.write(data) for data in objects]
    database.sync()
    return oids


def test_the_dictionary_of_another_writer_is_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If it does for what is written here: its records are like ours."""
    monkeypatch.setattr(trainer, "SAMPLES_BYTES", 200_000)
    with ObjectDatabase.open(folder) as one, ObjectDatabase.open(folder) as other:
        oids = write(one, records(2)[:100]) + write(other, records(3)[:100])
        oids += write(one, records(2)[100:])
        assert 1 == trained(folder)
        oids += write(other, records(3)[100:])
        assert 1 == trained(folder)
        assert records(2)[:100] + records(3)[:100] == [one.read(oid) for oid in oids[:200]]
    with ObjectDatabase.open(folder) as database:
        assert [*records(2)[100:], *records(3)[100:]] == [database.read(oid) for oid in oids[200:]]
        assert [] == list(database.check(full=True))


def test_training_waits_for_nobody(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process merges or trains, writing goes on; it is tried again later."""
    monkeypatch.setattr(trainer, "SAMPLES_BYTES", 200_000)
    objects = records(4)
    with ObjectDatabase.open(folder) as database:
        write(database, objects[:10])
        taken = fs.open_lock(folder / lock.NAME)
        assert fs.try_lock(taken)
        write(database, objects[10:600])
        assert 0 == trained(folder)
        fs.close(taken)
        oids = write(database, objects)

        assert 1 == trained(folder)
        assert objects == [database.read(oid) for oid in oids]


def test_noise_trains_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not compress is no sample."""
    monkeypatch.setattr(trainer, "SAMPLES_BYTES", 100_000)
    chance = random.Random(5)
    with ObjectDatabase.open(folder) as database:
        write(database, [b"b" + chance.randbytes(500) for _ in range(COUNT)])
        assert 0 == trained(folder)


def test_a_repack_learns_links(folder: Path) -> None:
    """Nodes of a growing list hold the same links again and again; alone none of them compresses."""
    chance = random.Random(6)
    messages = [{"id": i, "text": " ".join(chance.choices(["red", "fish", "blue", "two"], k=90))} for i in range(200)]
    with ObjectDatabase.open(folder) as database:
        oids = [put_value(database, messages[:count]) for count in range(1, 201)]
    with ObjectDatabase.open(folder) as database:
        done = database.repack(by_the_way=True)

        assert done.recompressed
        assert done.bytes_after < 0.6 * done.bytes_before
        assert messages == get_value(database, oids[-1])
