"""The state of what is called: an instance's fields, out and back.

Dataclasses, resources and values with an encoding of their own are stored as
they are.  An instance of any other class of the program is stored by its
attributes, as a record without a class behind it.  On the way back nothing of
the program runs: attributes are set past `__init__` and `__setattr__`.
"""

from __future__ import annotations

import collections
from collections.abc import Iterable
from typing import Any, Final

from gvstore.journal.redact import has_holes
from gvstore.objects import number
from gvstore.objects.expand import Expansion, expander_of, opaque, register_expander
from gvstore.objects.naming import resolve_type, type_name
from gvstore.objects.placeholder import Opaque, Unresolved
from gvstore.store.fault import FieldTypeError
from gvstore.store.resource import Resource, ResourceBase
from gvstore.store.scratch import name_value

_MISSING: Final = object()


class Fields:
    """An instance of a class without an encoding, by its attributes."""

    __slots__ = ("instance",)

    def __init__(self, instance: Any) -> None:
        self.instance = instance


def state_of(instance: Any) -> Any:
    """Returns what is stored of an instance that is called: itself, or its attributes."""
    if expander_of(type(instance)) is opaque and not isinstance(instance, type):
        return Fields(instance)
    return instance


def _expand(fields: Fields) -> Expansion:
    instance = fields.instance
    parts: list[Any] = [type_name(type(instance))]
    for name in attributes(instance):
        value = getattr(instance, name, _MISSING)
        if value is not _MISSING:
            parts += (name, value)
    return number.RECORD, parts


register_expander(Fields, _expand)


def attributes(instance: Any) -> Iterable[str]:
    """Returns the names of an instance's attributes, those in slots first."""
    slots = [
        name
        for cls in reversed(type(instance).__mro__)
        for name in _slots(cls)
        if name not in ("__dict__", "__weakref__")
    ]
    return [*slots, *getattr(instance, "__dict__", ())]


def _slots(cls: type) -> Iterable[str]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else slots


def made_from(state: Any) -> Any:
    """Returns the instance that a recorded state describes, where its class is loaded; else the state as it is."""
    if not isinstance(state, Unresolved) or state.number != number.RECORD:
        return state
    cls = resolve_type(state.type_name)
    if cls is None:
        return state
    try:
        made: Any = object.__new__(cls)
    except TypeError:  # a class of C
        return state
    bring_to(made, state)
    return made


def bring_to(target: Any, recorded: Any) -> bool:
    """Brings a mutable value in place to a recorded state; returns whether that could be done.

    What it holds and is as recorded already stays the very object it is; lists
    and dicts under a name of their own are brought along in place, so that
    others who hold them see it too.  What could not be stored stays as it is.
    """
    kind = type(target)
    if isinstance(recorded, Unresolved):
        if recorded.number != number.RECORD or recorded.type_name != type_name(kind):
            return False
        return _bring_attributes(target, recorded.fields)
    if kind is not type(recorded) or kind in _NEVER:
        return False
    if kind is tuple:
        return len(target) == len(recorded) and all(map(_brought, target, recorded))
    if kind in _IN_PLACE:
        _IN_PLACE[kind](target, recorded)
        return True
    own = getattr(kind, "set_from", Resource.set_from)
    if own is not Resource.set_from or not isinstance(target, ResourceBase):  # a class that has a word for it does it
        from gvstore.store.registry import Registry

        if Registry.get().set_value(target, recorded):
            return True
    fields = getattr(kind, "__dataclass_fields__", None)
    return fields is not None and _bring_attributes(target, {n: getattr(recorded, n) for n in fields if hasattr(recorded, n)})


_NEVER: Final = frozenset({type(None), bool, int, float, complex, str, bytes, frozenset, type})


def _bring_attributes(target: Any, values: dict[str, Any]) -> bool:
    for name, value in values.items():
        if type(value) is Opaque or has_holes(value):
            continue
        before = getattr(target, name, _MISSING)
        now = value if before is _MISSING else _named(before, value)
        if now is not before:
            try:
                object.__setattr__(target, name, now)
            except (AttributeError, TypeError):  # a property, or no place for it
                return False
    return True


def _named(before: Any, value: Any) -> Any:
    """Returns what stands under a name afterwards: what stood there if it is as recorded or can be brought there."""
    if _is_same(before, value):
        return before
    return before if type(before) in _IN_PLACE and bring_to(before, value) else value


def _is_same(before: Any, value: Any) -> bool:
    """Returns whether two values are stored as the same."""
    if type(before) is not type(value):
        return False
    if type(before) in _NEVER and before is value:
        return True
    try:
        return name_value(before) == name_value(value)
    except FieldTypeError:
        return False


def _brought(before: Any, value: Any) -> bool:
    return _is_same(before, value) or bring_to(before, value)


def _item(before: Any, value: Any) -> Any:
    return before if _is_same(before, value) else value


def _list(target: list[Any], recorded: list[Any]) -> None:
    kept = min(len(target), len(recorded))
    target[:] = [*map(_item, target[:kept], recorded[:kept]), *recorded[kept:]]


def _dict(target: dict[Any, Any], recorded: dict[Any, Any]) -> None:
    new = {key: _named(target[key], value) if key in target else value for key, value in recorded.items()}
    target.clear()
    target.update(new)


def _set(target: set[Any], recorded: set[Any]) -> None:
    target.clear()
    target.update(recorded)


def _bytearray(target: bytearray, recorded: bytearray) -> None:
    target[:] = recorded


def _deque(target: collections.deque[Any], recorded: collections.deque[Any]) -> None:
    new = [_item(before, value) for before, value in zip(target, recorded, strict=False)]
    new += list(recorded)[len(new) :]
    target.clear()
    target.extend(new)


_IN_PLACE: Final[dict[type, Any]] = {
    list: _list, dict: _dict, set: _set, bytearray: _bytearray, collections.deque: _deque,
    collections.OrderedDict: _dict, collections.defaultdict: _dict, collections.Counter: _dict,
}  # fmt: skip
