"""What one store's record links in another: carried over, so that no record leads nowhere.

A program may invoke into a store in memory and return the invocation, or a
reference, from a call that a repository records.
"""

from __future__ import annotations

from gvstore.journal.recorder import CURRENT
from gvstore.objects.expand import EXPANDERS, Expansion, register_expander
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.links import links
from gvstore.objects.number import REF
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.wire import Link
from gvstore.store.ref import Ref


def carry(oid: ObjectId, source: ObjectReader) -> Link:
    """Returns a link to object `oid` of `source`, which is in the store of the recording, if there is one."""
    frame = CURRENT.get()
    if frame is not None and frame.recording.objects is not source:
        copy(oid, source, frame.recording.objects)
    return Link(oid)


def copy(oid: ObjectId, source: ObjectReader, target: ObjectWriter) -> None:
    """Writes an object and all that it strongly links; what `source` does not have is left out."""
    seen: set[ObjectId] = set()
    stack = [oid]
    while stack:
        each = stack.pop()
        if each in seen:
            continue
        seen.add(each)
        try:
            data = source.read(each)
        except ObjectMissing:
            continue
        target.write(data)
        stack += links(data)[0]


_expand = EXPANDERS[Ref]


def _ref(ref: Ref[object]) -> Expansion:
    expansion = _expand(ref)
    if ref.store is not None and expansion[0] == REF:
        carry(ref.oid, ref.store.objects)
    return expansion


register_expander(Ref, _ref)
