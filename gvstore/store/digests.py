"""Digests: the names of values without storing them, and properties that are computed once a digest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from gvstore.store.resource import ResourceBase, ResourceDict, TypeWrapperBase
from gvstore.store.scratch import name_value

T = TypeVar("T")


def digest(value: Any) -> str:
    """Returns 64 hex digits that tell a value, or the value that a dict form or wrapper stands for, from all others.

    It is the id that `commit` would give it: the same in every process and
    version, and `True` is not `1`.

    Raises:
        FieldTypeError: a part of it has no encoding.
    """
    if isinstance(value, ResourceDict):
        value = value.to_resource()
    return name_value(value.unwrap() if isinstance(value, TypeWrapperBase) else value).hex()


def resource_digest(value: Any) -> str:
    """Returns the digest of a resource, or of any value that can be stored."""
    return digest(value)


def type_digest(resource_type: type[ResourceBase]) -> str:
    """Returns a digest of a type's key and the names of its fields."""
    return digest((resource_type.type_id(), list(resource_type.field_names())))


class cached_property(Generic[T]):
    """A property of a resource that is computed anew when the resource's digest has changed."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__
        self._name = compute.__name__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> T: ...

    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        now = digest(instance)
        kept: tuple[str, T] | None = vars(instance).get(self._key)
        if kept is None or kept[0] != now:
            kept = vars(instance)[self._key] = (now, self._compute(instance))
        return kept[1]

    @property
    def _key(self) -> str:
        return f"_cached_{self._name}"
