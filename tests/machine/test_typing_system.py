"""Typed states: the data is of the program's type, and every field that does not fit is named, with what it should be."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Callable, Sequence
from typing import Any, Literal, NotRequired, Required, TypedDict

import pydantic
import pytest

from gvstore.machine.annotation import misfit
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateTypeError
from gvstore.machine.typing_system import (
    DataclassTypingSystem,
    DictBasedTypingSystem,
    PydanticTypingSystem,
    SchemaTypingSystem,
    TypedDictTypingSystem,
    TypingSystem,
    typing_of,
)


class Model(pydantic.BaseModel):
    foo: int
    bar: list[str] = ["x"]


@dataclasses.dataclass
class Record:
    foo: int
    bar: list[str] = dataclasses.field(default_factory=lambda: ["x"])


class Foo(TypedDict, total=False):
    foo: Required[int]
    old: str


class Fields(Foo):
    bar: NotRequired[list[str]]


SCHEMA = {"foo": int, "bar": list[str]}
GOOD = {"foo": 1, "bar": ["a"]}
SYSTEMS: list[tuple[Any, type[TypingSystem[Any]], Any]] = [
    (Model, PydanticTypingSystem, Model(foo=1, bar=["a"])),
    (Record, DataclassTypingSystem, Record(1, ["a"])),
    (Fields, TypedDictTypingSystem, GOOD),
    (SCHEMA, SchemaTypingSystem, GOOD),
]
EACH = pytest.mark.parametrize(("type_", "system", "data"), SYSTEMS, ids=["pydantic", "dataclass", "TypedDict", "schema"])


@EACH
def test_state_and_data_become_each_other(type_: Any, system: type[TypingSystem[Any]], data: Any) -> None:
    """The system is found by the type; fields that the type does not know stay in the state."""
    found = typing_of(type_)
    state = State({**GOOD, "__step": 3, "other": 1}).with_typing_system(found)

    assert type(found) is system
    assert type_ == found.state_type()
    assert data == state.data
    assert type(data) is type(state.data)
    assert GOOD == found.construct_state(data)
    assert found == found.construct_state(data).typing_system == state.update(foo=2).typing_system
    assert 2 == typing.cast("Any", found.construct_state(state.update(foo=2).data))["foo"]


@EACH
def test_the_data_is_a_copy(type_: Any, system: type[TypingSystem[Any]], data: Any) -> None:
    """What is done to it leaves the state as it was."""
    state = State(GOOD, typing_system=typing_of(type_))
    got = state.data
    (got["bar"] if isinstance(got, dict) else got.bar).append("spoilt")

    assert GOOD == state


@EACH
def test_faults_name_field_expected_and_got(type_: Any, system: type[TypingSystem[Any]], data: Any) -> None:
    """All of them at once."""
    state = State({"bar": "b", "foo": "one"}).with_typing_system(typing_of(type_))
    with pytest.raises(StateTypeError) as caught:
        _ = state.data
    problems = sorted(caught.value.problems)

    assert 2 == len(problems)
    assert problems[0].startswith("field 'bar': expected list[str], got str ('b')")
    assert problems[1].startswith("field 'foo': expected int, got str ('one')")
    with pytest.raises(StateTypeError, match="field 'foo': expected int, got nothing"):
        _ = state.wipe(keep=[]).update(bar=["a"]).data


@EACH
def test_a_part_can_be_looked_at(type_: Any, system: type[TypingSystem[Any]], data: Any) -> None:
    """A step that wrote some fields is judged by these."""
    found = typing_of(type_)

    assert [] == found.problems({"bar": ["a"]}, partial=True)
    assert 1 == len(found.problems({"bar": ["a"]}) or ["schema"])
    assert 1 == len(found.problems({"bar": 1}, partial=True))


def test_optional_fields() -> None:
    """A default, NotRequired: they may be missing; of a schema nothing may."""

    assert Model(foo=1) == State({"foo": 1}).with_typing_system(typing_of(Model)).data
    assert Record(1) == State({"foo": 1}).with_typing_system(typing_of(Record)).data
    assert {"foo": 1} == State({"foo": 1}).with_typing_system(typing_of(Fields)).data
    with pytest.raises(StateTypeError, match="field 'bar': expected list\\[str\\], got nothing"):
        _ = State({"foo": 1}).with_typing_system(typing_of(SCHEMA)).data


def test_without_a_type_the_data_is_a_dict() -> None:
    """A copy of all fields."""
    state: State[Any] = State(GOOD)

    assert isinstance(state.typing_system, DictBasedTypingSystem)
    assert GOOD == state.data
    assert GOOD == state.typing_system.construct_state(GOOD)


def test_dataclasses_are_made_by_their_constructor() -> None:
    """Fields that it does not take are set afterwards."""

    @dataclasses.dataclass
    class Late:
        a: int
        b: int = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            self.b = self.a + 1

    system = typing_of(Late)

    assert 2 == State({"a": 1}).with_typing_system(system).data.b
    assert 7 == State({"a": 1, "b": 7}).with_typing_system(system).data.b


def test_models_of_pydantic_keep_their_rules() -> None:
    """Validators, aliases, extra fields, conversion as the model allows it."""

    class Strict(pydantic.BaseModel, extra="forbid"):
        n: int = pydantic.Field(alias="N", gt=0)

    system = typing_of(Strict)

    assert 3 == State({"n": "3", "__private": 1}).with_typing_system(system).data.n
    assert {"n": 3} == system.construct_state(Strict(N=3))
    with pytest.raises(StateTypeError, match="greater than 0"):
        _ = State({"n": 0}).with_typing_system(system).data
    with pytest.raises(StateTypeError, match="other"):
        _ = State({"n": 1, "other": 2}).with_typing_system(system).data


@pytest.mark.parametrize("type_", [int, "Model", 3, {1: int}, object()])
def test_what_is_no_type_of_a_state(type_: Any) -> None:
    """Says what would be one."""
    with pytest.raises(TypeError, match=r"schema|a TypedDict"):
        typing_of(type_)


def test_systems_can_be_given() -> None:
    """A program's own, or one made already; None and dict are no type."""
    system = SchemaTypingSystem({"a": int})

    assert typing_of(system) is system
    assert isinstance(typing_of(None), DictBasedTypingSystem)
    assert "SchemaTypingSystem({'a': int})" == repr(system)


UserId = typing.NewType("UserId", int)
T = typing.TypeVar("T")


class Quacks(typing.Protocol):
    def quack(self) -> str: ...


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, 1), (float, 1), (complex, 1.5), (Any, object()), (None, None), (int | None, None), (typing.Optional[str], "a"),  # noqa: UP045
        (list[int], [1]), (list, ["a"]), (dict[str, list[int]], {"a": [1]}), (tuple[int, ...], (1, 2)), (tuple[int, str], (1, "a")),
        (set[int], {1}), (Literal["a", 1], "a"), (Fields, {"foo": 1}), (Record, Record(1)), (UserId, 3), (T, 3), ("Later", 3),
        (Quacks, 3), (Callable[[], int], int), (Sequence[int], [1, 2]), (typing.Annotated[int, "metres"], 1), (type[int], int), (object, 1),
    ],
)  # fmt: skip
def test_what_fits(annotation: Any, value: Any) -> None:
    """Annotations are read as type checkers read them; what is not understood is fitted by anything."""

    assert None is misfit(value, annotation, "x")


@pytest.mark.parametrize(
    ("annotation", "value", "line"),
    [
        (int, True, "x: expected int, got bool (True)"),
        (int, 1.0, "x: expected int, got float (1.0)"),
        (None, 0, "x: expected None, got int (0)"),
        (int | None, "a", "x: expected int | None, got str ('a')"),
        (list[int], [1, "a"], "x[1]: expected int, got str ('a')"),
        (dict[str, list[int]], {"a": [1, None]}, "x['a'][1]: expected int, got NoneType (None)"),
        (dict[str, int], {1: 1}, "x: key 1: expected str, got int (1)"),
        (tuple[int, str], (1,), "x: expected a tuple of 2, got one of 1"),
        (tuple[int, ...], (1, "a"), "x[1]: expected int, got str ('a')"),
        (set[int], {"a"}, "x[0]: expected int, got str ('a')"),
        (Literal["a"], "b", "x: expected Literal['a'], got str ('b')"),
        (Literal[1], True, "x: expected Literal[1], got bool (True)"),
        (Fields, {"bar": []}, "x: expected a Fields, got a dict without 'foo'"),
        (Fields, {"foo": "a"}, "x['foo']: expected int, got str ('a')"),
        (Fields, 1, "x: expected Fields, got int (1)"),
        (list[Record], [Record("a")], "x[0].foo: expected int, got str ('a')"),  # type: ignore[arg-type]
        (Record, "long" * 50, "x: expected Record, got str ('longlonglonglonglonglonglonglonglonglonglonglonglonglong...)"),
        (typing.Annotated[UserId, 1], "a", "x: expected int, got str ('a')"),
    ],
)
def test_what_does_not_fit(annotation: Any, value: Any, line: str) -> None:
    """One line: where, what was expected, what came."""

    assert line == misfit(value, annotation, "x")
