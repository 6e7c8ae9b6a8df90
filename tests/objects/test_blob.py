"""Blobs: contents of files, whole or cut, and what is not one."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.objects import number
from gvstore.objects.blob import blob_oid, blob_size, get_blob, iter_blob, put_blob, put_stream, stream_oid
from gvstore.objects.commit import Commit
from gvstore.objects.encode import BLOB_BYTE
from gvstore.objects.fault import CorruptObject
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.objects.sequence import NODE_BYTE
from gvstore.objects.value import put_value
from gvstore.objects.wire import link_bytes, pack
from tests.objects.store import Objects

SIZES = [0, 1, 255, 65_535, 65_536, 65_537, 70_000, 500_000]


class Trickle(io.RawIOBase):
    """A pipe: hands out a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file, self._most = io.BytesIO(data), most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._file.readinto(memoryview(buffer)[: self._most])


@pytest.mark.parametrize("size", SIZES)
def test_contents_come_back(size: int) -> None:
    """Whatever way bytes go in, they have one oid, their size is known, and they come back, whole and in pieces."""
    data = random.Random(size).randbytes(size)
    store = Objects()
    oid = put_blob(store, data)

    assert {oid} == {
        put_stream(Objects(), io.BytesIO(data)),
        put_stream(Objects(), Trickle(data, 1000)),  # type: ignore[arg-type]
        put_blob(Objects(), memoryview(data)),
        put_blob(Objects(), memoryview(bytearray(data))),
        blob_oid(data),
        stream_oid(io.BytesIO(data)),
    }
    assert data == get_blob(store, oid) == b"".join(iter_blob(store, oid))
    assert size == blob_size(store, oid)


def test_views_of_other_items_are_bytes() -> None:
    """A memoryview of ints is the bytes behind it."""
    view = memoryview(random.Random(1).randbytes(100_000)).cast("i")

    assert blob_oid(bytes(view)) == blob_oid(view) != blob_oid(view[::2])


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 400_000), st.binary(max_size=50))
def test_an_edit_is_local(at: int, patch: bytes) -> None:
    """A changed megabyte shares all but a few chunks with what it was."""
    data = random.Random(3).randbytes(400_000)
    store = Objects()
    put_blob(store, data)
    before = store.size
    put_blob(store, data[:at] + patch + data[at:])

    assert store.size - before < 60_000


def test_a_file_of_an_objects_bytes_is_a_file() -> None:
    """A blob whose content is a commit's bytes is another object, and has no links."""
    store = Objects()
    tree = ObjectId(bytes(range(32)))
    for oid in (Commit(tree, (tree,), "Ada", 1, "m").put(store), put_value(store, [["x" * 300], 1])):
        data = store[oid]
        blob = put_blob(store, data)

        assert blob != oid
        assert ([], []) == links(store[blob])
        assert links(data)[0]
        assert data == get_blob(store, blob)


def test_what_is_no_blob_is_refused() -> None:
    """A value, a tree of items, or counts that lie are corrupt, not content."""
    store = Objects()
    chunk = store.write(b"b" + bytes(100))
    lists = store.write(b"n" + pack([55, 1, 2]))
    for bad in (
        put_value(store, 1),
        lists,
        store.write(b"n\x93\x38" + pack(99) + link_bytes(chunk)),
        store.write(b"n\x93\x38" + pack(2) + link_bytes(lists)),
        store.write(b"n\x92\x38" + pack(2)),
        store.write(b""),
    ):
        with pytest.raises(CorruptObject):
            get_blob(store, bad)
    with pytest.raises(ValueError, match="pieces"):
        get_blob(store, store.write(b"n\x93\x38" + pack(2**40) + link_bytes(chunk)))


def test_a_tree_deeper_in_places_is_read_all_the_same() -> None:
    """No writer of ours makes one; another's may hold chunks beside nodes."""
    store = Objects()
    chunks = [bytes((i,)) * (i + 1) for i in range(7)]
    oids = [store.write(BLOB_BYTE + chunk) for chunk in chunks]

    def inner(*parts: tuple[int, ObjectId]) -> ObjectId:
        entries = b"".join(pack(count) + link_bytes(oid) for count, oid in parts)
        return store.write(NODE_BYTE + bytes((0x90 | 1 + 2 * len(parts),)) + pack(number.INNER) + entries)

    low = inner((2, oids[1]), (3, oids[2]))
    middle = inner((4, oids[3]), (5, low), (5, oids[4]))
    top = inner((1, oids[0]), (14, middle), (6, oids[5]), (7, oids[6]))
    order = (0, 3, 1, 2, 4, 5, 6)

    assert b"".join(chunks[i] for i in order) == get_blob(store, top)
