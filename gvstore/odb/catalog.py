"""Which files of objects there are, and looking an object up in all of them.

Files are found by listing `live/` first and `pack/` after: a segment that is
sealed in between shows up in the second.  A merge can hide a file from one
listing, so a miss lists again until nothing changes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from gvstore import fs
from gvstore.odb import pack, segment
from gvstore.odb.dictionary import Dictionaries
from gvstore.odb.fault import NewerFormat
from gvstore.odb.format import HEADER_BYTES
from gvstore.odb.pack import Pack

LIVE = "live"
PACK = "pack"
DICT = "dict"
REMEMBERED = 50_000  # objects, some 200 bytes each


def is_stored(name: str, suffix: str) -> bool:
    """Returns whether this is the name of such a file: 16 to 64 hex digits and the suffix."""
    stem = name.removesuffix(suffix)
    return stem != name and 16 <= len(stem) <= 64 and all(c in "0123456789abcdef" for c in stem)


class Catalog:
    """The files under one objects folder, but for the segment that this process writes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.dictionaries = Dictionaries(folder / DICT)
        self.packs: tuple[Pack, ...] = ()
        self.refused: dict[Path, Exception] = {}  # files that are there and cannot be opened
        self.own: set[Path] = set()
        self._lock = threading.Lock()
        self._listed = False
        self._offsets: dict[Path, dict[bytes, int]] = {}

    def files(self) -> Iterator[Path]:
        """Yields the paths of all segments and packs as they are now, those of this process included."""
        for name in fs.list_folder(self.folder / LIVE):
            if is_stored(name, segment.SUFFIX):
                yield self.folder / LIVE / name
        for name in fs.list_folder(self.folder / PACK):
            if is_stored(name, pack.SUFFIX):
                yield self.folder / PACK / name

    def load(self) -> None:
        """Lists the files if that was not done yet."""
        if not self._listed:
            self.refresh()

    def refresh(self) -> bool:
        """Lists the files again; returns whether there is anything new in them."""
        with self._lock:
            self._listed = True
            known = {p.path: p for p in self.packs}
            changed = False
            found: list[Pack] = []
            for path in self.files():
                if path in self.own:
                    continue
                old = known.pop(path, None)
                if old is None:
                    new = self._open(path)
                    if new is None:
                        continue
                    found.append(new)
                    changed = True
                else:
                    found.append(old)
                    if old.grown():
                        old.rescan()
                        changed = True
            self.packs = tuple(reversed(found))
            for gone in known.values():
                self._offsets.pop(gone.path, None)
                gone.close()
            return changed

    def remember(self, path: Path, offsets: dict[bytes, int]) -> None:
        """Keeps the offsets of a segment that this process seals into `path`, for it knows them anyway; not of too many."""
        if sum(map(len, self._offsets.values())) + len(offsets) <= REMEMBERED:
            self._offsets[path] = offsets

    def _open(self, path: Path) -> Pack | None:
        try:
            opened = Pack(path, self.dictionaries, offsets=self._offsets.get(path))
        except FileNotFoundError:
            return None
        except (OSError, NewerFormat) as e:
            self.refused[path] = e
            return None
        if opened.live and opened.size_bytes <= HEADER_BYTES:
            opened.close()  # its writer has not come to write; the next listing will tell more
            return None
        return opened

    def find(self, oid: bytes) -> bytes | None:
        """Returns the object, verified, or None if it is in none of the files as last listed."""
        for p in self.packs:
            data = p.get(oid)
            if data is not None:
                return data
        return None

    def find_harder(self, oid: bytes) -> bytes | None:
        """Returns the object, verified, or None only if no file has it whole, whatever the indices say."""
        for _ in range(8):
            changed = self.refresh()
            data = self.find(oid) if changed else None
            if data is not None:
                return data
            if not changed:
                break
        for p in self.packs:
            if p.distrust():
                data = p.get(oid)
                if data is not None:
                    return data
        return None

    def has_wreck(self, oid: bytes) -> bool:
        """Returns whether the object's record is there and damaged; to be asked after a miss."""
        return any(p.has_wreck(oid) for p in self.packs)

    def after_fork(self) -> None:
        """Makes the lock anew: a thread that is not in the child may have held it.  The parent's segment is another's now."""
        self._lock = threading.Lock()
        self.own = set()
        self._listed = False

    def close(self) -> None:
        """Lets go of all files."""
        with self._lock:
            for p in self.packs:
                p.close()
            self.packs = ()
            self._offsets = {}
            self._listed = False
