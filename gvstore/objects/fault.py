"""What can be wrong with an object."""

from __future__ import annotations

from gvstore.errors import Corrupt
from gvstore.objects.oid import short


class ObjectMissing(Corrupt):
    """No object of this name is in the database."""

    def __init__(self, oid: bytes) -> None:
        self.oid = oid
        super().__init__(f"object {short(oid)} is missing")


class CorruptObject(Corrupt):
    """An object's bytes do not follow the format, or do not hash to its name."""

    def __init__(self, oid: bytes | None, why: str) -> None:
        self.oid, self.why = oid, why
        super().__init__(f"object {short(oid)} is corrupt: {why}" if oid else f"corrupt object: {why}")
