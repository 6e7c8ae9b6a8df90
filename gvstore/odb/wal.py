"""The write-ahead journal's file: what happened in one recording, appended as it happens.

    offset  size  field
    0       8     magic "GVWAL\\x00\\x01\\n"
    8       ...   records: length u32 LE, CRC-32 of the payload u32 LE, payload

A record handed to `append` is with the operating system when it returns: it
survives the death of the process.  `sync` makes it survive the machine's.
The writing process holds the file's lock for life; a file nobody holds is a
dead process's.  Reading stops at the first record that is not whole: what
comes after it was never acknowledged.  What payloads say is `journal`'s.
"""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from gvstore import fs
from gvstore.errors import Corrupt

MAGIC: Final = b"GVWAL\x00\x01\n"
_HEAD: Final = struct.Struct("<II")


class WalFault(Corrupt):
    """A journal cannot be written or read."""


class WalWriter:
    """Appends records to a new file, locked until `close`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = fs.create(path)
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._deferred: list[bytes] = []
        self._dirty = False
        self._failed: OSError | None = None
        if not fs.try_lock(self._fd):
            raise WalFault(f"{path} is held by another process")
        self._write(MAGIC)

    def append(self, payload: bytes) -> None:
        """Hands a record, and what was deferred, to the operating system.

        Raises:
            WalFault: the file cannot be written, now or earlier.
        """
        data = _HEAD.pack(len(payload), crc32(payload)) + payload
        if self._deferred:
            with self._lock:
                data = b"".join(self._deferred) + data
                self._deferred.clear()
                self._write(data)
            return
        self._write(data)

    def defer(self, payload: bytes) -> None:
        """Keeps a record that may be lost with the process until the next `append` or `flush`."""
        self._deferred.append(_HEAD.pack(len(payload), crc32(payload)) + payload)

    def flush(self) -> None:
        """Hands what was deferred to the operating system."""
        with self._lock:
            if self._deferred:
                data = b"".join(self._deferred)
                self._deferred.clear()
                self._write(data)

    @property
    def dirty(self) -> bool:
        """Whether anything was appended since the last `sync`."""
        return self._dirty

    def sync(self) -> None:
        """Makes everything appended durable; a failed attempt is never taken for success later."""
        if self._failed is not None:
            raise WalFault(f"{self.path.name}: {self._failed.strerror}") from self._failed
        self._dirty = False
        try:
            fs.sync_data(self._fd)
        except OSError as e:
            self._failed = e
            raise WalFault(f"{self.path.name}: {e.strerror}") from e

    def close(self, *, remove: bool = False) -> None:
        """Lets go of the file; with `remove` it is deleted, because its content is stored elsewhere."""
        if self._fd < 0:
            return
        if os.getpid() == self._pid:
            self.flush()
            if remove:
                self.path.unlink(missing_ok=True)
        os.close(self._fd)
        self._fd = -1

    def _write(self, data: bytes) -> None:
        self._dirty = True
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                data = data[written:]
                written = os.write(self._fd, data)
        except OSError as e:
            self._failed = e
            raise WalFault(f"the journal {self.path.name} cannot be written: {e.strerror}") from e


def is_held(path: Path) -> bool:
    """Returns whether a living process is writing the journal."""
    try:
        fd = fs.open_update(path)
    except FileNotFoundError:
        return False
    except PermissionError:
        fd = fs.open_read(path)
    try:
        if not fs.try_lock(fd):
            return True
        fs.unlock(fd)
        return False
    finally:
        os.close(fd)


def read_records(path: Path) -> Iterator[bytes]:
    """Yields the payloads of a journal, up to the first record that is not whole.

    Raises:
        WalFault: the file is no journal.
    """
    data = fs.read_bytes(path)
    if not data.startswith(MAGIC[: len(data)]):
        raise WalFault(f"{path.name} is no journal of this version")
    view = memoryview(data)
    at = len(MAGIC)
    while at + _HEAD.size <= len(data):
        length, crc = _HEAD.unpack_from(data, at)
        payload = view[at + _HEAD.size : at + _HEAD.size + length]
        if len(payload) != length or crc32(payload) != crc:
            return
        yield bytes(payload)
        at += _HEAD.size + length
