"""The stat cache: which oid a file of the work tree had, when it looked as it looks now.

A file whose size, times, inode and mode are those in the cache is not read
again.  One exception makes this safe: a file written in the same tick of the
file system's clock in which it was hashed could be written once more
without a change of its times ("racy", as git has it).  So an entry is kept
only if the file's times lie before the scan began, by the same clock.

docs/format/repo.md has the bytes.  The file may be deleted at any time, and
one that is damaged is as good as none.
"""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.repo import layout

MAGIC = b"gv stat\x01"
_HEAD = struct.Struct("<8sIQ")  # magic, CRC-32 of all that follows, number of entries
_ENTRY = struct.Struct("<qqqQIB32s")
_COARSEST_NS = 2_000_000_000  # FAT counts in two seconds

SCANNED = 1  # flag: looked through for keys, none found


class Look(NamedTuple):
    """How a file looks from outside."""

    mtime_ns: int
    ctime_ns: int
    size: int
    inode: int
    mode: int

    @classmethod
    def of(cls, status: os.stat_result) -> Look:
        """Returns how the file of this `lstat` looks."""
        return cls(
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_size,
            status.st_ino & 0xFFFF_FFFF_FFFF_FFFF,
            status.st_mode & 0xFFFF_FFFF,
        )


class Known(NamedTuple):
    """What a file with this look holds."""

    look: Look
    flags: int
    oid: ObjectId


class StatCache:
    """The cache of one work tree; loaded when first asked, saved by `save`."""

    def __init__(self, gv: Path, *, device: int = 0) -> None:
        self._path, self._stamp_path, self._device = gv / layout.STAT_CACHE, gv / layout.STAT_STAMP, device
        self._known: dict[str, Known] | None = None
        self._changed = False
        self._began_ns = 0

    def begin(self) -> None:
        """Notes the file system's time; call it before the first file is looked at."""
        try:
            self._stamp_path.parent.mkdir(exist_ok=True)
            fd = os.open(self._stamp_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            try:
                os.write(fd, b".")
                status = os.fstat(fd)
            finally:
                os.close(fd)
        except OSError:
            self._began_ns = 0
            return
        slack = 0 if status.st_dev == self._device else _COARSEST_NS
        self._began_ns = status.st_mtime_ns - slack

    def get(self, path: str, look: Look) -> Known | None:
        """Returns what the file holds, if it looks as it did."""
        known = self._loaded().get(path)
        return known if known is not None and known.look == look else None

    def put(self, path: str, look: Look, oid: ObjectId, *, flags: int) -> None:
        """Notes what was read; a racy file is forgotten instead."""
        if max(look.mtime_ns, look.ctime_ns) < self._began_ns:
            self._loaded()[path] = Known(look, flags, oid)
            self._changed = True
        else:
            self.drop(path)

    def drop(self, path: str) -> None:
        """Forgets a file."""
        if self._loaded().pop(path, None) is not None:
            self._changed = True

    def keep_only(self, paths: set[str]) -> None:
        """Forgets every other file."""
        for path in self._loaded().keys() - paths:
            self.drop(path)

    def save(self) -> None:
        """Writes the cache; a full disk or a read-only folder is no error, for it is only a cache."""
        if not self._changed:
            return
        known = self._loaded()
        names = b"\0".join(os.fsencode(path) for path in known)
        body = b"".join([_ENTRY.pack(*k.look, k.flags, k.oid) for k in known.values()]) + names
        head = _HEAD.pack(MAGIC, zlib.crc32(body), len(known))
        try:
            fs.write_atomic(self._path, head + body, durable=False)
            self._changed = False
        except OSError:
            return

    def _loaded(self) -> dict[str, Known]:
        if self._known is None:
            self._known = self._load()
        return self._known

    def _load(self) -> dict[str, Known]:
        try:
            data = fs.read_bytes(self._path)
        except OSError:
            return {}
        if len(data) < _HEAD.size:
            return {}
        magic, crc, count = _HEAD.unpack_from(data)
        end = _HEAD.size + count * _ENTRY.size
        if magic != MAGIC or end > len(data) or zlib.crc32(memoryview(data)[_HEAD.size :]) != crc:
            return {}
        names = [os.fsdecode(name) for name in data[end:].split(b"\0")] if count else []
        if len(names) != count:
            return {}
        entries = _ENTRY.iter_unpack(memoryview(data)[_HEAD.size : end])
        return {name: Known(Look(*e[:5]), e[5], ObjectId(e[6])) for name, e in zip(names, entries, strict=True)}
