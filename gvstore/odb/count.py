"""How many objects lie where: what `gv count-objects` tells."""

from __future__ import annotations

from dataclasses import dataclass

from gvstore.odb import condemned
from gvstore.odb.catalog import LIVE, Catalog


@dataclass(frozen=True, slots=True)
class Counted:
    """Records and bytes: in segments that processes write or left, in packs, and among what gc has condemned.

    An object that lies in two files counts twice.
    """

    live_objects: int
    live_files: int
    live_bytes: int
    packed_objects: int
    packs: int
    pack_bytes: int
    condemned_files: int
    condemned_bytes: int


def count(catalog: Catalog) -> Counted:
    """Returns what lies in the files as they are now; no object is read."""
    catalog.refresh()
    numbers = {True: [0, 0, 0], False: [0, 0, 0]}  # by whether it is a segment: objects, files, bytes
    for pack in catalog.every():
        try:
            row = numbers[pack.path.parent.name == LIVE]
            size = pack.path.stat().st_size
            row[0] += sum(1 for _ in pack.table.all_offsets())
            row[1] += 1
            row[2] += size
        except FileNotFoundError:  # merged meanwhile
            continue
    gone = [path.stat().st_size for path in condemned.paths(catalog.folder) if path.exists()]
    live, packed = numbers[True], numbers[False]
    return Counted(live[0], live[1], live[2], packed[0], packed[1], packed[2], len(gone), sum(gone))
