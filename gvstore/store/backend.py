"""Storage backends of the program's own: where packed resources lie, by id.

A backend keeps what it is given and hands it out again; it need not derive
from `StorageBackend`.  Three methods are enough: `commit(id, packed)`,
`has(ids)` and `checkout(ids)`; or enact's earlier three, `commit(packed)`,
`has(ref)` and `get(ref)`.  `adapt` makes one face of them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.odb import MemoryDatabase
from gvstore.store.packed import PackedResource
from gvstore.store.ref import Ref
from gvstore.store.resource import Resource, ResourceDict
from gvstore.store.types import TypeDescriptor, TypeKey

Attributes = Mapping[str, TypeDescriptor | None]


class StorageBackend:
    """Keeps packed resources by the ids of their references; a subclass writes `commit`, `has` and `checkout`."""

    def register_type(self, type_key: TypeKey, attributes: Attributes) -> None:
        """Is told of each type, and what its fields hold, before the first resource of it; may ignore it."""

    def get_type(self, type_key: TypeKey) -> Attributes | None:
        """Returns what the fields of a type hold, or None if it is not known."""
        return None

    def commit(self, ref_id: str, packed: PackedResource) -> None:
        """Keeps a packed resource."""
        raise NotImplementedError(f"{type(self).__qualname__}.commit")

    def has(self, ref_ids: Iterable[str]) -> list[bool]:
        """Returns, for each id, whether it is kept."""
        return [packed is not None for packed in self.checkout(ref_ids)]

    def checkout(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        """Returns, for each id, what is kept, or None."""
        raise NotImplementedError(f"{type(self).__qualname__}.checkout")

    def get_type_keys(self, ref_ids: Iterable[str]) -> list[set[TypeKey] | None]:
        """Returns, for each id, the types that are needed to unpack it, or None."""
        return [None if packed is None else set(packed.type_keys) for packed in self.checkout(ref_ids)]

    def get_dependency_graph(self, ref_ids: Iterable[str], max_depth: int | None = None) -> dict[str, set[str] | None]:
        """Returns what each id links, and what is linked in turn, `max_depth` levels deep; None where it is not kept."""
        graph: dict[str, set[str] | None] = {}
        level = list(dict.fromkeys(ref_ids))
        while level and (max_depth is None or max_depth >= 0):
            for ref_id, packed in zip(level, self.checkout(level), strict=True):
                graph[ref_id] = None if packed is None else set(packed.links)
            below = (link for each in level for link in sorted(graph[each] or ()))
            level = [link for link in dict.fromkeys(below) if link not in graph]
            max_depth = None if max_depth is None else max_depth - 1
        return graph

    async def register_type_async(self, type_key: TypeKey, attributes: Attributes) -> None:
        """Does what `register_type` does."""
        self.register_type(type_key, attributes)

    async def get_type_async(self, type_key: TypeKey) -> Attributes | None:
        """Does what `get_type` does."""
        return self.get_type(type_key)

    async def commit_async(self, ref_id: str, packed: PackedResource) -> None:
        """Does what `commit` does."""
        self.commit(ref_id, packed)

    async def has_async(self, ref_ids: Iterable[str]) -> list[bool]:
        """Does what `has` does."""
        return self.has(ref_ids)

    async def checkout_async(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        """Does what `checkout` does."""
        return self.checkout(ref_ids)

    async def get_type_keys_async(self, ref_ids: Iterable[str]) -> list[set[TypeKey] | None]:
        """Does what `get_type_keys` does."""
        return self.get_type_keys(ref_ids)

    async def get_dependency_graph_async(
        self, ref_ids: Iterable[str], max_depth: int | None = None
    ) -> dict[str, set[str] | None]:
        """Does what `get_dependency_graph` does."""
        return self.get_dependency_graph(ref_ids, max_depth)


class InMemoryBackend(StorageBackend):
    """Keeps packed resources in a dict."""

    def __init__(self) -> None:
        self._resources: dict[str, PackedResource] = {}
        self._types: dict[TypeKey, Attributes] = {}

    def register_type(self, type_key: TypeKey, attributes: Attributes) -> None:
        """Keeps what the fields of a type hold."""
        self._types[type_key] = attributes

    def get_type(self, type_key: TypeKey) -> Attributes | None:
        """Returns what the fields of a type hold, or None."""
        return self._types.get(type_key)

    def commit(self, ref_id: str, packed: PackedResource) -> None:
        """Keeps a packed resource."""
        self._resources[ref_id] = packed

    def checkout(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        """Returns, for each id, what is kept, or None."""
        return [self._resources.get(each) for each in ref_ids]


class _Duck(StorageBackend):
    """A backend that derives from nothing."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend
        for name in dir(StorageBackend):
            if not name.startswith("_") and hasattr(backend, name):
                setattr(self, name, getattr(backend, name))


class _Older(StorageBackend):
    """A backend of enact's earlier form: `commit(packed)`, `has(ref)`, `get(ref)`."""

    def __init__(self, backend: Any, ref_type: type[Ref[Any]]) -> None:
        self._backend, self._ref_type = backend, ref_type

    def commit(self, ref_id: str, packed: PackedResource) -> None:
        self._backend.commit(packed)

    def has(self, ref_ids: Iterable[str]) -> list[bool]:
        return [bool(self._backend.has(self._ref_type.from_id(each))) for each in ref_ids]

    def checkout(self, ref_ids: Iterable[str]) -> list[PackedResource | None]:
        return [self._get(self._ref_type.from_id(each)) for each in ref_ids]

    def _get(self, ref: Ref[Any]) -> PackedResource | None:
        found = self._backend.get(ref)
        if found is None or isinstance(found, PackedResource):
            return found
        return PackedResource(found, ref.to_resource_dict(), set(), set())


def adapt(backend: Any, ref_type: type[Ref[Any]]) -> StorageBackend:
    """Returns the one face of a backend of any form.

    Raises:
        TypeError: it has none of the forms.
    """
    written = getattr(type(backend), "checkout", StorageBackend.checkout) is not StorageBackend.checkout
    if written or "checkout" in getattr(backend, "__dict__", ()):
        return backend if isinstance(backend, StorageBackend) else _Duck(backend)
    if callable(getattr(backend, "get", None)) and callable(getattr(backend, "commit", None)):
        return _Older(backend, ref_type)
    raise TypeError(f"{type(backend).__qualname__} is no storage backend: it has neither `checkout` nor `get`")


@dataclass
class StoredObject(Resource):
    """One of our objects as a resource, for a backend that keeps recordings."""

    content: bytes


class BackendObjects:
    """An object database whose objects lie, each as a packed resource, in a backend.

    A value that was committed as a resource is read as the objects that it
    would be.
    """

    def __init__(self, backend: StorageBackend) -> None:
        self._backend = backend
        self._unfolded = MemoryDatabase()

    def write(self, data: bytes) -> ObjectId:
        """Returns the name of `data`, kept by the backend."""
        ref: Ref[Any] = Ref(ObjectId.of(data))
        if not self._backend.has([ref.id])[0]:
            content: ResourceDict[Any] = ResourceDict(StoredObject, content=bytes(data))
            below = {oid.hex() for oid in links(data)[0]}
            self._backend.commit(ref.id, PackedResource(content, ref.to_resource_dict(), below, set()))
        return ref.oid

    def has(self, oid: ObjectId) -> bool:
        """Returns whether the backend has an object, or a value of this name."""
        return self._unfolded.has(oid) or bool(self._backend.has([oid.hex()])[0])

    def read(self, oid: ObjectId) -> bytes:
        """Returns an object's bytes.

        Raises:
            ObjectMissing: the backend does not have it.
            CorruptObject: what it has is another.
        """
        packed = self._backend.checkout([oid.hex()])[0]
        if packed is None:
            return self._unfolded.read(oid)
        if packed.data.type is not StoredObject:
            return self._unfold(oid, packed)
        data = bytes(packed.data["content"])
        if ObjectId.of(data) != oid:
            raise CorruptObject(oid, "the backend has other bytes under its name")
        return data

    def _unfold(self, oid: ObjectId, packed: PackedResource) -> bytes:
        from gvstore.objects.encode import Encoder

        if not self._unfolded.has(oid) and Encoder(self._unfolded).put(packed.unpack()) != oid:
            raise ObjectMissing(oid)  # a reference type of the program's own: only its reference leads here
        return self._unfolded.read(oid)

    def flush(self) -> None:
        """The backend has it already."""

    def sync(self) -> None:
        """The backend has it already."""
