"""Copies the objects of several files into one pack.

Records are copied as they lie, never compressed again; what was merged is
deleted only when the new pack is on the disk.  A file with damage in it is left
alone: only a repair may decide about it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from pathlib import Path

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import format, pack, packindex
from gvstore.odb.catalog import PACK
from gvstore.odb.fault import BadRecord, DictionaryLost
from gvstore.odb.format import FIRST_SLOT, MAX_SLOTS, NAME_BYTES
from gvstore.odb.pack import Pack
from gvstore.odb.scan import scan, slots

MARK_EVERY = 1 << 20


def put_index(path: Path, entries: Iterable[tuple[bytes, int]], size: int) -> None:
    """Writes an index; the caller syncs the folder."""
    new = fs.Replacement(path)
    try:
        fs.write_at(new.fd, packindex.encode_index(entries, size), 0)
        new.commit()
    except BaseException:
        new.abandon()
        raise


def merge(sources: list[Pack], folder: Path) -> Path | None:
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
        fs.remove(p.path)
        fs.remove(p.path.with_suffix(packindex.SUFFIX))
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
        put_index(self.path.with_suffix(packindex.SUFFIX), entries, self._base)
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
