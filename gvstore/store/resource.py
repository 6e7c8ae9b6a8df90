"""Resources: values with named fields, the common form of data, components, references and wrappers.

    @gv.register
    @dataclass
    class Plan(gv.Resource):
        topic: str
        steps: list[str]

A resource is an ordinary dataclass; as a value it is stored like any other
(`objects/`).  What stands here is enact's way of looking at one: names and
values of its fields, a dict form that knows its type, and back.  A class with
other storage than dataclass fields derives from `ResourceBase` and writes
`field_names`, `field_values` and `from_fields` itself.
"""

from __future__ import annotations

import builtins
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from gvstore.objects.naming import remember_type
from gvstore.store.fault import CycleDetected, FieldTypeError

if TYPE_CHECKING:
    from gvstore.store.registry import Registry
    from gvstore.store.types import DistributionKey, TypeDescriptor, TypeKey

T = TypeVar("T")
R = TypeVar("R", bound="ResourceBase")

FieldValue = Any  # what a field holds: anything with an encoding or a registered wrapper
ResourceDictValue = Any  # the same, resources as ResourceDicts
Callback = Callable[[Any], object]


class ResourceDict(dict[str, ResourceDictValue], Generic[R]):
    """A resource as a dict of its fields, which knows its `type`; equal only to one of the same type."""

    type: builtins.type[R]

    def __init__(self, resource_type: builtins.type[R], /, *args: Any, **fields: Any) -> None:
        super().__init__(*args, **fields)
        self.type = resource_type

    def to_resource(self) -> R:
        """Returns the resource; of a wrapped value, its wrapper."""
        return self.type.from_resource_dict(self)

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self, other) is True and (not isinstance(other, ResourceDict) or other.type is self.type)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


class ResourceBase:
    """A value with named fields."""

    __slots__ = ()
    _distribution_key: typing.ClassVar[Any] = None  # its own type is not loaded here

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        remember_type(cls)

    @classmethod
    def type_key(cls) -> TypeKey:
        """Returns the type's name, and its distribution if one was registered."""
        from gvstore.store.types import TypeKey

        return TypeKey(f"{cls.__module__}.{cls.__qualname__}", cls.type_distribution_key())

    @classmethod
    def type_id(cls) -> str:
        """Returns the type key as text."""
        return cls.type_key().type_id()

    @classmethod
    def type_distribution_key(cls) -> DistributionKey | None:
        """Returns the distribution that the type comes from, as far as it was told."""
        return cls.__dict__.get("_distribution_key")

    @classmethod
    def set_type_distribution_key(cls, key: DistributionKey | None) -> None:
        """Tells the distribution that the type comes from."""
        cls._distribution_key = key

    @classmethod
    def field_names(cls) -> Iterable[str]:
        """Returns the names of the fields, always in the same order."""
        raise NotImplementedError(f"{cls.__qualname__}.field_names")

    def field_values(self) -> Iterable[FieldValue]:
        """Returns the values of the fields in that order; what a registered wrapper stands for comes wrapped."""
        raise NotImplementedError(f"{type(self).__qualname__}.field_values")

    def field_items(self) -> Iterable[tuple[str, FieldValue]]:
        """Returns names and values of the fields."""
        return zip(self.field_names(), self.field_values(), strict=True)

    def _beside_fields(self) -> dict[str, str]:
        """Returns what a dict form holds that is no field."""
        return {}

    @classmethod
    def field_descriptors(cls) -> dict[str, TypeDescriptor | None]:
        """Returns what each field holds, by its annotation; None where that cannot be told."""
        from gvstore.store.type_inference import from_annotation

        hints = _hints(cls)
        return {name: from_annotation(hints[name]) if name in hints else None for name in cls.field_names()}

    @classmethod
    def from_fields(cls, fields: Mapping[str, FieldValue]) -> Self:
        """Returns a resource of these field values."""
        raise NotImplementedError(f"{cls.__qualname__}.from_fields")

    def to_resource_dict(self, callback: Callback | None = None, include_root: bool = True) -> ResourceDict[Self]:
        """Returns its dict form, sharing nothing mutable with it.

        `callback` is shown every resource and resource type on the way, the
        outer before the inner; the root itself unless not `include_root`.

        Raises:
            FieldTypeError: a part has no encoding, or it contains itself.
        """
        return _dict_of(self, callback if callback is not None else _ignore, include_root, set())

    @classmethod
    def from_resource_dict(cls, fields: ResourceDict[Any]) -> Self:
        """Returns the resource of a dict form.

        Raises:
            FieldTypeError: it is of another type.
        """
        if not issubclass(fields.type, cls):
            raise FieldTypeError(
                f"a dict of {cls.__qualname__} was expected, this is one of {fields.type.__qualname__}"
            )
        made: Self = fields.type.from_fields({name: from_dict_value(value) for name, value in fields.items()})
        return made

    def deepcopy_resource(self) -> Self:
        """Returns an equal resource that shares nothing mutable with this one."""
        return self.from_resource_dict(self.to_resource_dict())

    def set_from(self, other: Any) -> None:
        """Brings this very object to the state of another of its type: what a replay does to a component.

        Raises:
            TypeError: it is of another type.
        """
        raise NotImplementedError(f"{type(self).__qualname__}.set_from")


def _hints(cls: type) -> dict[str, Any]:
    """Returns the annotations of a class, without those that name nothing."""
    found: dict[str, Any] = {}
    for each in reversed(cls.__mro__):
        for name, annotation in inspect.get_annotations(each).items():
            try:
                found |= typing.get_type_hints(
                    types.SimpleNamespace(__annotations__={name: annotation}, __module__=each.__module__),
                    vars(sys.modules[each.__module__]),
                )
            except Exception:
                found.pop(name, None)
    return found


def _ignore(value: Any) -> None:
    pass


class _DataclassFields(ResourceBase):
    """The fields of a dataclass, as those of a resource."""

    __slots__ = ()

    @classmethod
    def field_names(cls) -> Iterable[str]:
        """Returns the names of the dataclass fields."""
        return tuple(field.name for field in dataclasses.fields(cls))  # type: ignore[arg-type]

    def field_values(self) -> Iterable[FieldValue]:
        """Returns their values; what a registered wrapper stands for comes wrapped."""
        return [to_field_value(getattr(self, name)) for name in self.field_names()]

    @classmethod
    def from_fields(cls, fields: Mapping[str, FieldValue]) -> Self:
        """Returns a resource made by its constructor."""
        later = {field.name for field in dataclasses.fields(cls) if not field.init}  # type: ignore[arg-type]
        made = cls(**{name: value for name, value in fields.items() if name not in later})
        for name in later & fields.keys():
            object.__setattr__(made, name, fields[name])
        return made


@dataclass
class Resource(_DataclassFields):
    """A resource whose fields are those of its dataclass."""

    def set_from(self, other: Any) -> None:
        """Takes over copies of the other's field values.

        Raises:
            TypeError: it is of another type.
        """
        _same_type(self, other)
        copy = other.deepcopy_resource()
        for name in self.field_names():
            setattr(self, name, getattr(copy, name))


@dataclass(frozen=True)
class ImmutableResource(_DataclassFields):
    """A resource that never changes; a frozen dataclass."""

    def set_from(self, other: Any) -> None:
        """Does nothing: there is nothing to bring anywhere.

        Raises:
            TypeError: it is of another type.
            ValueError: the other one differs.
        """
        _same_type(self, other)
        if self != other:
            raise ValueError(f"a {type(self).__qualname__} cannot change")


def _same_type(resource: ResourceBase, other: Any) -> None:
    if type(other) is not type(resource):
        raise TypeError(f"a {type(resource).__qualname__} cannot be set from a {type(other).__qualname__}")


class TypeWrapperBase(ResourceBase):
    """A resource that stands for a value of another type."""

    __slots__ = ()

    @classmethod
    def wrapped_type(cls) -> type[Any]:
        """Returns the type that it stands for."""
        raise NotImplementedError(f"{cls.__qualname__}.wrapped_type")

    @classmethod
    def wrap(cls, value: Any) -> TypeWrapperBase:
        """Returns the wrapper of a value."""
        raise NotImplementedError(f"{cls.__qualname__}.wrap")

    def unwrap(self) -> Any:
        """Returns the value, made anew."""
        raise NotImplementedError(f"{type(self).__qualname__}.unwrap")

    @classmethod
    def is_immutable(cls) -> bool:
        """Returns whether values of the wrapped type never change."""
        return False

    @classmethod
    def set_wrapped_value(cls, target: Any, source: Any) -> None:
        """Brings the value `target` in place to the state of `source`: what a replay does to what a call changed."""
        raise NotImplementedError(f"{cls.__qualname__}.set_wrapped_value")


@dataclass
class TypeWrapper(Resource, TypeWrapperBase, Generic[T]):
    """A registered dataclass that tells how values of a type without an encoding are stored.

    The subclass writes `wrapped_type`, `wrap` and `unwrap`; `is_immutable` and
    `set_wrapped_value` if calls change such values in place.
    """

    if TYPE_CHECKING:

        @classmethod
        def wrapped_type(cls) -> type[T]: ...

        @classmethod
        def wrap(cls, value: T) -> TypeWrapper[T]: ...

        def unwrap(self) -> T: ...


ResourceWrapper = TypeWrapper


def _registry() -> type[Registry]:
    from gvstore.store.registry import Registry

    return Registry


def to_field_value(value: Any) -> FieldValue:
    """Returns a value as a field shows it: wrapped, if a registered wrapper stands for it; lists and dicts inside too.

    Raises:
        MissingWrapperError: it has neither an encoding nor a wrapper.
    """
    return _registry().get().to_field_value(value)


def from_field_value(value: FieldValue) -> Any:
    """Returns the plain value of what a field shows."""
    return _registry().get().from_field_value(value)


def from_dict_value(value: ResourceDictValue) -> Any:
    """Returns the plain value of a part of a ResourceDict, a copy."""
    if isinstance(value, ResourceDict):
        made = value.to_resource()
        return made.unwrap() if isinstance(made, TypeWrapperBase) else made
    if type(value) is list:
        return [from_dict_value(each) for each in value]
    if type(value) is dict:
        return {key: from_dict_value(each) for key, each in value.items()}
    if isinstance(value, type):
        return from_field_value(value)
    return _copied(value)


def _dict_of(resource: R, callback: Callback, include: bool, open_: set[int]) -> ResourceDict[R]:
    if id(resource) in open_:
        raise CycleDetected(f"a {type(resource).__qualname__} contains itself")
    if include:
        callback(resource)
    open_.add(id(resource))
    made: ResourceDict[R] = ResourceDict(type(resource))
    for name, value in resource.field_items():
        made[name] = to_dict_value(value, callback, open_)
    made.update(resource._beside_fields())
    open_.discard(id(resource))
    return made


def to_dict_value(value: Any, callback: Callback = _ignore, open_: set[int] | None = None) -> ResourceDictValue:
    """Returns a value as a ResourceDict holds it: resources as ResourceDicts, the rest copied.

    Raises:
        FieldTypeError: a part has neither an encoding nor a wrapper, or it contains itself.
    """
    open_ = set() if open_ is None else open_
    if type(value) in (list, dict):
        if id(value) in open_:
            raise CycleDetected(f"a {type(value).__name__} contains itself")
        open_.add(id(value))
        made: Any
        if type(value) is list:
            made = [to_dict_value(each, callback, open_) for each in value]
        else:
            made = {key: to_dict_value(each, callback, open_) for key, each in value.items()}
        open_.discard(id(value))
        return made
    shown = _registry().get().to_field_value(value)
    if isinstance(shown, ResourceBase):
        return _dict_of(shown, callback, True, open_)
    if isinstance(shown, type):
        if issubclass(shown, ResourceBase):
            callback(shown)
        return shown
    return _copied(shown)


_IMMUTABLE = frozenset({type(None), bool, int, float, str, bytes, complex})


def _copied(value: T) -> T:
    from gvstore.store.scratch import copy_value

    return value if type(value) in _IMMUTABLE else copy_value(value)
