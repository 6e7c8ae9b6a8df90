"""Facts of code on disk, so that the next process need not read what has been read.

    cache/code    records, one after the other

    record        key 32 | length of the data 4 | BLAKE3 of key and data, its first 8 bytes | data, deflated

A cache: it may be deleted at any time, and what is damaged is as good as
none.  Records are appended, each batch in one write, so several processes may
write at once; of two records of one key the later counts.  A file that has
grown past MAX_BYTES, or is mostly records that others took the place of, is
written anew: with what this process has asked for and the latest of the rest,
half of MAX_BYTES at most.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gvstore import fs
from gvstore.objects.oid import ObjectId

MAX_BYTES: Final = 32 << 20
_HEAD: Final = struct.Struct("<32sI8s")
_MAX_RECORD: Final = 8 << 20
_LITTLE_BYTES: Final = 1 << 20  # so much may be superseded before it matters


class FactFile:
    """The facts kept in the file at `path`, whose folder is made if it alone is missing; read once, when first asked.

    `read_only` asks that nothing is written.
    """

    def __init__(self, path: Path, *, read_only: bool = False, max_bytes: int = MAX_BYTES) -> None:
        self._path, self._read_only, self._max_bytes = path, read_only, max_bytes
        self._records: dict[bytes, bytes] | None = None
        self._size = 0
        self._is_sound = True
        self._used: dict[bytes, None] = {}

    def get(self, key: bytes) -> bytes | None:
        """Returns what is kept under a key of 32 bytes, or None."""
        record = self._read().get(key)
        if record is None:
            return None
        self._use(key)
        try:
            return zlib.decompressobj().decompress(record[_HEAD.size :], _MAX_RECORD)
        except zlib.error:
            return None

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keeps these; where nothing can be written, nothing is kept."""
        records = {key: _record(key, zlib.compress(data, 1)) for key, data in entries.items() if len(data) <= _MAX_RECORD}
        self._read().update(records)
        for key in records:
            self._use(key)
        grown = sum(map(len, records.values()))
        if self._read_only:
            return
        try:
            self._path.parent.mkdir(exist_ok=True)
            live = sum(map(len, self._read().values()))
            if not self._is_sound or self._size + grown > min(self._max_bytes, 2 * live + _LITTLE_BYTES):
                self._write_anew()
            elif records:
                self._append(b"".join(records.values()))
        except OSError:
            return

    def _use(self, key: bytes) -> None:
        self._used.pop(key, None)
        self._used[key] = None

    def _read(self) -> dict[bytes, bytes]:
        if self._records is None:
            self._records = {}
            try:
                data = fs.read_bytes(self._path, limit=4 * self._max_bytes)
            except FileNotFoundError:
                data = b""
            except OSError:
                data, self._is_sound = b"", False
            self._size = len(data)
            end = 0
            for key, record in _records(data):
                self._records[key] = record
                end += len(record)
            self._is_sound = self._is_sound and end == len(data)
        return self._records

    def _append(self, data: bytes) -> None:
        fs.append(self._path, data)
        self._size += len(data)

    def _write_anew(self) -> None:
        records = self._read()
        kept: dict[bytes, bytes] = {}
        size = 0
        for key in (*reversed(self._used), *reversed(records)):  # the latest first
            if key in records and key not in kept and size + len(records[key]) <= self._max_bytes // 2:
                kept[key] = records[key]
                size += len(records[key])
        fs.write_atomic(self._path, b"".join(reversed(kept.values())), durable=False)
        self._records, self._size, self._is_sound = kept, size, True


def _record(key: bytes, data: bytes) -> bytes:
    return _HEAD.pack(key, len(data), _check(key, data)) + data


def _check(key: bytes, data: bytes) -> bytes:
    return bytes(ObjectId.of(key + data))[:8]


def _records(data: bytes) -> Iterable[tuple[bytes, bytes]]:
    """Yields (key, record) up to the first that is not whole."""
    at = 0
    while at + _HEAD.size <= len(data):
        key, length, check = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if end > len(data) or _check(key, data[at + _HEAD.size : end]) != check:
            return
        yield key, data[at:end]
        at = end
