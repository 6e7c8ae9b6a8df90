"""Where contents are cut: FastCDC as published, the coin as documented."""

from __future__ import annotations

import hashlib
import io
import random
import zlib
from collections.abc import Iterator

import pytest

from gvstore.objects.chunking import BLOB_MEAN, TEXT_MEAN, cut_bytes, cut_stream, ends_node

# FastCDC 2020 (Xia et al., IEEE TPDS 31(9)), as nlfiedler/fastcdc-rs fixed its tables: the gear of a byte is the first
# half of the MD5 of 64 such bytes, the masks are those of the paper for 2**(bits + 1) and 2**(bits - 1).
GEAR = [int.from_bytes(hashlib.md5(bytes([byte]) * 64).digest()[:8], "big") for byte in range(256)]
MASKS = {9: 0x0000019000353000, 11: 0x0000D90003530000, 13: 0x0000D90303530000}
BITS = {1024: 10, 4096: 12}
WHOLE = (1 << 64) - 1


def cut_slowly(data: bytes, mean: int) -> Iterator[bytes]:
    """Yields the chunks of `data`, byte by byte: a reading of the algorithm that shares nothing with the wheel.

    A fingerprint starts at nothing behind the shortest chunk, and takes in two
    bytes a step.  A cut falls *before* the byte that makes the masked bits
    zero.  Short of the mean one bit more is asked for, beyond it one less.
    """
    least, most = mean // 4, mean * 4
    strict, loose = MASKS[BITS[mean] + 1], MASKS[BITS[mean] - 1]
    start = 0
    while start < len(data):
        end = min(len(data), start + most)
        at = end
        if end - start > least:
            middle = start + min(mean, end - start) // 2 * 2
            print_ = 0
            for i in range(start + least, start + (end - start) // 2 * 2):
                mask = strict if i < middle else loose
                if (i - start - least) % 2 == 0:
                    print_ = ((print_ << 2) + (GEAR[data[i]] << 1)) & WHOLE
                    found = not print_ & (mask << 1) & WHOLE
                else:
                    print_ = (print_ + GEAR[data[i]]) & WHOLE
                    found = not print_ & mask
                if found:
                    at = i
                    break
        yield data[start:at]
        start = at


def sample(kind: str, seed: int) -> bytes:
    source = random.Random(seed)
    if kind == "noise":
        return source.randbytes(30_000 + seed)
    if kind == "text":
        return " ".join(source.choices(["the", "of", "otter", "swims", "é", "\n"], k=6_000)).encode()
    if kind == "zeros":
        return bytes(20_000 + seed)
    return b"".join(source.choice([b"\0" * 700, source.randbytes(50), b"ab" * 300]) for _ in range(60))


@pytest.mark.parametrize("mean", [TEXT_MEAN, BLOB_MEAN])
@pytest.mark.parametrize("kind", ["noise", "text", "zeros", "patches"])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_wheel_cuts_as_published(mean: int, kind: str, seed: int) -> None:
    """pyfastcdc gives the chunks that a slow reading of the algorithm gives."""
    data = sample(kind, seed)

    assert list(cut_slowly(data, mean)) == list(cut_bytes(data, mean))


@pytest.mark.parametrize("mean", [TEXT_MEAN, BLOB_MEAN])
@pytest.mark.parametrize("around", [0, 1, 64, 256, 1024, 4096, 16384])
def test_every_length_is_cut_alike(mean: int, around: int) -> None:
    """At the least, middle and most sizes, odd and even, with and without a stream."""
    source = random.Random(7).randbytes(around + 3)
    for size in range(max(0, around - 2), around + 3):
        data = source[:size]

        assert list(cut_slowly(data, mean)) == list(cut_bytes(data, mean)) == list(cut_stream(io.BytesIO(data), mean))


def test_chunks_are_neither_small_nor_large() -> None:
    """A quarter to four times the mean, but for the last; joined they are the whole."""
    data = sample("noise", 5) * 5
    chunks = list(cut_bytes(data, TEXT_MEAN))

    assert data == b"".join(chunks)
    assert all(TEXT_MEAN // 4 <= len(chunk) <= TEXT_MEAN * 4 for chunk in chunks[:-1])


def test_the_coin() -> None:
    """A node ends behind an item with probability length/320, as the item's CRC-32 says."""
    items = [b"%d" % i for i in range(20_000)]
    ends = sum(map(ends_node, items))

    assert abs(ends - sum(map(len, items)) / 320) < 60
    for item in (b"\x00", b"\x01", b"abc", b"x" * 320, b"x" * 500):
        assert (zlib.crc32(item) * 0x9E3779B1 % 2**32 < len(item) * (2**32 // 320)) == ends_node(item)
