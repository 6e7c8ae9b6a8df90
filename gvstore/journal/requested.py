"""The types of answers: described so that they can be stored, checked, spelled out and read from a command line.

A class stands for itself.  `list[int]`, `str | None` and their like become
type descriptors, `Literal[...]` a `Choice`: values that any process can read.
"""

from __future__ import annotations

import json
import types as python
import typing
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any, Final

from gvstore.journal.fault import RequestedTypeUndetermined
from gvstore.objects.placeholder import Unresolved
from gvstore.store import types
from gvstore.store.fault import RegistryError, TypeInferenceFailed
from gvstore.store.type_inference import from_annotation

_ANYTHING: Final = (Any, object)
_EXAMPLES: Final[dict[Any, Any]] = {int: 12, float: 0.5, str: "text", bool: True}
_SIMPLE: Final[dict[type, Any]] = {
    types.Int: int, types.Float: float, types.Str: str, types.Bool: bool, types.Bytes: bytes, types.NoneType: type(None),
}  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[Any, ...]


def describe(annotation: Any) -> Any:
    """Returns what is stored of a requested type: a class, a type descriptor or a Choice.

    Raises:
        RequestedTypeUndetermined: it has no such form.
    """
    if annotation is None:
        return type(None)
    if isinstance(annotation, type) and not isinstance(annotation, python.GenericAlias):
        return annotation
    if annotation is Any:
        return object
    if isinstance(annotation, types.TypeDescriptor | Choice | Unresolved):
        return annotation
    if typing.get_origin(annotation) is typing.Literal:
        return Choice(typing.get_args(annotation))
    try:
        return from_annotation(annotation, strict=True)
    except TypeInferenceFailed as e:
        raise RequestedTypeUndetermined(f"{annotation!r} cannot be asked for: {e}") from e


def annotation_of(described: Any) -> Any:
    """Returns the annotation that was described; of what cannot be told here, Any."""
    if isinstance(described, Choice):
        return typing.Literal[described.values]
    if isinstance(described, types.List):
        return list if described.value_type is None else list[annotation_of(described.value_type)]  # type: ignore[misc]
    if isinstance(described, types.Dict):
        value = described.value_type
        return dict if value is None else dict[str, annotation_of(value)]  # type: ignore[misc]
    if isinstance(described, types.Union):
        return typing.Union[tuple(map(annotation_of, described.value_types))]  # noqa: UP007 - made at run time
    if isinstance(described, types.ResourceType):
        from gvstore.store.registry import to_python_type

        try:
            return to_python_type(described)
        except RegistryError:
            return Any
    if isinstance(described, types.TypeDescriptor):
        return _SIMPLE[type(described)]
    return Any if isinstance(described, Unresolved) or described is object else described


def fits(value: Any, annotation: Any) -> bool:
    """Returns whether a value is of a type; what cannot be told fits.

    As everywhere, True is not an int here.  An int is good enough for a float.
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _ANYTHING:
        return True
    if origin in (typing.Union, python.UnionType):
        return any(fits(value, each) for each in inner)
    if origin is typing.Literal:
        return any(type(value) is type(each) and value == each for each in inner)
    if origin is list and inner:
        return isinstance(value, list) and all(fits(each, inner[0]) for each in value)
    if origin is dict and inner:
        return isinstance(value, dict) and all(fits(k, inner[0]) and fits(v, inner[1]) for k, v in value.items())
    wanted = origin or annotation
    if not isinstance(wanted, type):
        return True
    if isinstance(value, bool) and wanted in (int, float):
        return False
    try:
        return isinstance(value, wanted) or (wanted is float and isinstance(value, int))
    except TypeError:  # a Protocol that cannot be asked at run time
        return True


def type_text(described: Any) -> str:
    """Returns a described type as a program would write it: `str`, `list[int]`, `'yes' | 'no'`."""
    if isinstance(described, Choice):
        return " | ".join(map(repr, described.values))
    if isinstance(described, Unresolved):
        return described.type_name.rpartition(":")[2]
    annotation = annotation_of(described)
    if annotation is type(None):
        return "None"
    if annotation is Any:
        return "anything"
    if isinstance(annotation, type) and not isinstance(annotation, python.GenericAlias):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "").replace("NoneType", "None")


def example_of(annotation: Any, depth: int = 4) -> str:
    """Returns what an answer of a type could look like, as it is typed: `12`, `[1, 2]`, `{"topic": "text"}`; empty where nobody can tell."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return str(inner[0])
    if annotation in (str, bool):
        return {str: "text", bool: "true"}[annotation]
    value = _example(annotation, depth)
    return "" if value is None else json.dumps(value)


def _example(annotation: Any, depth: int) -> Any:
    """Returns an example as JSON knows it; None where there is none."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _EXAMPLES:
        return _EXAMPLES[annotation]
    if origin is typing.Literal:
        return inner[0]
    if origin in (typing.Union, python.UnionType):
        return next((found for each in inner if (found := _example(each, depth)) is not None), None)
    if depth and (origin or annotation) in (list, dict):
        item = _example(inner[-1], depth - 1) if inner else "text"
        return [item] if (origin or annotation) is list else {"key": item}
    if depth and isinstance(annotation, type) and is_dataclass(annotation):
        try:
            hints = typing.get_type_hints(annotation)
        except (NameError, TypeError):  # of a class that stands inside a function
            hints = {}
        wanted = [each for each in fields(annotation) if each.init]
        needed = [each for each in wanted if each.default is MISSING and each.default_factory is MISSING]
        return {each.name: _example(hints.get(each.name), depth - 1) for each in needed or wanted}
    return None
