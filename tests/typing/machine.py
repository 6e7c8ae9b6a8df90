"""What users write with actions of state machines, typed: see program.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

import pydantic

from gvstore.machine.action_class import Action, SingleStepAction
from gvstore.machine.action_function import FunctionBasedAction, action
from gvstore.machine.action_stream import StreamingAction, streaming_action
from gvstore.machine.attempts import Retry
from gvstore.machine.builtin_actions import Input, Placeholder, Result
from gvstore.machine.cycle import Outcome, execute
from gvstore.machine.state import State

# A decorated function keeps its type.


@action(reads=["count"], writes=["count"], tags=["loop"], retry=Retry(on=TimeoutError), timeout=3)
def count(state: State[Any], by: int = 1) -> State[Any]:
    return state.update(count=state["count"] + by)


@action(reads={"prompt": str}, writes={"answer": str})
async def ask(state: State[Any], model: str) -> tuple[dict[str, Any], State[Any]]:
    return {"answer": model}, state.update(answer=model)


@streaming_action(reads=["prompt"], writes=["answer"])
def tell(state: State[Any]) -> Generator[tuple[dict[str, Any], State[Any] | None], None, None]:
    yield {"part": "a"}, None
    yield {}, state.update(answer="a")


@streaming_action(reads=["prompt"], writes=["answer"])
async def tell_slowly(state: State[Any]) -> AsyncGenerator[tuple[dict[str, Any], State[Any] | None], None]:
    yield {}, state.update(answer="a")


state: State[Any] = State({"count": 1})
assert_type(count(state, by=2), State[Any])
assert_type(count.name, str)
assert_type(count.reads, list[str])
assert_type(count.inputs, tuple[list[str], list[str]])
assert_type(count.action_function, FunctionBasedAction)
assert_type(execute(count.action_function, state), Outcome)
assert_type(execute(count.action_function, state, {"by": 2}).state, State[Any])
count.bind(by=3)
count(state, by="2")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
count(state, bye=2)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
action(reads=["a"])  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
action(reads=["a"], writes=[1])  # type: ignore[list-item] # pyright: ignore[reportArgumentType]
action(reads=[], writes=[], retry="3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
for item, after in tell(state):
    assert_type(item, dict[str, Any])
    assert_type(after, State[Any] | None)


@action(reads=[], writes=[])  # type: ignore[type-var] # pyright: ignore[reportArgumentType]
def wrong(state: State[Any]) -> int:
    return 3


async def awaits() -> None:
    result, after = await ask(state, "local")
    assert_type(result, dict[str, Any])
    assert_type(after, State[Any])
    await ask(state)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


# Typed states.


class Prompt(TypedDict):
    prompt: str


class Chat(pydantic.BaseModel):
    prompt: str
    answer: str = ""


@action(reads=["prompt"], writes=[])
def look(state: State[Prompt]) -> State[Prompt]:
    assert_type(state.data["prompt"], str)
    return state


@action.pydantic(reads=["prompt"], writes=["answer"])
def answer(state: Chat, model: str = "local") -> Chat:
    state.answer = model
    return state


@streaming_action.pydantic(reads=["prompt"], writes=["answer"], stream_type=dict)
def answer_slowly(state: Chat) -> Generator[tuple[dict[str, Any], Chat | None], None, None]:
    yield {}, state


assert_type(answer(Chat(prompt="a"), model="large"), Chat)
answer.bind(model="large")
answer(Chat(prompt="a"), model=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


# Classes name their inputs as they like.


@dataclass
class Adder(Action):
    by: int

    @property
    def reads(self) -> list[str]:
        return ["count"]

    @property
    def writes(self) -> list[str]:
        return ["count"]

    def run(self, state: State[Any], twice: bool = False) -> dict[str, Any]:
        return {"count": state["count"] + self.by}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        return state.update(**result)


class Once(SingleStepAction):
    @property
    def reads(self) -> list[str]:
        return ["count"]

    @property
    def writes(self) -> list[str]:
        return ["count"]

    def run_and_update(self, state: State[Any], by: int) -> tuple[dict[str, Any], State[Any]]:
        return {}, state.increment(count=by)


class Tell(StreamingAction):
    @property
    def reads(self) -> list[str]:
        return ["prompt"]

    @property
    def writes(self) -> list[str]:
        return ["answer"]

    def stream_run(self, state: State[Any], letters: int) -> Generator[dict[str, Any], None, None]:
        yield {"answer": "a"}

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        return state.update(**result)


assert_type(Adder(3).by, int)
assert_type(Adder(3).name, str | None)
Adder("3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
Result("a", ["b"])
Input(["a"])
Placeholder(reads=["a"], writes=["b"])
