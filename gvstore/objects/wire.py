"""MessagePack in its shortest form, links, and array heads: the bytes below all else.

msgspec writes and reads; `tests/vectors/` pins what it writes.  A link is
extension type 1 with the 32 bytes of an oid, a weak link type 2; nothing else
may use an extension, and no object holds a MessagePack map.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, Final

import msgspec

from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import OID_BYTES, ObjectId

Raw: Final = msgspec.Raw  # bytes already encoded, inside an array to pack
LINK_CODE: Final = 1
WEAK_LINK_CODE: Final = 2
LINK_HEAD: Final = b"\xc7\x20\x01"  # ext 8, 32 bytes, type 1
WEAK_LINK_HEAD: Final = b"\xc7\x20\x02"
LINK_BYTES: Final = 35
OID_AT: Final = 3  # where in a link its oid begins


class Link:
    """A link to an object, as an element of an array."""

    __slots__ = ("oid",)

    def __init__(self, oid: ObjectId) -> None:
        self.oid = oid

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.oid == self.oid

    def __hash__(self) -> int:
        return hash(self.oid)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.oid.hex()[:8]})"


class WeakLink(Link):
    """A link whose target may be absent without damage."""

    __slots__ = ()


def _to_ext(value: object) -> msgspec.msgpack.Ext:
    if type(value) is Link:
        return msgspec.msgpack.Ext(LINK_CODE, value.oid)
    if type(value) is WeakLink:
        return msgspec.msgpack.Ext(WEAK_LINK_CODE, value.oid)
    raise TypeError(f"{type(value)} has no place on the wire")


def _from_ext(code: int, data: memoryview) -> Link:
    if len(data) != OID_BYTES or code not in (LINK_CODE, WEAK_LINK_CODE):
        raise CorruptObject(None, f"extension type {code} of {len(data)} bytes")
    return (Link if code == LINK_CODE else WeakLink)(ObjectId(data))


pack: Final[Callable[[Any], bytes]] = msgspec.msgpack.Encoder(enc_hook=_to_ext).encode
_unpack: Final = msgspec.msgpack.Decoder(ext_hook=_from_ext).decode
_unpack_shallow: Final = msgspec.msgpack.Decoder(list[int | msgspec.msgpack.Ext]).decode
_split_raw: Final = msgspec.msgpack.Decoder(list[msgspec.Raw]).decode


def unpack(data: bytes | memoryview) -> Any:
    """Returns what `data` holds: nested lists, scalars, links.

    Raises:
        CorruptObject: it is not one MessagePack value of the grammar.
    """
    try:
        return _unpack(data)
    except CorruptObject:
        raise
    except (msgspec.DecodeError, ValueError, RecursionError, MemoryError, OverflowError) as e:
        raise CorruptObject(None, f"not MessagePack: {e}") from e


def unpack_shallow(data: bytes | memoryview) -> list[Any]:
    """Returns the elements of an array of whole numbers and links, which are left as (code, data); none if it is another array."""
    try:
        return _unpack_shallow(data)
    except (msgspec.DecodeError, ValueError, RecursionError, MemoryError):
        return []


def split(data: bytes | memoryview) -> list[bytes]:
    """Returns the elements of an array, each as its own bytes, undecoded.

    Raises:
        CorruptObject: `data` is not an array.
    """
    try:
        return list(map(bytes, _split_raw(data)))
    except (msgspec.DecodeError, ValueError, RecursionError, MemoryError) as e:
        raise CorruptObject(None, f"not an array: {e}") from e


def array_head(count: int) -> bytes:
    """Returns the shortest MessagePack head of an array of `count` elements."""
    if count < 16:
        return bytes((0x90 | count,))
    if count < 1 << 16:
        return struct.pack(">BH", 0xDC, count)
    return struct.pack(">BI", 0xDD, count)


def array(parts: list[bytes]) -> bytes:
    """Returns the array whose encoded elements are `parts`."""
    return array_head(len(parts)) + b"".join(parts)


def link_bytes(oid: bytes) -> bytes:
    """Returns the 35 bytes of a link to `oid`."""
    return LINK_HEAD + oid


def weak_link_bytes(oid: bytes) -> bytes:
    """Returns the 35 bytes of a weak link to `oid`."""
    return WEAK_LINK_HEAD + oid


def has_link(data: bytes) -> bool:
    """Returns whether some encoding may hold a link; never False if it does."""
    return len(data) >= LINK_BYTES and data.find(LINK_HEAD) >= 0  # `in` would ask whether a head is an int, first


def linked(part: bytes) -> ObjectId | None:
    """Returns the oid if `part` is a link and nothing else."""
    return ObjectId(part[3:]) if len(part) == LINK_BYTES and part.startswith(LINK_HEAD) else None
