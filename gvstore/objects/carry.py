"""What one database's value links in another's: carried over while it is encoded, so that no link leads nowhere."""

from __future__ import annotations

from gvstore.objects.fault import ObjectMissing
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter


class Carried:
    """A link to an object of `source`; the database that it is encoded into gets what it leads to."""

    __slots__ = ("oid", "source")

    def __init__(self, oid: ObjectId, source: ObjectReader) -> None:
        self.oid, self.source = oid, source


def carry(oid: ObjectId, source: ObjectReader, target: ObjectWriter) -> None:
    """Writes an object and all that it strongly links to `target`, as far as it is not there; what `source` does not have is left out."""
    here: object = target
    if source is here:
        return
    known = getattr(target, "has", None)
    if known is None:  # one that only names what it is given
        return
    seen: set[ObjectId] = set()
    stack = [oid]
    while stack:
        each = stack.pop()
        if each in seen or known(each):
            continue
        seen.add(each)
        try:
            data = source.read(each)
        except ObjectMissing:
            continue
        target.write(data)
        stack += links(data)[0]
