"""Classes that stand for a program's own: resources, a type that only a wrapper can store, a reference type."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any, Self

from gvstore.store.packed import PackedResource
from gvstore.store.ref import Ref
from gvstore.store.registry import Registry
from gvstore.store.resource import ImmutableResource, Resource, ResourceDict, TypeWrapper
from gvstore.store.serialization import JsonSerializer

register = Registry.get().register


@register
@dataclass
class Plan(Resource):
    topic: Any
    steps: Any = None


@register
@dataclass
class Other(Resource):
    topic: Any
    steps: Any = None


@register
@dataclass(frozen=True)
class Fixed(ImmutableResource):
    x: int


class Counter:
    """Has no encoding of its own."""

    def __init__(self, count: int = 0) -> None:
        self.hidden = [count]

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash(self.hidden[0])


class SubCounter(Counter):
    """For which no wrapper is registered."""


@register
@dataclass
class CounterWrapper(TypeWrapper[Counter]):
    count: int

    @classmethod
    def wrapped_type(cls) -> type[Counter]:
        return Counter

    @classmethod
    def wrap(cls, value: Counter) -> CounterWrapper:
        return cls(value.hidden[0])

    def unwrap(self) -> Counter:
        return Counter(self.count)

    @classmethod
    def set_wrapped_value(cls, target: Counter, source: Counter) -> None:
        target.hidden = list(source.hidden)


class Box:
    """Holds anything."""

    def __init__(self, content: Any) -> None:
        self.content = content


@register
@dataclass
class BoxWrapper(TypeWrapper[Box]):
    content: Any = field(default_factory=list)

    @classmethod
    def wrapped_type(cls) -> type[Box]:
        return Box

    @classmethod
    def wrap(cls, value: Box) -> BoxWrapper:
        return cls(value.content)

    def unwrap(self) -> Box:
        if self.content == "broken":
            raise ValueError(self.content)
        return Box(self.content)


class Bare:
    """Nothing can store it."""


@register
@dataclass
class Zipped(Resource):
    content: bytes


class ZippedRef(Ref[Any]):
    """Stores values compressed, as JSON."""

    @classmethod
    def pack(cls, value: Any) -> tuple[Self, PackedResource]:
        ref, packed = super().pack(value)
        content = zlib.compress(JsonSerializer().serialize(packed.data))
        return ref, packed._replace(data=Zipped(content).to_resource_dict())

    def unpack(self, packed: PackedResource) -> Any:
        plain: ResourceDict[Any] = JsonSerializer().deserialize(zlib.decompress(packed.data["content"]))
        return super().unpack(packed._replace(data=plain))


register(ZippedRef)
