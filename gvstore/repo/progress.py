"""How far the reading or writing of a large file has come, told to whoever listens.

The library never prints, and files are read and written deep below the
commands, so the command line listens for the whole process:

    with progress.listening(bar.update):
        ...

Light on purpose: imports nothing of the other rooms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, cast

TOLD_BYTES = 8_000_000  # smaller files are not told of
_STEP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Progress:
    """One file's state: `step` is "look through", "name", "store" or "write"; it is over when done equals total."""

    path: str
    step: str
    done_bytes: int
    total_bytes: int


Listener = Callable[[Progress], None]

_listeners: list[Listener] = []


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Has `listener` called for every step of this process while the block runs, in the thread that works."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def tell(progress: Progress) -> None:
    """Calls the listeners."""
    for listener in tuple(_listeners):
        listener(progress)


class _Watched:
    def __init__(self, file: BinaryIO, path: str, step: str, total: int) -> None:
        self._file, self._path, self._step, self._total = file, path, step, total
        self._done = self._told = 0

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._done += len(data)
        if self._done - self._told >= _STEP_BYTES or not data:
            self._told = self._done
            tell(Progress(self._path, self._step, min(self._done, self._total), self._total))
        return data


def watched(file: BinaryIO, path: str, step: str, total: int) -> BinaryIO:
    """Returns the file, whose `read` tells how far it is if it is large and somebody listens."""
    if not _listeners or total < TOLD_BYTES:
        return file
    return cast(BinaryIO, _Watched(file, path, step, total))


def watched_pieces(pieces: Iterable[bytes], path: str, step: str, total: Callable[[], int]) -> Iterable[bytes]:
    """Returns the pieces of a file's content, likewise; its size is asked for only if somebody listens."""
    if not _listeners or (size := total()) < TOLD_BYTES:
        return pieces
    return _telling(pieces, path, step, size)


def _telling(pieces: Iterable[bytes], path: str, step: str, total: int) -> Iterator[bytes]:
    done = told = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        if done - told >= _STEP_BYTES:
            told = done
            tell(Progress(path, step, done, total))
    tell(Progress(path, step, total, total))
