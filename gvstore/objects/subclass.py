"""Subclasses of builtins, out and back: `[31, type, base value, attributes or nil]`.

The base value is read past whatever the subclass overrides, and instances are
made past its `__new__` and `__init__`.  Slots are attributes too.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.naming import type_name

BUILTIN_BASES: Final = (int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)
HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE: a class made by a program
_PLAIN: Final[dict[type, Callable[[Any], Any]]] = {
    int: int.__int__,
    float: float.__pos__,
    complex: complex.__pos__,
    str: str.__str__,
    bytes: lambda v: bytes.__getitem__(v, slice(None)),
    bytearray: lambda v: bytearray.__getitem__(v, slice(None)),
    tuple: lambda v: tuple(tuple.__iter__(v)),
    list: lambda v: list(list.__iter__(v)),
    dict: lambda v: dict(dict.items(v)),
    set: lambda v: set(set.__iter__(v)),
    frozenset: lambda v: frozenset(frozenset.__iter__(v)),
}
_FILL: Final[dict[type, Callable[[Any, Any], Any]]] = {
    list: list.extend,
    dict: dict.update,
    set: set.update,
    bytearray: bytearray.extend,
}


def slots_of(type_: type) -> dict[str, Any]:
    """Returns the slots that classes made by programs add, by name."""
    return {
        name: slot
        for each in reversed(type_.__mro__)
        if each.__flags__ & HEAP_TYPE and "__slots__" in vars(each)
        for name, slot in vars(each).items()
        if isinstance(slot, types.MemberDescriptorType)
    }


def attributes_of(value: Any, slots: Mapping[str, Any]) -> dict[str, Any]:
    """Returns an instance's dict and its filled slots."""
    attributes = dict(getattr(value, "__dict__", ()))
    for name, slot in slots.items():
        try:
            attributes[name] = slot.__get__(value)
        except AttributeError:
            pass
    return attributes


def set_attributes(made: Any, attributes: Mapping[str, Any], slots: Mapping[str, Any]) -> None:
    """Gives a new instance its attributes, past its `__setattr__`."""
    for name, each in attributes.items():
        if name in slots:
            slots[name].__set__(made, each)
        else:
            made.__dict__[name] = each


def expand_subclass(type_: type, base: type) -> Callable[[Any], tuple[int, tuple[Any, ...]]]:
    """Returns the expander of a subclass of `base`."""
    plain, slots = _PLAIN[base], slots_of(type_)

    def expander(v: Any) -> tuple[int, tuple[Any, ...]]:
        return number.SUBCLASS, (type_name(type_), plain(v), attributes_of(v, slots) or None)

    return expander


def make_subclass(cls: type, value: Any, attributes: Mapping[str, Any] | None) -> Any:
    """Returns an instance of `cls` that holds a builtin `value`.

    Raises:
        TypeError: it cannot be made so.
    """
    base: Any = type(value)
    if base not in BUILTIN_BASES or not issubclass(cls, base):
        raise TypeError(f"{cls.__name__} is no {base.__name__}")
    made: Any
    if base in _FILL:
        made = base.__new__(cls)
        _FILL[base](made, value)
    elif base is complex:
        made = complex.__new__(cls, value.real, value.imag)
    else:
        made = base.__new__(cls, value)
    if attributes:
        set_attributes(made, attributes, slots_of(cls))
    return made
