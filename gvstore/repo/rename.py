"""Which deleted file an added one was, by content: exactly, or by half of it.

Only asked where it matters: a file that one side of a merge renamed and the
other changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from gvstore.objects.blob import blob_oid, blob_size, get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry

ENOUGH_PERCENT: Final = 50  # as git: half of the larger file
MAX_PAIRS: Final = 40_000
_MAX_BYTES = 2 << 20
_EMPTY = blob_oid(b"")


def find_renames(reader: ObjectReader, gone: Mapping[str, TreeEntry], come: Mapping[str, TreeEntry]) -> dict[str, str]:
    """Returns the new name of each file in `gone` that is among `come` under another.

    First files of the same content, then the most alike ones; of equals the one whose
    name, without folders, stayed, then the first by name.  More than 40,000 pairs are
    compared by content only where it is the same.
    """
    found: dict[str, str] = {}
    left_gone = {path: entry for path, entry in gone.items() if _tells(entry)}
    left_come = {path: entry for path, entry in come.items() if _tells(entry)}
    by_oid: dict[ObjectId, list[str]] = {}
    for path in sorted(left_come):
        by_oid.setdefault(left_come[path].oid, []).append(path)
    for path in sorted(left_gone):
        names = by_oid.get(left_gone[path].oid)
        if names:
            new = min(names, key=lambda name: (_base(name) != _base(path), name))
            names.remove(new)
            found[path] = new
            del left_come[new]
    for path in found:
        del left_gone[path]
    if len(left_gone) * len(left_come) <= MAX_PAIRS:
        found |= _alike(reader, left_gone, left_come)
    return found


def _tells(entry: TreeEntry) -> bool:
    return entry.mode in (Mode.FILE, Mode.EXECUTABLE) and entry.oid != _EMPTY


def _alike(reader: ObjectReader, gone: Mapping[str, TreeEntry], come: Mapping[str, TreeEntry]) -> dict[str, str]:
    sizes = {entry.oid: blob_size(reader, entry.oid) for entry in (*gone.values(), *come.values())}
    lines: dict[ObjectId, Counter[bytes]] = {}

    def lines_of(oid: ObjectId) -> Counter[bytes]:
        known = lines.get(oid)
        if known is None:
            known = lines[oid] = Counter(get_blob(reader, oid).split(b"\n"))
        return known

    scored: list[tuple[int, bool, str, str]] = []
    for old, before in gone.items():
        for new, after in come.items():
            small, large = sorted((sizes[before.oid], sizes[after.oid]))
            if large > _MAX_BYTES or small * 100 < large * ENOUGH_PERCENT:
                continue
            shared = (lines_of(before.oid) & lines_of(after.oid)).items()
            percent = sum((len(line) + 1) * times for line, times in shared) * 100 // (large + 1)
            if percent >= ENOUGH_PERCENT:
                scored.append((-percent, _base(old) != _base(new), old, new))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for _, _, old, new in sorted(scored):
        if old not in found and new not in taken:
            found[old] = new
            taken.add(new)
    return found


def _base(path: str) -> str:
    return path.rpartition("/")[2]
