"""What the annotations of an action's function say of its state: T of `State[T]`, before and after."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ForwardRef, TypeVar, get_args, get_origin, get_type_hints

from gvstore.machine.action_fault import ActionFault
from gvstore.machine.finding import meant
from gvstore.machine.state import State
from gvstore.machine.terms import Parameters
from gvstore.machine.typing_system import PydanticTypingSystem, TypingSystem, typing_of


def state_types(
    fn: Any, taken: Parameters, scope: Mapping[str, Any] | None
) -> tuple[TypingSystem[Any] | None, TypingSystem[Any] | None]:
    """Returns T of the state's annotation, and of the returned one, where they are State[T]."""
    try:
        hints = get_type_hints(fn, localns=dict(scope or {}))
    except Exception:  # a name that exists for type checkers alone: then each that can be resolved
        hints = _resolved(fn, scope or {})
    first = taken.state or next(iter(inspect.signature(fn).parameters), "state")
    returned = hints.get("return")
    parts = get_args(returned) if get_origin(returned) is tuple else (returned,)
    return _state_type(hints.get(first)), next((found for each in parts if (found := _state_type(each)) is not None), None)


def _resolved(fn: Any, scope: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, said in getattr(fn, "__annotations__", {}).items():
        try:
            found[name] = get_type_hints(type("_", (), {"__annotations__": {name: said}}), getattr(fn, "__globals__", {}), dict(scope))[name]
        except Exception:  # this one cannot
            continue
    return found


def fields_of(system: TypingSystem[Any]) -> dict[str, Any]:
    """Returns the names and types of a type's fields."""
    return dict(getattr(system, "fields", {}))


def optional_of(system: TypingSystem[Any]) -> set[str]:
    """Returns the names of those that need not be there, or have a default."""
    if isinstance(system, PydanticTypingSystem):
        return {name for name, field in system.type.model_fields.items() if not field.is_required()}
    return set(getattr(system, "optional", ()))


def refined(keys: dict[str, Any], system: TypingSystem[Any] | None, what: str, called: str) -> dict[str, Any]:
    """Returns the keys with the types that the state's type says of those that have none yet.

    Raises:
        ActionFault: a key is none of its fields.
    """
    if system is None:
        return keys
    fields = fields_of(system)
    for name in keys:
        if name not in fields:
            kind = getattr(system, "name", "type")
            raise ActionFault(
                f"action {called} {what} {name!r}, which is no field of {kind}",
                hint=meant(name, fields, f"{kind} has: {', '.join(fields) or 'none'}."),
            )
    return {name: fields[name] if each is Any else each for name, each in keys.items()}


def _state_type(annotation: Any) -> TypingSystem[Any] | None:
    """Returns the typing system of T in State[T]; None for a bare State, and for what is no type of a state."""
    if get_origin(annotation) is not State:
        return None
    [inside] = get_args(annotation)
    if inside is Any or inside is dict or isinstance(inside, (str, TypeVar, ForwardRef)):
        return None
    try:
        return typing_of(inside)
    except TypeError:
        return None
