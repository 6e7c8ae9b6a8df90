"""Tags with a message; a light tag is only a ref."""

from __future__ import annotations

from dataclasses import dataclass

from gvstore.objects import number
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter
from gvstore.objects.wire import link_bytes


@dataclass(frozen=True, slots=True)
class Tag:
    """An annotated tag; `created_at` in microseconds UTC."""

    target: ObjectId
    name: str
    author: str
    created_at: int
    message: str

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this tag, stored."""
        fields = FieldWriter(writer, Kind.TAG, number.TAG).raw(link_bytes(self.target))
        return fields.value(self.name).value(self.author).value(self.created_at).value(self.message).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Tag:
        """Returns the tag `oid`."""
        fields = FieldReader(reader, oid, Kind.TAG, number.TAG)
        return cls(fields.link(), fields.value(str), fields.value(str), fields.value(int), fields.value(str))
