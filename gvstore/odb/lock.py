"""The lock on moving objects between files: one process at a time merges, collects or repairs."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gvstore import fs
from gvstore.errors import Corrupt
from gvstore.odb.fault import BadRecord, Busy, WriteFailed

NAME = "maintenance.lock"
WAIT_S = 30.0
_held = threading.local()


@contextmanager
def maintenance(folder: Path, *, wait_s: float | None = None) -> Iterator[None]:
    """Holds the lock of an objects folder; a thread that holds it already passes.

    Raises:
        Busy: another process, or another thread, held it for `wait_s`; it may have been stopped.
    """
    mine: set[Path] = _held.__dict__.setdefault("folders", set())
    if folder in mine:
        yield
        return
    fd = fs.open_lock(folder / NAME)
    try:
        until = time.monotonic() + (WAIT_S if wait_s is None else wait_s)
        while not fs.try_lock(fd):
            if time.monotonic() > until:
                raise Busy(folder)
            time.sleep(0.01)
        mine.add(folder)
        yield
    finally:
        mine.discard(folder)
        fs.close(fd)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Tells what the system refuses in the block in an error of ours."""
    try:
        yield
    except OSError as e:
        raise WriteFailed(folder, e) from e
    except BadRecord as e:
        raise Corrupt(f"{folder}: {e}; nothing was deleted") from e
