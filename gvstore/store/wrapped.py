"""Wrapped values and other resources by their fields, out and back: `[40, type, field name, value, ...]`.

The type is a registered wrapper's, which makes the value; a reference's of
another class than Ref; or that of a resource which is no dataclass.  Here,
and only here, a reader runs code of the program: `unwrap` or `from_fields` of
a class that it has loaded.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.build import register_builder, unresolved
from gvstore.objects.expand import Expander, Expansion, register_classifier
from gvstore.objects.naming import resolve_type, type_name
from gvstore.objects.placeholder import Unresolved
from gvstore.store.fault import RegistryError
from gvstore.store.ref import Ref, build_named, expand_named
from gvstore.store.resource import ResourceBase, TypeWrapperBase

WRAPPERS: Final[set[type[TypeWrapperBase]]] = set()  # the registered ones; builtins have none
AMBIGUOUS: Final[dict[str, RegistryError]] = {}  # name of a type that two wrappers claim -> the error


def expand_fields(resource: ResourceBase) -> Expansion:
    """Returns the expansion of a resource by its fields: `[40, type, field name, value, ...]`."""
    parts: list[Any] = [type_name(type(resource))]
    fields = getattr(type(resource), "__dataclass_fields__", None)
    for name in resource.field_names():
        parts += (name, getattr(resource, name) if fields is not None and name in fields else None)
    if fields is None:
        for at, value in enumerate(resource.field_values()):
            parts[2 + 2 * at] = value
    return number.WRAPPED, parts


def _build(raw: list[Any]) -> Any:
    stands_for: Unresolved = unresolved(raw)
    fields = stands_for.fields
    if 2 * len(fields) != len(stands_for.parts):
        raise ValueError("a field stands twice, or has no name")
    cls = resolve_type(stands_for.type_name)
    if cls is None or not issubclass(cls, ResourceBase):
        return stands_for
    try:
        if issubclass(cls, Ref):
            return build_named(cls, fields)
        if issubclass(cls, TypeWrapperBase):
            return cls.from_fields(fields).unwrap() if cls in WRAPPERS else stands_for
        return stands_for if dataclasses.is_dataclass(cls) else cls.from_fields(fields)
    except Exception:  # the class has other fields by now, or what it stands for cannot be made here
        return stands_for


def _classify(type_: type) -> Expander | None:
    if issubclass(type_, Ref):
        return expand_named
    return expand_fields if issubclass(type_, ResourceBase) and not dataclasses.is_dataclass(type_) else None


register_builder(number.WRAPPED, _build)
register_classifier(_classify)
