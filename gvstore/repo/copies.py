"""Where else the text of an object stands: what stays readable when that object alone is forgotten.

The same text may lie as a file, as a value of its own, and inside calls that were given it or returned it.  Each is
another object, under another name, so every object is read and searched.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gvstore.errors import GvError
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.chunking import TEXT_MEAN, TEXT_THRESHOLD, cut_bytes
from gvstore.objects.decode import get_value
from gvstore.objects.encode import BLOB_BYTE
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.odb import progress

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

LEAST_BYTES = 8  # shorter texts stand everywhere
_MOST_BYTES = 64 << 20


def copies(repo: Repository, oids: Iterable[ObjectId]) -> dict[ObjectId, set[ObjectId]]:
    """Returns for each of these objects the others that hold its text, blanks around it aside; whole, not in part.

    Of a text that is cut into chunks, those are the chunks that a value of the same text has.
    """
    found: dict[ObjectId, set[ObjectId]] = {oid: set() for oid in oids}
    needles = {oid: text for oid in found if len(text := _text(repo, oid)) >= LEAST_BYTES}
    for oid, text in needles.items():
        if len(text) > TEXT_THRESHOLD:
            chunks = [ObjectId.of(BLOB_BYTE + chunk) for chunk in cut_bytes(text, TEXT_MEAN)]
            found[oid].update(each for each in chunks if each != oid and repo.objects.has(each))
    if not needles:
        return found
    progress.begin()
    for each in repo.objects:
        progress.step()
        try:
            data = repo.objects.read(each)
        except GvError:
            continue
        for oid, text in needles.items():
            if each != oid and text in data:
                found[oid].add(ObjectId(each))
    return found


def _text(repo: Repository, oid: ObjectId) -> bytes:
    """Returns the text of a file or value, or its bytes, without the blanks around it; nothing where it is neither."""
    try:
        kind = repo.objects.read(oid)[0]
        if kind in (Kind.BLOB, Kind.NODE) and blob_size(repo.objects, oid) <= _MOST_BYTES:
            return get_blob(repo.objects, oid).strip()
        value = get_value(repo.objects, oid) if kind == Kind.VALUE else None
    except (GvError, ValueError):
        return b""
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    return value.strip() if isinstance(value, bytes) else b""
