"""Copies the objects of several files into one pack.

Records are copied as they lie, never compressed again; what was merged is
deleted only when the new pack is on the disk.  A file with damage in it is left
alone: only a repair may decide about it.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import format, pack, packindex, progress
from gvstore.odb.catalog import PACK
from gvstore.odb.dictionary import DICTIONARY_LIMIT, MAX_INFLATED, Codec, plain
from gvstore.odb.fault import BadRecord, DictionaryLost, NotCopied
from gvstore.odb.format import FIRST_SLOT, KEPT, MAX_SLOTS, NAME_BYTES
from gvstore.odb.pack import Pack
from gvstore.odb.packindex import place_of
from gvstore.odb.scan import batches, slots

MARK_EVERY = 1 << 20


def put_index(path: Path, entries: Iterable[tuple[bytes, int]], size: int) -> None:
    """Writes an index; the caller syncs the folder."""
    put(path, packindex.encode_index(entries, size))


def put(path: Path, data: bytes) -> None:
    """Writes a file that appears whole and durable; the caller syncs the folder."""
    new = fs.Replacement(path)
    try:
        fs.write_at(new.fd, data, 0)
        new.commit()
    except BaseException:
        new.abandon()
        raise


class Record(NamedTuple):
    """A record to be copied: where it lies, and KEPT or 0."""

    source: Pack
    at: int
    kept: int


def new_pack_path(folder: Path) -> Path:
    """Returns a name for a new pack of the objects folder."""
    return folder / PACK / (os.urandom(8).hex() + pack.SUFFIX)


def merge(sources: list[Pack], folder: Path, *, forgotten: Collection[bytes] = frozenset()) -> Path | None:
    """Copies the objects of `sources` into one new pack, deletes them, and returns its path; None if there was nothing to do.

    What is `forgotten`, by oid, is left out.
    """
    (folder / PACK).mkdir(exist_ok=True)
    fs.sweep(folder / PACK)
    taken = together([p for p in sources if is_whole(p)])
    if not taken:
        return None
    made = copy_pack(new_pack_path(folder), taken, distinct(taken, forgotten))
    fs.sync_folder(made.path.parent)
    replace(taken, [made], forgotten)
    return made.path


def replace(sources: list[Pack], made: list[Pack], forgotten: Collection[bytes] = frozenset()) -> None:
    """Deletes files that were copied into others, when every record that their indices know is found there.

    Indices and copying read a file in two ways; should they ever differ, nothing is deleted.

    Raises:
        NotCopied: a record is in none of the new files, and was not forgotten.
    """
    hidden = {oid[:NAME_BYTES] for oid in forgotten}
    for source in sources:
        for at in source.table.all_offsets():
            name = source.name_at(at)
            if not any(new.find(name) for new in made) and name not in hidden and is_object(source, at):
                raise NotCopied(source.path, name)
    delete(sources)


def is_object(source: Pack, at: int) -> bool:
    """Returns whether the record holds what its name says, as far as can be told."""
    try:
        return ObjectId.of(source.open_at(at))[:NAME_BYTES] == source.name_at(at)
    except BadRecord:
        return False
    except DictionaryLost:
        return True


def delete(packs: Iterable[Pack]) -> None:
    """Deletes files and their indices; the pack goes first, for an index alone tells nobody anything."""
    for each in packs:
        fs.remove(each.path)
        fs.remove(each.path.with_suffix(packindex.SUFFIX))


def is_whole(source: Pack) -> bool:
    """Returns whether every byte of a file is what was written; a segment may have a torn tail."""
    try:
        for _ in batches(source.map):
            pass
    except BadRecord:
        return source.live and not slots(source.map)[2] and not any(source.scanned().damage())
    return True


def together(sources: list[Pack]) -> list[Pack]:
    """Returns those of the files, from the first on, whose dictionaries find room in one pack."""
    names: set[ObjectId] = set()
    taken = []
    for source in sources:
        wanted = names | set(slots(source.map)[0].values())
        if len(wanted) <= MAX_SLOTS:
            names = wanted
            taken.append(source)
    return taken


def records(source: Pack) -> Iterator[tuple[bytes, int]]:
    """Yields (name, offset) of the records of a whole file, in file order; not what is half written at its end."""
    if source.live:
        yield from (each for each in source.scanned().entries if source.name_at(each[1]) == each[0])
        return
    for batch in batches(source.map):
        yield from batch


def distinct(sources: list[Pack], forgotten: Collection[bytes] = frozenset()) -> Iterator[Record]:
    """Yields every object of the files once, in order; kept if one of its records is."""
    hidden = {oid[:NAME_BYTES] for oid in forgotten}
    for i, source in enumerate(sources):
        for name, at in records(source):
            if name in hidden and ObjectId.of(source.open_at(at)) in forgotten:
                continue
            kept = format.is_kept(source.map, at)
            first = True
            for j, other in enumerate(sources):
                for place in other.find(name):
                    if (j, place) == (i, at) or other.name_at(place) != name or not _same(source, at, other, place):
                        continue
                    kept |= format.is_kept(other.map, place)
                    first = first and (i, at) < (j, place)
            if first:
                yield Record(source, at, kept)


def copy_pack(path: Path, sources: list[Pack], chosen: Iterable[Record], *, codec: Codec | None = None) -> Pack:
    """Returns a new pack of the chosen records, which lie in `sources`; it and its index are durable, the caller syncs the folder.

    With `codec` small objects are compressed anew, by its dictionary.
    """
    copier = _Copier(path, sources, codec)
    progress.begin(sum(source.size_bytes for source in sources))
    try:
        for record in chosen:
            copier.add(record)
        copier.finish()
    except BaseException:
        copier.abandon()
        raise
    return Pack(path, sources[0].dictionaries)


class _Copier:
    """A pack being written from the records of others."""

    def __init__(self, path: Path, sources: list[Pack], codec: Codec | None = None) -> None:
        self._path = path
        self._new = fs.Replacement(path)
        tables = {source.path: slots(source.map)[0] if codec is None else {} for source in sources}
        names = dict.fromkeys(name for table in tables.values() for name in table.values())
        self._compress = codec.compressor(thorough=True) if codec is not None else None
        if codec is not None and codec.name is not None:
            names[codec.name] = None
        slot_of = {name: slot for slot, name in enumerate(names)}
        self._codecs = {
            path: {format.RAW: format.RAW, format.PLAIN: format.PLAIN}
            | {FIRST_SLOT + slot: FIRST_SLOT + slot_of[name] for slot, name in table.items()}
            for path, table in tables.items()
        }
        self._places: list[int] = []
        self._base = 0
        self._buffer = bytearray(format.header())
        for name, slot in slot_of.items():
            self._buffer += format.dict_item(slot, name)
        self._begin = len(self._buffer)

    def add(self, record: Record) -> None:
        """Copies one record."""
        source, at, kept = record
        codec, start, end = source.item_at(at)
        progress.step(end - at)
        named = source.map[start - NAME_BYTES : end]
        if self._compress is not None:
            codec, named = self._compressed(source.open_at(at), named[:NAME_BYTES])
        else:
            codec = self._codecs[source.path][codec]
        self._places.append(place_of(named, self._base + len(self._buffer)))
        self._buffer += format.tag(codec, len(named) - NAME_BYTES, kept=kept & KEPT) + named
        if len(self._buffer) >= MARK_EVERY:
            self._mark()

    def _compressed(self, data: bytes, name: bytes) -> tuple[int, bytes]:
        """Returns codec, and name and body, of an object compressed anew.

        Raises:
            BadRecord: it is not what its name says.
        """
        if ObjectId.of(data)[:NAME_BYTES] != name:
            raise BadRecord("a record does not hash to its name")
        assert self._compress is not None
        payload, codec = data, format.RAW
        if len(data) <= DICTIONARY_LIMIT:
            payload, codec = self._compress(data), FIRST_SLOT
        elif len(data) <= MAX_INFLATED:
            payload, codec = plain().compress(data), format.PLAIN
        return (codec, name + payload) if len(payload) < len(data) else (format.RAW, name + data)

    def finish(self) -> None:
        """Gives pack and index their places; both are durable."""
        self._mark()
        self._mark(seal=True)
        fs.sync_data(self._new.fd)
        put(self._path.with_suffix(packindex.SUFFIX), packindex.encode_places(self._places, self._base))
        self._new.commit(durable=False)

    def abandon(self) -> None:
        """Leaves no trace."""
        self._new.abandon()

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
