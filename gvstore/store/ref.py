"""References to stored values: what a program holds instead of the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gvstore.objects import number
from gvstore.objects.build import register_builder
from gvstore.objects.expand import register_expander
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import Link

if TYPE_CHECKING:
    from gvstore.store.store import Store

T = TypeVar("T")


class Ref(Generic[T]):
    """Names a stored value; `ref()` and `ref.checkout()` hand it out.

    Equal when they name equal values.  `id` is 64 hex digits.
    """

    __slots__ = ("_store", "oid")

    def __init__(self, oid: ObjectId, *, store: Store | None = None) -> None:
        self.oid = oid
        self._store = store

    @property
    def store(self) -> Store | None:
        """The store it came from, if that is known."""
        return self._store

    @property
    def id(self) -> str:
        """The object's name in hex."""
        return self.oid.hex()

    @classmethod
    def from_id(cls, ref_id: str) -> Ref[Any]:
        """Returns the reference of this id.

        Raises:
            ValueError: it is not 64 hex digits.
        """
        return cls(ObjectId.from_hex(ref_id))

    def checkout(self) -> T:
        """Returns the value, a new copy each time, from the store it came from or else the active one."""
        from gvstore.store.active import current_store

        return (self._store or current_store()).checkout(self)

    __call__ = checkout

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and self.oid == other.oid

    def __hash__(self) -> int:
        return hash(self.oid)

    def __repr__(self) -> str:
        return f"<Ref: {self.id}>"


def _build(raw: list[Any]) -> Ref[Any]:
    link = raw[1]
    if type(link) is not Link:
        raise ValueError("a link was expected")
    return Ref(link.oid)


register_expander(Ref, lambda ref: (number.REF, (Link(ref.oid),)))
register_builder(number.REF, _build)
