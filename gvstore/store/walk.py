"""Walking through resources: every resource inside another, the outer before the inner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gvstore.store.digests import cached_property
from gvstore.store.resource import ResourceBase, ResourceDict

__all__ = ["cached_property", "walk_resource", "walk_resource_dict"]


def walk_resource(resource: ResourceBase) -> Iterator[ResourceBase]:
    """Yields a resource and every resource in it; values that registered wrappers stand for as their wrappers.

    Raises:
        FieldTypeError: it contains itself, or what has no encoding.
    """
    found: list[ResourceBase] = []
    resource.to_resource_dict(lambda each: None if isinstance(each, type) else found.append(each))
    yield from found


def walk_resource_dict(fields: ResourceDict[Any]) -> Iterator[ResourceDict[Any]]:
    """Yields a dict form and every one in it."""
    stack: list[Any] = [fields]
    while stack:
        each = stack.pop()
        if isinstance(each, ResourceDict):
            yield each
        if isinstance(each, dict):
            stack.extend(reversed(each.values()))
        elif isinstance(each, list):
            stack.extend(reversed(each))
