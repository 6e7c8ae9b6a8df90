"""Room on the stack: registered calls nest as deep under a recording as plain ones do without.

Python counts the frames of its functions, and a registered call takes four:
the function's own, the one in its place, and two of the recorder's.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

FRAMES_A_CALL: Final = 4
MOST_MORE: Final = 12_000  # frames; the stack of C is not asked for more than a thread has everywhere

_lock = threading.Lock()
_active = 0  # recordings, of all threads
_limits = 0, 0  # before the first of them, and since


@contextmanager
def room() -> Iterator[None]:
    """Raises the recursion limit of Python while any recording runs."""
    global _active, _limits
    with _lock:
        if _active == 0:
            limit = sys.getrecursionlimit()
            _limits = limit, limit + min((FRAMES_A_CALL - 1) * limit, MOST_MORE)
            sys.setrecursionlimit(_limits[1])
        _active += 1
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0 and sys.getrecursionlimit() == _limits[1]:  # the program has not set it itself
                with suppress(RecursionError):  # it stands too deep for it
                    sys.setrecursionlimit(_limits[0])
