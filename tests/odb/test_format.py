"""The bytes of items and marks, and the scanner against any bytes at all."""

from __future__ import annotations

import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.objects.oid import ObjectId
from gvstore.odb import format
from gvstore.odb.fault import BadRecord
from gvstore.odb.packindex import encode_index
from gvstore.odb.scan import scan

GOLDEN = (
    "8967767365670d0a01000000c4aaa55560c77dc08cef44b6b7766869c001cde40cc13f58e9a16268"
    "656c6c6f8f040067766d61726bff1c0000001c0000000303600283e676008f040067767365616cff"
    "0000000000000000000000007e7e4a46"
)
GOLDEN_INDEX = (
    "8967766964780d0a01040000c4a5343a02000000000000005f00000000000000d13cc03c04030201"
    "000000ff100000001c000000"
)


def opener(codec: int, payload: bytes, name: bytes) -> bytes:
    """Opens raw records only."""
    if codec != format.RAW:
        raise BadRecord("not raw")
    return payload


def record(data: bytes) -> bytes:
    """A raw record."""
    return format.tag(format.RAW, len(data)) + ObjectId.of(data)[:8] + data


@given(codec=st.integers(0, 15), length=st.one_of(st.integers(0, 300), st.integers(0, 40_000), st.just(1 << 20)))
def test_a_tag_is_read_as_it_was_written(codec: int, length: int) -> None:
    """Codec, length and whether it is kept, in the shortest form."""
    for kept in (0, format.KEPT):
        raw = format.tag(codec, length, kept=kept) + bytes(8) + bytes(length)

        item = format.item_at(raw, 0)

        assert (codec, length, len(raw)) == (item.codec, item.end - item.start, item.end)
        assert kept == format.is_kept(raw, 0)


@pytest.mark.parametrize("raw", [b"", b"\x80", b"\x80\x00" + bytes(20), b"\xff" * 6, b"\x20", b"\x20" + bytes(8)])
def test_what_is_cut_off_or_not_shortest_is_no_item(raw: bytes) -> None:
    """Each length has one spelling."""
    with pytest.raises(BadRecord):
        format.item_at(raw, 0)


def test_a_mark_is_believed_only_where_it_was_written() -> None:
    """The place is part of its check."""
    mark = format.mark_item(100, length=84, durable=16, crc=7, seal=False)

    assert (100, 126, 16, 16, 7, False) == format.parse_mark(bytes(100) + mark, 100)
    assert format.parse_mark(bytes(101) + mark, 101) is None


def test_the_bytes_stand_still() -> None:
    """Format version 1, to the byte."""
    assert "8967767365670d0a01000000" == format.header().hex()[:24]
    assert "60" + ObjectId.of(b"vhi").hex()[:16] + b"vhi".hex() == record(b"vhi").hex()
    assert 26 == format.MARK_BYTES == len(format.mark_item(50, length=34, durable=16, crc=1, seal=True))


@given(noise=st.binary(max_size=400), before=st.integers(0, 3), after=st.integers(0, 3))
def test_a_scan_of_any_bytes_finds_the_whole_records(noise: bytes, before: int, after: int) -> None:
    """Whatever lies between them, marked or not."""
    first = b"".join(record(b"vbefore %d" % i) for i in range(before))
    last = b"".join(record(b"vafter %d" % i) for i in range(after))
    head = format.header() + first
    mark = format.mark_item(len(head), length=len(first), durable=16, crc=zlib.crc32(first), seal=False)

    found = scan(head + mark + noise + last, opener)

    names = {name for name, _ in found.entries}
    assert {ObjectId.of(b"vbefore %d" % i)[:8] for i in range(before)} <= names
    if not noise:
        assert {ObjectId.of(b"vafter %d" % i)[:8] for i in range(after)} <= names


@given(raw=st.binary(max_size=600))
def test_a_scan_never_fails(raw: bytes) -> None:
    """Any bytes at all, with a header or without."""
    scan(raw, opener)
    scan(format.header() + raw, opener)


@pytest.mark.parametrize("byte", [b"\x00", b"\x01", b"\x90", b"\xff", b"\x0f", format.MARK_HEAD, b"\x80\x80\x01"])
def test_hostile_files_do_not_hold_the_scan_up(byte: bytes) -> None:
    """Two megabytes of what looks like records: the search gives up in time."""
    raw = format.header() + byte * (2 * (1 << 20) // len(byte))
    began = time.process_time()

    scan(raw, opener)

    assert time.process_time() - began < 20  # seconds; a quadratic search would take hours


def test_a_whole_segment_stands_still() -> None:
    """Two raw objects, a mark, a seal: the bytes that docs/format/odb.md describes."""
    batch = record(b"vhi") + record(b"bhello")
    at = format.HEADER_BYTES + len(batch)
    mark = format.mark_item(at, length=len(batch), durable=16, crc=zlib.crc32(batch), seal=False)
    end = at + len(mark)
    raw = format.header() + batch + mark + format.mark_item(end, length=0, durable=end, crc=0, seal=True)

    assert GOLDEN == raw.hex()
    found = scan(raw, opener)
    assert [16, 28] == [offset for _, offset in found.entries]
    assert found.sealed and not found.flaws


def test_an_index_stands_still() -> None:
    """The bytes that docs/format/odb.md describes."""
    entries = [(bytes.fromhex("ff00000000000000"), 28), (bytes.fromhex("0102030400000000"), 16)]

    assert GOLDEN_INDEX == encode_index(entries, 95).hex()
