"""A store in memory that counts: the test's own, as `objects` knows no rooms above it."""

from __future__ import annotations

from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId


class Objects(dict[ObjectId, bytes]):
    """Objects by name; counts how often one is read."""

    reads = 0

    def write(self, data: bytes) -> ObjectId:
        oid = ObjectId.of(data)
        self[oid] = bytes(data)
        return oid

    def read(self, oid: ObjectId) -> bytes:
        self.reads += 1
        try:
            return self[oid]
        except KeyError:
            raise ObjectMissing(oid) from None

    def has(self, oid: ObjectId) -> bool:
        return oid in self

    def flush(self) -> None:
        """All is here already."""

    def sync(self) -> None:
        """All is here already."""

    @property
    def size(self) -> int:
        """Bytes of all objects."""
        return sum(map(len, self.values()))
