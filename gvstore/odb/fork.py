"""What must happen when this process forks.

Before: what was gathered is handed to the system, so that the child can read
it.  After, in the child: the parent's segment is another process's now; its
descriptor is closed, or the child would hold the parent's lock when the
parent is dead.  `subprocess` does not come here: it forks and executes at once.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Forking(Protocol):
    """What wants to know."""

    def before_fork(self) -> None:
        """Called in the parent, first."""
        ...

    def after_fork(self, *, child: bool) -> None:
        """Called in both, afterwards."""
        ...


_watched: weakref.WeakSet[Forking] = weakref.WeakSet()
_forking: list[Forking] = []


def watch(thing: Forking) -> None:
    """Makes every fork from now on tell `thing`, as long as it lives."""
    _watched.add(thing)


def _before() -> None:
    _forking[:] = list(_watched)
    for thing in _forking:
        thing.before_fork()


def _after_in_parent() -> None:
    for thing in reversed(_forking):
        thing.after_fork(child=False)
    _forking.clear()


def _after_in_child() -> None:
    for thing in reversed(_forking):
        thing.after_fork(child=True)
    _forking.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
