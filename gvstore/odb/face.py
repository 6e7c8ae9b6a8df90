"""`put` and `get` over any store: bytes in, bytes out, whatever objects they become."""

from __future__ import annotations

from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter


def store_blob(writer: ObjectWriter, data: bytes) -> ObjectId:
    """Returns the oid of `data` stored as a blob."""
    from gvstore.objects.blob import put_blob

    return put_blob(writer, data)


def blob_bytes(reader: ObjectReader, oid: ObjectId) -> bytes:
    """Returns a blob's content; of other kinds the bytes behind the kind byte."""
    data = reader.read(oid)
    if data[0] != Kind.NODE:
        return data[1:]
    from gvstore.objects.blob import get_blob

    return get_blob(reader, oid)
