"""A Store: an object database seen as a place for Python values.

A Store alone records invocations, no runs; a repository has one, and adds
names, history and runs.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.store.active import activate, deactivate
from gvstore.store.ref import Ref

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")


class OpaqueWarning(UserWarning):
    """A value has no encoding and is recorded as an opaque marker of its type."""


class HasObjects(Protocol):
    """What a store stands on: something that has an object database."""

    @property
    def objects(self) -> ObjectStore:
        """The object database; it may be opened anew."""
        ...


class Store:
    """Values in an object database.

    `root` is the project's folder, where there is one: components are named
    by their path from it.
    """

    root: Path | None = None

    def __init__(self, home: HasObjects) -> None:
        self._home = home

    @property
    def objects(self) -> ObjectStore:
        """The object database."""
        return self._home.objects

    def encoder(self) -> Encoder:
        """Returns an encoder into this store that warns once a type of what it cannot store."""
        return Encoder(self.objects, lambda type_name, detail: warn_opaque([(type_name, detail)]))

    def commit(self, value: T) -> Ref[T]:
        """Returns a reference to a value, stored."""
        return Ref(self.encoder().put(value), store=self)

    def checkout(self, ref: Ref[T]) -> T:
        """Returns the value that a reference names, a new copy each time."""
        value: T = get_value(self.objects, ref.oid)
        return value

    def has(self, ref: Ref[Any]) -> bool:
        """Returns whether the value is here."""
        return self.objects.has(ref.oid)

    def get(self, oid: ObjectId) -> Any:
        """Returns the value stored as object `oid`."""
        return get_value(self.objects, oid)

    def __enter__(self) -> Self:
        activate(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deactivate(self)


class _Memory:
    """An object database in memory, made when first asked for."""

    def __init__(self) -> None:
        from gvstore.odb import MemoryDatabase

        self.objects: ObjectStore = MemoryDatabase()


def InMemoryStore() -> Store:
    """Returns a store that ends with the process."""
    return Store(_Memory())


_warned: set[str] = set()


def warn_opaque(opaque: Iterable[tuple[str, str | None]]) -> None:
    """Warns, once a type, that values of it are stored as opaque markers: (type name, why) of each."""
    for type_name, detail in opaque:
        if type_name in _warned:
            continue
        _warned.add(type_name)
        name = type_name.replace("builtins:", "").replace(":", ".")
        why = f" ({detail})" if detail else ""
        message = f"values of type {name} cannot be stored{why}; the record holds an opaque marker in their place"
        warnings.warn(message, OpaqueWarning, stacklevel=_level_of_program())


def _level_of_program() -> int:
    """Returns how far above `warn_opaque` the user's own line stands."""
    own = __name__.partition(".")[0] + "."
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith(own):
        level, frame = level + 1, frame.f_back
    return level
