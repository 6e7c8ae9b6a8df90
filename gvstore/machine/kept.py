"""States that lie in a repository, as runs of machines give and take them: a link where they are large."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gvstore import host
from gvstore.journal.redact import RedactingEncoder, Redactor, redactor_of
from gvstore.machine.state import State, StateWrapper
from gvstore.objects import number
from gvstore.objects.chunking import LINK_THRESHOLD
from gvstore.objects.encode import VALUE_BYTE, Encoder
from gvstore.objects.expand import register_expander
from gvstore.objects.naming import type_name
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.wire import Link, unpack
from gvstore.store.store import Store

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


class _Encoded:
    """An array that is encoded already, as one among values."""

    __slots__ = ("raw",)

    def __init__(self, raw: list[Any]) -> None:
        self.raw = raw


class KeptState:
    """A state in a record, its fields encoded already; it reads back as the state."""

    __slots__ = ("fields",)

    def __init__(self, fields: Link | _Encoded) -> None:
        self.fields = fields


def _elements(raw: list[Any]) -> list[Any]:
    return [_Encoded(each) if type(each) is list else each for each in raw]


register_expander(_Encoded, lambda each: (each.raw[0], _elements(each.raw[1:])))
register_expander(KeptState, lambda each: (number.WRAPPED, (type_name(StateWrapper), "fields", each.fields)))


def kept(state: State[Any], keeper: Keeper) -> KeptState:
    """Returns a state as it is recorded, equal states alike, however they came about; what it links is written.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    data = state.encoded(keeper)
    if len(data) > LINK_THRESHOLD:
        return KeptState(Link(keeper.write(VALUE_BYTE + data)))
    raw = unpack(data)
    return KeptState(raw if type(raw) is Link else _Encoded(raw))
