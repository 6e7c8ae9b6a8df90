"""What is read but not yet stored: objects in memory over a database that is not written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.store.store import Store


class Overlay:
    """Reads from memory, then from `below`; writes to memory."""

    def __init__(self, below: ObjectReader) -> None:
        self._below = below
        self._objects: dict[ObjectId, bytes] = {}

    @property
    def objects(self) -> Overlay:
        """Itself: what a Store stands on."""
        return self

    def read(self, oid: ObjectId) -> bytes:
        """Returns the object's bytes."""
        data = self._objects.get(oid)
        return self._below.read(oid) if data is None else data

    def has(self, oid: ObjectId) -> bool:
        """Returns whether the object is here or below."""
        return oid in self._objects or self._below.has(oid)

    def write(self, data: bytes) -> ObjectId:
        """Keeps the object in memory."""
        oid = ObjectId.of(data)
        self._objects[oid] = bytes(data)
        return oid

    def written(self) -> list[bytes]:
        """Returns the objects in memory."""
        return list(self._objects.values())

    def flush(self) -> None:
        """Memory has nothing to hand over."""

    def sync(self) -> None:
        """Memory has nothing to make durable."""

    def store(self, root: Path | None, home: Callable[[], Store] | None = None) -> Store:
        """Returns a store over it; `home` stores what is in memory and returns the store that then has it."""
        store = OverlayStore(self)
        store.root, store.home = root, home
        return store


class OverlayStore(Store):
    """A store of what is not stored yet."""

    home: Callable[[], Store] | None = None
