r"""A bundle: names and objects in one closed file, the same bytes for the same content.

    0   8   89 47 56 42 0D 0A 1A 0A: "\x89GVB\r\n\x1a\n"; a transfer that changes line ends is seen at once
    8   1   version: 1
    9   3   zero
    12  4   N, the length of the names
    16  8   how many objects
    24  8   S, the length of what the frame holds
    32  N   the names: a line each, value, blank, name
    ..  ..  one zstd frame: of each object its length (4 bytes), then its bytes, kind byte first
    -32 32  SHA-256 of all before

Numbers are little-endian.  One frame for all, with a window of 8 MiB, is a half to
a quarter of what one frame an object comes to.  An object's name is not in the
file: it is what its bytes hash to, so a reader believes nothing.

May be imported by `repo` and the rooms above it; docs/format/bundle.md tells the names.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import zstandard

from gvstore import fs
from gvstore.errors import BadRev, Corrupt
from gvstore.odb.fault import NewerFormat
from gvstore.odb.format import MAX_LENGTH

MAGIC = b"\x89GVB\r\n\x1a\n"
SUFFIX = ".gvb"
VERSION = 1
MAX_FILE = 2 << 30
MAX_NAMES = 64 << 20
_HEAD = struct.Struct("<8sB3sIQQ")
_LENGTH = struct.Struct("<I")
_DIGEST_BYTES = 32
_WINDOW_LOG = 23
_LARGE = 64 << 20  # above it, level 9: 19 would take a minute and more
_MOST_INFLATED = 2000  # times its size; what claims more was made to fill a disk
_ALWAYS_INFLATED = 16 << 20


class NoBundle(BadRev):
    """A file that is no bundle, or is not there."""

    hint = "`gv bundle FILE run/1` makes one."


class CorruptBundle(Corrupt):
    """A bundle that is not as it was written."""

    hint = "Fetch or make the file again: it was cut off, or changed on its way."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path.name} {why}")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle that was opened: `names` as (value, name) in the order of the file, `digest` of the whole file in hex."""

    path: Path
    names: tuple[tuple[str, str], ...]
    count: int
    size_bytes: int
    inflated_bytes: int
    digest: str
    frame: memoryview

    def objects(self) -> Iterator[bytes]:
        """Yields the objects, kind byte first, in the order of the file.

        Raises:
            CorruptBundle: the frame does not hold what the header says.
        """
        reader = zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG).stream_reader(self.frame)
        left = self.inflated_bytes
        try:
            for _ in range(self.count):
                (length,) = _LENGTH.unpack(self._exactly(reader, _LENGTH.size))
                left -= _LENGTH.size + length
                if not 0 < length <= MAX_LENGTH or left < 0:
                    raise CorruptBundle(self.path, "holds an object of no possible length")
                yield self._exactly(reader, length)
            if left or reader.read(1):
                raise CorruptBundle(self.path, "holds more than it says")
        except zstandard.ZstdError as e:
            raise CorruptBundle(self.path, f"does not decompress: {e}") from e

    def _exactly(self, reader: zstandard.ZstdDecompressionReader, length: int) -> bytes:
        data = reader.read(length)
        while len(data) < length:
            more = reader.read(length - len(data))
            if not more:
                raise CorruptBundle(self.path, "holds less than it says")
            data += more
        return data


def encode_bundle(names: Sequence[tuple[str, str]], sizes: Sequence[int], objects: Iterable[bytes]) -> bytes:
    """Returns the bytes of a bundle; `sizes` are those of the objects, which are asked for once, in order."""
    lines = "".join(f"{value} {name}\n" for value, name in names).encode()
    total = sum(sizes) + _LENGTH.size * len(sizes)
    parameters = zstandard.ZstdCompressionParameters.from_level(
        9 if total > _LARGE else 19, window_log=_WINDOW_LOG, write_content_size=1, write_checksum=0, threads=0
    )
    pressing = zstandard.ZstdCompressor(compression_params=parameters).compressobj(size=total)
    parts = [_HEAD.pack(MAGIC, VERSION, bytes(3), len(lines), len(sizes), total), lines]
    for data in objects:
        parts += [pressing.compress(_LENGTH.pack(len(data))), pressing.compress(data)]
    parts.append(pressing.flush())
    whole = b"".join(parts)
    return whole + hashlib.sha256(whole).digest()


def is_bundle(path: Path) -> bool:
    """Returns whether the file begins as a bundle does."""
    try:
        fd = fs.open_read(path)
    except OSError:
        return False
    try:
        return fs.read_at(fd, len(MAGIC), 0) == MAGIC
    except OSError:
        return False
    finally:
        fs.close(fd)


def open_bundle(path: Path) -> Bundle:
    """Returns the bundle in a file, its digest verified; its objects are not looked at yet.

    Raises:
        NoBundle: there is no such file, or it is none.
        NewerFormat: a later gvstore wrote it.
        CorruptBundle: it is cut off or changed, or claims what cannot be.
    """
    try:
        data = fs.read_bytes(path, limit=MAX_FILE)
    except fs.NotAFile as e:
        raise NoBundle(f"{path} is no bundle: it is no file") from e
    except OSError as e:
        raise NoBundle(f"{path} cannot be read: {e.strerror or e}") from e
    if not data.startswith(MAGIC):
        raise NoBundle(f"{path} is no bundle")
    if len(data) > len(MAGIC) and data[len(MAGIC)] > VERSION:
        raise NewerFormat(path, data[len(MAGIC)])
    if len(data) < _HEAD.size + _DIGEST_BYTES:
        raise CorruptBundle(path, "is cut off")
    whole = memoryview(data)[:-_DIGEST_BYTES]
    digest = hashlib.sha256(whole).digest()
    if digest != data[-_DIGEST_BYTES:]:
        raise CorruptBundle(path, "is cut off or changed: its bytes are not those that its digest is of")
    _, version, zero, names_bytes, count, inflated = _HEAD.unpack_from(data)
    frame = whole[_HEAD.size + names_bytes :]
    if version != VERSION or any(zero) or names_bytes > min(MAX_NAMES, len(whole) - _HEAD.size):
        raise CorruptBundle(path, "has no possible header")
    if inflated > _MOST_INFLATED * len(frame) + _ALWAYS_INFLATED or count * (_LENGTH.size + 1) > inflated:
        raise CorruptBundle(path, f"claims to hold {count:,} objects of {inflated:,} bytes, which it cannot")
    names = _names(path, bytes(whole[_HEAD.size : _HEAD.size + names_bytes]))
    return Bundle(path, names, count, len(data), inflated, hashlib.sha256(data).hexdigest(), frame)


def _names(path: Path, data: bytes) -> tuple[tuple[str, str], ...]:
    try:
        lines = data.decode("utf-8").split("\n")
    except UnicodeDecodeError as e:
        raise CorruptBundle(path, "has names that are no text") from e
    if lines.pop():
        raise CorruptBundle(path, "has a name without an end")
    found = []
    for line in lines:
        value, blank, name = line.rpartition(" ")
        if not blank or not value or not name:
            raise CorruptBundle(path, f"has a line that is no name: {line[:80]!r}")
        found.append((value, name))
    return tuple(found)
