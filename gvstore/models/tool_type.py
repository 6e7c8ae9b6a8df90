"""Annotations of a tool's parameters: as JSON schemas for the model, and back from the JSON that it writes.

    int float str bool None   list[T] tuple[T, ...] set[T] dict[str, T]   T | U  Literal  Enum
    dataclasses  TypedDict  pydantic's models   Path date datetime time   Annotated[T, "what it is"]

`Any`, and no annotation at all, take anything.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
import types
import typing
from collections.abc import Mapping, MutableMapping, Sequence
from inspect import Parameter
from pathlib import PurePath
from typing import Any, Final

Schema = dict[str, Any]

_PLAIN: Final[dict[Any, str]] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", None: "null"}
_ANYTHING: Final = (Any, object, Parameter.empty)
_LISTS: Final = (list, tuple, set, frozenset, Sequence)
_DICTS: Final = (dict, Mapping, MutableMapping)
_TIMES: Final[dict[Any, str]] = {datetime.datetime: "date-time", datetime.date: "date", datetime.time: "time"}


class Unspellable(TypeError):
    """JSON cannot spell values of a type."""


def schema_of(annotation: Any, defs: dict[str, Schema]) -> Schema:
    """Returns the JSON schema of an annotation; classes with fields go into `defs`, the schema's `$defs`.

    Raises:
        Unspellable: JSON has no form for it.
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in _ANYTHING:
        return {}
    if annotation in _PLAIN:
        return {"type": _PLAIN[annotation]}
    if annotation in _TIMES:
        return {"type": "string", "format": _TIMES[annotation]}
    if origin is typing.Annotated:
        said = next((each for each in inner[1:] if isinstance(each, str)), "")
        return schema_of(inner[0], defs) | ({"description": said} if said else {})
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [schema_of(each, defs) for each in inner]}
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if (origin or annotation) in _LISTS:
        return _of_list(origin or annotation, inner, defs)
    if (origin or annotation) in _DICTS:
        if inner and inner[0] is not str:
            raise Unspellable(f"{annotation} has other keys than text")
        return {"type": "object"} | ({"additionalProperties": schema_of(inner[1], defs)} if inner else {})
    if isinstance(annotation, type):
        return _of_class(annotation, defs)
    raise Unspellable(f"{annotation!r} has no form in JSON")


def _of_list(kind: Any, inner: tuple[Any, ...], defs: dict[str, Schema]) -> Schema:
    found: Schema = {"type": "array"}
    if kind is tuple and inner and inner[-1] is not Ellipsis:
        return found | {"prefixItems": [schema_of(each, defs) for each in inner], "minItems": len(inner), "maxItems": len(inner)}
    if inner:
        found["items"] = schema_of(inner[0], defs)
    return found | ({"uniqueItems": True} if kind in (set, frozenset) else {})


def _of_class(cls: type, defs: dict[str, Schema]) -> Schema:
    if issubclass(cls, PurePath):
        return {"type": "string"}
    if issubclass(cls, enum.Enum):
        return {"enum": list(_members(cls))}
    if hasattr(cls, "model_json_schema"):  # pydantic's
        found = cls.model_json_schema()
        defs.update(found.pop("$defs", {}))
    elif fields := _fields(cls):
        if cls.__name__ in defs:
            return {"$ref": f"#/$defs/{cls.__name__}"}
        defs[cls.__name__] = {}  # it may hold itself
        found = {
            "type": "object",
            "properties": {name: schema_of(annotation, defs) for name, (annotation, _) in fields.items()},
            "required": [name for name, (_, needed) in fields.items() if needed],
            "additionalProperties": False,
        }
    else:
        raise Unspellable(f"{cls.__qualname__} has no form in JSON")
    defs[cls.__name__] = found
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _fields(cls: type) -> dict[str, tuple[Any, bool]]:
    """Returns the fields of a dataclass or TypedDict: the annotation of each, and whether it is needed; else nothing."""
    if not dataclasses.is_dataclass(cls) and not typing.is_typeddict(cls):
        return {}
    hints = typing.get_type_hints(cls, include_extras=True)
    if typing.is_typeddict(cls):
        needed: frozenset[str] = cls.__required_keys__  # type: ignore[attr-defined]
        return {name: (_bare(hint), name in needed and typing.get_origin(hint) is not typing.NotRequired) for name, hint in hints.items()}
    missing = dataclasses.MISSING
    return {
        each.name: (hints[each.name], each.default is missing and each.default_factory is missing)
        for each in dataclasses.fields(cls)
        if each.init
    }


def _bare(hint: Any) -> Any:
    """Returns what stands in Required[...] or NotRequired[...]."""
    return typing.get_args(hint)[0] if typing.get_origin(hint) in (typing.Required, typing.NotRequired) else hint


def _members(cls: type[enum.Enum]) -> dict[Any, enum.Enum]:
    """Returns an enum's members by what stands for them in JSON: values of text or numbers, else names."""
    plain = all(type(each.value) in (str, int) for each in cls)
    return {each.value if plain else each.name: each for each in cls}


def made_of(value: Any, annotation: Any) -> Any:
    """Returns the value that JSON, which fits the annotation's schema, stands for.

    Raises:
        ValueError, TypeError: it stands for none after all.
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is float and type(value) is int:
        return float(value)
    if annotation is int and type(value) is float:
        return int(value)
    if annotation in _ANYTHING or annotation in _PLAIN:
        return value
    if annotation in _TIMES:
        return annotation.fromisoformat(value)
    if origin is typing.Annotated:
        return made_of(value, inner[0])
    if origin in (typing.Union, types.UnionType):
        return _made_of_one(value, inner)
    kind = origin or annotation
    if kind in _LISTS:
        fixed = kind is tuple and inner and inner[-1] is not Ellipsis
        types_ = inner if fixed else (inner[:1] or (Any,)) * len(value)
        made = [made_of(each, type_) for each, type_ in zip(value, types_, strict=True)]
        return made if kind in (list, Sequence) else kind(made)
    if kind in _DICTS:
        return {key: made_of(each, inner[1]) for key, each in value.items()} if inner else value
    return _made_of_class(value, annotation) if isinstance(annotation, type) else value


def _made_of_one(value: Any, choices: tuple[Any, ...]) -> Any:
    from gvstore.models.schema import mismatch

    for each in choices:
        defs: dict[str, Schema] = {}
        if not mismatch(value, schema_of(each, defs) | {"$defs": defs}):
            try:
                return made_of(value, each)
            except (ValueError, TypeError):
                continue
    raise ValueError(f"{value!r} fits none of {choices}")


def _made_of_class(value: Any, cls: type) -> Any:
    if issubclass(cls, PurePath):
        return cls(value)
    if issubclass(cls, enum.Enum):
        return _members(cls)[value]
    if hasattr(cls, "model_validate"):
        return cls.model_validate(value)
    fields = _fields(cls)
    made = {name: made_of(each, fields[name][0]) for name, each in value.items()}
    return made if typing.is_typeddict(cls) else cls(**made)
