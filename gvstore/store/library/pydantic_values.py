"""pydantic: models of version 2, as what they hold, and addresses.

`[44, type, arguments of a generic or nil, fields, names of those that were set,
extra, private]`.  Models are made past their validators, as they were.
Secrets have no encoding.  An address is made from its text, an option.
"""

from __future__ import annotations

import sys
from typing import Any

from gvstore.objects import number
from gvstore.objects.expand import Expander, Expansion
from gvstore.objects.naming import resolve_type, type_name

pydantic: Any = sys.modules["pydantic"]


def classify(type_: type) -> Expander | None:
    """Returns the expander of a model class or an address of pydantic, or None."""
    if issubclass(type_, pydantic.BaseModel) and hasattr(type_, "__pydantic_fields_set__"):
        return _model
    if _is_address(type_):
        return lambda value: (number.OPTIONS, (type_name(type_), "url", str(value)))
    return None


def _is_address(type_: type) -> bool:
    """Returns whether a class is one of those that hold an address."""
    return "Url" in type_.__name__ and type_.__module__.partition(".")[0] in ("pydantic", "pydantic_core")


def _model(value: Any) -> Expansion:
    cls = type(value)
    generic = cls.__pydantic_generic_metadata__
    origin = generic["origin"] or cls
    fields = {name: each for name, each in vars(value).items() if name in cls.model_fields}
    private = value.__pydantic_private__
    return number.MODEL, (
        type_name(origin),
        tuple(generic["args"]) if generic["origin"] else None,
        fields,
        sorted(value.__pydantic_fields_set__),
        value.__pydantic_extra__,
        None if private is None else {k: v for k, v in private.items() if v is not pydantic.fields.PydanticUndefined},
    )


def build(of: int, name: str, parts: list[Any]) -> Any:
    """Returns the model, or the address.

    Raises:
        TypeError: its class is not loaded, or has other fields by now.
    """
    cls: Any = resolve_type(name)
    if of == number.OPTIONS:
        if not _is_address(cls):
            raise TypeError(f"{name} is no address")
        return cls(parts[1])
    if cls is None or not issubclass(cls, pydantic.BaseModel):
        raise TypeError(f"{name} is no model")
    args, fields, names, extra, private = parts
    if args is not None:
        cls = cls[args]
    for field, about in cls.model_fields.items():
        if field not in fields and not about.is_required() and about.default_factory is None:
            fields[field] = about.default
    if fields.keys() - cls.model_fields.keys():
        raise TypeError(f"{name} has lost a field")
    made = cls.__new__(cls)
    for slot, value in (("__dict__", fields), ("__pydantic_fields_set__", set(names)), ("__pydantic_extra__", extra),
                        ("__pydantic_private__", private)):  # fmt: skip
        object.__setattr__(made, slot, value)
    return made
