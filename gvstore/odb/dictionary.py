"""Compression: zstd, one object a frame, with a dictionary for the small ones.

Records of a few hundred bytes resemble each other far more than themselves:
with a dictionary they take 2.4x less, without 1.5x, and both ways are faster.
A dictionary is a file `dict/<hash>.zd`: its bytes, compressed, named by the
oid-hash of what comes out.  One ships with gvstore (trained by
`tests/bench/train_dictionary.py`) and is copied in at init; more are trained
on what is written (`train`).  The only module beside bundle.py that imports zstandard.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

import zstandard
from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb.fault import BadRecord, DictionaryLost

MAX_INFLATED = 16 << 20  # no compressed record claims more: larger objects are stored raw
MAX_DICTIONARY = 1 << 20
DICTIONARY_LIMIT = 16 << 10  # above it a dictionary helps less than it costs
CURRENT = "current"
SUFFIX = ".zd"
_MAGICLESS = zstandard.FORMAT_ZSTD1_MAGICLESS
_FRAME = {"format": _MAGICLESS, "write_content_size": 1, "write_checksum": 0, "write_dict_id": 0}
_SHORT_FRAMES = (0x20, 0x60)  # frame descriptors whose content size has one or two bytes: at most 65,791 bytes

Inflate = Callable[[bytes], bytes]


def _parameters(*, small: bool) -> zstandard.ZstdCompressionParameters:
    """Returns what frames look like, and how hard to try.

    With a dictionary: zstd's fast strategy, a table large enough for the whole
    dictionary, matches from 6 bytes.  Measured on 500-byte records: 3.2 µs and
    15.9 MB; level 1 took 2.9 µs and 17.1 MB, level 3 4.0 µs and 15.5 MB.
    """
    if not small:
        return zstandard.ZstdCompressionParameters.from_level(3, **_FRAME)
    fast = {"window_log": 17, "chain_log": 13, "hash_log": 16, "search_log": 1, "min_match": 6, "target_length": 0}
    return zstandard.ZstdCompressionParameters(strategy=zstandard.STRATEGY_FAST, **fast, **_FRAME)


def _thorough(dictionary_bytes: int) -> zstandard.ZstdCompressionParameters:
    """Returns parameters for records that are written once and read for years.

    Measured on 20,000 records of 560 bytes with a dictionary of 220 KiB: 141 bytes and 20 µs a record; as they are
    written first, 178 and 3; with level 15, 129 and 60.
    """
    return zstandard.ZstdCompressionParameters.from_level(9, source_size=1000, dict_size=dictionary_bytes, **_FRAME)


class Codec:
    """Compresses and inflates with one dictionary, or none; usable from any thread.

    zstd's contexts are not: each thread has its own.
    """

    def __init__(self, data: bytes = b"") -> None:
        self.name = ObjectId.of(data) if data else None
        self.data = data
        self._dictionary = zstandard.ZstdCompressionDict(data) if data else None
        self._local = threading.local()

    def compressor(self, *, thorough: bool = False) -> Callable[[bytes], bytes]:
        """Returns a function that makes frames; one thread at a time may call it.

        `thorough` takes six times as long and makes frames a tenth smaller: for `repack`.
        """
        parameters = _thorough(len(self.data)) if thorough else _parameters(small=self._dictionary is not None)
        return ZstdCompressor(dict_data=self._dictionary, compression_params=parameters).compress

    def compress(self, data: bytes) -> bytes:
        """Returns `data` as a frame."""
        try:
            compress: Callable[[bytes], bytes] = self._local.compress
        except AttributeError:
            compress = self._local.compress = self.compressor()
        return compress(data)

    def inflate(self, frame: bytes) -> bytes:
        """Returns what a frame, not empty, holds.  What it claims is looked at before a byte is allocated.

        Raises:
            BadRecord: it is no frame of ours, or claims more than it may.
        """
        if frame[0] not in _SHORT_FRAMES:
            check_frame(frame)
        try:
            inflate: Inflate = self._local.inflate
        except AttributeError:
            inflate = ZstdDecompressor(dict_data=self._dictionary, format=_MAGICLESS).decompress
            self._local.inflate = inflate
        try:
            return inflate(frame)
        except ZstdError as e:
            raise BadRecord(f"does not decompress: {e}") from e


def check_frame(frame: bytes) -> None:
    """Raises BadRecord unless the frame states a content size that we would have written compressed."""
    try:
        stated = zstandard.get_frame_parameters(frame, format=_MAGICLESS)
    except ZstdError as e:
        raise BadRecord(f"no zstd frame: {e}") from e
    if stated.content_size > MAX_INFLATED or stated.window_size > MAX_INFLATED:
        raise BadRecord(f"claims {stated.content_size} bytes, more than the {MAX_INFLATED} that are allowed")


def frame_bytes(frame: bytes) -> int:
    """Returns where a frame ends by its own blocks; what lies behind it zstd does not look at.

    Raises:
        BadRecord: it is cut off.

    Source: RFC 8878, sections 3.1.1.1 and 3.1.1.2.
    """
    try:
        descriptor = frame[0]
        single = descriptor >> 5 & 1
        sizes = (single, 2, 4, 8)[descriptor >> 6] + (0, 1, 2, 4)[descriptor & 3]
        at, last = 1 + (not single) + sizes, 0
        while not last:
            block = int.from_bytes(frame[at : at + 3], "little")
            last = block & 1 or len(frame) < at + 3
            at += 3 + (1 if block >> 1 & 3 == 1 else block >> 3)
    except IndexError:
        raise BadRecord("no zstd frame") from None
    return at + 4 * (descriptor >> 2 & 1)


@cache
def plain() -> Codec:
    """Returns the codec without a dictionary."""
    return Codec()


@cache
def shipped() -> Codec:
    """Returns the codec of the dictionary that comes with gvstore."""
    return _load(Path(__file__).with_name("default.zd"))


@cache
def _loaded(data: bytes) -> Codec:
    return Codec(data)


def _load(path: Path) -> Codec:
    packed = fs.read_bytes(path, limit=MAX_DICTIONARY)
    try:
        if not 0 <= zstandard.frame_content_size(packed) <= MAX_DICTIONARY:
            raise BadRecord("claims to be too large")
        return _loaded(ZstdDecompressor().decompress(packed))
    except ZstdError as e:
        raise BadRecord(str(e)) from e


class Dictionaries:
    """The dictionaries of one database: the folder `objects/dict`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[ObjectId, Codec] = {}
        self._listed: list[ObjectId] | None = None

    def get(self, name: ObjectId) -> Codec:
        """Returns the codec of the dictionary `name`; the shipped one need not be there.

        Raises:
            DictionaryLost: it is missing or damaged.
        """
        codec = self._known.get(name)
        if codec is None:
            codec = self._known[name] = self._find(name)
        return codec

    def _find(self, name: ObjectId, *, file_only: bool = False) -> Codec:
        why = "is missing"
        try:
            codec = _load(self.path(name))
            if codec.name == name:
                return codec
            why = "is damaged: its hash is another"
        except FileNotFoundError:
            pass
        except (OSError, BadRecord) as e:
            why = f"is damaged: {e}"
        if shipped().name == name and not file_only:
            return shipped()
        raise DictionaryLost(name, why)

    def verify(self, name: ObjectId) -> None:
        """Raises DictionaryLost if the file of the dictionary is damaged, or missing and not the shipped one."""
        self._known.pop(name, None)
        self._find(name, file_only=self.path(name).exists())

    def path(self, name: ObjectId) -> Path:
        """Returns where the dictionary `name` lies."""
        return self.folder / (name.hex() + SUFFIX)

    def names(self) -> list[ObjectId]:
        """Returns the names of all dictionaries in the folder, and of the shipped one."""
        found = set()
        for entry in fs.list_folder(self.folder):
            stem = entry.removesuffix(SUFFIX)
            if stem != entry and len(stem) == 64 and all(c in "0123456789abcdef" for c in stem):
                found.add(ObjectId.from_hex(stem))
        name = shipped().name
        return sorted(found | {name} if name else found)

    def candidates(self) -> list[ObjectId]:
        """Returns the names as they were when first asked for: whoever tries them all does so at every byte of a torn file."""
        if self._listed is None:
            self._listed = self.names()
        return self._listed

    def look_again(self) -> None:
        """Lets `candidates` list anew."""
        self._listed = None

    def add(self, codec: Codec) -> None:
        """Stores a dictionary; it is durable on return."""
        if codec.name is None or self.path(codec.name).exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        fs.write_atomic(self.path(codec.name), ZstdCompressor(level=19).compress(codec.data))
        self._known[codec.name] = codec
        self.look_again()

    def current(self) -> Codec:
        """Returns the codec for new segments: the one named in `dict/current`, else the shipped one."""
        try:
            return self.get(ObjectId.from_hex(fs.read_bytes(self.folder / CURRENT, limit=100).decode().strip()))
        except (OSError, ValueError, DictionaryLost):
            return shipped()

    def set_current(self, codec: Codec) -> None:
        """Makes new segments use this dictionary; stores it first."""
        self.add(codec)
        if codec.name is not None:
            fs.write_atomic(self.folder / CURRENT, codec.name.hex().encode() + b"\n", durable=False)  # a hint, no more


def train(samples: list[bytes], *, size: int) -> Codec | None:
    """Returns a dictionary of at most `size` bytes for objects like these; None if there are too few.

    The parameters are fixed (segments of 200 bytes, d 8): searching for better
    ones took four times as long (40 ms for 4,000 samples) and gained 0.5 %.
    """
    try:
        trained = zstandard.train_dictionary(size, list(samples), k=200, d=8)
    except (ZstdError, ValueError):
        return None
    return Codec(trained.as_bytes())
