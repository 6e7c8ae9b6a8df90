"""Where each object of a pack lies: two columns in a mapped file, bisected in C.

    header    36   magic 8 | version 1 | width 1 | zero 2 | CRC-32 of the columns 4 | count 8 | bytes of the pack 8 | CRC-32 4
    keys           count x 4: the first 4 bytes of the oid as a big-endian number, ascending
    offsets        count x width (4 or 8): where the record begins

8 bytes an object in a pack below 4 GiB: the record repeats 8 bytes of the name
and is hashed when read, so the index need not tell objects apart for certain,
only nearly always (in a pack of a million, one look-up in 4,000 that finds
nothing looks at a record for it).  An index is derived from its pack: damaged
or lost, the pack is scanned instead.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gvstore import fs
from gvstore.odb.fault import BadRecord, NewerFormat

MAGIC = b"\x89gvidx\r\n"
VERSION = 1
SUFFIX = ".idx"
KEY_BYTES = 4
MAX_OFFSET = (1 << 40) - 1
_HEADER = struct.Struct("<8sBBHIQQ")  # magic, version, width, zero, CRC of the columns, count, bytes of the pack
_CHECK = struct.Struct("<I")
HEADER_BYTES = _HEADER.size + _CHECK.size


def key_of(oid: bytes) -> int:
    """Returns the number under which an index files the object."""
    return int.from_bytes(oid[:KEY_BYTES], "big")


class PackIndex:
    """A mapped index; `keys` and `offsets` are columns of the same length, ordered by key."""

    __slots__ = ("_crc", "_view", "count", "keys", "offsets", "path", "size_bytes")

    def __init__(self, path: Path, pack_bytes: int) -> None:
        """Opens the index of a pack of `pack_bytes` bytes.  Costs the same for any number of objects.

        Raises:
            FileNotFoundError: there is none.
            BadRecord: it is damaged, or another pack's.
            NewerFormat: a later gvstore wrote it.
        """
        self.path = path
        fd = fs.open_read(path)
        try:
            mapped = fs.map_read(fd)
        finally:
            fs.close(fd)
        if len(mapped) < HEADER_BYTES:
            raise BadRecord("index cut off")
        magic, version, width, _, self._crc, self.count, covers = _HEADER.unpack_from(mapped)
        if zlib.crc32(mapped[: _HEADER.size]) != _CHECK.unpack_from(mapped, _HEADER.size)[0] or magic != MAGIC:
            raise BadRecord("index header damaged")
        if version != VERSION:
            raise NewerFormat(path, version)
        end = HEADER_BYTES + self.count * (KEY_BYTES + width)
        if width not in (4, 8) or len(mapped) != end or covers != pack_bytes:
            raise BadRecord("index does not fit its pack")
        self.size_bytes = end
        self._view = memoryview(mapped)
        middle = HEADER_BYTES + self.count * KEY_BYTES
        self.keys = column(self._view[HEADER_BYTES:middle], "I")
        self.offsets = column(self._view[middle:end], "I" if width == 4 else "Q")

    def find(self, oid: bytes) -> Sequence[int]:
        """Returns the offsets of the records that may be `oid`: nearly always none or one."""
        keys = self.keys
        key = int.from_bytes(oid[:KEY_BYTES], "big")
        at = bisect_left(keys, key)
        if at == self.count or keys[at] != key:
            return ()
        end = at + 1
        while end < self.count and keys[end] == key:
            end += 1
        return self.offsets[at:end]

    def positions(self, oid: bytes) -> range:
        """Returns where in the columns the records stand that may be `oid`."""
        return equal_range(self.keys, self.count, oid)

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yields the offsets of records whose keys are in [low, high]."""
        at = bisect_left(self.keys, low)
        while at < self.count and self.keys[at] <= high:
            yield self.offsets[at]
            at += 1

    def all_offsets(self) -> Iterator[int]:
        """Yields every offset, in the order of the pack's bytes."""
        yield from sorted(self.offsets)

    def holds(self) -> bool:
        """Returns whether the columns are what was written; reads them all."""
        return bool(zlib.crc32(self._view[HEADER_BYTES:]) == self._crc)


def equal_range(keys: Sequence[int], count: int, oid: bytes) -> range:
    """Returns where in an ascending column of `count` keys that of `oid` stands."""
    key = int.from_bytes(oid[:KEY_BYTES], "big")
    at = end = bisect_left(keys, key)
    while end < count and keys[end] == key:
        end += 1
    return range(at, end)


def column(view: memoryview, code: str) -> Sequence[int]:
    """Returns little-endian numbers in place; on a big-endian machine a copy."""
    if sys.byteorder == "little":
        return view.cast(code)  # type: ignore[call-overload, no-any-return]
    column = array(code)
    column.frombytes(view)
    column.byteswap()
    return column


def encode_index(entries: Iterable[tuple[bytes, int]], pack_bytes: int) -> bytes:
    """Returns the index of a pack of `pack_bytes` bytes whose objects (name or oid, offset) are `entries`."""
    return encode_places([place_of(name, at) for name, at in entries], pack_bytes)


def place_of(name: bytes, at: int) -> int:
    """Returns key and offset as one number: sorting these takes a third of the time of sorting pairs."""
    return int.from_bytes(name[:KEY_BYTES], "big") << 40 | at


def encode_places(packed: list[int], pack_bytes: int) -> bytes:
    """Returns the index of a pack of `pack_bytes` bytes from the `place_of` of its objects, which are sorted here."""
    code, width = ("I", 4) if pack_bytes < 1 << 32 else ("Q", 8)
    packed.sort()
    keys = array("I", [p >> 40 for p in packed])
    offsets = array(code, [p & MAX_OFFSET for p in packed])
    if sys.byteorder != "little":
        keys.byteswap()
        offsets.byteswap()
    columns = keys.tobytes() + offsets.tobytes()
    head = _HEADER.pack(MAGIC, VERSION, width, 0, zlib.crc32(columns), len(packed), pack_bytes)
    return head + _CHECK.pack(zlib.crc32(head)) + columns
