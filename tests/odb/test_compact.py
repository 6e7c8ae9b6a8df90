"""The number of files stays small, and what is merged stays readable."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact, dictionary, packindex, segment
from gvstore.odb.pack import Pack
from gvstore.odb.repair import repair
from tests.odb.conftest import files, fill, fill_pack, samples


def test_many_small_commands_leave_few_files(folder: Path) -> None:
    """150 handles that write a few objects each."""
    oids = []
    for i in range(150):
        with ObjectDatabase.open(folder) as database:
            oids += [database.write(b"vcommand %d, object %d" % (i, j)) for j in range(3)]

    assert len(files(folder, ".seg")) + len(files(folder, ".pack")) <= 3 * (compact.FEW + 1)
    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in oids)
        assert 450 == len(list(database))
        assert [] == list(database.check(full=True))


def test_a_handle_that_writes_nothing_leaves_nothing(folder: Path) -> None:
    """Reading, and writing what is there already, makes no file that stays."""
    (oid,) = fill(folder, [b"vx"])
    before = {p.name for p in folder.rglob("*")}

    with ObjectDatabase.open(folder) as database:
        database.read(oid)
        database.write(b"vx")
        database.sync()

    assert before == {p.name for p in folder.rglob("*")}


def test_what_another_handle_wrote_is_not_stored_again(folder: Path) -> None:
    """Closed segments and packs count as being there."""
    objects = samples(30)
    fill(folder, objects)
    with ObjectDatabase.open(folder) as database:
        for data in [*objects, b"vnew"]:
            database.write(data)

    assert 2 == len(files(folder, ".seg"))
    assert min(p.stat().st_size for p in files(folder, ".seg")) < 200


def test_a_full_segment_is_sealed_and_another_begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes a pack with an index, while the handle goes on."""
    monkeypatch.setattr(segment, "ROLL_BYTES", 1 << 20)
    monkeypatch.setattr(compact, "FEW", 100)
    noise = random.Random(1)
    with ObjectDatabase.open(folder) as database:
        oids = [database.write(b"b" + noise.randbytes(2000)) for _ in range(2000)]
        assert len(files(folder, ".pack")) >= 3
        assert all(database.has(oid) for oid in oids)
        assert oids[0] in database.resolve(oids[0].hex()[:8])

    assert len(files(folder, ".pack")) == len(files(folder, ".idx"))
    with ObjectDatabase.open(folder) as database:
        assert set(oids) == set(database)
        assert [] == list(database.check(full=True))


def test_what_is_put_after_it_was_written_is_no_damage(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in the pack twice, its index has the record that is kept; a merge leaves that one."""
    monkeypatch.setattr(compact, "SMALL_BYTES", 0)
    with ObjectDatabase.open(folder) as database:
        database.write(b"bthe same")
        database.flush()
        oid = database.put(b"the same")
    with ObjectDatabase.open(folder) as database:
        assert [] == list(database.check(full=True))
        assert [] == list(repair(folder))
        database._catalog.load()
        (pack,) = database._catalog.every()
        assert [True] == [pack.is_kept(at) for at in pack.find(oid)]
        assert 2 == len(pack.scanned().entries)


def test_a_merge_copies_records_as_they_are_and_drops_doubles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With dictionaries of different packs side by side in one."""
    objects = samples(30)
    oids = fill_pack(folder, objects[:20], monkeypatch)
    other = dictionary.train([b"vanother dictionary %d %d" % (i, i * 7) for i in range(2000)], size=4096)
    assert other is not None
    dictionary.Dictionaries(folder / "dict").set_current(other)
    fill_pack(folder, [b"vanother dictionary %d" % i for i in range(20)], monkeypatch)
    twice = files(folder, ".pack")[0]
    (twice.parent / "0123456789abcdef.pack").write_bytes(twice.read_bytes())

    with ObjectDatabase.open(folder) as reader:
        early = reader.read(oids[0])
        with ObjectDatabase.open(folder) as database:
            database.repack()
        assert [early] == objects[:1]
        assert objects[:20] == [reader.read(oid) for oid in oids]

    assert 1 == len(files(folder, ".pack"))
    with ObjectDatabase.open(folder) as database:
        assert 40 == len(list(database))
        assert [] == list(database.check(full=True))
        assert objects[:20] == [database.read(oid) for oid in oids]


def test_readers_go_on_while_files_are_merged_under_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handle that listed the files before finds objects in the files that came after."""
    objects = samples(12)
    oids = [oid for i in range(0, 12, 3) for oid in fill_pack(folder, objects[i : i + 3], monkeypatch)]
    with ObjectDatabase.open(folder) as reader:
        assert objects[0] == reader.read(oids[0])
        with ObjectDatabase.open(folder) as database:
            database.repack()
            late = database.write(b"vlate")
            database.flush()
            assert objects == [reader.read(oid) for oid in oids]
            assert b"vlate" == reader.read(late)


def test_files_of_dead_merges_are_swept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a killed merge was writing goes with the next."""
    fill_pack(folder, samples(3), monkeypatch)
    fill_pack(folder, samples(6)[3:], monkeypatch)
    (folder / "pack" / "tmp-00dead00").write_bytes(b"half")

    with ObjectDatabase.open(folder) as database:
        database.repack()

    assert [".idx", ".pack"] == sorted(p.suffix for p in (folder / "pack").iterdir())


def test_a_damaged_pack_is_never_merged_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only a repair may decide about it."""
    for i in range(3):
        fill_pack(folder, samples(9)[3 * i : 3 * i + 3], monkeypatch)
    damaged = files(folder, ".pack")[1]
    data = bytearray(damaged.read_bytes())
    data[90] ^= 1
    damaged.write_bytes(data)

    with ObjectDatabase.open(folder) as database:
        database.repack()

    assert damaged in files(folder, ".pack")
    assert bytes(data) == damaged.read_bytes()
    assert 2 == len(files(folder, ".pack"))


@pytest.mark.parametrize("wide", [False, True])
def test_an_index_finds_what_is_in_it_and_nothing_else(tmp_path: Path, wide: bool) -> None:
    """Also among equal keys, at both ends, and in a pack above 4 GiB."""
    size = (1 << 33) if wide else 1 << 20
    names = sorted({random.Random(i).randbytes(8) for i in range(500)} | {b"same0001", b"same0002", b"\0" * 8, b"\xff" * 8})
    entries = [(name, i * 16 * (1 << 20 if wide else 1)) for i, name in enumerate(names)]
    path = tmp_path / "x.idx"
    path.write_bytes(packindex.encode_index(entries, size))

    index = packindex.PackIndex(path, size)

    assert index.holds()
    assert len(names) == index.count
    for name, at in entries:
        assert at in index.find(name)
    assert 2 == len(index.find(b"same....")[:])
    assert 0 == len(index.find(b"none"))
    assert [at for _, at in entries] == list(index.all_offsets())


def test_opening_does_not_read_the_objects(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack with an index is not scanned, whatever its size."""
    oids = fill_pack(folder, samples(50), monkeypatch)
    scanned: list[Path] = []
    monkeypatch.setattr(Pack, "rescan", lambda self: scanned.append(self.path))

    with ObjectDatabase.open(folder) as database:
        assert database.read(oids[7])

    assert [] == scanned


def test_a_bulk_trains_its_own_dictionary(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is stored before a record needs it, and the pack that uses it names it."""
    pieces = [b"%x" % (i * 2654435761 % 2**32) for i in range(64)]
    objects = [b"b" + b" ".join(pieces[(i * k) % 64] * 3 for k in range(1, 24)) + b" %d" % i for i in range(3000)]
    with ObjectDatabase.open(folder) as database, database.batch():
        oids = [database.write(data) for data in objects]

    assert 2 == len(files(folder, ".zd"))
    assert (folder / "dict" / "current").exists()
    with ObjectDatabase.open(folder) as database:
        assert objects == [database.read(oid) for oid in oids]
        assert oids[3] in [ObjectId.of(objects[3])]
        assert [] == list(database.check(full=True))
