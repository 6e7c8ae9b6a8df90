"""Writing what is there: nothing is stored, unless it lies there damaged, or unmarked."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, midx
from tests.odb.conftest import files, fill_pack, samples


def stored_bytes(folder: Path) -> int:
    """The size of all packs and segments."""
    return sum(path.stat().st_size for sort in (".pack", ".seg") for path in files(folder, sort))


@pytest.mark.parametrize("covered", [False, True])
def test_put_again_stores_nothing(folder: Path, covered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether its pack is asked itself or through the multi-pack index; what is not marked as kept is stored once more."""
    objects = [b"b" + data for data in samples(12)]
    with ObjectDatabase.open(folder) as database, database.batch():
        oids = [database.put(data[1:]) for data in objects[:6]]
    fill_pack(folder, objects[6:], monkeypatch)
    if covered:
        monkeypatch.setattr(midx, "FEW", 0)
        assert midx.cover(folder, files(folder, ".pack"))
    before = stored_bytes(folder)

    for _ in range(2):
        with ObjectDatabase.open(folder) as database:
            assert oids == [database.put(data[1:]) for data in objects[:6]]
            assert [ObjectId.of(data) for data in objects] == [database.write(data) for data in objects]
    assert before == stored_bytes(folder)

    with ObjectDatabase.open(folder) as database:
        for data in objects[6:]:
            database.put(data[1:])
    after = stored_bytes(folder)

    assert before < after
    with ObjectDatabase.open(folder) as database:
        for data in objects:
            database.put(data[1:])
    assert after == stored_bytes(folder)


def test_another_object_of_the_same_name_prefix_is_no_hit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record that lies where the object should, but holds other bytes, is not taken for it."""
    objects = samples(3)
    fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, ".pack")
    data = bytearray(path.read_bytes())
    data[data.index(ObjectId.of(objects[1])[:8]) + 8] ^= 1
    path.write_bytes(data)

    with ObjectDatabase.open(folder) as database:
        oid = database.write(objects[1])
    with ObjectDatabase.open(folder) as database:
        assert objects[1] == database.read(oid)
