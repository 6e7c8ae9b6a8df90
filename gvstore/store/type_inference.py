"""From annotations to type descriptors."""

from __future__ import annotations

import types as python
import typing
from typing import Any, Final, Literal, overload

from gvstore.store import types
from gvstore.store.fault import MissingWrapperError, TypeInferenceFailed
from gvstore.store.resource import ResourceBase

_SIMPLE: Final[dict[Any, type[types.TypeDescriptor]]] = {
    int: types.Int, str: types.Str, float: types.Float, bool: types.Bool, bytes: types.Bytes, None: types.NoneType,
    type(None): types.NoneType, list: types.List, dict: types.Dict, typing.List: types.List, typing.Dict: types.Dict,  # noqa: UP006
}  # fmt: skip


@overload
def from_annotation(annotation: Any, strict: Literal[True]) -> types.TypeDescriptor: ...


@overload
def from_annotation(annotation: Any, strict: bool = False) -> types.TypeDescriptor | None: ...


def from_annotation(annotation: Any, strict: bool = False) -> types.TypeDescriptor | None:
    """Returns the descriptor of an annotation, or None if it has none.

    What a list or dict holds is left open where it cannot be told.

    Raises:
        TypeInferenceFailed: `strict`, and a part has no descriptor.
    """
    try:
        return _infer(annotation, strict=strict)
    except TypeInferenceFailed:
        if strict:
            raise
        return None


def _infer(annotation: Any, *, strict: bool) -> types.TypeDescriptor:
    try:
        simple = _SIMPLE.get(annotation)
    except TypeError:  # not hashable
        simple = None
    if simple is not None:
        return simple()
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _infer(inner[0], strict=strict)
    if origin is list and len(inner) == 1:
        return types.List(_inner(inner[0], strict=strict))
    if origin is dict and len(inner) == 2:
        if inner[0] is not str:
            raise TypeInferenceFailed(f"{annotation} has other keys than text")
        return types.Dict(_inner(inner[1], strict=strict))
    if origin in (typing.Union, python.UnionType):
        return types.Union(tuple(_infer(each, strict=strict) for each in inner))
    return _resource(origin if isinstance(origin, type) else annotation)


def _inner(annotation: Any, *, strict: bool) -> types.TypeDescriptor | None:
    try:
        return _infer(annotation, strict=strict)
    except TypeInferenceFailed:
        if strict:
            raise
        return None


def _resource(annotation: Any) -> types.TypeDescriptor:
    from gvstore.store.registry import wrap_type

    if isinstance(annotation, type):
        try:
            stands_for = wrap_type(annotation)
        except MissingWrapperError as e:
            raise TypeInferenceFailed(str(e)) from e
        if stands_for is not ResourceBase:
            return types.ResourceType(stands_for.type_key())
    raise TypeInferenceFailed(f"{annotation!r} has no type descriptor")
