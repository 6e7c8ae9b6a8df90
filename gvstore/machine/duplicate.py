"""Copies that share nothing mutable, and equality with nothing forgiven.

A state hands out copies and takes copies in, at every step, so the common
values (plain containers of text and numbers, dataclasses) are copied here in a
fraction of the time that `copy.deepcopy` takes.  Values are trees, as in the
store: what stands twice in a value is two copies afterwards.
"""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import math
import pathlib
import re
import types
import uuid
from collections.abc import Callable
from typing import Any, Final

from gvstore.machine.state_fault import StateValueError
from gvstore.objects.expand import IS_LINK, expand
from gvstore.objects.placeholder import Opaque
from gvstore.objects.subclass import BUILTIN_BASES, HEAP_TYPE, attributes_of, set_attributes, slots_of
from gvstore.store.fault import FieldTypeError
from gvstore.store.ref import Ref
from gvstore.store.resource import ResourceBase
from gvstore.store.scratch import copy_value

ATOMIC: Final[set[type]] = {
    type(None), bool, int, float, complex, str, bytes, range, type(...), type(NotImplemented), type,
    datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone,
    decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, Opaque,
    pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.PosixPath, pathlib.WindowsPath,
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType,
}  # fmt: skip
"""Types whose values cannot be changed, or are references: they stand for themselves."""

_BY_ENCODING: Final = (BaseException, memoryview, *BUILTIN_BASES)


def duplicate(value: Any) -> Any:
    """Returns a value equal to this one that shares nothing mutable with it.

    What can neither be copied nor stored, as a lock or a client, is handed on
    as it is.

    Raises:
        StateValueError: it contains itself, or is nested too deeply to be copied.
    """
    try:
        return _copied(value)
    except RecursionError:
        pass
    try:
        return copy_value(value)
    except FieldTypeError:
        pass
    try:
        return copy.deepcopy(value)
    except RecursionError as e:
        raise StateValueError(f"a value of type {type(value).__name__} is nested too deeply to be copied") from e


def _copied(value: Any) -> Any:
    kind = type(value)
    if kind in ATOMIC:
        return value
    if kind is list:
        return [each if type(each) in ATOMIC else _copied(each) for each in list(value)]
    if kind is dict:
        return {
            (k if type(k) in ATOMIC else _copied(k)): (v if type(v) in ATOMIC else _copied(v))
            for k, v in list(value.items())
        }
    if kind is tuple:
        if ATOMIC.issuperset(map(type, value)):
            return value
        return tuple([_copied(each) for each in value])
    if kind is set or kind is frozenset:
        return kind(value) if ATOMIC.issuperset(map(type, value)) else kind([_copied(each) for each in value])
    return _copied_object(kind, value)


def _copied_object(kind: Any, value: Any) -> Any:
    if issubclass(kind, (enum.Enum, type, Ref)):
        return value
    if issubclass(kind, ResourceBase) and expand(value)[0] == IS_LINK:  # an invocation: an object of its own
        return value
    if _is_plain(kind):
        made = object.__new__(kind)
        slots = _slots_of(kind)
        attributes = attributes_of(value, slots) if slots else vars(value)
        own = {name: each if type(each) in ATOMIC else _copied(each) for name, each in attributes.items()}
        if slots:
            set_attributes(made, own, slots)
        else:
            vars(made).update(own)
        return made
    if kind in _REBUILT and not getattr(value, "__dict__", None):
        return _REBUILT[kind](value)
    ways: list[Callable[[Any], Any]] = [copy.deepcopy]
    if issubclass(kind, _BY_ENCODING):  # deepcopy loses what an exception was raised from, and asks what a class overrides
        ways.insert(0, copy_value)
    for way in ways:
        try:
            made = way(value)
        except RecursionError:
            raise
        except Exception:  # a lock, a socket; a class with a __deepcopy__ of its own
            continue
        if type(made) is kind:
            return made
    return value


_REBUILT: Final[dict[type, Callable[[Any], Any]]] = {
    slice: lambda v: slice(_copied(v.start), _copied(v.stop), _copied(v.step)),
    collections.deque: lambda v: collections.deque(_copied(list(v)), v.maxlen),
    collections.OrderedDict: lambda v: collections.OrderedDict(_copied(dict(v))),
    collections.defaultdict: lambda v: collections.defaultdict(v.default_factory, _copied(dict(v))),
    collections.Counter: lambda v: collections.Counter(_copied(dict(v))),
}


_GET_STATE: Final = (getattr(object, "__getstate__", None), getattr(dataclasses, "_dataclass_getstate", None))
_SET_STATE: Final = (None, getattr(dataclasses, "_dataclass_setstate", None))


@functools.lru_cache(maxsize=4096)
def _is_plain(kind: Any) -> bool:
    """Returns whether a dataclass's instances are their attributes and nothing else."""
    return (
        "__dataclass_fields__" in vars(kind)
        and all(each is object or each.__flags__ & HEAP_TYPE for each in kind.__mro__)
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
        and not any(hasattr(kind, name) for name in ("__deepcopy__", "__getnewargs__", "__getnewargs_ex__"))
        and getattr(kind, "__getstate__", None) in _GET_STATE
        and getattr(kind, "__setstate__", None) in _SET_STATE
    )


_slots_of: Final = functools.lru_cache(maxsize=4096)(slots_of)


def is_same(a: Any, b: Any) -> bool:
    """Returns whether two values are surely stored as the same; of other types than the plain ones, only if they are one."""
    kind = type(a)
    if kind is not type(b):
        return False
    if a is b and kind in ATOMIC:
        return True
    if kind in _COMPARED:
        return bool(a == b)
    if kind is float:
        return bool(a == b) and math.copysign(1, a) == math.copysign(1, b)
    try:
        if kind is list or kind is tuple:
            return len(a) == len(b) and all(map(is_same, a, b))
        if kind is dict:
            return len(a) == len(b) and all(map(is_same, a, b)) and all(map(is_same, a.values(), b.values()))
    except RecursionError:
        pass
    return False


_COMPARED: Final = frozenset({int, bool, str, bytes})
