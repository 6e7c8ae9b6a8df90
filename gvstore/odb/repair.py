"""Brings whole objects out of damaged files, and the files out of the way; deletes nothing.

A damaged segment or pack is read from end to end; every object in it that
hashes to its name is written into a new segment, durably; then the file moves
to `quarantine/`, where nobody looks.  Indices are made anew.  A file whose
objects wait for a lost dictionary stays where it is: they are whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gvstore import fs
from gvstore.errors import GvError
from gvstore.objects.oid import ObjectId
from gvstore.odb import compact, condemned, format, midx, tombstone
from gvstore.odb.catalog import LIVE, PACK, Catalog
from gvstore.odb.check import unindexed
from gvstore.odb.dictionary import shipped
from gvstore.odb.fault import BadRecord, DictionaryLost, NewerFormat
from gvstore.odb.format import NAME_BYTES
from gvstore.odb.lock import maintenance
from gvstore.odb.pack import SUFFIX as PACK_SUFFIX
from gvstore.odb.pack import Pack
from gvstore.odb.packindex import SUFFIX as INDEX_SUFFIX
from gvstore.odb.packindex import PackIndex
from gvstore.odb.scan import Scan, scan
from gvstore.odb.segment import Segment

QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done to a file, relative to the objects folder: in words, with the number of objects saved from it."""

    file: str
    what: str
    saved: int = 0


def repair(folder: Path) -> Iterator[Repaired]:
    """Repairs what can be, and yields what was done.

    Raises:
        Busy: another process is merging or collecting.
        OSError: the system refuses to write.
    """
    with maintenance(folder):
        catalog = Catalog(folder)
        fs.sweep(folder / PACK)
        yield from _dictionaries(catalog)
        compact.close_dead(folder, catalog.dictionaries)
        held = set(catalog.files()) - compact.unheld(folder) - set(compact.pack_paths(folder))
        for path in [*catalog.files(), *condemned.paths(folder)]:
            if path not in held:
                yield from _file(path, catalog)
        for path in midx.paths(folder):
            if not _holds(path):
                quarantine(folder, path)
                yield Repaired(_shown(folder, path), "set aside: it is only a cache")
        compact.mend_indices(folder, catalog.dictionaries)


def quarantine(folder: Path, path: Path) -> Path:
    """Moves a file into `quarantine/`, under a name that nothing has yet; returns its new path."""
    place = folder / QUARANTINE
    place.mkdir(exist_ok=True)
    target, n = place / path.name, 1
    while target.exists():
        target, n = place / f"{path.name}.{n}", n + 1
    fs.rename(path, target)
    fs.sync_folder(place)
    fs.sync_folder(path.parent)
    return target


def _dictionaries(catalog: Catalog) -> Iterator[Repaired]:
    for name in catalog.dictionaries.names():
        try:
            catalog.dictionaries.verify(name)
        except DictionaryLost:
            path = catalog.dictionaries.path(name)
            if path.exists():
                quarantine(catalog.folder, path)
                yield Repaired(_shown(catalog.folder, path), "set aside: it is damaged")
    path = catalog.dictionaries.path(shipped().name or ObjectId(bytes(32)))
    if not path.exists():
        catalog.dictionaries.add(shipped())
        yield Repaired(_shown(catalog.folder, path), "written anew: it comes with gvstore")


def _file(path: Path, catalog: Catalog) -> Iterator[Repaired]:
    shown = _shown(catalog.folder, path)
    try:
        opened = Pack(path, catalog.dictionaries)
    except (FileNotFoundError, NewerFormat):
        return
    except (OSError, GvError) as e:
        yield Repaired(shown, f"left as it is: {e}")
        return
    found = scan(opened.map, opened.open_payload, verify=True)
    damage = [flaw.why for flaw in found.damage()]
    if not opened.live and not found.sealed:
        damage.append("the end is missing")
    if not damage:
        if not opened.live and not _has_index(opened):
            compact.write_index(opened)
            yield Repaired(_shown(catalog.folder, path.with_suffix(INDEX_SUFFIX)), "made anew")
        return
    try:
        saved = list(_saved(opened, found))
    except DictionaryLost as e:
        yield Repaired(shown, f"left as it is: {e}")
        return
    _write(saved, catalog, opened)
    index = path.with_suffix(INDEX_SUFFIX)
    quarantine(catalog.folder, path)
    if path.suffix == PACK_SUFFIX and index.exists():
        quarantine(catalog.folder, index)
    yield Repaired(shown, f"set aside: {damage[0]}", len(saved))


def _saved(opened: Pack, found: Scan) -> Iterator[tuple[ObjectId, int, int]]:
    """Yields (oid, offset, KEPT or 0) of every object that can be read whole."""
    seen: set[ObjectId] = set()
    for name, at in found.entries:
        try:
            oid = ObjectId.of(opened.open_at(at))
        except BadRecord:
            continue
        if oid[:NAME_BYTES] == name and oid not in seen:
            seen.add(oid)
            yield oid, at, format.is_kept(opened.map, at)


def _write(saved: list[tuple[ObjectId, int, int]], catalog: Catalog, opened: Pack) -> None:
    """Writes objects of a file into new segments, whatever other files hold; durable on return."""
    if not saved:
        return
    forgotten = tombstone.names(catalog.folder)
    codec = catalog.dictionaries.current()
    catalog.dictionaries.add(codec)
    new = Segment(catalog.folder / LIVE, codec)
    for oid, at, kept in saved:
        if oid in forgotten:
            continue
        if new.full:
            compact.seal(new, catalog.folder)
            new = Segment(catalog.folder / LIVE, codec)
        new.add(oid, opened.open_at(at), kept=kept)
    compact.seal(new, catalog.folder)


def _has_index(opened: Pack) -> bool:
    """Returns whether the index beside a whole pack is right."""
    try:
        index = PackIndex(opened.path.with_suffix(INDEX_SUFFIX), opened.size_bytes)
    except (OSError, BadRecord, GvError):
        return False
    return index.holds() and not any(unindexed(opened, index, opened.scanned().entries))


def _holds(path: Path) -> bool:
    try:
        return midx.Layer(path).holds()
    except (OSError, BadRecord):
        return False


def _shown(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
