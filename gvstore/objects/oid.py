"""Names of objects: BLAKE3-256 over an object's bytes, kind byte included.

An `ObjectId` is 32 bytes.  Hex exists only at the edge: `oid.hex()` to print,
`ObjectId.from_hex` to read.  May be imported by every room.
"""

from __future__ import annotations

from collections.abc import Callable

from blake3 import blake3

OID_BYTES = 32


class ObjectId(bytes):
    """The name of an object: 32 bytes, hashable, ordered as its hex is."""

    __slots__ = ()

    @classmethod
    def of(cls, data: bytes | bytearray | memoryview) -> ObjectId:
        """Returns the name of the object whose bytes, kind byte first, are `data`."""
        return cls(blake3(data).digest())

    @classmethod
    def from_hex(cls, text: str) -> ObjectId:
        """Returns the oid that 64 hex digits spell.

        Raises:
            ValueError: `text` is not 64 hex digits.
        """
        if len(text) != 2 * OID_BYTES:
            raise ValueError(f"an object id has 64 hex digits, {text[:80]!r} has {len(text)} characters")
        digest = bytes.fromhex(text)
        if len(digest) != OID_BYTES:  # fromhex passes over blanks
            raise ValueError(f"{text!r} is not 64 hex digits")
        return cls(digest)

    def __repr__(self) -> str:
        return f"<oid {self.hex()[:8]}>"

    __str__ = bytes.hex


def is_named(data: bytes, oid: bytes) -> bool:
    """Returns whether `oid` is the name of the object whose bytes are `data`."""
    return blake3(data).digest() == oid


def hasher() -> Callable[[bytes], bytes]:
    """Returns a function that gives the digest of an object's bytes: for many, one after the other, in one thread."""
    state = blake3()
    reset, update, digest = state.reset, state.update, state.digest

    def digest_of(data: bytes) -> bytes:
        reset()
        update(data)
        return digest()

    return digest_of


def short(oid: bytes | None) -> str:
    """Returns the first 8 hex digits, or `none`: for messages, where no database is at hand to find the shortest unique prefix."""
    return "none" if oid is None else oid.hex()[:8]
