"""The bytes of a segment, which are the bytes of a pack too: header, items, marks.

    header   16   magic 8 | version 1 | zero 3 | CRC-32 of the 12 before
    item     tag varint | name 8 | body
    tag           length of the body << 5 | kept << 4 | codec, LEB128, shortest form
    codec         0 raw, 1 zstd, 2..14 zstd with the dictionary in slot codec-2, 15 control
    kept          1: a program stored this with `put`; gc never collects it

An object's item is named by the first 8 bytes of its oid: a check that no
accident passes, since a reader hashes what comes out, and the name by which a
scan finds it again, in one.  (A CRC beside a table of names in the mark was
tried on paper: 12 bytes an object instead of 8, and a lost mark lost names.)
Control items are named by a magic instead:

    dict     body 37   slot 1 | hash 32 | CRC-32 4           only right after the header
    mark     body 16   length 4 | back 4 | CRC-32 4 | check 4
    seal     as mark, and nothing follows: the file is closed

A mark closes a batch: `length` bytes lie between the batch's first byte and
the mark, `CRC-32` is theirs.  All before (mark - `back`) was durable when the
mark was written: an invalid item below that offset is damage, above it a torn
tail.  `check` is the CRC-32 of the mark's own magic, fields and offset, so
that a mark is believed nowhere else.  All numbers are little-endian.

Zstandard frames are magicless, state their content size and carry neither
checksum nor dictionary id.  `docs/format/odb.md` is the byte contract.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple, Protocol, overload

from gvstore.objects.oid import ObjectId
from gvstore.odb.fault import BadRecord

RAW = 0
PLAIN = 1
FIRST_SLOT = 2
MAX_SLOTS = 13
CONTROL = 15
KEPT = 16

NAME_BYTES = 8
MAX_LENGTH = (1 << 30) - 1
HEADER_BYTES = 16
VERSION = 1
SEGMENT_MAGIC = b"\x89gvseg\r\n"
DICT_MAGIC = b"\x00gvdict\xff"
MARK_MAGIC = b"\x00gvmark\xff"
SEAL_MAGIC = b"\x00gvseal\xff"

_HEADER = struct.Struct("<8sB3xI")
_MARK = struct.Struct("<III")
_U32 = struct.Struct("<I")
_PLACE = struct.Struct("<Q")
DICT_BODY = 37
SEAL_BITS = 8
MARK_BODY = 16


class Bytes(Protocol):
    """What can be read in place: bytes, a mapped file."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, at: int, /) -> int: ...
    @overload
    def __getitem__(self, at: slice, /) -> bytes: ...


class Item(NamedTuple):
    """Where an item's parts lie: its body is [start, end), its name the 8 bytes before."""

    codec: int
    start: int
    end: int


class Mark(NamedTuple):
    """The end of a batch: the batch is [begin, at), and [0, durable) was on the disk."""

    at: int
    end: int
    begin: int
    durable: int
    crc: int
    seal: bool


def tag(codec: int, length: int, *, kept: int = 0) -> bytes:
    """Returns how an item begins whose body has `length` bytes; `kept` is 0 or KEPT."""
    value = length << 5 | kept | codec
    if value < 0x80:
        return value.to_bytes(1, "little")
    if value < 0x4000:
        return (value & 0x7F | 0x80 | value >> 7 << 8).to_bytes(2, "little")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


MARK_HEAD = tag(CONTROL, MARK_BODY) + MARK_MAGIC
SEAL_HEAD = tag(CONTROL, MARK_BODY) + SEAL_MAGIC
MARK_BYTES = len(MARK_HEAD) + MARK_BODY


def item_at(view: Bytes, at: int) -> Item:
    """Returns the item that begins at `at`; its body lies within `view`.

    Raises:
        BadRecord: none can begin there, or it is cut off.
    """
    try:
        value = view[at]
        at += 1
        if value >= 0x80:
            value &= 0x7F
            shift = 7
            while True:
                byte = view[at]
                at += 1
                value |= (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
                if shift > 28:
                    raise BadRecord("length too long")
            if not byte:
                raise BadRecord("length not in its shortest form")
    except IndexError:
        raise BadRecord("cut off") from None
    start = at + NAME_BYTES
    end = start + (value >> 5)
    if end > len(view):
        raise BadRecord("cut off")
    return Item(value & 15, start, end)


def is_kept(view: Bytes, at: int) -> int:
    """Returns KEPT if the item at `at` is so marked, else 0."""
    return view[at] & KEPT


def header() -> bytes:
    """Returns the first 16 bytes of a file."""
    first = SEGMENT_MAGIC + bytes((VERSION, 0, 0, 0))
    return first + _U32.pack(zlib.crc32(first))


def header_version(view: Bytes) -> int:
    """Returns the format version that a header states.

    Raises:
        BadRecord: it is damaged; a file of a later version is not, its check holds.
    """
    first = bytes(view[0:HEADER_BYTES])
    if len(first) < HEADER_BYTES:
        raise BadRecord("header cut off")
    magic, version, check = _HEADER.unpack(first)
    if check != zlib.crc32(first[:12]) or magic != SEGMENT_MAGIC:
        raise BadRecord("header damaged")
    return int(version)


def dict_item(slot: int, name: ObjectId) -> bytes:
    """Returns the item that gives a dictionary its slot in this file."""
    body = bytes((slot,)) + name
    return tag(CONTROL, DICT_BODY) + DICT_MAGIC + body + _U32.pack(zlib.crc32(body))


DICT_BYTES = len(dict_item(0, ObjectId(bytes(32))))


def parse_dict(view: Bytes, item: Item) -> tuple[int, ObjectId]:
    """Returns slot and name.

    Raises:
        BadRecord: it is damaged.
    """
    body = view[item.start : item.end]
    slot = body[0] if body else MAX_SLOTS
    if len(body) != DICT_BODY or _U32.unpack(body[33:])[0] != zlib.crc32(body[:33]) or slot >= MAX_SLOTS:
        raise BadRecord("dictionary item damaged")
    return slot, ObjectId(body[1:33])


def mark_item(at: int, *, length: int, durable: int, crc: int, seal: bool) -> bytes:
    """Returns the mark to be written at offset `at`."""
    magic = SEAL_MAGIC if seal else MARK_MAGIC
    fields = _MARK.pack(length, at - durable, crc)
    return (SEAL_HEAD if seal else MARK_HEAD) + fields + _U32.pack(zlib.crc32(_PLACE.pack(at), zlib.crc32(magic + fields)))


def parse_mark(view: Bytes, at: int) -> Mark | None:
    """Returns the mark that lies at `at`, or None."""
    raw = bytes(view[at : at + MARK_BYTES])
    if len(raw) < MARK_BYTES or not raw.startswith((MARK_HEAD, SEAL_HEAD)):
        return None
    head = len(MARK_HEAD)
    check = zlib.crc32(_PLACE.pack(at), zlib.crc32(raw[head - NAME_BYTES : -4]))
    length, back, crc = _MARK.unpack_from(raw, head)
    if check != _U32.unpack_from(raw, MARK_BYTES - 4)[0] or max(length, back) > at:
        return None
    return Mark(at, at + MARK_BYTES, at - length, at - back, crc, raw.startswith(SEAL_HEAD))


def resembles_seal(raw: bytes, at: int) -> bool:
    """Returns whether `raw`, all that lies behind a mark, is the seal of a closed file with some bits changed.

    A write that a crash cut off leaves a beginning of the seal, then nothing or zeros: that is no damage.
    """
    seal = mark_item(at, length=0, durable=at, crc=0, seal=True)
    if len(raw) != len(seal) or seal.startswith(raw.rstrip(b"\0")):
        return False
    changed = int.from_bytes(raw, "little") ^ int.from_bytes(seal, "little")
    return 0 < changed.bit_count() <= SEAL_BITS
