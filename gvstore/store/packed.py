"""Packed resources: what a storage backend is given, and what a reference type packs and unpacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gvstore.store.fault import RefError
from gvstore.store.resource import ResourceBase, ResourceDict

if TYPE_CHECKING:
    from gvstore.store.ref import Ref
    from gvstore.store.types import TypeKey


class _RefOf:
    """The reference of a packed resource: called, as enact's later programs do, or used as it is, as earlier ones do."""

    __slots__ = ("_packed",)

    def __init__(self, packed: PackedResource) -> None:
        self._packed = packed

    def __call__(self) -> Ref[Any]:
        from gvstore.store.ref import Ref

        made = self._packed.ref_dict.to_resource()
        if not isinstance(made, Ref):
            raise RefError(f"a packed resource names a reference, and this one a {type(made).__qualname__}")
        return made

    def __getattr__(self, name: str) -> Any:
        return getattr(self(), name)

    def __eq__(self, other: object) -> bool:
        return self() == (other() if isinstance(other, _RefOf) else other)

    def __hash__(self) -> int:
        return hash(self())


class PackedResource(NamedTuple):
    """A resource on its way into or out of a backend.

    `data` is the resource, or what a reference type has made of it
    (compressed, encrypted); `ref_dict` its reference; `links` the ids of the
    references in it; `type_keys` the types that it needs.
    """

    data: ResourceDict[Any]
    ref_dict: ResourceDict[Any]
    links: set[str]
    type_keys: set[TypeKey]

    @property
    def ref(self) -> _RefOf:
        """Its reference; `packed.ref()` and `packed.ref.id` are both understood."""
        return _RefOf(self)

    def unpack(self) -> Any:
        """Returns the value.

        Raises:
            RefError: it is not what its reference names.
        """
        return self.ref().unpack(self)


class Collector:
    """Gathers, shown the resources of a value, ids of references and keys of types."""

    def __init__(self) -> None:
        self.links: set[str] = set()
        self.type_keys: set[TypeKey] = set()

    def __call__(self, value: ResourceBase | type[ResourceBase]) -> None:
        from gvstore.store.ref import Ref

        if isinstance(value, Ref):
            self.links.add(value.id)
        else:
            self.type_keys.add(value.type_key())
