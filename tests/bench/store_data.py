"""Seeded data for the stores: small records, edited large blobs, a growing list of messages."""

from __future__ import annotations

import random
from typing import Any

from tests.bench.measure import Prose
from tests.bench.store_small import make_records

BLOBS = 64
BLOB_BYTES = 4 << 20
FAMILIES = 4
VERSIONS = 8
SNAPSHOTS = 400
SEED = 29


def records(count: int) -> list[bytes]:
    """Returns records of 100 to 1,000 bytes, 30 % of them equal to an earlier one."""
    return make_records()[:count]


def blobs(count: int = BLOBS, size: int = BLOB_BYTES) -> list[bytes]:
    """Returns blobs, half noise and half text by turns: half of them on their own, the others versions of four, each edited from the last."""
    chance = random.Random(SEED)
    prose = Prose(SEED)
    text = prose.take(16 << 20).encode()
    made = [_mixed(chance, text, size) for _ in range(count // 2)]
    for _ in range(FAMILIES):
        version = _mixed(chance, text, size)
        for _ in range(count // 2 // FAMILIES):
            made.append(version)
            version = _edited(chance, version, text)
    return made


def _mixed(chance: random.Random, text: bytes, size: int) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) < size:
        parts.append(chance.randbytes(chance.randint(2_000, 60_000)))
        at, length = chance.randrange(len(text) - 60_000), len(parts[-1])
        parts.append(text[at : at + length])
    return b"".join(parts)[:size]


def _edited(chance: random.Random, data: bytes, text: bytes) -> bytes:
    """Returns the blob with some twenty places inserted, deleted or replaced: 10 to 2,000 bytes each."""
    for _ in range(chance.randint(10, 30)):
        at, length = chance.randrange(len(data)), chance.randint(10, 2_000)
        new = text[at : at + length] if chance.random() < 0.7 else chance.randbytes(length)
        what = chance.choice(("insert", "delete", "replace"))
        data = data[:at] + (b"" if what == "delete" else new) + data[at + (0 if what == "insert" else length) :]
    return data


def snapshots(count: int = SNAPSHOTS) -> list[list[dict[str, Any]]]:
    """Returns a conversation as it stood after each of its messages."""
    prose = Prose(SEED)
    chance = prose.random
    messages: list[dict[str, Any]] = []
    taken = []
    for at in range(count):
        content = prose.take(chance.randint(50, 750))
        messages.append({"role": ("user", "assistant")[at % 2], "content": content, "id": f"msg_{chance.getrandbits(48):012x}"})
        taken.append(list(messages))
    return taken
