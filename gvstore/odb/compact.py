"""Keeps the number of files small: seals segments into packs, merges small packs.

A large segment becomes a pack by getting an index and a new name.  Small ones
(a command that wrote a few objects) stay where they are, closed, until there
are enough of them to be merged into one pack; packs of a size are merged in
the same way.  This happens while a process waits to write, so it is for files
of a few MiB only; what is larger is left to `repack`, and found through the
multi-pack index.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from gvstore import fs
from gvstore.odb import format, lease, midx, pack, packindex, segment, tombstone
from gvstore.odb.catalog import LIVE, PACK, is_stored
from gvstore.odb.concat import concat, dictionaries_of
from gvstore.odb.dictionary import Dictionaries
from gvstore.odb.fault import Busy, NewerFormat
from gvstore.odb.lock import maintenance
from gvstore.odb.merge import merge, put_index
from gvstore.odb.pack import Pack
from gvstore.odb.segment import Segment

SMALL_BYTES = 128 << 10  # a closed segment below this stays a segment
FEW = 8  # how many closed segments there may be,
FEW_PACKS = 4  # and how many packs of a size: every write of something new looks into all of them
CLASSES = (1 << 20, 8 << 20)  # packs above the last are merged only by `repack`
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # to merge can wait
COVER_AT_ONCE = 600_000  # objects that are put into the multi-pack index while a process waits to write: 0.3 s
LEASES = 32  # how many lease files there may be before those of dead processes are looked for


def seal(own: Segment, folder: Path) -> Path | None:
    """Closes a segment of this process for ever; returns the pack that it became if it is large.

    Nothing stays if it is empty.
    """
    if not own.offsets:
        own.discard()
        return None
    own.seal()
    if own.end < SMALL_BYTES:
        own.close()
        return None
    own.sync_seal()
    target = _publish(own.path, own.offsets.items(), own.end, folder)
    own.close()
    return target


def _publish(path: Path, entries: Iterable[tuple[bytes, int]], size: int, folder: Path) -> Path:
    """Gives a durable, closed file its index and its place among the packs; returns that."""
    packs = folder / PACK
    packs.mkdir(exist_ok=True)
    target = packs / (path.stem + pack.SUFFIX)
    put_index(target.with_suffix(packindex.SUFFIX), entries, size)
    fs.rename(path, target)
    fs.sync_folder(packs)
    return target


def cover(folder: Path) -> None:
    """Puts new packs into the multi-pack index, if they are many; for a process that writes a great deal."""
    try:
        with maintenance(folder, wait_s=-1):
            midx.cover(folder, pack_paths(folder))
    except (Busy, OSError):
        return  # it is only a cache


def adopt(folder: Path, dictionaries: Dictionaries) -> None:
    """Closes the segments of dead processes and merges what has become too many; for a process about to write.

    If another process is at it, it is left to that one.
    """
    try:
        with maintenance(folder, wait_s=-1):
            dead = closed_segments(folder, dictionaries)
            try:
                _merge_alike(dead, folder, few=FEW)
                _merge_packs(folder, dictionaries)
                mend_indices(folder, dictionaries)
                midx.cover(folder, pack_paths(folder), most=COVER_AT_ONCE)
            except OSError as e:
                if e.errno not in _NO_ROOM:
                    raise
            if len(fs.list_folder(folder / lease.FOLDER)) > LEASES:
                lease.living(folder)
    except Busy:
        return


def pack_paths(folder: Path) -> list[Path]:
    return [folder / PACK / name for name in fs.list_folder(folder / PACK) if is_stored(name, pack.SUFFIX)]


def close_dead(folder: Path, dictionaries: Dictionaries) -> None:
    """Closes the segments of dead processes; large ones become packs.  The caller holds the lock."""
    for dead in closed_segments(folder, dictionaries):
        dead.close()


def unheld(folder: Path) -> set[Path]:
    """Returns the segments that no process writes."""
    found = set()
    for name in fs.list_folder(folder / LIVE):
        if is_stored(name, segment.SUFFIX):
            try:
                fd = fs.open_read(folder / LIVE / name)
            except OSError:
                continue
            try:
                if not fs.is_locked(fd):
                    found.add(folder / LIVE / name)
            finally:
                fs.close(fd)
    return found


def closed_segments(folder: Path, dictionaries: Dictionaries) -> list[Pack]:
    """Returns the closed segments that stay segments."""
    dead = []
    for name in fs.list_folder(folder / LIVE):
        path = folder / LIVE / name
        if not is_stored(name, segment.SUFFIX):
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
        fs.remove(path)
        dead.close()
        return None
    if found.flaws:  # a torn tail: the whole records are copied, the file is not cut under its readers
        merge([dead], folder, forgotten=tombstone.names(folder))
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
    for path in pack_paths(folder):
        try:
            size = path.stat().st_size
        except OSError:
            continue
        for limit, members in zip(CLASSES, sizes, strict=True):
            if size < limit:
                members.append(path)
                break
    for members in sizes:
        if len(members) > FEW_PACKS:
            _merge_alike(list(_opened(members, dictionaries)), folder, few=FEW_PACKS)


def _merge_alike(files: list[Pack], folder: Path, *, few: int) -> None:
    """Merges closed files if they are more than `few`: those that use the same dictionaries; all, if there are too many such groups."""
    forgotten = tombstone.names(folder)
    groups: dict[object, list[Pack]] = {}
    for each in files:
        groups.setdefault(dictionaries_of(each), []).append(each)
    if len(files) > few * 4:
        merge(files, folder, forgotten=forgotten)
    elif len(files) > few or sum(each.size_bytes for each in files) > CLASSES[0]:
        for group in groups.values():
            if len(group) > few // 2:
                concat(group, folder, forgotten=forgotten)
    for each in files:
        each.close()


def mend_indices(folder: Path, dictionaries: Dictionaries) -> None:
    """Writes indices that are missing, deletes those without a pack: a kill between two renames leaves them."""
    names = fs.list_folder(folder / PACK)
    for name in names:
        if is_stored(name, packindex.SUFFIX):
            stem = name.removesuffix(packindex.SUFFIX)
            # Somebody may be sealing: the segment goes when the pack comes, so it is looked for first.
            used = (folder / LIVE / (stem + segment.SUFFIX)).exists() or (folder / PACK / (stem + pack.SUFFIX)).exists()
            if not used:
                fs.remove(folder / PACK / name)
    for path in pack_paths(folder):
        if path.with_suffix(packindex.SUFFIX).name not in names:
            try:
                write_index(Pack(path, dictionaries))
            except (OSError, NewerFormat):
                continue


def write_index(source: Pack) -> bool:
    """Makes the index of a pack anew; returns whether it could: not of one with damage."""
    found = source.scanned()
    if found.flaws or not found.sealed:
        return False
    fs.write_atomic(source.path.with_suffix(packindex.SUFFIX), packindex.encode_index(found.entries, source.size_bytes))
    return True


def _opened(paths: list[Path], dictionaries: Dictionaries) -> Iterator[Pack]:
    for path in paths:
        try:
            yield Pack(path, dictionaries)
        except (OSError, NewerFormat):
            continue
