"""The wrappers of what needs none: builtins have an encoding of their own.

They exist so that every value has a resource that stands for it (`wrap(5)` is
`IntWrapper(5)`), and every type a type key.  They are never stored.
"""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from gvstore.store.fault import RegistryError
from gvstore.store.resource import ResourceBase, TypeWrapper
from gvstore.store.types import TypeDescriptor

T = TypeVar("T")


@dataclass
class _ValueWrapper(TypeWrapper[T]):
    """Holds the value itself."""

    value: T

    @classmethod
    def wrap(cls, value: T) -> TypeWrapper[T]:
        return cls(value)

    def unwrap(self) -> T:
        return self.value

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class NoneWrapper(TypeWrapper[None]):
    """Stands for None."""

    @classmethod
    def wrapped_type(cls) -> type[None]:
        return type(None)

    @classmethod
    def wrap(cls, value: None) -> NoneWrapper:
        return cls()

    def unwrap(self) -> None:
        return None

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class IntWrapper(_ValueWrapper[int]):
    """Stands for an int."""

    @classmethod
    def wrapped_type(cls) -> type[int]:
        return int


@dataclass
class FloatWrapper(_ValueWrapper[float]):
    """Stands for a float."""

    @classmethod
    def wrapped_type(cls) -> type[float]:
        return float


@dataclass
class BoolWrapper(_ValueWrapper[bool]):
    """Stands for True or False."""

    @classmethod
    def wrapped_type(cls) -> type[bool]:
        return bool


@dataclass
class StrWrapper(_ValueWrapper[str]):
    """Stands for a text."""

    @classmethod
    def wrapped_type(cls) -> type[str]:
        return str


@dataclass
class BytesWrapper(_ValueWrapper[bytes]):
    """Stands for bytes."""

    @classmethod
    def wrapped_type(cls) -> type[bytes]:
        return bytes


@dataclass
class ListWrapper(TypeWrapper[list[Any]]):
    """Stands for a list."""

    value: list[Any] = field(default_factory=list)

    @classmethod
    def wrapped_type(cls) -> type[list[Any]]:
        return list

    @classmethod
    def wrap(cls, value: list[Any]) -> ListWrapper:
        return cls(value)

    def unwrap(self) -> list[Any]:
        return self.value

    @classmethod
    def set_wrapped_value(cls, target: list[Any], source: list[Any]) -> None:
        target[:] = source


@dataclass
class DictWrapper(TypeWrapper[dict[Any, Any]]):
    """Stands for a dict."""

    value: dict[Any, Any] = field(default_factory=dict)

    @classmethod
    def wrapped_type(cls) -> type[dict[Any, Any]]:
        return dict

    @classmethod
    def wrap(cls, value: dict[Any, Any]) -> DictWrapper:
        return cls(value)

    def unwrap(self) -> dict[Any, Any]:
        return self.value

    @classmethod
    def set_wrapped_value(cls, target: dict[Any, Any], source: dict[Any, Any]) -> None:
        target.clear()
        target.update(source)


@dataclass
class TupleWrapper(TypeWrapper[tuple[Any, ...]]):
    """Stands for a tuple."""

    value: list[Any] = field(default_factory=list)

    @classmethod
    def wrapped_type(cls) -> type[tuple[Any, ...]]:
        return tuple

    @classmethod
    def wrap(cls, value: tuple[Any, ...]) -> TupleWrapper:
        return cls(list(value))

    def unwrap(self) -> tuple[Any, ...]:
        return tuple(self.value)

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class SetWrapper(TypeWrapper[set[Any]]):
    """Stands for a set; its members in the order of their names, the same in every process."""

    value: list[Any] = field(default_factory=list)

    @classmethod
    def wrapped_type(cls) -> type[set[Any]]:
        return set

    @classmethod
    def wrap(cls, value: set[Any]) -> SetWrapper:
        from gvstore.store.scratch import name_value

        return cls(sorted(value, key=name_value))

    def unwrap(self) -> set[Any]:
        return set(self.value)

    @classmethod
    def set_wrapped_value(cls, target: set[Any], source: set[Any]) -> None:
        target.clear()
        target.update(source)


@dataclass
class ResourceTypeWrapper(TypeWrapper[type]):
    """Stands for a type: a resource class, or the wrapper of another."""

    value: type[ResourceBase]

    @classmethod
    def wrapped_type(cls) -> type[type]:
        return type

    @classmethod
    def wrap(cls, value: type) -> ResourceTypeWrapper:
        from gvstore.store.registry import Registry

        return cls(Registry.get().wrap_type(value))

    def unwrap(self) -> type:
        from gvstore.store.registry import Registry

        return Registry.get().unwrap_type(self.value)

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class TypeDescriptorWrapper(TypeWrapper[TypeDescriptor]):
    """Stands for a type descriptor, as its JSON form."""

    json: Any

    @classmethod
    def wrapped_type(cls) -> type[TypeDescriptor]:
        return TypeDescriptor

    @classmethod
    def wrap(cls, value: TypeDescriptor) -> TypeDescriptorWrapper:
        return cls(value.to_json())

    def unwrap(self) -> TypeDescriptor:
        return TypeDescriptor.from_json(self.json)

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class ModuleWrapper(TypeWrapper[types.ModuleType]):
    """Stands for a module that is loaded, by its name."""

    name: str

    @classmethod
    def wrapped_type(cls) -> type[types.ModuleType]:
        return types.ModuleType

    @classmethod
    def wrap(cls, value: types.ModuleType) -> ModuleWrapper:
        return cls(value.__name__)

    def unwrap(self) -> types.ModuleType:
        module = sys.modules.get(self.name)
        if module is None:
            raise RegistryError(f"the module {self.name} is not loaded")
        return module

    @classmethod
    def is_immutable(cls) -> bool:
        return True


@dataclass
class NativeWrapper(_ValueWrapper[Any]):
    """Stands for a value that has an encoding and no wrapper: a date, an array, a dataclass."""

    @classmethod
    def wrapped_type(cls) -> type[Any]:
        return object

    @classmethod
    def is_immutable(cls) -> bool:
        return False


BUILTIN_WRAPPERS: Final[tuple[type[TypeWrapper[Any]], ...]] = (
    NoneWrapper, IntWrapper, FloatWrapper, BoolWrapper, StrWrapper, BytesWrapper, ListWrapper, DictWrapper, TupleWrapper,
    SetWrapper, ResourceTypeWrapper, TypeDescriptorWrapper, ModuleWrapper,
)  # fmt: skip
