"""The registry: which classes resources are made of, and which wrappers stand for values of which types.

Registering a TypeWrapper teaches the encoder a type: values of it are stored
as `[40, wrapper type, field name, value, ...]` from then on, whichever registry
it was registered in, and come back unwrapped wherever the wrapper is loaded.
A wrapper stands for its type and, unless one is registered for exactly theirs,
for subclasses of it; a subclass that two wrappers claim is refused.
"""

from __future__ import annotations

import json
import typing
from typing import Any, ClassVar, TypeVar

from gvstore.objects import number
from gvstore.objects.expand import (
    Expander,
    Expansion,
    expand,
    forget_types,
    opaque,
    register_classifier,
    register_expander,
)
from gvstore.objects.naming import remember_type, type_name
from gvstore.store import types
from gvstore.store.distribution import get_distribution_key
from gvstore.store.fault import MissingWrapperError, RegistryError, UnregisteredResource
from gvstore.store.ref import Ref
from gvstore.store.resource import (
    FieldValue,
    ResourceBase,
    ResourceDict,
    TypeWrapperBase,
    from_dict_value,
    to_dict_value,
)
from gvstore.store.wrapped import AMBIGUOUS, WRAPPERS, expand_fields
from gvstore.store.wrappers import (
    BUILTIN_WRAPPERS,
    BoolWrapper,
    BytesWrapper,
    DictWrapper,
    FloatWrapper,
    IntWrapper,
    ListWrapper,
    NativeWrapper,
    NoneWrapper,
    ResourceTypeWrapper,
    StrWrapper,
)

__all__ = [
    "BoolWrapper",
    "BytesWrapper",
    "DictWrapper",
    "FloatWrapper",
    "IntWrapper",
    "ListWrapper",
    "MissingWrapperError",
    "NoneWrapper",
    "Registry",
    "RegistryError",
    "ResourceTypeWrapper",
    "StrWrapper",
    "UnregisteredResource",
    "deepcopy",
    "from_field_value",
    "from_python_type",
    "to_field_value",
    "to_python_type",
    "unwrap",
    "unwrap_type",
    "wrap",
    "wrap_type",
]

T = TypeVar("T")
C = TypeVar("C", bound=type)
_BUILTIN = frozenset(BUILTIN_WRAPPERS)
_PRIMITIVES = frozenset(types.PRIMITIVES)


class Registry:
    """Resource types by name, wrappers by wrapped type.

    `allow_reregistration`: may another class of the same name take a
    registered one's place, as when a notebook's cell runs again?
    """

    _singleton: ClassVar[Registry | None] = None

    def __init__(self, *, allow_reregistration: bool = True) -> None:
        self.allow_reregistration = allow_reregistration
        self._types: dict[str, type[ResourceBase]] = {}
        self._wrappers: dict[type, type[TypeWrapperBase]] = {}
        for wrapper in BUILTIN_WRAPPERS:
            self.register(wrapper)
        for resource in (NativeWrapper, Ref):
            self._types[resource.type_key().name] = resource

    @classmethod
    def get(cls) -> Registry:
        """Returns the registry of this process."""
        if cls._singleton is None:
            cls._singleton = cls()
        return cls._singleton

    def register(self, resource: C) -> C:
        """Registers a resource class; of a TypeWrapper, also for the type that it wraps.

        Raises:
            RegistryError: it is no resource class, or its name is taken and not to be taken over.
        """
        if not (isinstance(resource, type) and issubclass(resource, ResourceBase)):
            raise RegistryError(f"{resource!r} is no resource class, so it cannot be registered")
        if resource.type_distribution_key() is None and (key := get_distribution_key(resource)) is not None:
            resource.set_type_distribution_key(key)
        name = resource.type_key().name
        if self._types.get(name, resource) is not resource and not self.allow_reregistration:
            raise RegistryError(f"another class is already registered as {name}")
        if issubclass(resource, TypeWrapperBase):
            self._register_wrapper(resource)
        self._types[name] = resource
        remember_type(resource)
        return resource

    def _register_wrapper(self, wrapper: type[TypeWrapperBase]) -> None:
        try:
            wrapped = wrapper.wrapped_type()
        except NotImplementedError as e:
            raise RegistryError(f"{wrapper.__qualname__} does not say what it wraps") from e
        if not isinstance(wrapped, type) or issubclass(wrapped, ResourceBase):
            raise RegistryError(
                f"{wrapper.__qualname__} wraps {wrapped!r}, and a type was expected that is no resource"
            )
        self._wrappers[wrapped] = wrapper
        if wrapper not in _BUILTIN:
            WRAPPERS.add(wrapper)
            register_expander(wrapped, _expander(wrapper))
            forget_types()

    def lookup(self, type_id: str | types.TypeKey) -> type[ResourceBase]:
        """Returns the registered class of a type id or key; its version may be another than the one asked for.

        Raises:
            UnregisteredResource: there is none.
        """
        name = type_id.name if isinstance(type_id, types.TypeKey) else _name_in(type_id)
        found = self._types.get(name)
        if found is None:
            raise UnregisteredResource(f"no type is registered as {name}")
        return found

    def registered(self) -> list[type[ResourceBase]]:
        """Returns the registered classes."""
        return list(self._types.values())

    def find_wrapper(self, type_: type) -> type[TypeWrapperBase] | None:
        """Returns the wrapper that stands for values of a type, or None.

        Raises:
            RegistryError: two registered wrappers claim it.
        """
        found = self._wrappers.get(type_)
        if found is not None:
            return found
        claims = [
            wrapper
            for wrapped, wrapper in self._wrappers.items()
            if (wrapper not in _BUILTIN or wrapped is types.TypeDescriptor) and issubclass(type_, wrapped)
        ]
        if len(claims) > 1:
            names = " and ".join(sorted(each.__qualname__ for each in claims))
            raise RegistryError(f"{type_.__qualname__} is claimed by {names}; register a TypeWrapper for it")
        return claims[0] if claims else None

    def get_type_wrapper(self, type_: type) -> type[TypeWrapperBase]:
        """Returns the wrapper that stands for values of a type.

        Raises:
            MissingWrapperError: there is none.
            RegistryError: there are two.
        """
        found = ResourceTypeWrapper if issubclass(type_, type) else self.find_wrapper(type_)
        if found is None:
            raise MissingWrapperError(type_name(type_).replace("builtins:", "").replace(":", "."))
        return found

    def wrap(self, value: Any) -> ResourceBase:
        """Returns the resource that stands for a value; a resource itself.

        Raises:
            MissingWrapperError: it has neither a wrapper nor an encoding.
        """
        if isinstance(value, ResourceBase):
            return value
        wrapper = ResourceTypeWrapper if isinstance(value, type) else self.find_wrapper(type(value))
        if wrapper is None:
            wrapper = NativeWrapper if _has_encoding(value) else self.get_type_wrapper(type(value))
        return wrapper.wrap(value)

    def unwrap(self, value: Any) -> Any:
        """Returns what a wrapper stands for; anything else itself."""
        return value.unwrap() if isinstance(value, TypeWrapperBase) else value

    def wrap_type(self, type_: type) -> type[ResourceBase]:
        """Returns the resource class that stands for a type.

        Raises:
            MissingWrapperError: there is none.
        """
        return type_ if issubclass(type_, ResourceBase) else self.get_type_wrapper(type_)

    def unwrap_type(self, type_: type) -> type:
        """Returns the type that a wrapper class stands for; any other itself."""
        return type_.wrapped_type() if issubclass(type_, TypeWrapperBase) else type_

    def to_field_value(self, value: Any) -> FieldValue:
        """Returns a value as a field shows it: wrapped, if a wrapper stands for it; lists and dicts inside too.

        Raises:
            MissingWrapperError: it has neither an encoding nor a wrapper.
        """
        kind = type(value)
        if kind in _PRIMITIVES or isinstance(value, ResourceBase):
            return value
        if kind is list:
            return [self.to_field_value(each) for each in value]
        if kind is dict:
            return {key: self.to_field_value(each) for key, each in value.items()}
        if isinstance(value, type):
            if issubclass(value, ResourceBase):
                return value
            found = ResourceTypeWrapper if issubclass(value, type) else self.find_wrapper(value)
            return value if found is None else found
        shown = self.wrap(value)
        return value if type(shown) is NativeWrapper else shown

    def from_field_value(self, value: FieldValue) -> Any:
        """Returns the plain value of what a field shows."""
        if type(value) is list:
            return [self.from_field_value(each) for each in value]
        if type(value) is dict:
            return {key: self.from_field_value(each) for key, each in value.items()}
        return self.unwrap_type(value) if isinstance(value, type) else self.unwrap(value)

    def deepcopy(self, value: T) -> T:
        """Returns an equal value that shares nothing mutable with this one.

        Raises:
            FieldTypeError: a part of it has neither an encoding nor a wrapper, or it contains itself.
        """
        copy: T = from_dict_value(to_dict_value(value))
        return copy

    def from_resource_dict(self, fields: ResourceDict[Any]) -> ResourceBase:
        """Returns the resource of a dict form."""
        made: ResourceBase = fields.to_resource()
        return made

    def set_value(self, target: Any, source: Any) -> bool:
        """Brings `target` in place to the state of `source`; returns whether that could be done.

        What is immutable stays as it is.
        """
        try:
            if isinstance(target, ResourceBase):
                target.set_from(source)
                return True
            wrapper = self.find_wrapper(type(target))
            if wrapper is None:
                return False
            if not wrapper.is_immutable():
                wrapper.set_wrapped_value(target, source)
        except NotImplementedError:
            return False
        return True


def _name_in(type_id: str) -> str:
    try:
        return str(json.loads(type_id)["name"])
    except (ValueError, TypeError, KeyError):
        return type_id


def _has_encoding(value: Any) -> bool:
    return expand(value)[0] != number.OPAQUE


def _expander(wrapper: type[TypeWrapperBase]) -> Expander:
    def expander(value: Any) -> Expansion:
        return expand_fields(wrapper.wrap(value))

    return expander


def _classify(type_: type) -> Expander | None:
    """Returns the expander of a type that a registered wrapper of a base stands for, or None."""
    if issubclass(type_, ResourceBase):
        return None
    try:
        wrapper = Registry.get().find_wrapper(type_)
    except RegistryError as e:
        AMBIGUOUS[type_name(type_)] = e
        why = str(e)
        return lambda value: opaque(value, why)
    AMBIGUOUS.pop(type_name(type_), None)
    return None if wrapper is None or wrapper in _BUILTIN else _expander(wrapper)


def wrap(value: Any) -> ResourceBase:
    """Returns the resource that stands for a value: a registered wrapper of it; a resource itself.

    Raises:
        MissingWrapperError: it has neither a wrapper nor an encoding.
    """
    return Registry.get().wrap(value)


def unwrap(value: Any) -> Any:
    """Returns what a wrapper stands for; anything else itself."""
    return Registry.get().unwrap(value)


def wrap_type(type_: type) -> type[ResourceBase]:
    """Returns the resource class that stands for a type.

    Raises:
        MissingWrapperError: there is none.
    """
    return Registry.get().wrap_type(type_)


def unwrap_type(type_: type) -> type:
    """Returns the type that a wrapper class stands for; any other itself."""
    return Registry.get().unwrap_type(type_)


def to_field_value(value: Any) -> FieldValue:
    """Returns a value as a field shows it: wrapped, if a wrapper stands for it; lists and dicts inside too."""
    return Registry.get().to_field_value(value)


def from_field_value(value: FieldValue) -> Any:
    """Returns the plain value of what a field shows."""
    return Registry.get().from_field_value(value)


def deepcopy(value: T) -> T:
    """Returns an equal value that shares nothing mutable with this one.

    Raises:
        FieldTypeError: a part of it has neither an encoding nor a wrapper, or it contains itself.
    """
    return Registry.get().deepcopy(value)


_PYTHON_TYPES: dict[type[types.TypeDescriptor], Any] = {
    types.Int: int, types.Float: float, types.Str: str, types.Bool: bool, types.Bytes: bytes, types.NoneType: type(None),
    types.List: list, types.Dict: dict,
}  # fmt: skip


def to_python_type(descriptor: types.TypeDescriptor) -> Any:
    """Returns the Python type that a descriptor describes; of a union, a union.

    Raises:
        UnregisteredResource: it describes a resource that is not registered.
    """
    if isinstance(descriptor, types.ResourceType):
        registry = Registry.get()
        return registry.unwrap_type(registry.lookup(descriptor.type_key))
    if isinstance(descriptor, types.Union):
        return typing.Union[tuple(map(to_python_type, descriptor.value_types))]  # noqa: UP007 - made at run time
    return _PYTHON_TYPES[type(descriptor)]


def from_python_type(type_: Any) -> types.TypeDescriptor:
    """Returns the descriptor of a Python type.

    Raises:
        TypeInferenceFailed: it has none.
    """
    from gvstore.store.type_inference import from_annotation

    descriptor = from_annotation(type_, strict=True)
    assert descriptor is not None
    return descriptor


register_classifier(_classify)
