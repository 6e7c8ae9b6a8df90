"""The fields of a state as one value of a program's type: pydantic model, dataclass, TypedDict, `{"foo": int}`.

`typing_of` finds the system of a type.  A state keeps its fields; the typed
view is made when it is asked for (`state.data`), and faults are told field by
field: what was expected, what came.
"""

from __future__ import annotations

import abc
import dataclasses
import sys
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from gvstore.machine.annotation import annotation_text, field_types, misfit, required_keys
from gvstore.machine.state_fault import StateTypeError

if TYPE_CHECKING:
    from gvstore.machine.state import State

S = TypeVar("S")


class TypingSystem(abc.ABC, Generic[S]):
    """How the fields of a state and a program's type become each other."""

    @abc.abstractmethod
    def state_type(self) -> Any:
        """Returns the program's type."""

    @abc.abstractmethod
    def construct_data(self, state: State[Any]) -> S:
        """Returns the fields as one value.

        Raises:
            StateTypeError: they are not of that type.
        """

    @abc.abstractmethod
    def construct_state(self, data: S) -> State[S]:
        """Returns the state of a value's fields."""

    def problems(self, state: Mapping[str, Any], *, partial: bool = False) -> list[str]:
        """Returns in a line each which fields are missing, or not of the type they should have; `partial`: missing ones are none."""
        return []

    def state_pre_action_run_type(self, action: Any, graph: Any) -> Any:
        """Returns the type that the state has before an action runs."""
        return self.state_type()

    def state_post_action_run_type(self, action: Any, graph: Any) -> Any:
        """Returns the type that the state has after an action has run."""
        return self.state_type()


class DictBasedTypingSystem(TypingSystem[dict[str, Any]]):
    """No type: a dict of copies."""

    def state_type(self) -> Any:
        """Returns dict."""
        return dict

    def construct_data(self, state: State[Any]) -> dict[str, Any]:
        """Returns a dict of copies."""
        return state.get_all()

    def construct_state(self, data: dict[str, Any]) -> State[dict[str, Any]]:
        """Returns the state of a dict."""
        return _state_of(data, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


class _FieldTyping(TypingSystem[S]):
    """What the systems that know their fields' annotations share."""

    def __init__(self, type_: Any) -> None:
        self.type = type_

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.type == self.type

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.type,)

    @property
    def name(self) -> str:
        """The type's name, for messages."""
        return annotation_text(self.type)

    def state_type(self) -> Any:
        """Returns the program's type."""
        return self.type

    @property
    def fields(self) -> dict[str, Any]:
        """Names and annotations."""
        return field_types(self.type)

    @property
    def optional(self) -> set[str]:
        """Names of fields that may be missing."""
        return set()

    def problems(self, state: Mapping[str, Any], *, partial: bool = False) -> list[str]:
        """Returns a line for each field that is missing or not of its type."""
        found = []
        optional = self.fields.keys() if partial else self.optional
        for name, annotation in self.fields.items():
            if name in state:
                line = misfit(state[name], annotation, f"field {name!r}")
            else:
                line = None if name in optional else f"field {name!r}: expected {annotation_text(annotation)}, got nothing"
            if line is not None:
                found.append(line)
        return found

    def _checked(self, state: State[Any]) -> dict[str, Any]:
        values = {name: state[name] for name in self.fields if name in state}
        if found := self.problems(values):
            raise StateTypeError(self.name, found)
        return values


class SchemaTypingSystem(_FieldTyping[dict[str, Any]]):
    """`{"foo": int, "bar": list[str]}`: names and annotations; the data is a dict of them."""

    @property
    def name(self) -> str:
        """The schema, for messages."""
        return "{" + ", ".join(f"{name!r}: {annotation_text(each)}" for name, each in self.type.items()) + "}"

    @property
    def fields(self) -> dict[str, Any]:
        """Names and annotations."""
        return dict(self.type)

    def construct_data(self, state: State[Any]) -> dict[str, Any]:
        """Returns a dict of the fields of the schema.  Raises StateTypeError."""
        return self._checked(state)

    def construct_state(self, data: dict[str, Any]) -> State[dict[str, Any]]:
        """Returns the state of a dict."""
        return _state_of(data, self)


class TypedDictTypingSystem(_FieldTyping[S]):
    """A TypedDict: the data is a dict of its fields."""

    def __init__(self, type_: type[S]) -> None:
        super().__init__(type_)

    @property
    def optional(self) -> set[str]:
        """Those not required."""
        return self.fields.keys() - required_keys(self.type)

    def construct_data(self, state: State[Any]) -> S:
        """Returns a dict of its fields.  Raises StateTypeError."""
        return cast("S", self._checked(state))

    def construct_state(self, data: S) -> State[S]:
        """Returns the state of such a dict."""
        return _state_of(cast("Mapping[str, Any]", data), self)


class DataclassTypingSystem(_FieldTyping[S]):
    """A dataclass: the data is an instance, made by its constructor."""

    def __init__(self, type_: type[S]) -> None:
        super().__init__(type_)

    @property
    def optional(self) -> set[str]:
        """Those with a default."""
        missing = dataclasses.MISSING
        fields = dataclasses.fields(self.type)
        return {f.name for f in fields if f.default is not missing or f.default_factory is not missing or not f.init}

    def construct_data(self, state: State[Any]) -> S:
        """Returns an instance.  Raises StateTypeError."""
        values = self._checked(state)
        late = [f.name for f in dataclasses.fields(self.type) if not f.init and f.name in values]
        made = self.type(**{name: each for name, each in values.items() if name not in late})
        for name in late:
            object.__setattr__(made, name, values[name])
        return cast("S", made)

    def construct_state(self, data: S) -> State[S]:
        """Returns the state of an instance's fields."""
        return _state_of({name: getattr(data, name) for name in self.fields if hasattr(data, name)}, self)


class PydanticTypingSystem(_FieldTyping[S]):
    """A pydantic model: the data is an instance, validated."""

    def __init__(self, type_: type[S]) -> None:
        super().__init__(type_)

    @property
    def fields(self) -> dict[str, Any]:
        """Names and annotations of the model's fields."""
        return {name: each.annotation for name, each in self.type.model_fields.items()}

    def problems(self, state: Mapping[str, Any], *, partial: bool = False) -> list[str]:
        """Returns what pydantic finds, a line each."""
        try:
            self.type.model_validate(self._by_alias(state))
        except ValueError as e:
            faults = getattr(e, "errors", None)
            if faults is None:
                return [str(e)]
            return [self._line(each) for each in faults() if not (partial and each["type"] == "missing" and len(each["loc"]) == 1)]
        return []

    def _by_alias(self, state: Mapping[str, Any]) -> dict[str, Any]:
        model, populate = self.type, self.type.model_config.get("populate_by_name")
        takes_extra = model.model_config.get("extra") in ("allow", "forbid")
        values = {}
        for name in state:
            field = model.model_fields.get(name)
            if field is not None:
                alias = field.validation_alias
                values[alias if isinstance(alias, str) and not populate else name] = state[name]
            elif takes_extra and not name.startswith("__"):
                values[name] = state[name]
        return values

    def _line(self, fault: Any) -> str:
        name, *inside = fault["loc"] or ("",)
        where = f"field {name!r}" + "".join(f"[{each!r}]" for each in inside)
        annotation = self.fields.get(name)
        expected = "" if annotation is None or inside else f"expected {annotation_text(annotation)}, "
        if fault["type"] == "missing":
            return f"{where}: {expected}got nothing"
        shown = repr(fault.get("input"))
        return f"{where}: {expected}got {type(fault.get('input')).__name__} ({shown[:60]}): {fault['msg']}"

    def construct_data(self, state: State[Any]) -> S:
        """Returns an instance.  Raises StateTypeError."""
        try:
            return cast("S", self.type.model_validate(self._by_alias(state)))
        except ValueError as e:
            raise StateTypeError(self.name, self.problems(state) or [str(e)]) from e

    def construct_state(self, data: S) -> State[S]:
        """Returns the state of an instance's fields."""
        model: Any = data
        fields = {name: getattr(model, name) for name in self.fields}
        return _state_of({**fields, **(model.model_extra or {})}, self)


@overload
def typing_of(type_: type[S]) -> TypingSystem[S]: ...


@overload
def typing_of(type_: Any) -> TypingSystem[Any]: ...


def typing_of(type_: Any) -> TypingSystem[Any]:
    """Returns the typing system of a pydantic model, dataclass, TypedDict, or schema of names and annotations.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(type_, TypingSystem):
        return type_
    if type_ is None or type_ is dict:
        return DictBasedTypingSystem()
    if isinstance(type_, Mapping):
        if not all(type(name) is str for name in type_):
            raise TypeError('a schema is {"name": type, ...}')
        return SchemaTypingSystem(dict(type_))
    if typing.is_typeddict(type_):
        return TypedDictTypingSystem(type_)
    if isinstance(type_, type):
        pydantic: Any = sys.modules.get("pydantic")
        if pydantic is not None and issubclass(type_, pydantic.BaseModel):
            return PydanticTypingSystem(type_)
        if dataclasses.is_dataclass(type_):
            return DataclassTypingSystem(type_)
    raise TypeError(
        f"{type_!r} is no type of a state: give a pydantic model, a dataclass, a TypedDict, or a dict of names and types"
    )


def _state_of(fields: Mapping[str, Any], system: TypingSystem[S]) -> State[S]:
    from gvstore.machine.state import State

    return State(fields, typing_system=system)
