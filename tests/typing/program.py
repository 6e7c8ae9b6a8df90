"""What users write, typed: mypy --strict and pyright agree on every line, and refuse what is marked.

A line with `type: ignore[code]` and `pyright: ignore[rule]` is a mistake of
the user's that both must find; a mark that is not needed is an error too.
Nothing here is run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, assert_type

import gvstore as enact
import gvstore as gv

# Functions keep their types.


@gv.register
def roll(sides: int, *, times: int = 1) -> list[int]:
    return [sides] * times


@gv.register(ignore=["client"], version="2", effect="once")
def translate(text: str, client: object) -> str:
    return text


@gv.register
async def ask(question: str) -> float:
    return float(len(question))


@gv.register
def tell(text: str) -> Iterator[str]:
    yield from text.split()


@gv.register
async def tell_slowly(text: str) -> AsyncIterator[str]:
    for word in text.split():
        yield word


assert_type(roll(6, times=2), list[int])
assert_type(translate("a", None), str)
assert_type(tell("a b"), Iterator[str])
assert_type(tell_slowly("a b"), AsyncIterator[str])
roll("6")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
roll(6, 2)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
translate("a")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
gv.register(effects="once")  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
gv.register(effect="twice")  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]
gv.register(3)  # type: ignore[call-overload] # pyright: ignore[reportArgumentType]


async def awaits() -> None:
    assert_type(await ask("why?"), float)
    await ask(3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    async for word in tell_slowly("a b"):
        assert_type(word, str)


# Methods, classmethods, staticmethods.


class Agent:
    def __init__(self, name: str) -> None:
        self.name = name

    @gv.register
    def say(self, text: str) -> str:
        return f"{self.name}: {text}"

    @gv.register
    async def think(self, seconds: float) -> int:
        return int(seconds)

    @classmethod
    @gv.register
    def named(cls, name: str) -> Agent:
        return cls(name)

    @staticmethod
    @gv.register
    def twice(number: int) -> int:
        return 2 * number


agent = Agent("Ada")
assert_type(agent.say("hello"), str)
assert_type(Agent.named("Ada"), Agent)
assert_type(Agent.twice(4), int)
agent.say(4)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


# Invokables are dataclasses, and calling them is their `call`.


@gv.register
@dataclass
class Die(gv.Invokable[None, int]):
    sides: int

    def call(self) -> int:
        return self.sides


@gv.register
@dataclass
class Oracle(gv.AsyncInvokable[str, float]):
    wisdom: float

    async def call(self, question: str) -> float:
        return self.wisdom


@enact.typed_invokable(int, int)
@dataclass
class Sum(enact.Invokable):
    die: Die

    def call(self, rolls: int) -> int:
        return sum(self.die() for _ in range(rolls))


die = Die(6)
assert_type(die.sides, int)
assert_type(die.call(), int)
assert_type(die(), int)
assert_type(gv.run(die), gv.Run[int])
assert_type(Sum(die).die, Die)
Die("6")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


# Runs are of what the function returns.

run = gv.run(roll, 6, times=3)
assert_type(run, gv.Run[list[int]])
assert_type(run.output, list[int])
assert_type(run.rewind(1).replay(strict=True, live="llm.*").output, list[int])
assert_type(run.invocation.get_child(0), gv.Invocation)
assert_type(run.parent, gv.Run[Any] | None)
assert_type(gv.run(agent.say, "hello").output, str)
assert_type(gv.run(die.call).output, int)
gv.run(roll, "6")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
gv.run(roll, 6, size=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
run.replay(alive="llm.*")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
run.rewind("0")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def runs_async() -> None:
    found = await gv.run_async(ask, "why?")
    assert_type(found, gv.Run[float])
    assert_type((await gv.run_async(agent.think, 0.5)).output, int)
    await gv.run_async(ask, 3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    await gv.run_async(roll, 6)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    async with gv.record("request") as request:
        request.output = 3


with gv.record("request", message="why", question="?") as block:
    block.output = 3
assert_type(block.run, gv.Run[Any])


# Values.

repo = gv.use(gv.init())
assert_type(repo, gv.Repository)
ref = gv.put({"rolls": 3}, name="golden")
assert_type(ref, gv.Ref[dict[str, int]])
assert_type(ref(), dict[str, int])
assert_type(ref.checkout(), dict[str, int])
assert_type(gv.checkout(gv.commit("text")), str)
with ref.modify() as value:
    assert_type(value, dict[str, int])
gv.put({}, names="golden")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]

assert_type(repo.runs[7], gv.Run[Any])
assert_type(repo.runs[1:3], list[gv.Run[Any]])
assert_type(repo.runs.last, gv.Run[Any] | None)
for each in repo.runs:
    assert_type(each, gv.Run[Any])
assert_type(repo.objects.put(b"bytes"), gv.ObjectId)
repo.objects.put("text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
with gv.init("demo") as opened:
    assert_type(opened, gv.Repository)


# enact's words.

with enact.InMemoryStore() as store:
    invocation = enact.invoke(roll, (6,), {"times": 2}, strict=False)
    assert_type(store, enact.Store)
    assert_type(invocation, enact.Invocation)
    assert_type(list(invocation.get_children()), list[enact.Invocation])
    assert_type(invocation.request().invokable, enact.Ref[Any])
    assert_type(enact.invocation_summary(invocation), str)
    with invocation.response.modify() as response:
        response.output = None
        response.children.pop()
    assert_type(invocation.rewind(1).replay(), enact.Invocation)
with enact.FileStore("folder"):
    generator = enact.InvocationGenerator.from_callable(roll, (6,))
    for question in generator:
        assert_type(question, enact.InputRequest)
        generator.set_input(3)
enact.invoke(6)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def invokes_async() -> None:
    assert_type(await enact.invoke_async(ask, ("why?",)), enact.Invocation)
    assert_type(await Oracle(1.0).invoke("why?"), enact.Invocation)
    assert_type(await Oracle(1.0)("why?"), float)
    assert_type((await gv.run_async(Oracle(1.0), "why?")).output, float)


@enact.register
@dataclass
class Point(enact.Resource):
    x: int
    y: int = 0


@enact.register
@dataclass
class AgentWrapper(enact.TypeWrapper[Agent]):
    name: str

    @classmethod
    def wrapped_type(cls) -> type[Agent]:
        return Agent

    @classmethod
    def wrap(cls, value: Agent) -> AgentWrapper:
        return cls(value.name)

    def unwrap(self) -> Agent:
        return Agent(self.name)


point = enact.commit(Point(1))
assert_type(point.checkout(), Point)
assert_type(enact.deepcopy(Point(1)), Point)
assert_type(AgentWrapper("Ada").unwrap(), Agent)
assert_type(list(Point.field_names()), list[str])
Point("1")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

assert_type(gv.models.chat("Name an animal.", max_tokens=3), str)
plain: Callable[[str], Coroutine[Any, Any, float]] = ask
asyncio.run(awaits())
