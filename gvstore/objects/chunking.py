"""Where contents are cut: FastCDC for runs of bytes, a weighted coin for items of containers.

Everything here determines oids and is frozen with format 1 (docs/format.md,
"Cutting").  Bytes are cut by FastCDC 2020 as pyfastcdc 0.3 does it (the
tables of nlfiedler/fastcdc-rs, normalisation level 1, no seed);
`tests/objects/test_chunking.py` holds it to a reading of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, BinaryIO, Final
from zlib import crc32

if TYPE_CHECKING:
    from pyfastcdc import FastCDC

LINK_THRESHOLD: Final = 256  # a nested part longer than this becomes an object
HEIGHT_LIMIT: Final = 32  # a nested container of this inline height becomes an object
SPLIT_THRESHOLD: Final = 1024  # items longer than this together are split into nodes
NODE_MEAN: Final = 320
NODE_MAX: Final = 4 * NODE_MEAN
NODE_MIN_ITEMS: Final = 2
TEXT_THRESHOLD: Final = 1024  # nested str and bytes longer than this are cut
TEXT_MEAN: Final = 1024
BLOB_THRESHOLD: Final = 64 * 1024  # blobs longer than this are cut
BLOB_MEAN: Final = 4096

_COIN: Final = (1 << 32) // NODE_MEAN


def ends_node(item: bytes) -> bool:
    """Returns whether a node ends behind `item`: with probability len(item)/320, by the item alone.

    The CRC-32 of the item, times an odd constant to break its linearity,
    modulo 2**32, is compared with the item's share.
    """
    return ((crc32(item) * 0x9E3779B1) & 0xFFFFFFFF) < len(item) * _COIN


def node_ends(items: Sequence[bytes]) -> list[bool]:
    """Returns `ends_node` of each item."""
    return [((crc * 0x9E3779B1) & 0xFFFFFFFF) < len(item) * _COIN for item, crc in zip(items, map(crc32, items), strict=True)]


@cache
def _cutter(mean: int) -> FastCDC:
    from pyfastcdc import FastCDC  # by the first to cut: readers do without

    return FastCDC(avg_size=mean, min_size=mean // 4, max_size=mean * 4, normalized_chunking=1)


def cut_bytes(data: bytes | memoryview, mean: int) -> Iterator[bytes]:
    """Yields the chunks of `data`, a quarter to four times `mean` bytes each; the last may be shorter."""
    for chunk in _cutter(mean).cut_buf(data):
        yield bytes(chunk.data)


def cut_stream(file: BinaryIO, mean: int) -> Iterator[bytes]:
    """Yields the same chunks as `cut_bytes` of the whole file, holding only a few in memory."""
    for chunk in _cutter(mean).cut_stream(file):
        yield bytes(chunk.data)
