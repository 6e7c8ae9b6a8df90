"""`put` and `get` over any store: bytes in, bytes out, whatever objects they become."""

from __future__ import annotations

from collections.abc import Callable

from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter


def blob_writer() -> Callable[[ObjectWriter, bytes], ObjectId]:
    """Returns what stores bytes as a blob; imported late, since reading needs none of it."""
    from gvstore.objects.blob import put_blob

    return put_blob


def blob_bytes(reader: ObjectReader, oid: ObjectId) -> bytes:
    """Returns a blob's content; of other kinds the bytes behind the kind byte."""
    data = reader.read(oid)
    if data[0] != Kind.NODE:
        return data[1:]
    from gvstore.objects.blob import get_blob

    return get_blob(reader, oid)
