"""The multi-pack index: where an object lies among many packs, in one look-up.

    midx/<16 hex>.midx

    header    36   magic 8 | version 1 | zero 3 | packs 4 | objects 8 | CRC-32 of all behind the header 4 | zero 4 | CRC-32 of the 32 before 4
    packs          packs x 41: length of the name 1 | name, 32 bytes, zeros behind it | bytes of the pack 8
    keys           objects x 4: the first 4 bytes of the oid as a big-endian number, ascending
    places         objects x 8: number of the pack << 40 | offset of the record

It is a cache in layers: a layer covers some packs for ever; packs that came
since are asked one by one until there are enough for a layer of their own, and
a layer that has not twice as many objects as the one after it is joined with
that.  What a layer says of packs that are gone is passed over.  Any of it may
be deleted at any time: then the packs' own indices are asked.
"""

from __future__ import annotations

import os
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from gvstore import fs
from gvstore.errors import GvError
from gvstore.odb.fault import BadRecord
from gvstore.odb.packindex import KEY_BYTES, MAX_OFFSET, PackIndex, column, equal_range

FOLDER = "midx"
SUFFIX = ".midx"
MAGIC = b"\x89gvmix\r\n"
VERSION = 1
FEW = 4  # packs that no layer covers
GROWTH = 2
_HEADER = struct.Struct("<8sB3xIQII")
_CHECK = struct.Struct("<I")
_PACK = struct.Struct("<B32sQ")
_HEADER_BYTES = _HEADER.size + _CHECK.size
_PLACE_BYTES = 8


class Layer:
    """A mapped layer.  `packs` are (name, size in bytes) by number.

    Raises:
        FileNotFoundError: it is gone.
        BadRecord: it is none, or of another version: as good as none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        fd = fs.open_read(path)
        try:
            mapped = fs.map_read(fd)
        finally:
            fs.close(fd)
        if len(mapped) < _HEADER_BYTES:
            raise BadRecord("cut off")
        magic, version, packs, self.count, self._crc, _ = _HEADER.unpack_from(mapped)
        if zlib.crc32(mapped[: _HEADER.size]) != _CHECK.unpack_from(mapped, _HEADER.size)[0]:
            raise BadRecord("header damaged")
        keys = _HEADER_BYTES + packs * _PACK.size
        places = keys + self.count * KEY_BYTES
        if magic != MAGIC or version != VERSION or len(mapped) != places + self.count * _PLACE_BYTES:
            raise BadRecord("no layer of this version")
        self._view = memoryview(mapped)
        self.packs = [
            (name[:length].hex(), size) for length, name, size in _PACK.iter_unpack(self._view[_HEADER_BYTES:keys])
        ]
        self.keys = column(self._view[keys:places], "I")
        self.places = column(self._view[places:], "Q")
        self.trusted = False

    def find(self, oid: bytes) -> list[tuple[int, int]]:
        """Returns (number of the pack, offset) of the records that may be `oid`: nearly always none or one."""
        found = equal_range(self.keys, self.count, oid)
        return [(place >> 40, place & MAX_OFFSET) for place in self.places[found.start : found.stop]] if found else []

    def holds(self) -> bool:
        """Returns whether it is what was written; reads it whole, the first time."""
        self.trusted = self.trusted or zlib.crc32(self._view[_HEADER_BYTES:]) == self._crc
        return self.trusted


def layers(folder: Path) -> list[Layer]:
    """Returns the layers of an objects folder that can be read."""
    found = []
    for path in paths(folder):
        try:
            found.append(Layer(path))
        except (OSError, BadRecord):
            continue
    return found


def paths(folder: Path) -> Iterator[Path]:
    """Yields the files of the layers."""
    for name in fs.list_folder(folder / FOLDER):
        if name.endswith(SUFFIX):
            yield folder / FOLDER / name


def cover(folder: Path, packs: Iterable[Path], *, most: int | None = None) -> bool:
    """Makes a layer, if there are many packs that no layer covers; returns whether it did.  The caller holds the lock.

    `most` is the number of objects above which it is left to somebody with more time.
    """
    sizes = {path.stem: path.stat().st_size for path in packs}
    kept = []
    for layer in layers(folder):
        alive = sum(size for name, size in layer.packs if sizes.get(name) == size)
        if alive * 2 <= sum(size for _, size in layer.packs):
            fs.remove(layer.path)
        else:
            kept.append(layer)
    covered = {name for layer in kept for name, size in layer.packs if sizes.get(name) == size}
    if len(sizes.keys() - covered) <= FEW:
        return False
    indices = [index for stem in sizes.keys() - covered if (index := _index(folder, stem, sizes[stem])) is not None]
    count = sum(index.count for index in indices)
    if len(indices) <= FEW or (most is not None and count > most):
        return False
    joined = []
    for layer in sorted(kept, key=lambda each: each.count):
        if not layer.holds():
            fs.remove(layer.path)
            continue
        if layer.count >= GROWTH * count or (most is not None and count + layer.count > most):
            break
        joined.append(layer)
        count += layer.count
    names = [(index.path.stem, sizes[index.path.stem]) for index in indices]
    places = [key << 56 | n << 40 | at for n, index in enumerate(indices) for key, at in zip(index.keys, index.offsets, strict=True)]
    for layer in joined:
        places += _rows(layer, sizes, names)
    (folder / FOLDER).mkdir(exist_ok=True)
    target = folder / FOLDER / (os.urandom(8).hex() + SUFFIX)
    fs.write_atomic(target, _encoded(names, places), durable=False)
    for layer in joined:
        fs.remove(layer.path)
    return True


def _index(folder: Path, stem: str, size: int) -> PackIndex | None:
    try:
        index = PackIndex(folder / "pack" / (stem + ".idx"), size)
    except (OSError, ValueError, GvError):
        return None
    return index if len(stem) % 2 == 0 and index.holds() else None


def _rows(layer: Layer, sizes: dict[str, int], names: list[tuple[str, int]]) -> list[int]:
    """Returns the rows of a layer for the packs that are still there, which are added to `names`."""
    number = {}
    for n, (name, size) in enumerate(layer.packs):
        if sizes.get(name) == size:
            number[n] = len(names)
            names.append((name, size))
    return [
        key << 56 | number[place >> 40] << 40 | place & MAX_OFFSET
        for key, place in zip(layer.keys, layer.places, strict=True)
        if place >> 40 in number
    ]


def _encoded(names: list[tuple[str, int]], rows: list[int]) -> bytes:
    rows.sort()
    keys = array("I", [row >> 56 for row in rows])
    places = array("Q", [row & (1 << 56) - 1 for row in rows])
    if sys.byteorder != "little":
        keys.byteswap()
        places.byteswap()
    packs = b"".join(_PACK.pack(len(stem) // 2, bytes.fromhex(stem), size) for stem, size in names)
    body = packs + keys.tobytes() + places.tobytes()
    head = _HEADER.pack(MAGIC, VERSION, len(names), len(rows), zlib.crc32(body), 0)
    return head + _CHECK.pack(zlib.crc32(head)) + body
