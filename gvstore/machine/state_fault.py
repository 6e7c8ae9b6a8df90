"""What can go wrong with a state.

UsageFault
├── MissingField     a field that the state does not have
├── StateValueError  a value that cannot be stored, or restored
└── StateTypeError   fields that are not what the state's type says
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from gvstore.errors import UsageFault

_SHOWN = 20  # names of fields that a message lists


class MissingField(UsageFault, KeyError):
    """A state has no field of this name."""

    hint = "Declare the field in the `writes` of an action that runs before, or give it to the first state: with_state(...)."

    def __init__(self, name: object, known: Iterable[str]) -> None:
        self.name = name
        names = [each for each in known if not each.startswith("__")]
        near = difflib.get_close_matches(str(name), names, 1)
        listed = ", ".join(map(repr, names[:_SHOWN])) + (", ..." if len(names) > _SHOWN else "")
        has = f"the state has {listed}" if names else "the state has no fields"
        meant = f"; did you mean {near[0]!r}?" if near else ""
        super().__init__(f"state field {name!r} not found: {has}{meant}")

    __str__ = Exception.__str__  # a KeyError would show its text in quotes


class StateValueError(UsageFault, ValueError):
    """A state's field holds what cannot be stored, or was stored as what cannot be restored here."""

    hint = (
        "Keep it outside of the state (bind it to the action), or say how it is stored: a registered TypeWrapper, "
        "register_field_serde(field, serializer, deserializer), or @serialize.register(type)."
    )


def unstorable(field: str | None, type_name: str, detail: str | None) -> StateValueError:
    """Returns the error of a value without an encoding, by the field that it stands in."""
    name = type_name.replace("builtins:", "").replace(":", ".")
    where = "a value" if field is None else f"state field {field!r}"
    if detail == "cycle":
        return StateValueError(f"{where} holds a {name} that contains itself, which cannot be stored")
    why = f" ({detail})" if detail else ""
    return StateValueError(f"{where} holds a value of type {name}, which cannot be stored{why}")


class StateTypeError(UsageFault, TypeError):
    """Fields of a state are not what its type says; `problems` has a line for each."""

    def __init__(self, type_name: str, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"the state is no {type_name}: " + "; ".join(problems))
