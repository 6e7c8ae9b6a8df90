"""What a living process may have been told is there, and so must not vanish.

    lease/<16 hex>.lease    16 hex digits: the epoch in which it began; less: it is just beginning
    epoch                   `epoch N`, and the clock of `gc` (collect.py)

A handle takes a lease before it looks at anything: a file, locked for the
handle's life.  gc takes objects out of sight first (it condemns them) and then
counts the epoch up.  Whoever begins in the new epoch does not see them; whoever
began before may have been told of them, so they are deleted only when no
lease of an earlier epoch lives.  The lock dies with its process; a stopped
process holds it.  No clock is asked.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from gvstore import fs

FOLDER = "lease"
SUFFIX = ".lease"
EPOCH = "epoch"
_DIGITS = 16
_MAX_STATE_BYTES = 4096


def read_state(folder: Path) -> dict[str, str]:
    """Returns the words of the file `epoch`; none where it is missing or unreadable."""
    try:
        text = fs.read_bytes(folder / EPOCH, limit=_MAX_STATE_BYTES).decode("ascii", "replace")
    except OSError:
        return {}
    pairs = [line.partition(" ") for line in text.splitlines()]
    return {key: value for key, _, value in pairs}


def write_state(folder: Path, state: dict[str, str]) -> None:
    """Replaces the file `epoch`; it need not survive a power cut, since no process does."""
    fs.write_atomic(folder / EPOCH, "".join(f"{k} {v}\n" for k, v in state.items()).encode(), durable=False)


def number(state: dict[str, str], key: str) -> int:
    """Returns a number of the state; 0 where it is missing, damaged or negative."""
    text = state.get(key, "")
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def current_epoch(folder: Path) -> int:
    """Returns the epoch that begins a lease now; 0, which holds everything, where nobody can tell."""
    return number(read_state(folder), "epoch")


class Lease:
    """A lease of this process, held until `close`.

    Raises:
        OSError: no file can be made.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self.path, self._fd = _make(folder / FOLDER)
        except FileNotFoundError:
            (folder / FOLDER).mkdir(exist_ok=True)
            self.path, self._fd = _make(folder / FOLDER)
        self._shared = False
        try:
            self.epoch = current_epoch(folder)  # only now: until it stands in the file, this lease holds everything
            fs.write_at(self._fd, b"%0*x" % (_DIGITS, self.epoch), 0)
        except BaseException:
            self.close()
            raise

    def hold_everything(self) -> None:
        """Lets gc delete nothing at all while this lease lives: what is condemned was found useful after all."""
        if self.epoch:
            fs.write_at(self._fd, b"%0*x" % (_DIGITS, 0), 0)
            self.epoch = 0

    def share(self) -> None:
        """Notes that a fork has the lock too: it ends with the last of them."""
        self._shared = True

    def close(self) -> None:
        """Ends the lease."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        if not self._shared:
            with suppress(OSError):  # a file that nobody holds is deleted by whoever looks next
                fs.remove(self.path)
        fs.close(fd)
        if self._shared:
            _epoch_of(self.path)


def living(folder: Path) -> list[int]:
    """Returns the epochs of all leases that are held; files of dead processes are deleted."""
    names = [name for name in fs.list_folder(folder / FOLDER) if name.endswith(SUFFIX)]
    epochs = [_epoch_of(folder / FOLDER / name) for name in names]
    return [epoch for epoch in epochs if epoch is not None]


def _epoch_of(path: Path) -> int | None:
    """Returns the epoch in which a lease began that is held; None if it is not, and then it is gone."""
    try:
        fd = fs.open_update(path)
    except FileNotFoundError:
        return None
    except OSError:
        return 0  # not ours to look at: it may be held
    try:
        if fs.try_lock(fd):
            with suppress(OSError):
                fs.remove(path)
            return None
        text = fs.read_at(fd, _DIGITS, 0).decode("ascii", "replace")
        try:
            return int(text, 16) if len(text) == _DIGITS else 0
        except ValueError:
            return 0
    finally:
        fs.close(fd)


def _make(folder: Path) -> tuple[Path, int]:
    while True:
        path = folder / (os.urandom(8).hex() + SUFFIX)
        fd = fs.create(path)
        if fs.try_lock(fd) and fs.has_name(fd):
            return path, fd
        fs.close(fd)  # gc took the empty file for a dead one's, between the two calls
