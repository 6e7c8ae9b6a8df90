"""Looks at every file of the database and says what does not hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gvstore.errors import GvError
from gvstore.odb import condemned, progress
from gvstore.odb.catalog import DICT, Catalog
from gvstore.odb.fault import BadRecord, Damage, DictionaryLost
from gvstore.odb.pack import Pack
from gvstore.odb.packindex import SUFFIX as INDEX_SUFFIX
from gvstore.odb.packindex import PackIndex
from gvstore.odb.scan import scan, slots


def check(catalog: Catalog, *, full: bool) -> Iterator[Damage]:
    """Yields the damage in all files, this process's own segment included."""
    for name in catalog.dictionaries.names():
        try:
            catalog.dictionaries.verify(name)
        except DictionaryLost as e:
            yield Damage(None, f"{DICT}/{name.hex()}.zd", 0, e.why)
    paths = [*catalog.files(), *condemned.paths(catalog.folder)]
    progress.begin(sum(map(_size, paths)))
    for path in paths:
        shown = str(path.relative_to(catalog.folder))
        try:
            opened = Pack(path, catalog.dictionaries)
        except FileNotFoundError:
            continue  # sealed or merged just now: its objects are in another file
        except (OSError, GvError) as e:
            yield Damage(None, shown, 0, str(e))
            continue
        try:
            yield from _check_file(opened, shown, full=full)
        finally:
            opened.close()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _check_file(pack: Pack, shown: str, *, full: bool) -> Iterator[Damage]:
    table, _, _ = slots(pack.map)
    for name in table.values():
        try:
            pack.dictionary(name)
        except DictionaryLost as e:
            yield Damage(None, shown, 0, str(e))
    found = scan(pack.map, pack.open_payload, verify=full, watched=True)
    for flaw in found.damage():
        yield Damage(None, shown, flaw.begin, flaw.why, flaw.name)
    if not pack.live:
        if not found.sealed:
            yield Damage(None, shown, pack.size_bytes, "the end is missing")
        yield from _check_index(pack, found.entries)


def _check_index(pack: Pack, entries: list[tuple[bytes, int]]) -> Iterator[Damage]:
    path = pack.path.with_suffix(INDEX_SUFFIX)
    shown = str(Path(path.parent.name) / path.name)
    try:
        index = PackIndex(path, pack.size_bytes)
    except FileNotFoundError:
        yield Damage(None, shown, 0, "the index is missing; the pack is scanned instead")
        return
    except (OSError, BadRecord, GvError) as e:
        yield Damage(None, shown, 0, str(e))
        return
    if not index.holds():
        yield Damage(None, shown, 0, "the index is damaged; the pack is scanned instead")
        return
    for name, at in unindexed(pack, index, entries):
        yield Damage(None, shown, 0, f"the index does not have the object at {at}", name)


def unindexed(pack: Pack, index: PackIndex, entries: list[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Yields the records (name, offset) whose objects an index does not have.

    An object that a program put after it was written stands in its segment twice; the index has the record that is marked as kept.
    """
    known = set(index.offsets)
    for name, at in entries:
        if at not in known and not any(_same(pack, at, other) for other in index.find(name)):
            yield name, at


def _same(pack: Pack, at: int, other: int) -> bool:
    try:
        return pack.open_at(at) == pack.open_at(other)
    except (BadRecord, GvError):
        return False

