"""attrs: instances of attrs classes by their fields, `[45, type, field name, value, ...]`.

They are made past their `__init__`, validators and converters.  Fields that a
class has gained since take their defaults; a default that is made is not made
here.
"""

from __future__ import annotations

from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion
from gvstore.objects.naming import resolve_type, type_name
from gvstore.objects.subclass import BUILTIN_BASES

_CACHED_HASH = "_attrs_cached_hash"


def classify(type_: type) -> Expander | None:
    """Returns the expander of an attrs class, or None."""
    own = "__attrs_attrs__" in vars(type_)
    return _instance if own and not issubclass(type_, BUILTIN_BASES) else None


def _instance(value: Any) -> Expansion:
    parts: list[Any] = [type_name(type(value))]
    for field in type(value).__attrs_attrs__:
        try:
            parts += (field.name, getattr(value, field.name))
        except AttributeError:  # a field that was never set stays unset
            pass
    return number.ATTRS, parts


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the instance.

    Raises:
        TypeError: its class is not loaded, or has other fields by now.
    """
    cls: Any = resolve_type(name)
    if cls is None or "__attrs_attrs__" not in vars(cls):
        raise TypeError(f"{name} is no attrs class")
    values = dict(zip(parts[::2], parts[1::2], strict=True))
    fields = {field.name: field for field in cls.__attrs_attrs__}
    if values.keys() - fields.keys():
        raise TypeError(f"{name} has lost a field")
    made = object.__new__(cls)
    for field in fields.values():
        default = field.default
        if field.name in values:
            object.__setattr__(made, field.name, values[field.name])
        elif type(default).__name__ not in ("_Nothing", "NothingType", "Factory"):
            object.__setattr__(made, field.name, default)
    if hasattr(cls, _CACHED_HASH):
        object.__setattr__(made, _CACHED_HASH, None)
    return made
