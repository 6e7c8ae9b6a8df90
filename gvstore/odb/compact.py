"""Keeps the number of files small: seals segments into packs, merges small packs.

A large segment becomes a pack by getting an index and a new name.  Small ones
(a command that wrote a few objects) stay where they are, closed, until there
are enough of them to be copied into one pack; packs of a size are merged in
the same way.  Records are copied as they lie, never compressed again.  What
was merged is deleted only when the new pack is on the disk.

A file with damage in it is left alone: only a repair may decide about it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import format, pack, packindex, segment
from gvstore.odb.catalog import LIVE, PACK
from gvstore.odb.dictionary import Dictionaries
from gvstore.odb.fault import BadRecord, DictionaryLost, NewerFormat
from gvstore.odb.format import FIRST_SLOT, MAX_SLOTS, NAME_BYTES
from gvstore.odb.pack import Pack
from gvstore.odb.scan import scan, slots
from gvstore.odb.segment import Segment

SMALL_BYTES = 128 << 10  # a closed segment below this stays a segment
FEW = 8  # how many files of a size there may be
CLASSES = (1 << 20, 8 << 20, 64 << 20)  # packs above the last are merged only by `repack`
MARK_EVERY = 1 << 20
LOCK = "maintenance.lock"


def seal(own: Segment, folder: Path) -> None:
    """Closes a segment of this process for ever, as a pack if it is large; nothing stays if it is empty."""
    if not own.offsets:
        own.discard()
        return
    if own.end < SMALL_BYTES:
        own.seal()
        own.close()
        return
    own.seal()
    own.sync_seal()
    _publish(own.path, own.offsets.items(), own.end, folder)
    own.close()


def _publish(path: Path, entries: Iterable[tuple[bytes, int]], size: int, folder: Path) -> None:
    """Gives a durable, closed file its index and its place among the packs."""
    packs = folder / PACK
    packs.mkdir(exist_ok=True)
    target = packs / (path.stem + pack.SUFFIX)
    index = fs.Replacement(target.with_suffix(packindex.SUFFIX))
    try:
        fs.write_at(index.fd, packindex.encode_index(entries, size), 0)
        index.commit()
    except BaseException:
        index.abandon()
        raise
    path.replace(target)
    fs.sync_folder(packs)


def adopt(folder: Path, dictionaries: Dictionaries) -> None:
    """Closes the segments of dead processes and merges what has become too many; for a process about to write.

    If another process is at it, it is left to that one.
    """
    fd = fs.open_lock(folder / LOCK)
    try:
        if not fs.try_lock(fd):
            return
        dead = [p for p in _dead_segments(folder, dictionaries) if p is not None]
        if len(dead) > FEW or sum(p.size_bytes for p in dead) > CLASSES[0]:
            merge(dead, folder, dictionaries)
        for p in dead:
            p.close()
        _merge_packs(folder, dictionaries)
    finally:
        fs.close(fd)


def _dead_segments(folder: Path, dictionaries: Dictionaries) -> list[Pack]:
    """Returns the closed segments that stay segments."""
    dead = []
    for name in fs.list_folder(folder / LIVE):
        path = folder / LIVE / name
        if not name.endswith(segment.SUFFIX):
            continue
        try:
            fd = fs.open_update(path)
        except OSError:
            continue
        try:
            if fs.try_lock(fd) and fs.has_name(fd):
                left = _close_dead(path, fd, folder, dictionaries)
                if left is not None:
                    dead.append(left)
        except (FileNotFoundError, NewerFormat):
            pass
        finally:
            fs.close(fd)
    return dead


def _close_dead(path: Path, fd: int, folder: Path, dictionaries: Dictionaries) -> Pack | None:
    """Closes the segment of a dead process, whose lock `fd` holds; returns it if it is to be merged."""
    dead = Pack(path, dictionaries)
    found = dead.scanned()
    if any(found.damage()):
        dead.close()
        return None
    if not found.entries:
        path.unlink()
        dead.close()
        return None
    if found.flaws:  # a torn tail: the whole records are copied, the file is not cut under its readers
        merge([dead], folder, dictionaries)
        dead.close()
        return None
    size = found.whole
    if not found.sealed:
        size = _append_seal(fd, dead, found.settled, found.whole)
    if size < SMALL_BYTES:
        return dead
    _publish(path, found.entries, size, folder)
    dead.close()
    return None


def _append_seal(fd: int, dead: Pack, begin: int, at: int) -> int:
    """Closes a file whose last batch is [begin, at); returns its size.  It is durable on return."""
    tail = b""
    if at > begin:
        crc = zlib.crc32(dead.map[begin:at])
        tail = format.mark_item(at, length=at - begin, durable=begin, crc=crc, seal=False)
    end = at + len(tail)
    fs.write_at(fd, tail, at)
    fs.sync_data(fd)
    last = format.mark_item(end, length=0, durable=end, crc=0, seal=True)
    fs.write_at(fd, last, end)
    fs.sync_data(fd)
    return end + len(last)


def _merge_packs(folder: Path, dictionaries: Dictionaries) -> None:
    """Merges packs of a size when there are many of them."""
    sizes: list[list[Path]] = [[] for _ in CLASSES]
    for name in fs.list_folder(folder / PACK):
        path = folder / PACK / name
        if name.endswith(pack.SUFFIX):
            try:
                size = path.stat().st_size
            except OSError:
                continue
            for limit, members in zip(CLASSES, sizes, strict=True):
                if size < limit:
                    members.append(path)
                    break
    for members in sizes:
        if len(members) > FEW:
            merge_paths(members, folder, dictionaries)


def merge_paths(paths: list[Path], folder: Path, dictionaries: Dictionaries) -> None:
    """Merges the packs at `paths`; one that cannot be read, or has damage, stays as it is."""
    opened = []
    for path in paths:
        try:
            opened.append(Pack(path, dictionaries))
        except (OSError, NewerFormat):
            continue
    merge(opened, folder, dictionaries)


def merge(sources: list[Pack], folder: Path, dictionaries: Dictionaries) -> Path | None:
    """Copies the objects of `sources` into one new pack, deletes them, and returns its path; None if there was nothing to do."""
    (folder / PACK).mkdir(exist_ok=True)
    fs.sweep(folder / PACK)
    merger = _Merger(folder / PACK / (os.urandom(8).hex() + pack.SUFFIX))
    try:
        taken = [p for p in sources if merger.take(p)]
        if not taken:
            merger.abandon()
            return None
        merger.finish()
    except BaseException:
        merger.abandon()
        raise
    for p in taken:
        p.path.unlink(missing_ok=True)
        p.path.with_suffix(packindex.SUFFIX).unlink(missing_ok=True)
    return merger.path


class _Merger:
    """A pack being written from the records of others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._new = fs.Replacement(path)
        self._buffer = bytearray()
        self._base = 0
        self._begin = 0
        self._dictionaries: dict[ObjectId, int] = {}
        self._records: list[tuple[Pack, int]] = []
        self._seen: dict[bytes, list[tuple[Pack, int]]] = {}

    def take(self, source: Pack) -> bool:
        """Returns whether the source's records will be copied: not if it has damage, or too many dictionaries."""
        found = scan(source.map, source.open_payload)
        if any(found.damage()) or (found.flaws and not source.live):
            return False
        table, _, _ = slots(source.map)
        wanted = dict(self._dictionaries)
        for name in table.values():
            wanted.setdefault(name, len(wanted))
        if len(wanted) > MAX_SLOTS:
            return False
        self._dictionaries = wanted
        for name8, at in found.entries:
            others = self._seen.setdefault(name8, [])
            if not any(_same(source, at, *other) for other in others):
                others.append((source, at))
                self._records.append((source, at))
        return True

    def finish(self) -> None:
        """Writes the pack and its index; both are durable, and in place, on return."""
        self._buffer += format.header()
        for name, slot in self._dictionaries.items():
            self._buffer += format.dict_item(slot, name)
        self._begin = len(self._buffer)
        entries = []
        renumbered: dict[str, dict[int, int]] = {}
        for source, at in self._records:
            slot_of = renumbered.get(source.name)
            if slot_of is None:
                slot_of = renumbered[source.name] = self._renumber(source)
            codec, start, end = source.item_at(at)
            entries.append((bytes(source.map[start - NAME_BYTES : start]), self._base + len(self._buffer)))
            self._buffer += format.tag(slot_of[codec], end - start) + source.map[start - NAME_BYTES : end]
            if len(self._buffer) >= MARK_EVERY:
                self._mark()
        self._mark()
        self._mark(seal=True)
        fs.sync_data(self._new.fd)
        index = fs.Replacement(self.path.with_suffix(packindex.SUFFIX))
        try:
            fs.write_at(index.fd, packindex.encode_index(entries, self._base), 0)
            index.commit()
        except BaseException:
            index.abandon()
            raise
        self._new.commit(durable=False)
        fs.sync_folder(self.path.parent)

    def abandon(self) -> None:
        """Leaves no trace."""
        self._new.abandon()

    def _renumber(self, source: Pack) -> dict[int, int]:
        table, _, _ = slots(source.map)
        codecs = {format.RAW: format.RAW, format.PLAIN: format.PLAIN}
        for slot, name in table.items():
            codecs[FIRST_SLOT + slot] = FIRST_SLOT + self._dictionaries[name]
        return codecs

    def _mark(self, *, seal: bool = False) -> None:
        at = self._base + len(self._buffer)
        crc = zlib.crc32(memoryview(self._buffer)[max(0, self._begin - self._base) :])
        if at > self._begin or seal:
            self._buffer += format.mark_item(at, length=at - self._begin, durable=at if seal else 0, crc=crc, seal=seal)
        fs.write_at(self._new.fd, self._buffer, self._base)
        self._base += len(self._buffer)
        self._begin = self._base
        self._buffer = bytearray()


def _same(a: Pack, at: int, b: Pack, other: int) -> bool:
    """Returns whether two records of one name hold the same object; a forged one does not."""
    try:
        return a.open_at(at) == b.open_at(other)
    except (BadRecord, DictionaryLost):
        return False
