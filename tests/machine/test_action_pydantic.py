"""Actions over pydantic models: what is read is validated and there, what is set is written, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Annotated, Any

import pydantic
import pytest

from gvstore.machine.action_fault import (
    ActionFault,
    AsyncAction,
    MissingWrites,
    UndeclaredRead,
    UndeclaredWrite,
    WrongReturn,
    WrongType,
)
from gvstore.machine.action_function import action, create_action
from gvstore.machine.action_stream import streaming_action
from gvstore.machine.cycle import Outcome, execute, execute_async
from gvstore.machine.cycle_stream import execute_stream
from gvstore.machine.state import State
from gvstore.machine.state_fault import MissingField


class Message(pydantic.BaseModel):
    text: str


class Chat(pydantic.BaseModel):
    prompt: str
    answer: str
    history: list[Message]
    turns: Annotated[int, pydantic.Field(ge=0)] = 0
    _cache: dict[str, int] = pydantic.PrivateAttr(default_factory=dict)

    def last(self) -> str:
        return self.history[-1].text


class Answered(pydantic.BaseModel):
    answer: str


class Piece(pydantic.BaseModel):
    text: str


@action.pydantic(reads=["prompt", "history", "turns"], writes=["answer", "history", "turns"])
def answer(state: Chat, tail: str = "!") -> Chat:
    state.answer = state.prompt + tail
    state.history.append(Message(text=state.answer))
    state.turns += 1
    state._cache["a"] = 1
    return state


@action.pydantic(reads=["prompt"], writes=["answer"])
async def later(state: Chat) -> Answered:
    return Answered(answer=state.prompt)


def step(value: Any, state: State[Any], **inputs: Any) -> Outcome:
    return execute(create_action(value, "step"), state, inputs)


def test_a_model_is_changed_and_returned() -> None:
    """What the function set is written; the rest stays, and so does the state that it was given."""
    state: State[Any] = State({"prompt": "hello", "history": [{"text": "a"}], "other": 1})
    done = step(answer, state)

    assert {"prompt": "hello", "answer": "hello!", "turns": 1, "other": 1} == done.state.subset("prompt", "answer", "turns", "other")
    assert [Message(text="a"), Message(text="hello!")] == done.state["history"]
    assert {"prompt": "hello", "history": [{"text": "a"}], "other": 1} == state
    assert "hello?" == step(answer.bind(tail="?"), done.state).state["answer"]
    assert 3 == step(answer, step(answer, done.state).state).state["turns"]
    assert (Chat, Chat, dict) == tuple(
        each()
        for each in (
            answer.action_function.schema.state_input_type,
            answer.action_function.schema.state_output_type,
            answer.action_function.schema.intermediate_result_type,
        )
    )
    plain = answer(Chat(prompt="a", answer="", history=[]))
    assert "a!" == plain.answer


def test_a_model_of_its_own_is_returned() -> None:
    """Also from an async function, and from one that is told its models."""

    @action.pydantic(reads=["prompt"], writes=["answer"], state_input_type=Chat, state_output_type=Answered)
    def untyped(state, extra=1):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        return {"told": 1}, Answered(answer=state.prompt * 2)

    state: State[Any] = State({"prompt": "a"})
    assert Outcome({"told": 1}, State({"prompt": "a", "answer": "aa"})) == step(untyped, state)
    assert "a" == asyncio.run(execute_async(create_action(later, "step"), state)).state["answer"]
    with pytest.raises(AsyncAction):
        step(later, state)


def looks(look: Callable[[Any], Any]) -> Any:
    @action.pydantic(reads=["prompt", "history"], writes=["answer", "turns"])
    def looker(state: Chat) -> Any:
        found = look(state)
        return found if isinstance(found, pydantic.BaseModel) or found is None else state

    return looker


def setting(name: str, value: Any) -> Callable[[Any], None]:
    def change(state: Any) -> Any:
        state.answer = "a"
        setattr(state, name, value)
        return state

    return change


WRONG: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda s: s.answer, UndeclaredRead, "action step reads 'answer', which it does not declare"),
    (lambda s: s.turns, UndeclaredRead, "reads 'turns'"),
    (lambda s: s.promt, AttributeError, "promt"),
    (setting("prompt", "b"), UndeclaredWrite, "'prompt'"),
    (setting("turns", -1), WrongType, r"action step writes 'turns': expected int, got int \(-1\)"),
    (setting("turns", "x"), WrongType, "writes 'turns': expected int, got str"),
    (lambda s: s.history.append(Message(text="x")) or setting("turns", 1)(s), UndeclaredWrite, "'history'"),
    (lambda s: Message(text="x"), WrongReturn, "must return a Chat, and returned Message"),
    (lambda s: None, WrongReturn, "must return a Chat, and returned None"),
    (lambda s: s, MissingWrites, "'answer', 'turns'"),
]


@pytest.mark.parametrize(("look", "error", "what"), WRONG)
def test_what_is_not_declared_is_an_error(look: Callable[[Any], Any], error: type[Exception], what: str) -> None:
    """As for actions over states."""
    with pytest.raises(error, match=what):
        step(looks(look), State({"prompt": "a", "history": []}))


def test_what_is_read_is_validated() -> None:
    """Or told as missing."""
    with pytest.raises(WrongType, match=r"action step reads 'history'\[0\]\['text'\]: got int \(3\): Input should be a valid string"):
        step(answer, State({"prompt": "a", "history": [{"text": 3}]}))
    with pytest.raises(MissingField, match="'prompt'"):
        step(answer, State({"history": []}))


@pytest.mark.parametrize(
    ("declare", "what", "hint"),
    [
        (lambda: action.pydantic(["promt"], [])(answer), "action answer reads fields that are not present in the model Chat: 'promt'", "Did you mean prompt?"),
        (lambda: action.pydantic([], ["answe"])(later), "action later writes fields that are not present in the model Answered: 'answe'", "Did you mean answer?"),
        (lambda: action.pydantic([], [])(looks), "action looks: .* is no pydantic model", "def looks(state: Model)"),
        (lambda: action.pydantic([], [])(lambda state: state), "nothing says which model", "state_input_type=Model"),
        (lambda: action.pydantic("a", [])(answer), "is text", ""),
    ],
)
def test_wrong_declarations_are_errors_at_once(declare: Callable[[], Any], what: str, hint: str) -> None:
    """With near names."""
    with pytest.raises(ActionFault, match=what) as found:
        declare()
    assert hint in found.value.hint


Stream = Generator[tuple[Piece, Chat | None], None, None]


def test_streams_over_models() -> None:
    """Items are of the type declared; the model at the end is the state."""

    @streaming_action.pydantic(reads=["prompt"], writes=["answer"], stream_type=Piece)
    def tell(state: Chat, wrong: bool = False) -> Stream:
        for letter in state.prompt:
            yield Piece(text=letter), None
        if wrong:
            yield {"text": "a"}, None  # type: ignore[misc]
        state.answer = state.prompt
        yield Piece(text=""), state

    stream = execute_stream(create_action(tell, "tell"), State({"prompt": "ab"}))
    assert [Piece(text="a"), Piece(text="b")] == [next(stream), next(stream)]
    with pytest.raises(StopIteration) as end:
        next(stream)
    assert Outcome(Piece(text=""), State({"prompt": "ab", "answer": "ab"})) == end.value.value
    with pytest.raises(WrongReturn, match="must yield Piece, and yielded dict"):
        step(tell.bind(wrong=True), State({"prompt": "ab"}))


def test_async_streams_over_models() -> None:
    """The same, awaited."""

    @streaming_action.pydantic(reads=["prompt"], writes=["answer"], state_input_type=Chat, state_output_type=Answered)
    async def tell(state: Any) -> AsyncGenerator[Any, None]:
        yield {"text": state.prompt}, None
        yield {"text": ""}, Answered(answer=state.prompt)

    assert "ab" == asyncio.run(execute_async(create_action(tell, "tell"), State({"prompt": "ab"}))).state["answer"]


class Checked(pydantic.BaseModel):
    low: int
    high: int

    @pydantic.field_validator("high")
    @classmethod
    def above(cls, value: int, info: pydantic.ValidationInfo) -> int:
        if value <= info.data.get("low", 0):
            raise ValueError("too low")
        return value


class Frozen(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    low: int
    high: Annotated[int, pydantic.Field(lt=9)]


class Joint(pydantic.BaseModel):
    low: int
    high: int

    @pydantic.model_validator(mode="after")
    def whole(self) -> Joint:
        assert self.low < self.high
        return self


@pytest.mark.parametrize(
    ("model", "high", "fault"),
    [(Checked, 1, "too low"), (Checked, "x", "valid integer"), (Frozen, 9, "less than 9"), (Frozen, "x", "valid integer"), (Joint, "x", "valid integer")],
)
def test_validators_of_fields_are_asked(model: Any, high: Any, fault: str) -> None:
    """Of a model that is checked as a whole, or that never changes, only what is annotated counts, as not all of it is there."""

    @action.pydantic(reads=["low"], writes=["high"], state_input_type=model)
    def raise_(state: Any, high: Any) -> Any:
        return state.model_copy(update={"high": high})

    assert {"low": 2, "high": 5} == step(raise_, State({"low": 2}), high=5).state
    with pytest.raises(WrongType, match=f"action step writes 'high': expected int, got .*{fault}"):
        step(raise_, State({"low": 2}), high=high)
