"""Repair saves every whole object, sets damaged files aside, and deletes nothing."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, compact
from tests.odb.conftest import files, fill, fill_pack, samples
from tests.odb.test_damage import flip


def repaired(folder: Path) -> list[str]:
    """Repairs, and checks that nothing is damaged then; returns what was done."""
    with ObjectDatabase.open(folder) as database:
        done = [f"{each.file}: {each.what}" for each in database.repair()]
        assert [] == list(database.check(full=True))
    return done


@pytest.mark.parametrize("sort", [".seg", ".pack", ".idx", ".zd"])
def test_any_flipped_bit_is_repaired(folder: Path, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every byte of a segment, and of a pack, its index, a dictionary: the other objects are there."""
    objects = samples(8)
    oids = fill(folder, objects) if sort == ".seg" else fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, sort)
    whole = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    choose = random.Random(5)

    for place in range(choose.randrange(5), len(whole[path]), 5 if len(whole[path]) < 2000 else 997):
        for left in [p for p in folder.rglob("*") if p.is_file()]:
            left.unlink()
        for p, data in whole.items():
            p.write_bytes(data)
        flip(path, place, choose.randrange(8))
        done = repaired(folder)

        assert done or sort == ".zd", f"byte {place}"  # some bits of a zstd frame mean nothing
        with ObjectDatabase.open(folder) as database:
            lost = [data for oid, data in zip(oids, objects, strict=True) if not database.has(oid)]
            assert len(lost) <= (1 if sort in (".seg", ".pack") else 0), f"byte {place}"
            for data in lost:
                database.write(data)
        with ObjectDatabase.open(folder) as database:
            assert objects == [database.read(oid) for oid in oids]


def test_damaged_files_are_set_aside_to_the_byte(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knows better can still look into them; repairing again does nothing."""
    fill_pack(folder, samples(6), monkeypatch)
    (path,) = files(folder, ".pack")
    flip(path, 90, 3)
    damaged = path.read_bytes()

    assert any("set aside" in each for each in repaired(folder))
    assert damaged == (folder / "quarantine" / path.name).read_bytes()
    assert [] == repaired(folder)


def test_what_programs_put_stays_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark on a record goes with it."""
    with ObjectDatabase.open(folder) as database:
        oid = database.put(b"kept" * 100)
        database.put(b"damaged" * 100)
    (path,) = files(folder, ".seg")
    flip(path, path.stat().st_size - 80, 2)

    repaired(folder)

    with ObjectDatabase.open(folder) as database:
        database._catalog.load()
        assert database._is_kept(oid)


def test_writing_again_heals_without_a_repair(folder: Path) -> None:
    """What cannot be read counts as not there."""
    oids = fill(folder, samples(3))
    (path,) = files(folder, ".seg")
    data = bytearray(path.read_bytes())
    data[60:-60] = bytes(len(data) - 120)
    path.write_bytes(data)

    with ObjectDatabase.open(folder) as database:
        for each in samples(3):
            database.write(each)
    with ObjectDatabase.open(folder) as database:
        assert samples(3) == [database.read(oid) for oid in oids]


def test_a_lost_dictionary_leaves_files_where_they_are(folder: Path) -> None:
    """Their objects are whole: when it is back, so are they."""
    pieces = [b"%x" % (i * 2654435761 % 2**32) for i in range(64)]
    objects = [b"b" + b" ".join(pieces[(i * k) % 64] * 3 for k in range(1, 24)) + b" %d" % i for i in range(3000)]
    with ObjectDatabase.open(folder) as database, database.batch():
        oids = [database.write(data) for data in objects]
    trained = (folder / "dict" / "current").read_text().strip()
    lost = folder / "dict" / f"{trained}.zd"
    kept = lost.read_bytes()
    lost.unlink()
    before = {p.name for p in (*files(folder, ".pack"), *files(folder, ".seg"))}

    with ObjectDatabase.open(folder) as database:
        list(database.repair())
        assert any("is missing" in each.why for each in database.check(full=True))
        assert any(not database.has(oid) for oid in oids)
        database.write(b"vthe next")
    assert before <= {p.name for p in (*files(folder, ".pack"), *files(folder, ".seg"))}

    lost.write_bytes(kept)
    with ObjectDatabase.open(folder) as database:
        assert objects == [database.read(oid) for oid in oids]


def test_packs_of_two_repositories_may_lie_together(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copied in by hand, with their dictionaries: objects are objects."""
    oids = fill_pack(folder, samples(6), monkeypatch)
    other = tmp_path / "other"
    ObjectDatabase.init(other)
    more = fill_pack(other, [b"vof another repository %d" % i for i in range(6)], monkeypatch)
    for path in [*files(other, ".pack"), *files(other, ".idx")]:
        (folder / "pack" / path.name).write_bytes(path.read_bytes())
    # An index of one beside the pack of the other does not count.
    (folder / "pack" / files(folder, ".idx")[0].name).write_bytes(files(other, ".idx")[0].read_bytes())

    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in [*oids, *more])
        list(database.repair())
        database.repack()
        assert set(oids) | set(more) == set(database)
        assert [] == list(database.check(full=True))


@pytest.mark.parametrize("what", ["gone", "swapped", "index gone", "index swapped", "cut"])
def test_files_may_change_under_an_open_handle(folder: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is mapped stays readable; what is not is missing or damaged, and never something else."""
    monkeypatch.setattr(compact, "FEW_PACKS", 100)
    first = fill_pack(folder, samples(8)[:4], monkeypatch)
    second = fill_pack(folder, samples(8)[4:], monkeypatch)
    database = ObjectDatabase.open(folder)
    assert samples(8)[0] == database.read(first[0])
    one, two = files(folder, ".pack")
    sort = ".idx" if what.startswith("index") else ".pack"
    a, b = one.with_suffix(sort), two.with_suffix(sort)
    if what.endswith("gone"):
        a.unlink()
        b.unlink()
    elif what.endswith("swapped"):
        content = a.read_bytes()
        for path, data in ((a, b.read_bytes()), (b, content)):
            path.unlink()
            path.write_bytes(data)
    else:
        data = a.read_bytes()[:-30]
        a.unlink()
        a.write_bytes(data)

    for rest in (False, True):
        for pack in database._catalog.packs if rest else ():
            pack.rest()
        for oid, data in zip([*first, *second], samples(8), strict=True):
            try:
                assert data == database.read(oid)
            except (ObjectMissing, CorruptObject):
                assert what in ("gone", "cut")
    database.close()
    with ObjectDatabase.open(folder) as again:
        found = [oid for oid in (*first, *second) if again.has(oid)]
        assert len(found) == {"gone": 0, "cut": len(found)}.get(what, 8)
        assert all(ObjectId.of(again.read(oid)) == oid for oid in found)
