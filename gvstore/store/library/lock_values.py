"""Locks: `[46, type]`, a new and open one for each.

Whether one is held is the moment's, not the value's.  Semaphores and events
are nothing but their moment: they are opaque.
"""

from __future__ import annotations

import sys
import threading
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import Expander

_LOCKS: Final = {"threading:Lock": type(threading.Lock()), "threading:RLock": type(threading.RLock())}


def classify(type_: type) -> Expander | None:
    """Returns the expander of a type of lock, or None."""
    for name, cls in _LOCKS.items():
        if type_ is cls:
            return lambda value: (number.OPTIONS, (name,))
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and type_ is asyncio.Lock:
        return lambda value: (number.OPTIONS, ("asyncio:Lock",))
    return None


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns a new lock."""
    if name in _LOCKS:
        return threading.Lock() if name == "threading:Lock" else threading.RLock()
    if name != "asyncio:Lock":
        raise TypeError(f"{name} is no lock")
    return sys.modules["asyncio"].Lock()
