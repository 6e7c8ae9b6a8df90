"""The multi-pack index is a cache: with it, without it, and with any part of it damaged, answers are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact, midx
from gvstore.odb.pack import Pack
from tests.odb.conftest import files, fill_pack


def many(folder: Path, monkeypatch: pytest.MonkeyPatch, packs: int = 8) -> list[ObjectId]:
    """Makes packs that nothing merges, of four objects each."""
    monkeypatch.setattr(compact, "FEW_PACKS", 1000)
    monkeypatch.setattr(compact, "cover", lambda folder: None)
    monkeypatch.setattr(compact, "COVER_AT_ONCE", 0)
    oids = []
    for i in range(packs):
        oids += fill_pack(folder, [b"vobject %d of pack %d" % (j, i) for j in range(4)], monkeypatch)
    return oids


def covered(folder: Path) -> bool:
    """Makes the multi-pack index."""
    return midx.cover(folder, compact.pack_paths(folder))


def test_an_object_is_found_through_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No pack is opened but the one that holds it."""
    oids = many(folder, monkeypatch)
    covered(folder)
    opened: list[Path] = []
    real = Pack._map

    def mapping(self: Pack) -> None:
        opened.append(self.path)
        real(self)

    monkeypatch.setattr(Pack, "_map", mapping)

    with ObjectDatabase.open(folder) as database:
        assert b"vobject 1 of pack 3" == database.read(oids[13])
        assert 1 == len(opened)
        database.write(b"vobject 2 of pack 5")
        assert not database.has(ObjectId.of(b"vno"))
        assert set(oids) == set(database)
        assert [oids[7]] == database.resolve(oids[7].hex()[:16])

    assert 8 == len(files(folder, ".pack"))


def test_layers_stay_few(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They grow geometrically; packs that came since are asked one by one until there are enough."""
    oids = []
    for _ in range(12):
        oids += many(folder, monkeypatch, packs=3)
        covered(folder)

        assert len(list(midx.paths(folder))) <= 4

    assert sum(len(layer.packs) for layer in midx.layers(folder)) >= len(files(folder, ".pack")) - midx.FEW
    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in oids)


def test_any_byte_of_it_may_be_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it may be cut off, or gone: every object is found, none is made up."""
    oids = many(folder, monkeypatch)
    covered(folder)
    (path,) = midx.paths(folder)
    whole = path.read_bytes()

    for damaged in [
        *(whole[:i] + bytes([whole[i] ^ 1 << i % 8]) + whole[i + 1 :] for i in range(len(whole))),
        whole[:-1],
        whole[:20],
        b"",
    ]:
        path.write_bytes(damaged)
        with ObjectDatabase.open(folder, read_only=True) as database:
            assert all(database.read(oid).startswith(b"vobject") for oid in oids)
            assert not database.has(ObjectId.of(b"vno"))
    path.unlink()
    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in oids)


def test_packs_that_went_are_passed_over(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repack leaves the layers behind; the next ones forget them."""
    oids = many(folder, monkeypatch)
    covered(folder)

    with ObjectDatabase.open(folder) as reader:
        assert reader.has(oids[0])
        with ObjectDatabase.open(folder) as database:
            database.repack()
            assert all(database.has(oid) for oid in oids)
        assert all(reader.has(oid) for oid in oids)

    assert not covered(folder)
    assert [] == list(midx.paths(folder))


def test_many_packs_need_few_descriptors(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mapped files rest when there are too many of them, with the index or without."""
    import resource

    oids = many(folder, monkeypatch, packs=60)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
    try:
        for _ in range(2):
            with ObjectDatabase.open(folder) as database:
                assert all(database.read(oid).startswith(b"vobject") for oid in [*oids, *oids[::-1]])
                assert set(oids) <= set(database)
                database.put(b"and write")
                assert [] == list(database.check(full=True))
            covered(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
