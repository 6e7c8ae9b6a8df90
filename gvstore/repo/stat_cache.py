"""The stat cache: which oid a file of the work tree had, when it looked as it looks now.

A file whose size, times, inode and mode are those in the cache is not read
again.  One exception makes this safe: a file written in the same tick of the
file system's clock in which it was hashed could be written once more
without a change of its times ("racy", as git has it).  So an entry is kept
only if the file's times lie before the scan began, by the same clock.

Entries lie folder by folder.  A folder is unpacked when it is asked for, and
one that did not change is written as it was read.  A folder may name the tree
that all in it and below it makes (git's cache tree): where nothing changed,
no tree need be read to tell.

docs/format/repo.md has the bytes.  The file may be deleted at any time, and
one that is damaged is as good as none.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.repo import layout

MAGIC = b"gv stat\x02"
RULES_BYTES = 16
_HEAD = struct.Struct("<8sIQ")  # magic, CRC-32 of all that follows, number of folders
_FOLDER = struct.Struct("<III16s32s")  # bytes of its path, number of entries, bytes of their names, ignore rules, tree
_ENTRY = struct.Struct("<qqqQIB32s")
_COARSEST_NS = 2_000_000_000  # FAT counts in two seconds
_NO_RULES, _NO_TREE = bytes(RULES_BYTES), bytes(32)

SCANNED = 1  # flag: looked through for keys, none found
LISTED = 2  # flag: a walk found it, and the ignore rules of its folder let it pass

Raw = tuple[int, int, int, int, int, int, bytes]  # the five of a Look, flags, oid


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


class CachedFolder:
    """The entries of one folder, by name.

    `rules` is the digest of the ignore rules that held when its files were `LISTED`;
    `tree` is what those, and all that was listed below the folder, make; None: not known.
    """

    __slots__ = ("_entries", "_packed", "rules", "tree")

    def __init__(
        self, rules: bytes = _NO_RULES, tree: bytes | None = None, packed: tuple[bytes, bytes] | None = None
    ) -> None:
        self.rules, self.tree = rules, tree
        self._packed = packed  # entries and names as in the file, None once they differ
        self._entries: dict[str, Raw] | None = {} if packed is None else None

    @property
    def entries(self) -> dict[str, Raw]:
        """The entries, not to be changed but by `set` and `drop`."""
        if self._entries is None:
            assert self._packed is not None
            entries, names = self._packed
            self._entries = (
                dict(zip(os.fsdecode(names).split("\0"), _ENTRY.iter_unpack(entries), strict=False)) if entries else {}
            )
        return self._entries

    def set(self, name: str, entry: Raw) -> None:
        """Notes one file."""
        self.entries[name], self._packed = entry, None

    def drop(self, name: str) -> bool:
        """Forgets one file; returns whether it was known."""
        known = self.entries.pop(name, None) is not None
        if known:
            self._packed = None
        return known

    def packed(self) -> tuple[int, bytes, bytes]:
        """Returns the number of entries, their bytes, and the bytes of their names."""
        if self._packed is None:
            pack = _ENTRY.pack
            names = os.fsencode("\0".join(self.entries))
            self._packed = b"".join([pack(*each) for each in self.entries.values()]), names
        return len(self._packed[0]) // _ENTRY.size, *self._packed


class StatCache:
    """The cache of one work tree; loaded when first asked, saved by `save`."""

    def __init__(self, gv: Path, *, device: int = 0) -> None:
        self._path, self._stamp_path, self._device = gv / layout.STAT_CACHE, gv / layout.STAT_STAMP, device
        self._folders: dict[str, CachedFolder] | None = None
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
        folder, name = _split(path)
        cached = self.loaded().get(folder)
        known = None if cached is None else cached.entries.get(name)
        if known is None or known[:5] != look:
            return None
        return Known(look, known[5], ObjectId(known[6]))

    def put(self, path: str, look: Look, oid: ObjectId, *, flags: int) -> None:
        """Notes what was read; a racy file is forgotten instead."""
        if max(look.mtime_ns, look.ctime_ns) >= self._began_ns:
            self.drop(path)
            return
        folder, name = _split(path)
        cached = self.folder(folder)
        before = cached.entries.get(name)
        if before is not None:
            flags |= before[5] & LISTED
        if before is None or before[6] != oid or before[4] != look.mode:
            self._unsettle(folder)
        cached.set(name, (*look, flags, oid))
        self._changed = True

    def drop(self, path: str) -> None:
        """Forgets a file."""
        folder, name = _split(path)
        cached = self.loaded().get(folder)
        if cached is not None and cached.drop(name):
            self._unsettle(folder)
            self._changed = True

    def folder(self, folder: str) -> CachedFolder:
        """Returns a folder ("" or ending with "/"), known from now on."""
        folders = self.loaded()
        cached = folders.get(folder)
        if cached is None:
            cached = folders[folder] = CachedFolder()
        return cached

    def list_files(self, folder: str, names: set[str], rules: bytes) -> None:
        """Notes that a walk found these files in a folder, under these ignore rules, and no others."""
        cached = self.folder(folder)
        gone = cached.entries.keys() - names
        for name in gone:
            cached.drop(name)
        fresh = [(name, each) for name, each in cached.entries.items() if not each[5] & LISTED]
        for name, each in fresh:
            cached.set(name, (*each[:5], each[5] | LISTED, each[6]))
        if gone or fresh:
            self._unsettle(folder)
        if gone or fresh or cached.rules != rules:
            cached.rules, self._changed = rules, True

    def drop_folder(self, folder: str) -> None:
        """Forgets a folder, not what lies in folders below it."""
        if self.loaded().pop(folder, None) is not None:
            self._unsettle(folder)
            self._changed = True

    def settle(self, folder: str, tree: bytes) -> None:
        """Notes what tree all that is listed in and below a folder makes."""
        cached = self.folder(folder)
        if cached.tree != tree:
            cached.tree, self._changed = tree, True

    def save(self) -> None:
        """Writes the cache; a full disk or a read-only folder is no error, for it is only a cache."""
        if not self._changed:
            return
        heads: list[bytes] = []
        bodies: list[bytes] = []
        for path, folder in self.loaded().items():
            count, entries, names = folder.packed()
            name = os.fsencode(path)
            heads.append(_FOLDER.pack(len(name), count, len(names), folder.rules, folder.tree or _NO_TREE))
            bodies += (name, entries, names)
        body = b"".join(heads + bodies)
        try:
            fs.write_atomic(self._path, _HEAD.pack(MAGIC, zlib.crc32(body), len(heads)) + body, durable=False)
            self._changed = False
        except OSError:
            return

    def loaded(self) -> dict[str, CachedFolder]:
        """Returns all folders, by path."""
        if self._folders is None:
            self._folders = dict(self._load())
        return self._folders

    def _unsettle(self, folder: str) -> None:
        folders = self.loaded()
        while True:
            cached = folders.get(folder)
            if cached is not None and cached.tree is not None:
                cached.tree, self._changed = None, True
            if not folder:
                return
            folder = above(folder)

    def _load(self) -> Iterator[tuple[str, CachedFolder]]:
        try:
            data = fs.read_bytes(self._path)
        except OSError:
            return
        if len(data) < _HEAD.size:
            return
        magic, crc, count = _HEAD.unpack_from(data)
        at = _HEAD.size + count * _FOLDER.size
        if magic != MAGIC or at > len(data) or zlib.crc32(memoryview(data)[_HEAD.size :]) != crc:
            return
        heads = list(_FOLDER.iter_unpack(memoryview(data)[_HEAD.size : at]))
        if at + sum(path + number * _ENTRY.size + names for path, number, names, _, _ in heads) != len(data):
            return
        for path_bytes, number, names_bytes, rules, tree in heads:
            names_at = at + path_bytes + number * _ENTRY.size
            packed = data[at + path_bytes : names_at], data[names_at : names_at + names_bytes]
            yield (
                os.fsdecode(data[at : at + path_bytes]),
                CachedFolder(rules, None if tree == _NO_TREE else tree, packed),
            )
            at = names_at + names_bytes


def above(folder: str) -> str:
    """Returns the folder above one that ends with "/"; "" is above all."""
    return folder[: folder.rfind("/", 0, -1) + 1]


def _split(path: str) -> tuple[str, str]:
    """Returns the folder, "" or ending with "/", and the name."""
    cut = path.rfind("/") + 1
    return path[:cut], path[cut:]
