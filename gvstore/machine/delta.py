"""Changes of a state as values: what a method of State does, to be handed around, written down, and applied.

Only what is applied changes anything, and it makes a new state.  A program may
derive its own from `StateDelta`: `apply_mutate` changes a dict of copies.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from gvstore.machine.serde import deserialize, serialize

if TYPE_CHECKING:
    from gvstore.machine.state import State


class StateDelta(abc.ABC):
    """A change of a state."""

    @classmethod
    def name(cls) -> str:
        """Returns the word for this kind of change: the class's name, in small letters and dashes."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()

    @abc.abstractmethod
    def reads(self) -> list[str]:
        """Returns the names of the fields on which its result depends."""

    @abc.abstractmethod
    def writes(self) -> list[str]:
        """Returns the names of the fields that it gives values to."""

    def deletes(self) -> list[str]:
        """Returns the names of the fields that it takes away."""
        return []

    def validate(self, input_state: Mapping[str, Any]) -> None:
        """Returns where the change can be made of these fields.  Raises ValueError where not."""
        return

    @abc.abstractmethod
    def apply_mutate(self, inputs: dict[str, Any]) -> None:
        """Makes the change in a dict of fields, in place."""

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns the changed state.

        Raises:
            ValueError: it cannot be made of this one.
        """
        self.validate(state)
        fields = state.get_all()
        self.apply_mutate(fields)
        gone = [name for name in state if name not in fields]
        return state.wipe(delete=gone).update(**fields)

    def base_serialize(self) -> dict[str, Any]:
        """Returns what JSON holds of its fields, without its kind."""
        return {name: serialize(value) for name, value in vars(self).items()}

    def serialize(self) -> dict[str, Any]:
        """Returns what JSON holds of it."""
        return {"name": self.name(), "args": self.base_serialize()}

    @classmethod
    def deserialize(cls, serialized: Mapping[str, Any]) -> Self:
        """Returns the change of this kind that `serialize`, or `base_serialize`, wrote."""
        args = serialized.get("args", serialized) if serialized.get("name") == cls.name() else serialized
        return cls(**{name: deserialize(value) for name, value in args.items()})


@dataclass(frozen=True)
class _FieldsDelta(StateDelta):
    """A change that one of the methods of State makes of named values."""

    values: Mapping[str, Any]

    def reads(self) -> list[str]:
        """Returns the fields that it changes."""
        return list(self.values)

    def writes(self) -> list[str]:
        """Returns the same."""
        return list(self.values)

    def validate(self, input_state: Mapping[str, Any]) -> None:
        """Raises ValueError where a field is not of the type that it changes."""
        from gvstore.machine.state import State

        self.apply(State(input_state))

    def apply_mutate(self, inputs: dict[str, Any]) -> None:
        """Makes the change in a dict, in place."""
        from gvstore.machine.state import State

        inputs.update(self.apply(State(inputs)).get_all())

    def base_serialize(self) -> dict[str, Any]:
        """Returns the named values."""
        return {"values": serialize(dict(self.values))}


class SetFields(_FieldsDelta):
    """Gives fields these values."""

    @classmethod
    def name(cls) -> str:
        """Returns "set"."""
        return "set"

    def reads(self) -> list[str]:
        """Returns nothing: whatever was there, the result is the same."""
        return []

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns `state.update(**values)`."""
        return state.update(**self.values)


class AppendFields(_FieldsDelta):
    """Gives lists one more item each."""

    @classmethod
    def name(cls) -> str:
        """Returns "append"."""
        return "append"

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns `state.append(**values)`."""
        return state.append(**self.values)


class ExtendFields(_FieldsDelta):
    """Lets lists go on with several items each."""

    @classmethod
    def name(cls) -> str:
        """Returns "extend"."""
        return "extend"

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns `state.extend(**values)`."""
        return state.extend(**self.values)


class IncrementFields(_FieldsDelta):
    """Adds to numbers."""

    @classmethod
    def name(cls) -> str:
        """Returns "increment"."""
        return "increment"

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns `state.increment(**values)`."""
        return state.increment(**self.values)


@dataclass(frozen=True)
class DeleteField(StateDelta):
    """Takes fields away; one that is not there is no fault."""

    fields: Iterable[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", [self.fields] if isinstance(self.fields, str) else list(self.fields))

    @classmethod
    def name(cls) -> str:
        """Returns "delete"."""
        return "delete"

    def reads(self) -> list[str]:
        """Returns the fields."""
        return list(self.fields)

    def writes(self) -> list[str]:
        """Returns nothing."""
        return []

    def deletes(self) -> list[str]:
        """Returns the fields."""
        return list(self.fields)

    def apply_mutate(self, inputs: dict[str, Any]) -> None:
        """Takes them out of a dict."""
        for name in self.fields:
            inputs.pop(name, None)

    def apply(self, state: State[Any]) -> State[Any]:
        """Returns `state.wipe(delete=fields)`."""
        return state.wipe(delete=self.fields)
