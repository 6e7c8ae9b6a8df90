"""Files that were cut, flipped, swapped or forged: never a wrong answer, and the rest can still be read."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path

import pytest

from gvstore.errors import GvError
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb import ObjectDatabase, format
from tests.odb.conftest import files, fill, fill_pack, samples


def readable(folder: Path, oids: list[ObjectId], objects: list[bytes]) -> set[int]:
    """Which objects come back right; a wrong answer, or an error that is not ours, fails."""
    good = set()
    with ObjectDatabase.open(folder, read_only=True) as database:
        for i, (oid, data) in enumerate(zip(oids, objects, strict=True)):
            try:
                assert database.read(oid) == data
                good.add(i)
            except (ObjectMissing, CorruptObject):
                assert not database.has(oid)
    return good


def flip(path: Path, place: int, bit: int) -> None:
    """Changes one bit of a file."""
    data = bytearray(path.read_bytes())
    data[place] ^= 1 << bit
    path.write_bytes(data)


@pytest.mark.parametrize("sort", [".seg", ".pack", ".idx"])
def test_one_flipped_bit_costs_at_most_one_object_and_is_found(
    folder: Path, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every byte of a segment, a pack and an index."""
    objects = samples(8)
    oids = fill(folder, objects) if sort == ".seg" else fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, sort)
    whole = path.read_bytes()
    everything = set(range(len(objects)))
    choose = random.Random(3)

    for place in range(len(whole)):
        flip(path, place, choose.randrange(8))
        good = readable(folder, oids, objects)
        with ObjectDatabase.open(folder, read_only=True) as database:
            told = list(database.check(full=True))
        path.write_bytes(whole)

        assert len(everything - good) <= (0 if sort == ".idx" else 1), f"byte {place}"
        assert told, f"the flip at byte {place} was not found"
        for i in everything - good:
            names = [d.prefix for d in told] + [(d.oid or b"")[:8] for d in told]
            offsets = [d.offset for d in told]
            assert oids[i][:8] in names or min(abs(o - place) for o in offsets) < 600


@pytest.mark.parametrize("sort", [".seg", ".pack"])
def test_a_check_without_full_finds_flips_too(folder: Path, sort: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marks' checksums cover every byte."""
    objects = samples(6)
    _ = fill(folder, objects) if sort == ".seg" else fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, sort)
    whole = path.read_bytes()

    for place in range(0, len(whole), 3):
        flip(path, place, place % 8)
        with ObjectDatabase.open(folder, read_only=True) as database:
            assert list(database.check()), f"byte {place}"
        path.write_bytes(whole)


def test_a_segment_cut_at_any_length_keeps_what_lies_before(folder: Path) -> None:
    """The longest valid beginning is recovered; a cut tail is no damage, and the next writer goes on."""
    objects = samples(8)
    oids = fill(folder, objects)
    (path,) = files(folder, ".seg")
    whole = path.read_bytes()
    ends = record_ends(whole)

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        good = readable(folder, oids, objects)

        assert {i for i, end in enumerate(ends) if end <= length} == good


def test_a_writer_takes_over_a_cut_segment(folder: Path) -> None:
    """It copies the whole records, drops the torn tail, and nothing is damaged afterwards."""
    objects = samples(8)
    oids = fill(folder, objects)
    (path,) = files(folder, ".seg")
    whole = path.read_bytes()
    ends = record_ends(whole)

    for length in range(0, len(whole), 11):
        shutil.rmtree(folder)
        ObjectDatabase.init(folder)
        path.write_bytes(whole[:length])
        with ObjectDatabase.open(folder) as database:
            new = database.write(b"vthe next writer")
            kept = {i for i, end in enumerate(ends) if end <= length}
            assert kept == {i for i, oid in enumerate(oids) if database.has(oid)}
        with ObjectDatabase.open(folder) as database:
            assert kept == {i for i, oid in enumerate(oids) if database.has(oid)}
            assert database.has(new)
            assert [] == list(database.check(full=True))


def test_a_pack_cut_at_any_length_keeps_what_lies_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And that it was cut is told."""
    objects = samples(8)
    oids = fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, ".pack")
    whole = path.read_bytes()
    ends = record_ends(whole)

    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        good = readable(folder, oids, objects)
        with ObjectDatabase.open(folder, read_only=True) as database:
            assert list(database.check())

        assert {i for i, end in enumerate(ends) if end <= length} == good


def record_ends(whole: bytes) -> list[int]:
    """Where the records of a sound file end, in order."""
    ends = []
    at = format.HEADER_BYTES
    while at < len(whole):
        codec, _, at = format.item_at(whole, at)
        if codec != format.CONTROL:
            ends.append(at)
    return ends


@pytest.mark.parametrize("change", ["lost", "empty", "cut", "noise", "another"])
def test_an_index_is_only_a_cache(folder: Path, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost, cut or another pack's, the pack is scanned: same answers."""
    objects = samples(20)
    oids = fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, ".idx")
    whole = path.read_bytes()
    if change == "lost":
        path.unlink()
    elif change == "another":
        other = tmp_path / "other"
        ObjectDatabase.init(other)
        fill_pack(other, samples(21)[1:], monkeypatch)
        shutil.copy(files(other, ".idx")[0], path)
    else:
        path.write_bytes({"empty": b"", "cut": whole[:-3], "noise": random.Random(1).randbytes(len(whole))}[change])

    assert set(range(20)) == readable(folder, oids, objects)
    with ObjectDatabase.open(folder) as database:
        assert list(database.check())


def test_damage_is_healed_by_writing_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged object does not count as being there."""
    objects = samples(6)
    oids = fill_pack(folder, objects, monkeypatch)
    (path,) = files(folder, ".pack")
    flip(path, record_ends(path.read_bytes())[3] - 1, 0)

    with ObjectDatabase.open(folder) as database:
        with pytest.raises(CorruptObject):
            database.read(oids[3])
        assert oids == [database.write(data) for data in objects]
        assert objects == [database.read(oid) for oid in oids]
    with ObjectDatabase.open(folder) as database:
        assert objects == [database.read(oid) for oid in oids]


def test_a_forged_name_loses_nothing(folder: Path) -> None:
    """A record that bears another object's eight bytes is neither believed nor in the way."""
    data = b"vthe true object"
    oid = ObjectId.of(data)
    forged = b"vsomething else!"
    record = format.tag(format.RAW, len(forged)) + oid[:8] + forged
    (folder / "live" / "0000000000000000.seg").write_bytes(format.header() + closed(record))

    with ObjectDatabase.open(folder) as database:
        assert not database.has(oid)
        assert database.write(data) == oid
        assert database.read(oid) == data
    with ObjectDatabase.open(folder) as database:
        assert database.read(oid) == data


def closed(records: bytes) -> bytes:
    """A batch with its mark, and the end of the file."""
    import zlib

    at = format.HEADER_BYTES + len(records)
    mark = format.mark_item(at, length=len(records), durable=0, crc=zlib.crc32(records), seal=False)
    end = at + len(mark)
    return records + mark + format.mark_item(end, length=0, durable=end, crc=0, seal=True)


def test_a_file_of_a_later_version_is_refused(folder: Path) -> None:
    """With the name of the file; objects elsewhere are read."""
    (oid,) = fill(folder, [b"vhere"])
    import zlib

    head = format.SEGMENT_MAGIC + bytes((9, 0, 0, 0))
    (folder / "pack" / "ffffffffffffffff.pack").write_bytes(head + zlib.crc32(head).to_bytes(4, "little") + b"rest")

    with ObjectDatabase.open(folder) as database:
        assert database.read(oid) == b"vhere"
        with pytest.raises(GvError, match="version 9"):
            database.read(ObjectId.of(b"vnot here"))
        assert ["version 9" in d.why for d in database.check()] == [True]


@pytest.mark.parametrize("what", ["symlink", "fifo", "folder"])
def test_something_else_than_a_file_is_not_opened(folder: Path, tmp_path: Path, what: str) -> None:
    """A symlink is not followed, a FIFO does not hang, and both are told."""
    (oid,) = fill(folder, [b"vhere"])
    place = folder / "pack" / "aaaaaaaaaaaaaaaa.pack"
    if what == "symlink":
        (tmp_path / "elsewhere").write_bytes(files(folder, ".seg")[0].read_bytes())
        place.symlink_to(tmp_path / "elsewhere")
    elif what == "fifo":
        os.mkfifo(place)
    else:
        place.mkdir()

    with ObjectDatabase.open(folder) as database:
        assert database.read(oid) == b"vhere"
        assert not database.has(ObjectId.of(b"vnot here"))
        assert ["not a plain file" in d.why for d in database.check()] == [True]
