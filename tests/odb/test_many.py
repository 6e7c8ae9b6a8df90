"""Reading many objects at once is reading each: whatever lies where, and whatever is damaged."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, many
from tests.odb.conftest import files, fill, fill_pack, samples


def mixed() -> list[bytes]:
    """Objects whose records have tags of one to four bytes, compressed and raw."""
    chance = random.Random(1)
    noise = [b"b" + chance.randbytes(size) for size in (3, 200, 5_000, 70_000, 1_000, 3_000)]
    text = [b"b" + b"%d bottles of beer on the wall, " % i * (20 * i) for i in range(1, 8)]
    return [*noise, *text, *samples(8)]


@pytest.mark.parametrize("where", ["pack", "segment", "own segment", "two packs"])
def test_many_are_what_each_is(folder: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of writing, in another one, and again."""
    objects = mixed()
    with ObjectDatabase.open(folder) as database:
        if where == "own segment":
            oids = [database.write(data) for data in objects]
        elif where == "segment":
            oids = fill(folder, objects)
        else:
            oids = fill_pack(folder, objects[: 9 if where == "two packs" else None], monkeypatch)
            oids += fill_pack(folder, objects[len(oids) :], monkeypatch)
        order = list(range(len(objects)))
        for _ in range(3):
            assert [objects[i] for i in order] == list(database.read_many([oids[i] for i in order]))
            random.Random(len(order)).shuffle(order)


def test_what_is_missing_is_told_at_its_turn(folder: Path) -> None:
    """What stands before it is given."""
    oids = fill(folder, mixed())
    lost = ObjectId.of(b"never written")
    with ObjectDatabase.open(folder) as database:
        found = database.read_many([oids[0], lost])

        assert mixed()[0] == next(found)
        with pytest.raises(ObjectMissing):
            next(found)


def test_damage_gives_no_wrong_answer(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At places all over a pack: all but the one that was hit come back."""
    objects = mixed()
    oids = fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, ".pack")
    whole = path.read_bytes()
    for place in (*range(0, 400, 101), *random.Random(7).sample(range(len(whole)), 20)):
        path.write_bytes(whole[:place] + bytes((whole[place] ^ 4,)) + whole[place + 1 :])
        lost = 0
        with ObjectDatabase.open(folder, read_only=True) as database:
            for oid, data in zip(oids, objects, strict=True):
                try:
                    assert [data, data] == list(database.read_many([oid, oid]))
                except (ObjectMissing, CorruptObject):
                    lost += 1
        path.write_bytes(whole)

        assert lost <= 1, f"byte {place}"


def test_little_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects that were read lately are held up to a limit, however many are read."""
    monkeypatch.setattr(many, "KEPT_BYTES", 50_000)
    chance = random.Random(2)
    objects = [b"b" + chance.randbytes(2_000) for _ in range(200)]
    oids = fill(folder, objects)
    with ObjectDatabase.open(folder) as database:
        for _ in range(3):
            assert objects == list(database.read_many(oids))
            assert database._many.kept_bytes <= 2 * 50_000


def test_a_blob_is_read_while_another_thread_of_reading_is_open(folder: Path) -> None:
    """Two readings of one database, taken in turns, do not disturb each other."""
    data = random.Random(3).randbytes(300_000)
    with ObjectDatabase.open(folder) as database:
        oid = database.put(data)
    with ObjectDatabase.open(folder) as database:
        from gvstore.objects.blob import iter_blob

        one, other = iter_blob(database, oid), iter_blob(database, oid)
        pairs = list(zip(one, other, strict=True))

        assert data == b"".join(a for a, _ in pairs) == b"".join(b for _, b in pairs)
        assert database.read(oid)[0] == Kind.NODE
