"""Blobs: the bytes of a file, whole up to 64 KiB, above that cut into chunks.

A cut blob is a node over its chunks; its oid is that node's.  Chunks are
blobs too, so a chunk that two files share is stored once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from gvstore.objects.chunking import BLOB_MEAN, BLOB_THRESHOLD, cut_bytes, cut_stream
from gvstore.objects.decode import iter_chunks
from gvstore.objects.encode import BLOB_BYTE
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.sequence import TreeBuilder, inner_entries, node_elements

MOST_AT_ONCE: Final = 4 << 30


class _Nowhere:
    """A writer that only names."""

    def write(self, data: bytes) -> ObjectId:
        return ObjectId.of(data)

    def flush(self) -> None:
        """Nothing to hand over."""

    def sync(self) -> None:
        """Nothing to make durable."""


def put_blob(writer: ObjectWriter, data: bytes | memoryview) -> ObjectId:
    """Returns the oid of `data`, stored as a blob, cut if it is long."""
    if isinstance(data, memoryview):
        data = data.cast("B") if data.c_contiguous else data.tobytes()
    if len(data) <= BLOB_THRESHOLD:
        return writer.write(BLOB_BYTE + data)
    return _put_chunks(writer, cut_bytes(data, BLOB_MEAN))


def put_stream(writer: ObjectWriter, file: BinaryIO) -> ObjectId:
    """Returns the oid of a file's content, the same as `put_blob` of all of it, in little memory."""
    head = _read(file, BLOB_THRESHOLD + 1)
    if len(head) <= BLOB_THRESHOLD:
        return writer.write(BLOB_BYTE + head)
    return _put_chunks(writer, cut_stream(_Joined(head, file), BLOB_MEAN))  # type: ignore[arg-type]


def _read(file: BinaryIO, size: int) -> bytes:
    """Returns the next `size` bytes, fewer only at the end: pipes and raw files hand out less than they have."""
    parts = []
    while size > 0 and (part := file.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Joined:
    """A file whose beginning has been read already."""

    def __init__(self, head: bytes, file: BinaryIO) -> None:
        self._head, self._file = memoryview(head), file

    def readinto(self, buffer: memoryview) -> int:
        """Fills the beginning of `buffer`; returns how much, 0 at the end."""
        data = self._head[: len(buffer)] or self._file.read(len(buffer)) or b""
        self._head = self._head[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _put_chunks(writer: ObjectWriter, chunks: Iterator[bytes]) -> ObjectId:
    builder = TreeBuilder(writer, leaves=False)
    for chunk in chunks:
        builder.add_chunk(writer.write(BLOB_BYTE + chunk), len(chunk))
    return builder.finish()


def blob_oid(data: bytes | memoryview) -> ObjectId:
    """Returns the oid that `data` has as a blob; stores nothing."""
    return put_blob(_Nowhere(), data)


def stream_oid(file: BinaryIO) -> ObjectId:
    """Returns the oid that a file's content has as a blob; stores nothing."""
    return put_stream(_Nowhere(), file)


def iter_blob(reader: ObjectReader, oid: ObjectId) -> Iterator[bytes]:
    """Yields the bytes of a blob in pieces."""
    yield from iter_chunks(reader, oid)


def get_blob(reader: ObjectReader, oid: ObjectId) -> bytes:
    """Returns the bytes of a blob.

    Raises:
        ValueError: it has more than 4 GiB; `iter_blob` hands out pieces.
    """
    size = blob_size(reader, oid)
    if size > MOST_AT_ONCE:
        raise ValueError(f"a blob of {size} bytes is read in pieces")
    return b"".join(iter_chunks(reader, oid, size=size))


def blob_size(reader: ObjectReader, oid: ObjectId) -> int:
    """Returns how many bytes a blob has; reads one object."""
    data = reader.read(oid)
    if data[:1] == BLOB_BYTE:
        return len(data) - 1
    return sum(count for count, _ in inner_entries(oid, node_elements(oid, data)))
