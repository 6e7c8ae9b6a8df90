"""What a stored value needs: the references in it, the types, their distributions; read off its bytes, no class needed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.naming import resolve_type
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import NAMED
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.wire import Link, unpack
from gvstore.store.resource import ResourceBase
from gvstore.store.types import TypeKey

_PARTS: Final = frozenset({Kind.VALUE, Kind.NODE, Kind.BLOB})  # what behind a link is part of the value itself
_TYPED: Final = NAMED - {number.FUNCTION, number.MODULE, number.ZONE}


@dataclass(frozen=True, slots=True)
class Contents:
    """What one value holds: the oids that it refers to, in order, and the names of types in it."""

    refers_to: dict[ObjectId, None] = field(default_factory=dict)
    type_names: set[str] = field(default_factory=set)


def contents_of(oid: ObjectId, reader: ObjectReader) -> Contents | None:
    """Returns what the value or record stored as `oid` holds itself, or None if it is not there.

    What it refers to is another value, a recorded call, a component.
    """
    found = Contents()
    seen = {oid}
    stack = [oid]
    while stack:
        here = stack.pop()
        try:
            data = reader.read(here)
        except ObjectMissing:
            if here == oid:
                return None
            continue
        if data[0] == Kind.BLOB:
            continue
        if data[0] not in _PARTS and here != oid:
            found.refers_to[here] = None
            continue
        for link in _scan(unpack(memoryview(data)[1:]), found):
            if link not in seen:
                seen.add(link)
                stack.append(link)
    return found


def _scan(raw: Any, found: Contents) -> Iterator[ObjectId]:
    """Yields the links in an array; notes references and types."""
    stack = [raw]
    while stack:
        each = stack.pop()
        if type(each) is Link:
            yield each.oid
        elif type(each) is list and each:
            if each[0] == number.REF and type(each[-1]) is Link:
                found.refers_to[each[-1].oid] = None
                continue
            if each[0] in _TYPED and len(each) > 1 and type(each[1]) is str:
                found.type_names.add(each[1])
            stack.extend(reversed(each))


def dependency_graph(
    oids: Iterable[ObjectId], reader: ObjectReader, max_depth: int | None
) -> dict[ObjectId, Contents | None]:
    """Returns what each of `oids`, and what they refer to in turn, `max_depth` levels deep, holds."""
    graph: dict[ObjectId, Contents | None] = {}
    level = list(dict.fromkeys(oids))
    depth = 0
    while level and (max_depth is None or depth <= max_depth):
        below: dict[ObjectId, None] = {}
        for oid in level:
            found = graph[oid] = contents_of(oid, reader)
            below.update(found.refers_to if found is not None else {})
        level = [oid for oid in below if oid not in graph]
        depth += 1
    return graph


def type_key_of(name: str) -> TypeKey:
    """Returns the key of a type by its name in objects; with the distribution, if the class is loaded and has one."""
    type_ = resolve_type(name)
    if type_ is not None and issubclass(type_, ResourceBase):
        return type_.type_key()
    from gvstore.store.distribution import get_distribution_key

    key = get_distribution_key(type_) if type_ is not None else None
    return TypeKey(name.replace(":", "."), key)
