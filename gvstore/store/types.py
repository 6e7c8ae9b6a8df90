"""Types, described by values: keys of resource types, and a small language of descriptors with a JSON form.

    {"resource": {"name": "agent.Plan", "distribution_key": null}}
    {"list": "int"}   {"dict": {"union": ["str", "none"]}}   "float"

A descriptor says what a field holds, for readers without the program.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple, Self

PRIMITIVES: Final = (int, float, str, bytes, bool, type(None))

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class DistributionKey(NamedTuple):
    """A distribution, as pip names it, and its version."""

    name: str
    version: str

    def as_dict(self) -> dict[str, Json]:
        """Returns its JSON form."""
        return {"name": self.name, "version": self.version}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Returns the key of a JSON form."""
        return cls(str(fields["name"]), str(fields["version"]))


class TypeKey(NamedTuple):
    """A type by its qualified name, and the distribution it comes from if one was registered."""

    name: str
    distribution_key: DistributionKey | None = None

    def type_id(self) -> str:
        """Returns the key as text: its JSON form, keys sorted."""
        return json.dumps(self.as_dict(), sort_keys=True)

    def as_dict(self) -> dict[str, Json]:
        """Returns its JSON form."""
        return {"name": self.name, "distribution_key": self.distribution_key and self.distribution_key.as_dict()}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Self:
        """Returns the key of a JSON form."""
        distribution = fields.get("distribution_key")
        return cls(str(fields["name"]), DistributionKey.from_dict(distribution) if distribution else None)


@dataclass(frozen=True)
class TypeDescriptor:
    """What a field holds; equal when it says the same."""

    NAME: ClassVar[str] = ""

    def to_json(self) -> Json:
        """Returns its JSON form."""
        return self.NAME

    @staticmethod
    def from_json(form: Any) -> TypeDescriptor:
        """Returns the descriptor of a JSON form.

        Raises:
            ValueError: it is none.
        """
        if isinstance(form, str) and form in _BY_NAME:
            return _BY_NAME[form]()
        if isinstance(form, Mapping) and len(form) == 1:
            ((name, inner),) = form.items()
            if name == List.NAME:
                return List(TypeDescriptor.from_json(inner))
            if name == Dict.NAME:
                return Dict(TypeDescriptor.from_json(inner))
            if name == Union.NAME and isinstance(inner, Sequence):
                return Union(tuple(map(TypeDescriptor.from_json, inner)))
            if name == ResourceType.NAME and isinstance(inner, Mapping) and "name" in inner:
                return ResourceType(TypeKey.from_dict(inner))
        raise ValueError(f"no type descriptor: {form!r:.200}")


@dataclass(frozen=True)
class Int(TypeDescriptor):
    """An int."""

    NAME: ClassVar[str] = "int"


@dataclass(frozen=True)
class Float(TypeDescriptor):
    """A float."""

    NAME: ClassVar[str] = "float"


@dataclass(frozen=True)
class Str(TypeDescriptor):
    """Text."""

    NAME: ClassVar[str] = "str"


@dataclass(frozen=True)
class Bool(TypeDescriptor):
    """True or False."""

    NAME: ClassVar[str] = "bool"


@dataclass(frozen=True)
class Bytes(TypeDescriptor):
    """Bytes."""

    NAME: ClassVar[str] = "bytes"


@dataclass(frozen=True)
class NoneType(TypeDescriptor):
    """None."""

    NAME: ClassVar[str] = "none"


@dataclass(frozen=True)
class List(TypeDescriptor):
    """A list; of anything, or of `value_type`."""

    NAME: ClassVar[str] = "list"
    value_type: TypeDescriptor | None = None

    def to_json(self) -> Json:
        """Returns its JSON form."""
        return self.NAME if self.value_type is None else {self.NAME: self.value_type.to_json()}


@dataclass(frozen=True)
class Dict(TypeDescriptor):
    """A dict with text for keys; of anything, or of `value_type`."""

    NAME: ClassVar[str] = "dict"
    value_type: TypeDescriptor | None = None

    def to_json(self) -> Json:
        """Returns its JSON form."""
        return self.NAME if self.value_type is None else {self.NAME: self.value_type.to_json()}


@dataclass(frozen=True)
class Union(TypeDescriptor):
    """One of several."""

    NAME: ClassVar[str] = "union"
    value_types: tuple[TypeDescriptor, ...] = ()

    def to_json(self) -> Json:
        """Returns its JSON form."""
        return {self.NAME: [each.to_json() for each in self.value_types]}


@dataclass(frozen=True)
class ResourceType(TypeDescriptor):
    """A resource, or a value that a registered wrapper stands for."""

    NAME: ClassVar[str] = "resource"
    type_key: TypeKey

    def to_json(self) -> Json:
        """Returns its JSON form."""
        return {self.NAME: self.type_key.as_dict()}


_BY_NAME: Final[dict[str, type[TypeDescriptor]]] = {
    each.NAME: each for each in (Int, Float, Str, Bool, Bytes, NoneType, List, Dict)
}
