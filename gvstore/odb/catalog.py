"""Which files of objects there are, and looking an object up in all of them.

Files are found by listing `live/` first and `pack/` after: a segment that is
sealed in between shows up in the second.  A merge can hide a file from one
listing, so a miss lists again until nothing changes.  Packs that the
multi-pack index covers (midx.py) are opened when something is found in them.

Before anything is listed a lease is taken (lease.py), so that what is found
does not vanish.  What gc has condemned is out of sight: it is looked at last,
when an object is asked for by name, and from then on nothing is deleted while
this process lives.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

from gvstore import fs
from gvstore.errors import GvError
from gvstore.objects.oid import ObjectId
from gvstore.odb import condemned, lock, midx, pack, segment, tombstone
from gvstore.odb.dictionary import Dictionaries
from gvstore.odb.fault import BadRecord, CollectedMeanwhile, NewerFormat
from gvstore.odb.format import HEADER_BYTES
from gvstore.odb.lease import Lease, current_epoch
from gvstore.odb.midx import Layer
from gvstore.odb.pack import Awake, Pack

LIVE = "live"
PACK = "pack"
DICT = "dict"
REMEMBERED = 50_000  # objects, some 200 bytes each
MOST_AWAKE = 128  # mapped packs, two descriptors each


def is_stored(name: str, suffix: str) -> bool:
    """Returns whether this is the name of such a file: 16 to 64 hex digits and the suffix."""
    stem = name.removesuffix(suffix)
    return stem != name and 16 <= len(stem) <= 64 and all(c in "0123456789abcdef" for c in stem)


class Catalog:
    """The files under one objects folder, but for the segment that this process writes."""

    def __init__(self, folder: Path, *, read_only: bool = True) -> None:
        """With `read_only` no lease is taken: who writes nothing needs nothing to last."""
        self.folder = folder
        self.read_only = read_only
        self.dictionaries = Dictionaries(folder / DICT)
        self.packs: tuple[Pack, ...] = ()  # to be asked one by one
        self.layers: tuple[Layer, ...] = ()
        self._covered: dict[str, Path] = {}  # packs that a layer covers, by name
        self._opened: dict[str, Pack] = {}  # those of them that were opened
        self._bad_layers: set[Path] = set()
        self.refused: dict[Path, Exception] = {}  # files that are there and cannot be opened
        self.own: set[Path] = set()
        self.forgotten: frozenset[bytes] = frozenset()
        self.lease: Lease | None = None
        self._epoch: int | None = None  # in which the first listing was, without a lease
        self._lock = threading.Lock()
        self._listed = False
        self._offsets: dict[Path, dict[bytes, int]] = {}
        self._awake = Awake(max(16, min(MOST_AWAKE, fs.open_files_limit() // 8)))

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
            self._try_hold()
            self._listed = True
            self.dictionaries.look_again()
            self.forgotten = tombstone.names(self.folder)
            known = {p.path: p for p in self.packs}
            changed = self._list_layers()
            names = {name for layer in self.layers for name, _ in layer.packs}
            covered: dict[str, Path] = {}
            found: list[Pack] = []
            for path in self.files():
                if path in self.own:
                    continue
                if path.stem in names and path not in self._offsets and path.suffix == pack.SUFFIX:
                    covered[path.stem] = path
                    changed = changed or path.stem not in self._covered
                    continue
                old = known.pop(path, None)
                if old is None:
                    new = self.open(path)
                    if new is None:
                        continue
                    found.append(new)
                    changed = True
                else:
                    found.append(old)
                    if old.grown():
                        try:
                            old.rescan()
                        except FileNotFoundError:
                            continue
                        except OSError as e:
                            self.refused[path] = e
                            continue
                        changed = True
            self.packs = tuple(reversed(found))
            self._covered = covered
            for name in self._opened.keys() - covered.keys():
                self._opened.pop(name).close()
            for gone in known.values():
                self._offsets.pop(gone.path, None)
                gone.close()
            return changed

    def _list_layers(self) -> bool:
        """Lists the layers of the multi-pack index; returns whether there are others than before."""
        known = {layer.path: layer for layer in self.layers}
        paths = [path for path in midx.paths(self.folder) if path not in self._bad_layers]
        if paths == list(known):
            return False
        found = []
        for path in paths:
            try:
                found.append(known.get(path) or Layer(path))
            except (OSError, BadRecord):
                continue
        self.layers = tuple(found)
        return True

    def begin(self) -> None:
        """Takes the lease if it can be had; nothing is looked at yet."""
        with self._lock:
            self._try_hold()

    def hold(self) -> None:
        """Takes the lease, if it was not taken yet.

        Raises:
            OSError: that cannot be written.
            CollectedMeanwhile: gc has removed things since the first listing, when no lease could be had.
        """
        with self._lock:
            if self.lease is not None or self.read_only:
                return
            lease = Lease(self.folder)
            if self._epoch not in (None, lease.epoch):
                lease.close()
                raise CollectedMeanwhile(self.folder)
            self.lease = lease

    def _try_hold(self) -> None:
        if self.lease is not None or self.read_only or self._epoch is not None:
            return
        try:
            self.lease = Lease(self.folder)
        except OSError:  # a full disk: what is read is read all the same; a write will try again
            self._epoch = current_epoch(self.folder)

    def remember(self, path: Path, offsets: dict[bytes, int]) -> None:
        """Keeps the offsets of a segment that this process seals into `path`, for it knows them anyway; not of too many."""
        if sum(map(len, self._offsets.values())) + len(offsets) <= REMEMBERED:
            self._offsets[path] = offsets

    def open(self, path: Path) -> Pack | None:
        """Returns a file opened, or None if it cannot be, or nothing is in it yet."""
        try:
            opened = Pack(path, self.dictionaries, offsets=self._offsets.get(path), awake=self._awake)
        except FileNotFoundError:
            return None
        except (OSError, NewerFormat) as e:
            self.refused[path] = e
            return None
        self.refused.pop(path, None)
        if opened.live and opened.size_bytes <= HEADER_BYTES:
            opened.close()  # its writer has not come to write; the next listing will tell more
            return None
        return opened

    def find(self, oid: bytes) -> bytes | None:
        """Returns the object, verified, or None if it is in none of the files as last listed."""
        if self.refused:
            self.refused.pop(self.folder, None)
            for p in (*self.packs, *self._opened.values()):  # they are asked again now
                self.refused.pop(p.path, None)
        for p in self.packs:
            try:
                data = p.get(oid)
            except FileNotFoundError:  # merged, or swept away, while it rested
                continue
            except OSError as e:  # too many open files, say: what cannot be read is not missing
                self.refused[p.path] = e
                continue
            if data is not None:
                return data
        return self.find_covered(oid)

    def find_covered(self, oid: bytes) -> bytes | None:
        """Returns the object, verified, or None if it is in no pack that a layer covers."""
        for layer in self.layers:
            for number, at in layer.find(oid):
                p = self._numbered(layer, number)
                try:
                    data = p.get_at(oid, at) if p is not None else None
                except FileNotFoundError:
                    continue
                except OSError as e:
                    self.refused[p.path if p is not None else layer.path] = e
                    continue
                if data is not None:
                    return data
        return None

    def _numbered(self, layer: Layer, number: int) -> Pack | None:
        """Returns a pack of a layer; None if it is gone."""
        if number >= len(layer.packs):
            return None
        name, size = layer.packs[number]
        return self._open_covered(name, size)

    def _open_covered(self, name: str, size: int | None = None) -> Pack | None:
        p = self._opened.get(name)
        if p is None:
            path = self._covered.get(name)
            p = self.open(path) if path is not None else None
            if p is None:
                return None
            self._opened[name] = p
        return p if size is None or p.size_bytes == size else None

    def holding(self, oid: bytes) -> Iterator[Pack]:
        """Yields the packs that may have the object, those that are asked one by one, and those that a layer names."""
        yield from self.packs
        for layer in self.layers:
            for number, _ in layer.find(oid):
                p = self._numbered(layer, number)
                if p is not None:
                    yield p

    def every(self) -> Iterator[Pack]:
        """Yields all packs, one after the other."""
        yield from self.packs
        for name in list(self._covered):
            p = self._open_covered(name)
            if p is not None:
                yield p

    def find_harder(self, oid: bytes) -> bytes | None:
        """Returns the object, verified, or None only if no file has it whole, whatever the indices say."""
        for _ in range(8):
            try:
                changed = self.refresh()
            except OSError as e:
                self.refused[self.folder] = e
                return None
            data = self.find(oid) if changed else None
            if data is not None:
                return data
            if not changed:
                break
        bad = {layer.path for layer in self.layers if not layer.holds()}
        if bad:
            self._bad_layers |= bad
            self.refresh()
            data = self.find(oid)
            if data is not None:
                return data
        for p in self.holding(oid):
            try:
                data = p.get(oid) if p.distrust() else None
            except FileNotFoundError:
                continue
            except OSError as e:
                self.refused[p.path] = e
                continue
            if data is not None:
                return data
        return self._find_condemned(oid)

    def _find_condemned(self, oid: bytes) -> bytes | None:
        """Returns an object that gc has condemned; from now on it lives as long as this process, and whoever refers to it."""
        if not any(self._among_condemned(oid)):
            return None
        if self.lease is None:
            return next(self._among_condemned(oid), None)
        with lock.writing(self.folder), lock.maintenance(self.folder):  # gc is at work, perhaps: it must see the lease, or we what it leaves
            self.lease.hold_everything()
            found = next(self._among_condemned(oid), None)
        return found if found is not None or not self.refresh() else self.find(oid)

    def _among_condemned(self, oid: bytes) -> Iterator[bytes]:
        for path in condemned.paths(self.folder):
            try:
                data = Pack(path, self.dictionaries).get(oid)
            except (OSError, GvError):
                continue
            if data is not None:
                yield data

    def condemned(self, low: int, high: int) -> Iterator[ObjectId]:
        """Yields the condemned objects whose index keys are in [low, high]."""
        for path in condemned.paths(self.folder):
            try:
                yield from Pack(path, self.dictionaries).between(low, high)
            except (OSError, GvError):
                continue

    def has_wreck(self, oid: bytes) -> bool:
        """Returns whether the object's record is there and damaged; to be asked after a miss."""
        for p in self.holding(oid):
            try:
                if p.has_wreck(oid):
                    return True
            except FileNotFoundError:
                continue
        return False

    def share(self) -> None:
        """Notes that this process forks: the lease ends with the last of the two."""
        if self.lease is not None:
            self.lease.share()

    def after_fork(self) -> None:
        """Makes the lock anew: a thread that is not in the child may have held it.  The parent's segment is another's now."""
        self._lock = threading.Lock()
        self._awake.after_fork()
        self.own = set()
        self._listed = False

    def close(self) -> None:
        """Lets go of all files."""
        with self._lock:
            for p in self.packs:
                p.close()
            for p in self._opened.values():
                p.close()
            self.packs, self.layers = (), ()
            self._covered, self._opened = {}, {}
            self._offsets = {}
            self._listed = False
            self._epoch = None
            if self.lease is not None:
                self.lease.close()
                self.lease = None
