"""The work tree: its files as entries of trees, read only where they changed.

Used by commit (which stores what it reads), by status and checkout (which
only want to know), and by the journal for the code that a run used.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from gvstore import fs
from gvstore.objects.blob import blob_oid, blob_size, put_blob, put_stream, stream_oid
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo.fault import FileChanged, UnreadableFile
from gvstore.repo.files import Files
from gvstore.repo.progress import TOLD_BYTES, watched
from gvstore.repo.scan import Scan, Skipped, explicit, scan, status_of
from gvstore.repo.secrets import LARGE_BYTES, Stop, Swallowed, key_in, key_in_pieces, too_large
from gvstore.repo.stat_cache import SCANNED, Look, Raw, StatCache
from gvstore.repo.survey import Differences, Survey, mode_of, survey

_WHOLE_BYTES = TOLD_BYTES  # files up to this size are read at once
_PIECE_BYTES = 1_000_000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """What was found in the work tree.

    `files` are entries whose content, after `take`, is stored.  `read` counts the files
    whose content had to be read.  `left_out` were stops, and are not in `files`.
    """

    files: Files
    read: int
    skipped: tuple[Skipped, ...] = ()
    left_out: tuple[Stop, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """How the work tree differs from a tree: by path, sorted, (what the tree has, what the work tree has)."""

    differences: Differences
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Stops:
    """What a commit stops at: `large_bytes` None or `secrets` False lets it pass."""

    large_bytes: int | None = LARGE_BYTES
    secrets: bool = True


NO_STOPS = Stops(None, False)


class Worktree:
    """The files under `root`."""

    def __init__(self, root: Path, gv: Path, objects: ObjectStore, *, read_only: bool = False) -> None:
        self.root, self.gv, self.objects, self.read_only = root, gv, objects, read_only
        self._cache: StatCache | None = None

    def look(self, *, paths: Sequence[str] | None = None) -> Taken:
        """Returns the files of the work tree; stores nothing.

        Raises:
            UnreadableFile, FileChanged: a file cannot be read, or not in peace.
        """
        with self._caching() as cache:
            if paths is None:
                found = self._surveyed(cache)
                return Taken(found.files(), found.read, tuple(found.skipped))
            looked, read, files = scan(self.root, self.gv, paths=paths), 0, Files()
            for path, status in looked.files.items():
                known = cache.get(path, Look.of(status))
                if known is not None:
                    files[path] = TreeEntry(mode_of(status.st_mode), known.oid)
                    continue
                entry = self._named(path, status, cache)
                if entry is not None:
                    files[path] = entry
                    read += 1
        return Taken(files, read, tuple(looked.skipped))

    def compare(self, tree: ObjectId | None) -> Compared:
        """Returns how the work tree differs from a tree; stores nothing.

        Raises:
            UnreadableFile, FileChanged: a file cannot be read, or not in peace.
        """
        with self._caching() as cache:
            found = self._surveyed(cache)
            return Compared(found.differences(self.objects, tree), tuple(found.skipped))

    def _surveyed(self, cache: StatCache) -> Survey:
        """Returns the whole work tree, its changed files read, the cache told."""
        found = survey(self.root, self.gv, cache)
        for folder, name, path, status in found.fresh():
            known = cache.get(path, Look.of(status))
            if known is not None:
                folder.read[name] = TreeEntry(mode_of(status.st_mode), known.oid)
            elif (entry := self._named(path, status, cache)) is not None:
                folder.read[name] = entry
                found.read += 1
        found.note()
        return found

    def entry(self, path: str) -> TreeEntry | None:
        """Returns what lies at `path`, a file or symlink, ignored or not; None where there is none, or a folder."""
        status = status_of(self.root, path)
        if status is None or not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            return None
        with self._caching() as cache:
            known = cache.get(path, Look.of(status))
            return TreeEntry(mode_of(status.st_mode), known.oid) if known else self._named(path, status, cache)

    def store(self, path: str) -> TreeEntry | None:
        """Returns what lies at `path`, as `entry` does, its content stored, whatever it is; None where there is none.

        Raises:
            UnreadableFile, FileChanged: it cannot be read, or not in peace.
            Swallowed: its content was forgotten.
        """
        return self.take(base={}, paths=[path], stops=NO_STOPS, exactly=True).files.get(path)

    def take(
        self,
        *,
        base: Mapping[str, TreeEntry],
        paths: Sequence[str] | None = None,
        stops: Stops = Stops(),
        leave_out: bool = False,
        exactly: bool = False,
    ) -> Taken:
        """Returns the files of the work tree, or those at and under `paths`, their content stored.

        What `base`, the commit before, has at the same path with the same
        content never stops.  With `leave_out`, files that would stop are left out and told.
        `exactly` takes the files at these paths, ignored or not.

        Raises:
            Swallowed: files that are too large or hold keys; nothing of theirs was stored.
            UnreadableFile, FileChanged: a file cannot be read, or not in peace.
        """
        with self._caching() as cache:
            taking = _Taking(self.root, self.objects, cache, base, stops)
            if paths is None:
                skipped = self._take_all(cache, taking)
            else:
                found = explicit(self.root, paths) if exactly else scan(self.root, self.gv, paths=paths)
                skipped = found.skipped
                for path, status in found.files.items():
                    taking.add(path, status)
        if taking.stopped and not leave_out:
            raise Swallowed(taking.stopped)
        return Taken(taking.files, taking.read, tuple(skipped), tuple(taking.stopped))

    def _take_all(self, cache: StatCache, taking: _Taking) -> list[Skipped]:
        """Takes every file of the work tree; returns what cannot be taken."""
        found = survey(self.root, self.gv, cache)
        for path, raw in found.kept():
            if not taking.keep(path, raw):
                found.doubt(path)
        for folder, name, path, status in found.fresh():
            taking.add(path, status)
            if path in taking.files:
                folder.read[name] = taking.files[path]
        found.note()
        taking.files = dict(sorted(taking.files.items()))
        return found.skipped

    def scan(self, *, paths: Sequence[str] | None = None) -> Scan:
        """Returns what is there, unread."""
        return scan(self.root, self.gv, paths=paths)

    @contextlib.contextmanager
    def _caching(self) -> Iterator[StatCache]:
        """Gives the stat cache; the outermost block saves it."""
        if self._cache is not None:
            yield self._cache
            return
        self._cache = StatCache(self.gv, device=self.root.stat().st_dev)
        try:
            if not self.read_only:
                self._cache.begin()
            yield self._cache
        finally:
            if not self.read_only:
                self._cache.save()
            self._cache = None

    def caching(self) -> contextlib.AbstractContextManager[StatCache]:
        """Keeps the stat cache open over many calls of `entry`."""
        return self._caching()

    def _named(self, path: str, status: os.stat_result, cache: StatCache) -> TreeEntry | None:
        """Returns the entry of a file, read but not stored; None where it has gone."""
        for _ in range(_TRIES):
            try:
                if stat.S_ISLNK(status.st_mode):
                    oid, after = blob_oid(_read_link(self.root, path)), (self.root / path).lstat()
                else:
                    with _open(self.root, path) as file:
                        status = os.fstat(file.fileno())
                        oid = stream_oid(watched(file, path, "name", status.st_size))
                        after = os.fstat(file.fileno())
            except FileNotFoundError:
                return None
            if Look.of(after) == Look.of(status):
                cache.put(path, Look.of(status), oid, flags=0)
                return TreeEntry(mode_of(status.st_mode), oid)
            status = after
        raise FileChanged(path)


class _Taking:
    """One snapshot under way."""

    def __init__(
        self, root: Path, objects: ObjectStore, cache: StatCache, base: Mapping[str, TreeEntry], stops: Stops
    ) -> None:
        self.root, self.objects, self.cache, self.base, self.stops = root, objects, cache, base, stops
        self.files: Files = {}
        self.stopped: list[Stop] = []
        self.read = 0

    def add(self, path: str, status: os.stat_result) -> None:
        """Takes one file: from the cache, or by reading and storing it."""
        look = Look.of(status)
        known = self.cache.get(path, look)
        if known is not None and self.keep(path, (*look, known.flags, known.oid)):
            return
        entry = self._link(path) if stat.S_ISLNK(status.st_mode) else self._file(path, status)
        if entry is not None:
            self.files[path] = entry

    def keep(self, path: str, raw: Raw) -> bool:
        """Takes one file as the cache has it; returns whether it can."""
        oid = ObjectId(raw[6])
        if not self.objects.has(oid):
            return False
        harmless = (raw[5] & SCANNED or not self.stops.secrets) and not self._too_large(raw[2])
        if not (harmless or self._as_before(path, oid)):
            return False
        self.files[path] = TreeEntry(mode_of(raw[4]), oid)
        return True

    def _as_before(self, path: str, oid: ObjectId) -> bool:
        before = self.base.get(path)
        return before is not None and before.oid == oid

    def _too_large(self, size: int) -> str | None:
        return None if self.stops.large_bytes is None else too_large(size, self.stops.large_bytes)

    def _link(self, path: str) -> TreeEntry | None:
        try:
            status = (self.root / path).lstat()
            oid = put_blob(self.objects, _read_link(self.root, path))
        except FileNotFoundError:
            return None
        except Forgotten as e:
            self.stopped.append(Stop(path, e.told, False, e.oid.hex()))
            return None
        self.read += 1
        self.cache.put(path, Look.of(status), oid, flags=SCANNED)
        return TreeEntry(Mode.SYMLINK, oid)

    def _file(self, path: str, status: os.stat_result) -> TreeEntry | None:
        """Reads, looks through and stores a file; None where it stops, or has gone."""
        large = self._too_large(status.st_size)
        if large and not self._large_as_before(path, status.st_size):
            self.stopped.append(Stop(path, large, True))
            return None
        for _ in range(_TRIES):
            try:
                file = _open(self.root, path)
            except FileNotFoundError:
                return None
            with file:
                status = os.fstat(file.fileno())
                if self._too_large(status.st_size) and not large:
                    break  # it grows: told like any file that changes
                try:
                    oid, key = self._store(path, file, status.st_size)
                except Forgotten as e:
                    self.stopped.append(Stop(path, e.told, False, e.oid.hex()))
                    return None
                after = os.fstat(file.fileno())
            if Look.of(after) != Look.of(status):
                continue
            self.read += 1
            if key and not self._as_before(path, oid):
                self.stopped.append(Stop(path, key, False))
                return None
            self.cache.put(path, Look.of(status), oid, flags=0 if key or not self.stops.secrets else SCANNED)
            return TreeEntry(mode_of(status.st_mode), oid)
        raise FileChanged(path)

    def _store(self, path: str, file: BinaryIO, size: int) -> tuple[ObjectId, str | None]:
        """Returns the oid of the content, and what key it holds; then it is stored only if it was before."""
        if size <= _WHOLE_BYTES:
            data = file.read()
            key = key_in(path, data) if self.stops.secrets else None
            if key and not self._as_before(path, blob_oid(data)):
                return blob_oid(data), key
            return put_blob(self.objects, data), key
        looked = watched(file, path, "look through", size)
        key = key_in_pieces(path, iter(lambda: looked.read(_PIECE_BYTES), b"")) if self.stops.secrets else None
        file.seek(0)
        if key:
            oid = stream_oid(file)
            if not self._as_before(path, oid):
                return oid, key
            file.seek(0)
        return put_stream(self.objects, watched(file, path, "store", size)), key

    def _large_as_before(self, path: str, size: int) -> bool:
        """Returns whether the commit before has this very file: only a file of the same size is read to tell."""
        before = self.base.get(path)
        if before is None or not self.objects.has(before.oid) or blob_size(self.objects, before.oid) != size:
            return False
        try:
            with _open(self.root, path) as file:
                return stream_oid(watched(file, path, "name", size)) == before.oid
        except FileNotFoundError:
            return False


def _read_link(root: Path, path: str) -> bytes:
    try:
        return os.fsencode(os.readlink(root / path))  # noqa: PTH115 - a Path would drop a trailing slash
    except FileNotFoundError:
        raise
    except OSError as e:
        raise FileChanged(path) from e


def _open(root: Path, path: str) -> BinaryIO:
    try:
        return os.fdopen(fs.open_read(root / path), "rb")
    except FileNotFoundError:
        raise
    except fs.NotAFile as e:
        raise FileChanged(path) from e
    except NotADirectoryError as e:
        raise FileNotFoundError from e
    except OSError as e:
        raise UnreadableFile(path, e.strerror or str(e)) from e
