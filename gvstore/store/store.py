"""A Store: an object database seen as a place for Python values.

A Store alone records invocations, no runs; a repository has one, and adds
names, history and runs.  It stands on what has an object database, or on a
storage backend of the program's own, to which values go as packed resources.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

import gvstore.store.libraries  # noqa: F401 - teaches the encoder their types
from gvstore.errors import GvWarning
from gvstore.objects.carry import carry
from gvstore.objects.decode import get_value
from gvstore.objects.encode import Encoder
from gvstore.objects.expand import IS_LINK, expand
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.odb import MemoryDatabase
from gvstore.store.active import activate, activated_none, active_store, current_store, deactivate, reading
from gvstore.store.fault import DistributionKeyError, NotFound, TypeKeyError
from gvstore.store.packed import PackedResource
from gvstore.store.ref import Ref
from gvstore.store.resource import ResourceBase, TypeWrapperBase
from gvstore.store.scratch import refuse_opaque
from gvstore.store.wrapped import AMBIGUOUS

if TYPE_CHECKING:
    from pathlib import Path

    from gvstore.store.backend import StorageBackend
    from gvstore.store.registry import Registry
    from gvstore.store.types import DistributionKey, TypeKey

T = TypeVar("T")


class OpaqueWarning(GvWarning):
    """A value has no encoding and is recorded as an opaque marker of its type."""


class HasObjects(Protocol):
    """What a store stands on: something that has an object database."""

    @property
    def objects(self) -> ObjectStore:
        """The object database; it may be opened anew."""
        ...


class Store:
    """Values in an object database, or in a storage backend; in memory, if neither is given.

    `ref_type` makes the references, and says in what form values are stored.
    `root` is the project's folder, where there is one: components are named
    by their path from it.  `repository` is the repository, of a store that
    has one below it.
    """

    root: Path | None = None
    repository: Any = None
    _backend: StorageBackend | None = None

    def __init__(
        self,
        backend: HasObjects | StorageBackend | object | None = None,
        registry: Registry | None = None,
        ref_type: type[Ref[Any]] = Ref,
    ) -> None:
        self._registry = registry
        self.ref_type = ref_type
        self._types: set[TypeKey] = set()  # those that the backend was told of
        self._home: HasObjects
        if backend is None:
            self._home = _Memory()
        elif hasattr(type(backend), "objects") or "objects" in getattr(backend, "__dict__", ()):
            self._home = cast("HasObjects", backend)
            if (repository := getattr(backend, "repository", None)) is not None:
                self.repository, self.root = repository, repository.path
        else:
            from gvstore.store.backend import BackendObjects, adapt

            self._backend = adapt(backend, ref_type)
            self._home = _Memory(BackendObjects(self._backend))

    @property
    def objects(self) -> ObjectStore:
        """The object database."""
        return self._home.objects

    @property
    def registry(self) -> Registry:
        """The registry of its types."""
        from gvstore.store.registry import Registry

        return Registry.get() if self._registry is None else self._registry

    def encoder(self) -> Encoder:
        """Returns an encoder into this store that warns once a type of what it cannot store."""
        return Encoder(self.objects, _met_opaque)

    def commit(self, value: T) -> Ref[T]:
        """Returns a reference to a value, stored.

        Raises:
            RegistryError: two registered wrappers claim a part of it.
            FieldTypeError: a part of it has no encoding, and the store has a
                backend or reference type of the program's own, so that no
                marker can take its place.
        """
        ref: Ref[T] = self.commit_as(self.ref_type, value)
        return ref

    def commit_as(self, ref_type: type[Ref[Any]], value: T) -> Any:
        """Returns a reference of another type to a value, stored."""
        plain: Any = value.unwrap() if isinstance(value, TypeWrapperBase) else value
        if self._backend is None and ref_type is Ref:
            return Ref(self.encoder().put(plain), store=self)
        if self._backend is not None and (stored := self._as_object(plain)) is not None:
            return stored
        ref, packed = self._pack(ref_type, plain)
        if self._backend is None:
            ref.stored_as(self.encoder().put((packed, [Ref.from_id(each) for each in sorted(packed.links)])), self)
            return ref
        for resource_type in self._new_types(packed):
            self._backend.register_type(resource_type.type_key(), resource_type.field_descriptors())
        self._backend.commit(ref.id, packed)
        ref._store = self
        return ref

    def _as_object(self, value: Any) -> Ref[Any] | None:
        """Returns a reference to what is an object of its own, an invocation, carried here; of other values None."""
        if not isinstance(value, ResourceBase):
            return None
        of, elements = expand(value)
        if of != IS_LINK:
            return None
        for source in elements[1:]:
            carry(elements[0].oid, source, self.objects)
        return Ref(elements[0].oid, store=self)

    @staticmethod
    def _pack(ref_type: type[Ref[Any]], value: Any) -> tuple[Ref[Any], PackedResource]:
        packed: Any = ref_type.pack(value)
        return (packed.ref(), packed) if isinstance(packed, PackedResource) else packed

    def _new_types(self, packed: PackedResource) -> list[type[ResourceBase]]:
        """Returns the classes that the backend has not been told of."""
        new = [packed.data.type, packed.ref_dict.type]
        new += [self.registry.lookup(key) for key in sorted(packed.type_keys, key=str) if key in self._registered()]
        found = [each for each in dict.fromkeys(new) if each.type_key() not in self._types]
        self._types.update(each.type_key() for each in found)
        return found

    def _registered(self) -> set[TypeKey]:
        return {each.type_key() for each in self.registry.registered()}

    def checkout(self, ref: Ref[T]) -> T:
        """Returns the value that a reference names, a new copy each time.

        Raises:
            NotFound: it is not here.
            RefError: what is stored under its name is something else.
        """
        _check_ref(ref)
        if self._backend is None:
            with reading(self):
                value: T = self._checkout_object(ref)
        else:
            value = self._unpacked(ref, self._backend.checkout([ref.id])[0])
        return value

    def _checkout_object(self, ref: Ref[Any]) -> Any:
        oid = _oid_in_objects(ref)
        if oid is None or not self.objects.has(oid):
            raise NotFound(f"{ref!r} is not in this store")
        value = get_value(self.objects, oid)
        if type(ref) is Ref or type(value) is not tuple or not value or not isinstance(value[0], PackedResource):
            return value
        packed = value[0]
        named = packed.ref()
        if type(named) is type(ref):
            ref.set_from(named)
            ref.stored_as(oid, self)
        return ref.unpack(packed)

    def _unpacked(self, ref: Ref[Any], packed: PackedResource | None) -> Any:
        from gvstore.store.backend import StoredObject

        if packed is None:
            raise NotFound(f"{ref!r} is not in this store")
        with reading(self):
            return self._checkout_object(ref) if packed.data.type is StoredObject else ref.unpack(packed)

    def has(self, ref: Ref[Any]) -> bool:
        """Returns whether the value is here."""
        if self._backend is not None:
            return bool(self._backend.has([ref.id])[0])
        oid = _oid_in_objects(ref)
        return oid is not None and self.objects.has(oid)

    def get(self, oid: ObjectId) -> Any:
        """Returns the value stored as object `oid`."""
        return get_value(self.objects, oid)

    def register_type(self, resource_type: type[ResourceBase]) -> None:
        """Tells the backend of a resource type before the first value of it; a store without one needs no telling."""
        if self._backend is not None and resource_type.type_key() not in self._types:
            self._types.add(resource_type.type_key())
            self._backend.register_type(resource_type.type_key(), resource_type.field_descriptors())

    def get_dependency_graph(
        self, refs: Iterable[Ref[Any]] | Ref[Any], max_depth: int | None = None
    ) -> dict[str, set[str] | None]:
        """Returns what each reference's value refers to, by ids, and what that refers to in turn.

        `max_depth` 0 is the given references alone.  What is not here maps to None.
        """
        given = [refs] if isinstance(refs, Ref) else list(refs)
        if self._backend is not None:
            return self._backend.get_dependency_graph([each.id for each in given], max_depth)
        from gvstore.store.requirements import dependency_graph

        graph = dependency_graph([each.oid for each in given], self.objects, max_depth)
        return {
            oid.hex(): None if found is None else {each.hex() for each in found.refers_to}
            for oid, found in graph.items()
        }

    def get_transitive_type_requirements(self, ref: Ref[Any]) -> set[TypeKey]:
        """Returns the types without which the value, and what it refers to, cannot be made again.

        Raises:
            TypeKeyError: a part is not here, so that its types cannot be told.
        """
        if self._backend is not None:
            ids = list(self._backend.get_dependency_graph([ref.id]))
            told = self._backend.get_type_keys(ids)
            if None in told:
                raise TypeKeyError(f"what {ids[told.index(None)]} names is not here")
            return {key for keys in told if keys is not None for key in keys}
        from gvstore.store.requirements import dependency_graph, type_key_of

        keys: set[TypeKey] = set()
        for oid, found in dependency_graph([ref.oid], self.objects, None).items():
            if found is None:
                raise TypeKeyError(f"object {oid.hex()[:8]} is not here")
            keys.update(map(type_key_of, found.type_names))
        return keys

    def get_distribution_requirements(
        self, ref: Ref[Any], expect_distribution_key: bool = True
    ) -> set[DistributionKey]:
        """Returns the registered distributions from which those types come.

        Raises:
            DistributionKeyError: one of them comes from none, and each is expected to.
        """
        keys = self.get_transitive_type_requirements(ref)
        missing = sorted(key.name for key in keys if key.distribution_key is None)
        if missing and expect_distribution_key:
            raise DistributionKeyError(f"{missing[0]} belongs to no registered distribution")
        return {key.distribution_key for key in keys if key.distribution_key is not None}

    async def commit_async(self, value: T) -> Ref[T]:
        """Returns a reference to a value, stored; a backend's own `commit_async` is awaited."""
        if self._backend is None:
            return self.commit(value)
        if (stored := self._as_object(value)) is not None:
            return stored
        ref, packed = self._pack(self.ref_type, value.unwrap() if isinstance(value, TypeWrapperBase) else value)
        for resource_type in self._new_types(packed):
            await self._backend.register_type_async(resource_type.type_key(), resource_type.field_descriptors())
        await self._backend.commit_async(ref.id, packed)
        ref._store = self
        return ref

    async def checkout_async(self, ref: Ref[T]) -> T:
        """Returns the value that a reference names; a backend's own `checkout_async` is awaited."""
        if self._backend is None:
            return self.checkout(ref)
        value: T = self._unpacked(ref, (await self._backend.checkout_async([ref.id]))[0])
        return value

    async def has_async(self, ref: Ref[Any]) -> bool:
        """Returns whether the value is here."""
        return self.has(ref) if self._backend is None else bool((await self._backend.has_async([ref.id]))[0])

    async def register_type_async(self, resource_type: type[ResourceBase]) -> None:
        """Does what `register_type` does."""
        if self._backend is not None and resource_type.type_key() not in self._types:
            self._types.add(resource_type.type_key())
            await self._backend.register_type_async(resource_type.type_key(), resource_type.field_descriptors())

    async def get_dependency_graph_async(
        self, refs: Iterable[Ref[Any]] | Ref[Any], max_depth: int | None = None
    ) -> dict[str, set[str] | None]:
        """Does what `get_dependency_graph` does."""
        given = [refs] if isinstance(refs, Ref) else list(refs)
        if self._backend is None:
            return self.get_dependency_graph(given, max_depth)
        return await self._backend.get_dependency_graph_async([each.id for each in given], max_depth)

    async def get_transitive_type_requirements_async(self, ref: Ref[Any]) -> set[TypeKey]:
        """Does what `get_transitive_type_requirements` does."""
        return self.get_transitive_type_requirements(ref)

    async def get_distribution_requirements_async(
        self, ref: Ref[Any], expect_distribution_key: bool = True
    ) -> set[DistributionKey]:
        """Does what `get_distribution_requirements` does."""
        return self.get_distribution_requirements(ref, expect_distribution_key)

    @classmethod
    def current(cls) -> Store:
        """Returns the active store.

        Raises:
            NoActiveStore: there is none.
        """
        return current_store()

    @classmethod
    def get_current(cls) -> Store | None:
        """Returns the active store, or None."""
        return active_store()

    @classmethod
    def top_level(cls) -> AbstractContextManager[None]:
        """Returns a block in which no store is active."""
        return activated_none()

    def __enter__(self) -> Self:
        activate(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        deactivate(self)


class _Memory:
    """An object database at hand: in memory, if none is given."""

    def __init__(self, objects: ObjectStore | None = None) -> None:
        self.objects: ObjectStore = MemoryDatabase() if objects is None else objects


def _check_ref(ref: object) -> None:
    if not isinstance(ref, Ref):
        raise TypeError(f"checkout takes a Ref, as commit returns it, not {ref!r:.100}")


def _oid_in_objects(ref: Ref[Any]) -> ObjectId | None:
    """Returns the object that holds what a reference names; of one that was not packed yet, the plain value's."""
    try:
        return ref._oid or ObjectId.from_hex(ref.digest)
    except ValueError:
        return None


async def commit_async(value: T) -> Ref[T]:
    """Returns a reference to a value, stored in the active store."""
    return await current_store().commit_async(value)


async def checkout_async(ref: Ref[T]) -> T:
    """Returns the value that a reference names, from the store it came from or else the active one."""
    return await ref.checkout_async()


def InMemoryStore() -> Store:
    """Returns a store that ends with the process."""
    return Store(_Memory())


def keep(value: Any) -> tuple[Store, ObjectId]:
    """Returns a store of its own that holds a value, and its oid there.

    Raises:
        FieldTypeError: a part of it has no encoding.
    """
    store = InMemoryStore()
    return store, Encoder(store.objects, refuse_opaque).put(value)


_warned: set[str] = set()


def _met_opaque(type_name: str, detail: str | None) -> None:
    if type_name in AMBIGUOUS:
        raise AMBIGUOUS[type_name]
    warn_opaque([(type_name, detail)])


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
