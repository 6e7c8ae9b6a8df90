"""Which store the program works with: one per context, so threads and tasks may differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, NamedTuple

from gvstore.store.fault import NoActiveStore

if TYPE_CHECKING:
    from gvstore.store.store import Store


class _Scope(NamedTuple):
    store: Store | None
    outer: _Scope | None


_current: ContextVar[_Scope | None] = ContextVar("gvstore.store", default=None)
_default: list[Store | None] = [None]
READING: Final[ContextVar[Store | None]] = ContextVar("gvstore.reading", default=None)
"""The store that a value is being read from: references in it remember it."""


def current_store() -> Store:
    """Returns the active store: of the innermost `with`, else the one given to `use`.

    Raises:
        NoActiveStore: there is none.
    """
    store = active_store()
    if store is None:
        raise NoActiveStore
    return store


def active_store() -> Store | None:
    """Returns the active store, or None."""
    scope = _current.get()
    return _default[0] if scope is None else scope.store


def activate(store: Store) -> None:
    """Makes `store` the active one of this context, until `deactivate`."""
    _current.set(_Scope(store, _current.get()))


def deactivate(store: Store) -> None:
    """Takes the innermost activation of `store` back.

    No tokens: blocks of one store may be entered and left in any order by
    several tasks and threads, each with a context of its own, and a generator
    that is closed late leaves its block in another context than it entered it.
    """
    _current.set(_without(_current.get(), store))


def _without(scope: _Scope | None, store: Store) -> _Scope | None:
    if scope is None:
        return None
    return scope.outer if scope.store is store else _Scope(scope.store, _without(scope.outer, store))


def use_store(store: Store | None) -> None:
    """Makes `store` the active one wherever no `with` says otherwise, for notebooks and scripts."""
    _default[0] = store


@contextmanager
def activated(store: Store) -> Iterator[Store]:
    """Makes `store` the active one in the block."""
    activate(store)
    try:
        yield store
    finally:
        deactivate(store)


@contextmanager
def activated_none() -> Iterator[None]:
    """Makes no store the active one in the block."""
    outer = _current.get()
    _current.set(_Scope(None, outer))
    try:
        yield
    finally:
        _current.set(outer)


@contextmanager
def reading(store: Store) -> Iterator[None]:
    """Makes references that are read in the block remember `store`."""
    token = READING.set(store)
    try:
        yield
    finally:
        READING.reset(token)
