"""Compression, what hostile frames are refused, and dictionaries that are lost."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.odb import DictionaryLost, ObjectDatabase, dictionary, format
from gvstore.odb.fault import BadRecord
from tests.odb.conftest import fill, samples

CODECS = [dictionary.plain(), dictionary.shipped()]


@given(data=st.binary(min_size=1, max_size=3000), times=st.integers(1, 40))
def test_inflate_undoes_compress(data: bytes, times: int) -> None:
    """With and without a dictionary."""
    for codec in CODECS:
        assert data * times == codec.inflate(codec.compress(data * times))


@given(data=st.binary(min_size=1, max_size=3000), times=st.sampled_from([1, 7, 90]), thorough=st.booleans())
def test_a_frame_tells_where_it_ends(data: bytes, times: int, thorough: bool) -> None:
    """By its own blocks, whatever lies behind it; cut anywhere it is refused, or ends beyond the cut."""
    for codec in CODECS:
        frame = codec.compressor(thorough=thorough)(data * times)
        assert len(frame) == dictionary.frame_bytes(frame) == dictionary.frame_bytes(frame + data)
        for cut in range(0, len(frame), 1 + len(frame) // 20):
            try:
                assert dictionary.frame_bytes(frame[:cut]) > cut
            except BadRecord:
                continue


@given(frame=st.binary(min_size=1, max_size=200))
def test_any_bytes_are_a_frame_or_refused(frame: bytes) -> None:
    """No other exception, and never more than is allowed."""
    for codec in CODECS:
        try:
            assert len(codec.inflate(frame)) <= dictionary.MAX_INFLATED
        except BadRecord:
            pass


def place(folder: Path, payload: bytes, *, codec: int, name: ObjectId) -> None:
    """Puts a record, sound but for what it holds, into a closed segment."""
    record = format.tag(codec, len(payload)) + name[:8] + payload
    at = format.HEADER_BYTES + len(record)
    mark = format.mark_item(at, length=len(record), durable=0, crc=zlib.crc32(record), seal=False)
    end = at + len(mark)
    seal = format.mark_item(end, length=0, durable=end, crc=0, seal=True)
    (folder / "live" / "00000000000000ff.seg").write_bytes(format.header() + record + mark + seal)


def frame_claiming(size: int) -> bytes:
    """A frame of a few bytes that states a content of `size` bytes."""
    return bytes((0xE0,)) + size.to_bytes(8, "little") + b"\x03\x00\x00a"


def bomb(size: int) -> bytes:
    """A true frame of zeros: 32 KB for 1 GiB."""
    form = zstandard.FORMAT_ZSTD1_MAGICLESS
    parameters = zstandard.ZstdCompressionParameters.from_level(1, format=form, write_content_size=1)
    maker = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=size)
    block = bytes(1 << 20)
    return b"".join(maker.compress(block) for _ in range(size >> 20)) + maker.flush()


@pytest.mark.parametrize("size", [1 << 25, 1 << 30, 1 << 40, (1 << 64) - 1])
def test_a_frame_that_claims_too_much_is_refused_before_a_byte_is_made(folder: Path, size: int) -> None:
    """What it claims is read from its head."""
    oid = ObjectId.of(b"vwhatever")
    place(folder, frame_claiming(size), codec=format.PLAIN, name=oid)

    with ObjectDatabase.open(folder) as database, pytest.raises(CorruptObject):
        database.read(oid)
    with pytest.raises(BadRecord, match="allowed"):
        dictionary.plain().inflate(frame_claiming(size))


def test_a_decompression_bomb_is_refused(folder: Path) -> None:
    """32 KB that would be 1 GiB."""
    payload = bomb(1 << 30)
    assert len(payload) < 40_000
    oid = ObjectId.of(b"vwhatever")
    place(folder, payload, codec=format.PLAIN, name=oid)

    with ObjectDatabase.open(folder) as database:
        assert not database.has(oid)
        assert [oid[:8]] == [d.prefix for d in database.check(full=True)]


def test_a_large_object_is_stored_and_read(folder: Path) -> None:
    """Above the limit of what a frame may claim it is stored as it is."""
    data = b"b" + b"compressible " * ((dictionary.MAX_INFLATED // 13) + 1)
    (oid,) = fill(folder, [data])

    with ObjectDatabase.open(folder) as database:
        assert data == database.read(oid)
        assert [] == list(database.check(full=True))


def test_the_shipped_dictionary_is_copied_in_and_may_be_lost(folder: Path) -> None:
    """It is in the package too."""
    objects = samples(6)
    oids = fill(folder, objects)
    (path,) = (folder / "dict").glob("*.zd")
    path.unlink()

    with ObjectDatabase.open(folder) as database:
        assert objects == [database.read(oid) for oid in oids]


@pytest.mark.parametrize("how", ["lost", "damaged", "swapped"])
def test_a_lost_dictionary_is_named(folder: Path, how: str) -> None:
    """Objects that need it raise DictionaryLost; others are read; bringing it back heals."""
    trained = dictionary.train([b"vthis and that %d %d" % (i, i * i) for i in range(3000)], size=4096)
    assert trained is not None and trained.name is not None
    store = dictionary.Dictionaries(folder / "dict")
    store.set_current(trained)
    oids = fill(folder, [b"vthis and that %d, over and over again" % i for i in range(5)] + [b"i" + os.urandom(40)])
    path = store.path(trained.name)
    whole = path.read_bytes()
    if how == "lost":
        path.unlink()
    elif how == "damaged":
        path.write_bytes(whole[:-9] + b"x" + whole[-8:])
    else:
        path.write_bytes(zstandard.ZstdCompressor().compress(CODECS[1].data))

    with ObjectDatabase.open(folder) as database:
        with pytest.raises(DictionaryLost) as caught:
            database.read(oids[0])
        assert trained.name == caught.value.name
        assert not database.has(oids[0])
        assert database.has(oids[5])
        assert any(trained.name.hex() in d.why + d.file for d in database.check(full=True))
        database.write(b"vnew objects use the shipped one")
    path.write_bytes(whole)
    with ObjectDatabase.open(folder) as database:
        assert all(database.has(oid) for oid in oids)
        assert [] == list(database.check(full=True))


def test_too_few_samples_train_nothing() -> None:
    """No dictionary, no exception."""
    assert dictionary.train([b"x"], size=4096) is None
    assert dictionary.train([], size=4096) is None
