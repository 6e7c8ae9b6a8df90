"""Which store the program works with: one per context, so threads and tasks may differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING

from gvstore.store.fault import NoActiveStore

if TYPE_CHECKING:
    from gvstore.store.store import Store

_current: ContextVar[Store | None] = ContextVar("gvstore.store", default=None)
_default: list[Store | None] = [None]


def current_store() -> Store:
    """Returns the active store: of the innermost `with`, else the one given to `use`.

    Raises:
        NoActiveStore: there is none.
    """
    store = _current.get() or _default[0]
    if store is None:
        raise NoActiveStore
    return store


def active_store() -> Store | None:
    """Returns the active store, or None."""
    return _current.get() or _default[0]


def activate(store: Store) -> Token[Store | None]:
    """Makes `store` the active one; give the token to `deactivate`."""
    return _current.set(store)


def deactivate(token: Token[Store | None]) -> None:
    """Makes the store before it active again."""
    _current.reset(token)


def use_store(store: Store | None) -> None:
    """Makes `store` the active one wherever no `with` says otherwise, for notebooks and scripts."""
    _default[0] = store


@contextmanager
def activated(store: Store) -> Iterator[Store]:
    """Makes `store` the active one in the block."""
    token = activate(store)
    try:
        yield store
    finally:
        deactivate(token)
