"""States that lie in a repository, as runs of machines give and take them: a link where they are large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gvstore import host
from gvstore.journal.redact import RedactingEncoder, Redactor, redactor_of
from gvstore.machine.state import State, StateWrapper
from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.expand import register_expander
from gvstore.objects.naming import type_name
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.wire import Link
from gvstore.store.store import Store

SMALL: Final = 256  # bytes of a state that stands in the call itself
_KEEPER: Final = "_machine_keeper"  # of a store, in its dict


class Keeper:
    """Where a process's machines write and read states of one database, secrets left out; one a database, so that nothing is encoded twice."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self.read, self.write, self.flush, self.sync = objects.read, objects.write, objects.flush, objects.sync
        self.redactor: Redactor = redactor_of(host.environment())

    def has(self, oid: ObjectId) -> bool:
        """Returns whether an object is there."""
        return self.objects.has(oid)

    def encoder(self, on_opaque: Callable[[str, str | None], None]) -> Encoder:
        """Returns the encoder by which values are written."""
        return RedactingEncoder(self.objects, self.redactor, on_opaque=on_opaque, on_secret=lambda _: None)


def keeper_of(store: Store) -> Keeper:
    """Returns the keeper of a store's database."""
    known: Keeper | None = vars(store).get(_KEEPER)
    if known is None or known.objects is not store.objects:
        known = vars(store)[_KEEPER] = Keeper(store.objects)
    return known


class KeptState:
    """A state in a record: a link to it, that reads back as the state."""

    __slots__ = ("oid",)

    def __init__(self, oid: ObjectId) -> None:
        self.oid = oid


register_expander(KeptState, lambda each: (number.WRAPPED, (type_name(StateWrapper), "fields", Link(each.oid))))


def kept(state: State[Any], keeper: Keeper, after: State[Any] | None = None) -> State[Any] | KeptState:
    """Returns a state as it is recorded: itself if it is small, else the link to where it lies, stored as what changed `after` another.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    if not state.is_stored and sum(len(name) + len(cell.part(name, keeper)) for name, cell in state.cells()) <= SMALL:
        return state
    return KeptState(state.store(keeper, after))
