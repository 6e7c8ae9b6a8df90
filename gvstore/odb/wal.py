"""The write-ahead journal's file: what happened in one recording, appended as it happens.

    offset  size  field
    0       8     magic "GVWAL\\x00\\x01\\n"
    8       ...   records: length u32 LE (1 or more), CRC-32 of the payload u32 LE, payload

A record handed to `append` is with the operating system when it returns: it
survives the death of the process.  `sync` makes it survive the machine's.
The writing process holds the file's lock for life; a file nobody holds is a
dead process's.  A write that failed is never followed by another, so what is
torn is the file's end, and was never acknowledged; reading goes on behind
bytes that were damaged later.  What payloads say is `journal`'s.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol
from zlib import crc32

from gvstore import fs
from gvstore.errors import Corrupt
from gvstore.odb.fault import Unreadable, WriteFailed

MAGIC: Final = b"GVWAL\x00\x01\n"
_HEAD: Final = struct.Struct("<II")
_SEARCH_BYTES: Final = 64 << 20  # hashed at most in the search for the next record behind damage


class WalFault(Corrupt):
    """A journal is in use."""


class OpenRecord(Protocol):
    """A deferred record to which more may be added until it is written."""

    def seal(self) -> bytes:
        """Returns the payload; called once."""
        ...


class WalWriter:
    """Appends records to a new file, locked until `close`; for several threads.

    `lock` is held while anything is written; who holds it already may use `append_held`.

    Raises:
        WriteFailed: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._in_sync = threading.Lock()
        self._deferred: list[bytes | OpenRecord] = []
        self._dirty = False
        self._failed: OSError | None = None
        try:
            self._fd = fs.create(path)
        except OSError as e:
            raise WriteFailed(path, e) from e
        try:
            if not fs.try_lock(self._fd):
                raise WalFault(f"{path} is held by another process")
            self._write(MAGIC)
        except BaseException:
            self.close(remove=True)
            raise

    def append(self, payload: bytes) -> None:
        """Hands a record, and what was deferred, to the operating system.

        Raises:
            WriteFailed: the file cannot be written, now or earlier.
        """
        with self.lock:
            self.append_held(payload)

    def append_held(self, payload: bytes) -> None:
        """The same, for who holds `lock`."""
        data = _HEAD.pack(len(payload), crc32(payload)) + payload
        if self._deferred:
            data = self._take_deferred() + data
        elif self._failed is None and self._fd >= 0:  # the way of every call, as `_write` goes it
            self._dirty = True
            try:
                written = os.write(self._fd, data)
            except OSError as e:
                self._failed = e
                raise WriteFailed(self.path, e) from e
            if written == len(data):
                return
            data = data[written:]
        self._write(data)

    def defer(self, record: bytes | OpenRecord) -> None:
        """Keeps a record that may be lost with the process until the next `append` or `flush`."""
        with self.lock:
            self._deferred.append(record)
            self._dirty = True

    def flush(self) -> None:
        """Hands what was deferred to the operating system."""
        with self.lock:
            if self._deferred:
                self._write(self._take_deferred())

    def _take_deferred(self) -> bytes:
        payloads = [each if type(each) is bytes else each.seal() for each in self._deferred]  # type: ignore[union-attr]
        self._deferred.clear()
        return b"".join([_HEAD.pack(len(each), crc32(each)) + each for each in payloads])

    @property
    def dirty(self) -> bool:
        """Whether anything was appended or deferred since the last `sync`."""
        return self._dirty

    def sync(self) -> None:
        """Makes everything appended and deferred durable.

        Raises:
            WriteFailed: now or earlier; a failed attempt is never taken for success later.
        """
        if self._failed is not None:
            raise WriteFailed(self.path, self._failed)
        self.flush()
        self._dirty = False
        try:
            with self._in_sync:  # the file is not replaced under it
                fs.sync_data(self._fd)
        except OSError as e:
            self._failed = e
            raise WriteFailed(self.path, e) from e

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return 0 if self._fd < 0 else fs.size_bytes(self._fd)

    def replace(self, payloads: Iterable[bytes]) -> None:
        """Puts a new file, which begins with these records, in place of this one; the lock is held.

        It is durable before it takes the old one's name.  Where it cannot be written the old one goes on.
        """
        self.flush()
        path = self.path.with_name(f"{self.path.stem}-next{self.path.suffix}")
        fd = -1
        try:
            fd = fs.create(path)
            if not fs.try_lock(fd):
                raise WalFault(f"{path} is held by another process")
            _write_whole(fd, MAGIC + b"".join([_HEAD.pack(len(each), crc32(each)) + each for each in payloads]))
            fs.sync_data(fd)
            fs.rename(path, self.path)
            fs.sync_folder(self.path.parent)
        except OSError:
            if fd >= 0:
                with suppress(OSError):
                    path.unlink(missing_ok=True)
                fs.close(fd)
            return
        old, self._fd = self._fd, fd
        with self._in_sync:
            fs.close(old)

    def close(self, *, remove: bool = False) -> None:
        """Lets go of the file; with `remove` it is deleted, because its content is stored elsewhere."""
        if self._fd < 0:
            return
        try:
            if remove:
                with suppress(OSError):  # what stays is swept later: what it says is stored, and is not to fail for this
                    self.path.unlink(missing_ok=True)
            elif self._failed is None:
                self.flush()
        finally:
            with self.lock:
                fd, self._fd = self._fd, -1
                fs.close(fd)

    def abandon(self) -> None:
        """In a forked child: closes its copy of the descriptor, else the child would hold the parent's lock."""
        self.lock = threading.RLock()  # another thread of the parent may have held it
        fd, self._fd = self._fd, -1
        if fd >= 0:
            fs.close(fd)

    def _write(self, data: bytes) -> None:
        if self._failed is not None:
            raise WriteFailed(self.path, self._failed)
        if self._fd < 0:  # closed: what a thread still tells after the end is not recorded
            return
        self._dirty = True
        try:
            _write_whole(self._fd, data)
        except OSError as e:
            self._failed = e
            raise WriteFailed(self.path, e) from e


def _write_whole(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        data = data[written:]
        written = os.write(fd, data)


def is_held(path: Path) -> bool:
    """Returns whether a living process is writing the journal.

    Raises:
        Unreadable: the system refuses to tell.
    """
    try:
        fd = fs.open_update(path)
    except (FileNotFoundError, fs.NotAFile):
        return False
    except OSError as e:
        if e.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise Unreadable(path, e) from e
        fd = fs.open_read(path)
    try:
        return fs.is_locked(fd)
    finally:
        fs.close(fd)


def read_records(path: Path) -> Iterator[bytes | None]:
    """Yields the payloads of a journal in order; None where bytes between whole records are not what was written.

    What was cut off at the end is no damage: its writer died, or its disk was full.

    A beginning that is not what was written is damage too: the records are
    checked on their own.  (Which version of the journal a repository has, `.gv/format` tells.)
    """
    data = fs.read_bytes(path)
    if not data.startswith(MAGIC[: len(data)]):
        yield None
    at: int | None = len(MAGIC)
    while at is not None and at < len(data):
        end = _record_end(data, at)
        if end is not None:
            yield data[at + _HEAD.size : end]
            at = end
            continue
        behind = _next_record(data, at)
        if behind is not None or not _is_torn(data, at):
            yield None
        at = behind


def _record_end(data: bytes, at: int) -> int | None:
    """Returns where the whole record at `at` ends, or None if there is none."""
    if at + _HEAD.size > len(data):
        return None
    length, crc = _HEAD.unpack_from(data, at)
    start = at + _HEAD.size
    if not 0 < length <= len(data) - start or crc32(memoryview(data)[start : start + length]) != crc:
        return None
    return start + int(length)


def _is_torn(data: bytes, at: int) -> bool:
    """Returns whether what begins at `at`, the end of the file, may be a record whose writing was cut off.

    It is none if it is as long as it says and its CRC does not hold, or if it
    holds over the bytes that are there: then its length was changed.
    """
    rest = len(data) - at - _HEAD.size
    if rest <= 0:
        return True
    length, crc = _HEAD.unpack_from(data, at)
    return not data[at:].strip(b"\0") or (length > rest and crc32(memoryview(data)[at + _HEAD.size :]) != crc)


def _next_record(data: bytes, at: int) -> int | None:
    """Returns where the next whole record begins behind damage at `at`, or None."""
    budget = _SEARCH_BYTES
    for start in range(at + 1, len(data) - _HEAD.size):
        length = int.from_bytes(data[start : start + 4], "little")
        if 0 < length <= len(data) - start - _HEAD.size:
            budget -= length
            if budget < 0:
                return None
            if _record_end(data, start) is not None:
                return start
    return None
