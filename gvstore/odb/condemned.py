"""Packs of what gc has condemned: out of sight, and deleted later.

    condemned/<epoch, 8 hex>-<clock, 16 hex>-<8 hex>.pack, and its .idx

`epoch` is the one that began when they were condemned: leases of earlier ones
hold them.  `clock` is gc's own (collect.py), in microseconds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from gvstore import fs

FOLDER = "condemned"
_NAME = re.compile(r"([0-9a-f]{8,15})-([0-9a-f]{16})-[0-9a-f]{8}\.pack")


def paths(folder: Path) -> list[Path]:
    """Returns the condemned packs of an objects folder."""
    return [folder / FOLDER / name for name in fs.list_folder(folder / FOLDER) if _NAME.fullmatch(name)]


def new_path(folder: Path, epoch: int, clock: int) -> Path:
    """Returns a name for a condemned pack."""
    (folder / FOLDER).mkdir(exist_ok=True)
    return folder / FOLDER / f"{epoch:08x}-{clock:016x}-{os.urandom(4).hex()}.pack"


def epoch_of(path: Path) -> int:
    """Returns the epoch that began when this was condemned."""
    found = _NAME.fullmatch(path.name)
    assert found is not None, path
    return int(found[1], 16)


def clock_of(path: Path) -> int:
    """Returns gc's clock when this was condemned."""
    found = _NAME.fullmatch(path.name)
    assert found is not None, path
    return int(found[2], 16)
