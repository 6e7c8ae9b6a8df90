"""Types that actions declare: looked at when they run, of what changed alone."""


from __future__ import annotations

import dataclasses
from typing import Any, NotRequired, TypedDict

import pydantic
import pytest

from gvstore.machine.action_class import Action
from gvstore.machine.action_fault import ActionFault, MissingWrites, WrongType
from gvstore.machine.action_function import (
    action,
    create_action,
)
from gvstore.machine.cycle import Outcome, execute
from gvstore.machine.state import State


def named(value: Any, name: str = "step") -> Action:
    return create_action(value, name)


def step(value: Any, state: dict[str, Any] | State[Any], **inputs: Any) -> Outcome:
    return execute(named(value), state if isinstance(state, State) else State(state), inputs)


class In(TypedDict):
    foo: int
    bar: str


class Out(TypedDict):
    baz: int
    qux: str
    more: NotRequired[int]


@dataclasses.dataclass
class Both:
    foo: int
    bar: str
    unread: list[int]


class Model(pydantic.BaseModel):
    foo: int
    bar: str
    unread: list[int]


def test_types_of_reads_and_writes() -> None:
    """They are looked at when the action runs: action, key, what was wanted, what came."""

    @action(reads={"foo": int, "bar": str}, writes={"baz": list[int]})
    def typed(state: State[Any], baz: Any) -> State[Any]:
        return state.update(baz=baz)

    assert {"foo": 1, "bar": "a", "baz": [1]} == step(typed, {"foo": 1, "bar": "a"}, baz=[1]).state
    with pytest.raises(WrongType, match=r"action step reads 'foo': expected int, got str \('1'\)"):
        step(typed, {"foo": "1", "bar": "a"}, baz=[1])
    with pytest.raises(WrongType, match=r"action step writes 'baz'\[1\]: expected int, got str \('b'\)"):
        step(typed, {"foo": 1, "bar": "a"}, baz=[1, "b"])


def test_a_list_that_grows_is_looked_at_where_it_grew() -> None:
    """A wrong item is found wherever it comes in."""

    @action(reads={"items": list[int]}, writes={"items": list[int]})
    def grow(state: State[Any], item: Any) -> State[Any]:
        return state.append(items=item)

    grower = named(grow)
    state: State[Any] = State({"items": [0]})
    for item in range(3):
        state = execute(grower, state, {"item": item}).state
    with pytest.raises(WrongType, match=r"action step writes 'items'\[4\]: expected int, got str"):
        execute(grower, state, {"item": "x"})
    with pytest.raises(WrongType, match=r"action step reads 'items'\[4\]: expected int, got str"):
        execute(grower, state.append(items="x"), {"item": 5})


def test_typed_states_declare_what_they_are() -> None:
    """The types of State[T] count for reads and writes; a returned type of its own declares what it writes."""

    @action(reads=["foo", "bar"], writes=["baz"])
    def mine(state: State[In], tail: Any = "!") -> tuple[dict[str, Any], State[Out]]:
        assert {"foo": state["foo"], "bar": state["bar"]} == state.data
        result = {"baz": state["foo"] + 1, "qux": state["bar"] + "!" if tail == "!" else tail}
        return result, state.update(**result)  # type: ignore[return-value]

    assert ["baz", "qux", "more"] == mine.writes
    assert {"foo": 1, "bar": "a", "baz": 2, "qux": "a!"} == step(mine, {"foo": 1, "bar": "a"}).state
    with pytest.raises(WrongType, match="reads 'bar': expected str, got int"):
        step(mine, {"foo": 1, "bar": 2})
    with pytest.raises(WrongType, match="writes 'qux': expected str, got int"):
        step(mine, {"foo": 1, "bar": "2"}, tail=3)
    with pytest.raises(ActionFault, match="action wrong reads 'fo', which is no field of In") as found:

        @action(reads=["fo"], writes=[])
        def wrong(state: State[In]) -> State[In]:
            return state

    assert "Did you mean foo?" == found.value.hint


@pytest.mark.parametrize("type_", [Both, Model])
def test_data_is_a_part_where_not_all_is_read(type_: Any) -> None:
    """What the action does not declare is not in its state's data either."""

    def look(state: State[Any]) -> State[Any]:
        assert 1 == state.data.foo
        assert not hasattr(state.data, "unread")
        return state.update(bar=str(state.data.foo))

    look.__annotations__ = {"state": State[type_], "return": State[type_]}
    looking = action(reads=["foo"], writes=["bar"])(look)
    assert ["bar"] == looking.writes
    assert {"foo": 1, "bar": "1"} == step(looking, {"foo": 1}).state


class Message(pydantic.BaseModel):
    text: str


class Chat(pydantic.BaseModel):
    history: list[Message]
    turns: int = 0
    topic: str


@pytest.mark.parametrize("topic", [True, False], ids=["whole", "part"])
def test_a_pydantic_model_takes_what_it_can_make_of_a_value(topic: bool) -> None:
    """As `state.data` shows it; what it cannot make anything of is an error."""

    @action(reads=["history", *(["topic", "turns"] if topic else [])], writes=["turns"])
    def look(state: State[Chat], turns: Any = 1) -> State[Chat]:
        assert ["hi"] == [each.text for each in state.data.history]
        return state.update(turns=turns)

    state: State[Any] = State({"history": [{"text": "hi"}], "topic": "all"})
    assert 1 == step(look, state).state["turns"]
    assert "2" == step(look, state, turns="2").state["turns"]
    with pytest.raises(WrongType, match="writes 'turns': expected int, got str"):
        step(look, state, turns="many")
    with pytest.raises(WrongType, match=r"reads 'history'\[0\]: expected Message, got dict"):
        step(look, state.update(history=[{"txt": "hi"}]))


@dataclasses.dataclass
class Made:
    text: str
    note: str = ""


class MadeModel(pydantic.BaseModel):
    text: str
    note: str = ""


@pytest.mark.parametrize("type_", [Made, MadeModel])
def test_a_returned_type_may_leave_out_what_has_a_default(type_: Any) -> None:
    """What has none must be written."""

    def makes(state: State[Any], key: str) -> State[Any]:
        return state.update(**{key: "a"})

    makes.__annotations__ = {"state": State, "key": str, "return": State[type_]}
    making = action(reads=[], writes=[])(makes)
    assert ["text", "note"] == making.writes
    assert {"text": "a"} == step(making, {}, key="text").state
    with pytest.raises(MissingWrites, match="'text'"):
        step(making, {}, key="note")
