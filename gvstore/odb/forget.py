"""Takes objects away for good, and what only they lead to; their names stay as tombstones.

1. The tombstones are written: from then on nobody reads the objects, or stores them again.
2. Files that hold them are written anew without them.  What only they led to is condemned, as gc does it, and
   deleted at once unless a living process may have been told of it.
3. A trained dictionary holds pieces of what it was trained on.  If some may be of these objects, all is compressed
   anew by another, and it is deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from gvstore import fs
from gvstore.objects.fault import CorruptObject
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.odb import condemned, tombstone
from gvstore.odb.catalog import Catalog
from gvstore.odb.collect import Collection, Moment, Roots
from gvstore.odb.dictionary import Dictionaries, shipped
from gvstore.odb.fault import BadRecord, DictionaryLost, Incomplete
from gvstore.odb.format import NAME_BYTES
from gvstore.odb.lock import maintenance, writing
from gvstore.odb.mark import Marker, Marks
from gvstore.odb.merge import copy_pack, distinct, is_whole, replace
from gvstore.odb.pack import Pack
from gvstore.odb.repack import repack
from gvstore.odb.scan import slots
from gvstore.odb.tombstone import Tombstone

WINDOW = 16  # So many equal bytes of an object and a dictionary are taken for a piece of it.


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away: `objects` that only the forgotten ones led to.

    `waiting_bytes` are condemned and wait for processes that may have been told of them.  `holders` are files that
    still hold a forgotten object: a running process writes them, or they are damaged.
    """

    objects: int
    waiting_bytes: int
    holders: tuple[str, ...]


def forget(folder: Path, tombstones: Iterable[Tombstone], read_roots: Callable[[], Roots], moment: Moment) -> Removed:
    """Forgets these objects; `read_roots` gives what must stay.

    Raises:
        Busy: another process is merging or collecting.
        WriteFailed: the system refuses to write; what was not forgotten yet is whole.
    """
    stones = list(tombstones)
    oids = [stone.oid for stone in stones]
    with writing(folder), maintenance(folder):
        with Collection(folder, moment) as collection:
            content, below = _closure(collection.marker, oids)
            for stone in stones:
                tombstone.write(folder, stone)
            collection.marker.forgotten = tombstone.names(folder)
            only = _unreachable(collection, below, read_roots)
            _rewrite(collection, oids, only)
            collection.begin_epoch()
            due, _ = collection.deletable(0)
            collection.delete([m for m in due if condemned.epoch_of(m.pack.path) == collection.epoch], read_roots)
            waiting = [m for m in collection.marker.condemned() if condemned.epoch_of(m.pack.path) == collection.epoch]
            waiting_bytes = sum(marks.pack.size_bytes for marks in waiting)
        lingering = _renew_dictionaries(folder, content)
        return Removed(len(only), waiting_bytes, (*_holders(folder, oids), *lingering))


def _closure(marker: Marker, oids: list[ObjectId]) -> tuple[list[bytes], set[ObjectId]]:
    """Returns the bytes of these objects, and all that they lead to."""
    content: list[bytes] = []
    seen: set[ObjectId] = set(oids)
    stack = list(oids)
    while stack:
        oid = stack.pop()
        data = marker.read(oid)
        if data is None:
            continue
        if oid in oids or len(content) < 10_000:
            content.append(data)
        try:
            below = links(data)[0]
        except CorruptObject:
            continue
        stack += [each for each in below if each not in seen]
        seen.update(below)
    return content, seen - set(oids)


def _unreachable(collection: Collection, below: set[ObjectId], read_roots: Callable[[], Roots]) -> set[ObjectId]:
    """Returns those objects that nothing but the forgotten ones leads to; none, if that cannot be told."""
    if not below:
        return set()
    try:
        collection.mark(read_roots())
    except Incomplete:
        return set()
    return {oid for oid in below if not collection.marker.is_marked(oid)}


def _rewrite(collection: Collection, oids: list[ObjectId], only: set[ObjectId]) -> None:
    """Writes the files anew that hold any of these objects."""

    def holds(marks: Marks) -> bool:
        return any(marks.find(oid) for oid in oids) or any(marks.find(oid) for oid in only)

    names = {oid[:NAME_BYTES] for oid in only}

    def doomed(name: bytes, pack: Pack, at: int) -> bool:
        return name in names and ObjectId.of(pack.open_at(at)) in only

    collection.condemn([marks for marks in collection.candidates() if holds(marks)], doomed)
    for marks in collection.marker.condemned():
        old = marks.pack
        if any(marks.find(oid) for oid in oids) and is_whole(old):
            path = condemned.new_path(collection.folder, condemned.epoch_of(old.path), condemned.clock_of(old.path))
            made = copy_pack(path, [old], distinct([old], collection.marker.forgotten))
            fs.sync_folder(path.parent)
            replace([old], [made], collection.marker.forgotten)
    collection.marker.look()


def _holders(folder: Path, oids: list[ObjectId]) -> list[str]:
    """Returns the files in which one of these objects still lies."""
    marker = Marker(folder)
    try:
        found = []
        for path, marks in marker.files.items():
            data = [marker.open(marks, at) for oid in oids for _, at in marks.find(oid)]
            if any(each is not None and ObjectId.of(each) in oids for each in data):
                found.append(path.relative_to(folder).as_posix())
        return found
    finally:
        marker.close()


def _renew_dictionaries(folder: Path, content: list[bytes]) -> list[str]:
    """Deletes dictionaries that may hold pieces of these objects; returns those that a file still needs."""
    dictionaries = Dictionaries(folder / "dict")
    pieces = {data[i : i + WINDOW] for data in content for i in range(max(0, len(data) - WINDOW + 1))}
    suspects = []
    for name in dictionaries.names():
        try:
            codec = dictionaries.get(name)
        except DictionaryLost:
            continue
        if name != shipped().name and any(codec.data[i : i + WINDOW] in pieces for i in range(len(codec.data))):
            suspects.append(name)
    if not suspects:
        return []
    dictionaries.set_current(shipped())
    repack(folder, dictionaries, anew=True)
    used = _used(folder)
    for name in suspects:
        if name not in used:
            fs.remove(dictionaries.path(name))
    return [f"dict/{name.hex()}.zd" for name in suspects if name in used]


def _used(folder: Path) -> set[ObjectId]:
    """Returns the dictionaries that some file names."""
    catalog = Catalog(folder)
    used: set[ObjectId] = set()
    for path in [*catalog.files(), *condemned.paths(folder)]:
        try:
            used.update(slots(Pack(path, catalog.dictionaries).map)[0].values())
        except (OSError, BadRecord):
            continue
    return used
