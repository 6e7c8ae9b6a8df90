"""The lock on a work tree: one gv at a time changes files or moves HEAD.

It is a lock on an open file, so it dies with its process.  Recording runs
does not take it.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gvstore import fs
from gvstore.repo import layout
from gvstore.repo.fault import CannotWrite, WorktreeBusy

WAIT_S = 10.0
_held = threading.local()


@contextmanager
def worktree_lock(gv: Path, root: Path, *, wait_s: float = WAIT_S) -> Iterator[None]:
    """Holds the work tree's lock; a thread that holds it already passes.

    Raises:
        WorktreeBusy: somebody else held it for `wait_s`.
        CannotWrite: there can be no lock.
    """
    mine: set[Path] = _held.__dict__.setdefault("paths", set())
    path = gv / layout.WORKTREE_LOCK
    if path in mine:
        yield
        return
    try:
        fd = fs.open_lock(path)
    except OSError as e:
        raise CannotWrite(str(path), e.strerror or str(e)) from e
    try:
        until = time.monotonic() + wait_s
        while not fs.try_lock(fd):
            if time.monotonic() > until:
                raise WorktreeBusy(str(root))
            time.sleep(0.02)
        mine.add(path)
        yield
    finally:
        mine.discard(path)
        os.close(fd)
