"""Objects that a user has had forgotten: their names stay, so that nobody looks for damage.

    forgotten/<64 hex>    lines of UTF-8: `at` microseconds, `by` author, `why` text

While the file is there the object is neither read nor written.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId

FOLDER = "forgotten"
_MAX_BYTES = 1 << 20


class Tombstone(NamedTuple):
    """What is left of a forgotten object; `at` is microseconds since 1970 UTC."""

    oid: ObjectId
    at: int
    by: str
    why: str


def names(folder: Path) -> frozenset[bytes]:
    """Returns the oids of all forgotten objects."""
    found = fs.list_folder(folder / FOLDER)
    return frozenset(ObjectId.from_hex(name) for name in found if len(name) == 64 and _is_hex(name))


def read(folder: Path, oid: ObjectId) -> Tombstone | None:
    """Returns the tombstone of an object, or None; one that is damaged still is one."""
    try:
        text = fs.read_bytes(folder / FOLDER / oid.hex(), limit=_MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError:
        text = ""
    words = dict(line.partition(" ")[::2] for line in text.splitlines())
    at = words.get("at", "")
    return Tombstone(oid, int(at) if at.isdecimal() and len(at) < 18 else 0, words.get("by", ""), words.get("why", ""))


def write(folder: Path, tombstone: Tombstone) -> None:
    """Stores a tombstone; durable on return."""
    (folder / FOLDER).mkdir(exist_ok=True)
    lines = {"at": str(tombstone.at), "by": tombstone.by, "why": tombstone.why}
    text = "".join(f"{word} {' '.join(value.split())}\n" for word, value in lines.items())
    fs.write_atomic(folder / FOLDER / tombstone.oid.hex(), text.encode("utf-8", "replace"))


def remove(folder: Path, oid: ObjectId) -> bool:
    """Takes a tombstone away, so that the object can come back; returns whether there was one."""
    path = folder / FOLDER / oid.hex()
    there = path.exists()
    fs.remove(path)
    return there


def _is_hex(name: str) -> bool:
    return all(c in "0123456789abcdef" for c in name)
