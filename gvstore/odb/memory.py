"""The object database in memory: the same face and the same laws, nothing on disk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.odb.face import blob_bytes, blob_writer
from gvstore.odb.fault import Damage
from gvstore.odb.format import MAX_LENGTH
from gvstore.odb.prefix import RESOLVE_LIMIT, check_prefix


class MemoryDatabase:
    """Objects in a dict; usable from several threads."""

    def __init__(self) -> None:
        self._objects: dict[ObjectId, bytes] = {}

    def read(self, oid: ObjectId) -> bytes:
        """Returns the object's bytes, kind byte first.  Raises ObjectMissing."""
        try:
            return self._objects[oid]
        except KeyError:
            raise ObjectMissing(oid) from None

    def has(self, oid: ObjectId) -> bool:
        """Returns whether an object of this name is here."""
        return oid in self._objects

    def write(self, data: bytes) -> ObjectId:
        """Returns the name of `data`, kind byte first.  Raises ValueError if it is empty, or 1 GiB or more."""
        if not 0 < len(data) <= MAX_LENGTH:
            raise ValueError(f"an object has 1 to {MAX_LENGTH} bytes, not {len(data)}")
        oid = ObjectId.of(data)
        self._objects.setdefault(oid, bytes(data))
        return oid

    def flush(self) -> None:
        """Nothing to hand over."""

    def sync(self) -> None:
        """Nothing to make durable."""

    @contextmanager
    def batch(self) -> Iterator[MemoryDatabase]:
        """Yields the database."""
        yield self

    def put(self, data: bytes) -> ObjectId:
        """Returns the name of `data` stored as a blob."""
        return blob_writer()(self, data)

    def keep(self, oid: ObjectId) -> None:
        """Does nothing: nothing is collected here."""

    def hold(self) -> None:
        """Does nothing, as `keep`."""

    def get(self, oid: ObjectId) -> bytes:
        """Returns a blob's content, or the bytes of another object without its kind byte.  Raises as `read`."""
        return blob_bytes(self, oid)

    def resolve(self, prefix: str) -> list[ObjectId]:
        """Returns the oids that begin with these hex digits, sorted; at most 10.  Raises ValueError if they are no hex."""
        digits = check_prefix(prefix)
        return sorted(oid for oid in list(self._objects) if oid.hex().startswith(digits))[:RESOLVE_LIMIT]

    def __iter__(self) -> Iterator[ObjectId]:
        """Yields the oid of every object, each once."""
        yield from list(self._objects)

    def check(self, *, full: bool = False) -> Iterator[Damage]:
        """Yields nothing: memory is believed."""
        yield from ()

    def close(self) -> None:
        """Does nothing: the objects live as long as the handle."""

    def __enter__(self) -> MemoryDatabase:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
