"""A writer that only names: what an object would be called, without a place for it."""

from __future__ import annotations

from gvstore.objects.oid import ObjectId


class Nowhere:
    """Names what it is given, and keeps nothing."""

    def write(self, data: bytes) -> ObjectId:
        """Returns the name of the object."""
        return ObjectId.of(data)

    def flush(self) -> None:
        """There is nothing to hand over."""

    def sync(self) -> None:
        """There is nothing to make durable."""
