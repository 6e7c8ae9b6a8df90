"""Does a value fit an annotation?  What of it does not, and where.

Annotations are hints: what is not understood (a protocol, a type variable, a
name that cannot be resolved) is fitted by anything.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from typing import Any, Final

_SHOWN = 60  # characters of a value that a message shows
_UNIONS: Final = (typing.Union, types.UnionType)
_TRANSPARENT: Final = (typing.Annotated, typing.Required, typing.NotRequired, typing.Final, typing.ClassVar)


def annotation_text(annotation: Any) -> str:
    """Returns an annotation as a programmer writes it."""
    if typing.get_origin(annotation) in (typing.Required, typing.NotRequired):
        return annotation_text(typing.get_args(annotation)[0])
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return annotation.__qualname__ if annotation is not type(None) else "None"
    if typing.get_origin(annotation) in _UNIONS:
        return " | ".join(map(annotation_text, typing.get_args(annotation)))
    return str(annotation).replace("typing.", "")


def misfit(value: Any, annotation: Any, where: str) -> str | None:
    """Returns in one line what of a value does not fit: where, what was expected, what came; None if all does."""
    return next(_misfits(value, annotation, where), None)


def _misfits(value: Any, annotation: Any, where: str) -> Iterator[str]:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or isinstance(annotation, (str, typing.TypeVar, typing.ForwardRef)):
        return
    if isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
        yield from _misfits(value, annotation, where)
    elif origin in _TRANSPARENT:
        yield from _misfits(value, args[0], where)
    elif origin in _UNIONS:
        if all(misfit(value, each, where) for each in args):
            yield _line(value, annotation, where)
    elif origin is typing.Literal:
        if not any(type(value) is type(each) and value == each for each in args):
            yield _line(value, annotation, where)
    elif typing.is_typeddict(annotation):
        yield from _misfits_of_fields(value, annotation, where)
    elif not _is_instance(value, origin or annotation):
        yield _line(value, annotation, where)
    elif args:
        yield from _misfits_inside(value, args, where)
    elif dataclasses.is_dataclass(annotation):
        for name, each in field_types(annotation).items():
            if hasattr(value, name):
                yield from _misfits(getattr(value, name), each, f"{where}.{name}")


def _misfits_of_fields(value: Any, annotation: Any, where: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield _line(value, annotation, where)
        return
    for name, each in field_types(annotation).items():
        if name in value:
            yield from _misfits(value[name], each, f"{where}[{name!r}]")
        elif name in required_keys(annotation):
            yield f"{where}: expected a {annotation.__qualname__}, got a dict without {name!r}"


def _misfits_inside(value: Any, args: tuple[Any, ...], where: str) -> Iterator[str]:
    if isinstance(value, tuple):
        if len(args) == 2 and args[1] is ...:
            args = (args[0],) * len(value)
        elif len(args) != len(value):
            yield f"{where}: expected a tuple of {len(args)}, got one of {len(value)}"
            return
        for at, (item, each) in enumerate(zip(value, args, strict=True)):
            yield from _misfits(item, each, f"{where}[{at}]")
    elif isinstance(value, Mapping):
        if len(args) == 2 and type(value) is dict:
            for key, item in value.items():
                yield from _misfits(key, args[0], f"{where}: key {key!r}")
                yield from _misfits(item, args[1], f"{where}[{key!r}]")
    elif isinstance(value, (list, set, frozenset, collections.deque)) and len(args) == 1:
        for at, item in enumerate(value):
            yield from _misfits(item, args[0], f"{where}[{at}]")


def _is_instance(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return value is None
    if not isinstance(wanted, type):
        return True
    if wanted in (float, complex) and type(value) is int:  # as type checkers see it
        return True
    if wanted is complex and type(value) is float:
        return True
    if wanted is int and type(value) is bool:
        return False
    if getattr(wanted, "_is_protocol", False) and wanted.__module__ != "collections.abc":
        return True
    try:
        return isinstance(value, wanted)
    except TypeError:
        return True


def _line(value: Any, annotation: Any, where: str) -> str:
    shown = repr(value)
    shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + "..."
    return f"{where}: expected {annotation_text(annotation)}, got {type(value).__name__} ({shown})"


def field_types(type_: Any) -> dict[str, Any]:
    """Returns the annotations of a class's fields, resolved where they can be."""
    try:
        hints = typing.get_type_hints(type_, include_extras=True)
    except Exception:  # a name that exists for type checkers alone
        hints = {}
        for each in reversed(type_.__mro__):
            hints.update(vars(each).get("__annotations__", {}))
    if dataclasses.is_dataclass(type_):
        names = [field.name for field in dataclasses.fields(type_)]
        return {name: hints.get(name, Any) for name in names}
    return hints


def required_keys(type_: Any) -> set[str]:
    """Returns the keys that a TypedDict must have, also where its annotations are text, which the class itself does not look into."""
    found = set(type_.__required_keys__)
    for name, hint in field_types(type_).items():
        origin = typing.get_origin(hint)
        if origin is typing.Annotated:
            origin = typing.get_origin(typing.get_args(hint)[0])
        if origin is typing.NotRequired:
            found.discard(name)
        elif origin is typing.Required:
            found.add(name)
    return found
