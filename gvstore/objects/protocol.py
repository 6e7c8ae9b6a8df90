"""What the pure rooms ask of a place where objects lie.

`odb` implements these on disk and in memory; nobody else does.  Bytes are
whole objects: the kind byte comes first, and the oid is the hash of all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from gvstore.objects.oid import ObjectId


class ObjectReader(Protocol):
    """Hands out objects by name."""

    def read(self, oid: ObjectId) -> bytes:
        """Returns the object's bytes, kind byte first, their hash verified.

        Raises:
            ObjectMissing: there is none of this name.
            CorruptObject: what lies there does not hash to `oid`.
        """
        ...

    def has(self, oid: ObjectId) -> bool:
        """Returns whether an object of this name can be read."""
        ...


def read_many(reader: ObjectReader, oids: Sequence[ObjectId]) -> Iterator[bytes]:
    """Yields objects in order, as `reader.read` returns them; a reader that has a faster way of its own has a `read_many`."""
    many = getattr(reader, "read_many", None)
    return map(reader.read, oids) if many is None else many(oids)


class ObjectWriter(Protocol):
    """Takes objects in."""

    def write(self, data: bytes) -> ObjectId:
        """Returns the name of `data`, kind byte first, which can be read from now on.

        It may stay in this process's memory until `flush` or `sync`.
        """
        ...

    def flush(self) -> None:
        """Hands everything written to the operating system: it outlives this process."""
        ...

    def sync(self) -> None:
        """Makes everything written durable: it outlives the machine's power."""
        ...


class ObjectStore(ObjectReader, ObjectWriter, Protocol):
    """Both."""
