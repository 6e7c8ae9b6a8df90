"""Operations: one command's effect on refs.

An operation is stored before refs.db is changed, so refs.db can be rebuilt
from operations, and `gv undo` takes one back.
"""

from __future__ import annotations

from dataclasses import dataclass

from gvstore.objects import number
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter, maybe_weak


@dataclass(frozen=True, slots=True)
class RefChange:
    """What happened to one ref: its text before and after, empty where it was not there."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One command: who, when (microseconds UTC), what was typed, and the refs it changed.

    `parent` is the operation before it, a weak link: old ones may be collected.
    """

    parent: ObjectId | None
    command: str
    author: str
    created_at: int
    changes: tuple[RefChange, ...]

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this operation, stored."""
        fields = FieldWriter(writer, Kind.OPERATION, number.OPERATION).raw(maybe_weak(self.parent))
        fields.value(self.command).value(self.author).value(self.created_at)
        return fields.value([(each.name, each.old, each.new) for each in self.changes]).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Operation:
        """Returns the operation `oid`."""
        fields = FieldReader(reader, oid, Kind.OPERATION, number.OPERATION)
        parent, command, author = fields.maybe_link(), fields.value(str), fields.value(str)
        created_at, changes = fields.value(int), fields.value(list)
        if not all(type(each) is tuple and list(map(type, each)) == 3 * [str] for each in changes):
            raise CorruptObject(oid, "a ref change is a name and two texts")
        return cls(parent, command, author, created_at, tuple(RefChange(*each) for each in changes))
