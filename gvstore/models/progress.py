"""How far a long step of this room has come, told to whoever listens.

The library never prints.  A pull may begin inside a component, where nobody
could pass a callback, so the command line listens for the whole process:

    with progress.listening(bar.update):
        ...

Light on purpose: imports nothing, so that listening costs no start-up time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """One step's state: `step` is "download", "verify" or "unpack"; it is over when done equals total."""

    name: str
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
