"""What users write with applications of state machines, typed: see program.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict, assert_type

from gvstore.machine import Application, ApplicationBuilder, State, action, expr, when


@dataclass
class Counted:
    count: int = 0


class Said(TypedDict):
    said: str


@action(reads=["count"], writes=["count"])
def count(state: State[Any], by: int = 1) -> State[Any]:
    return state.increment(count=by)


builder = ApplicationBuilder().with_actions(count, again=count.bind(by=2))
builder.with_transitions(("count", "again", when(count__lt=3)), (["again"], "count", expr("count < 9")))
plain = builder.with_state(count=0).build()

assert_type(plain, Application[dict[str, Any]])
assert_type(plain.run(), tuple[Any, Any, State[dict[str, Any]]])
assert_type(plain.run(halt_after=["count"]), tuple[Any, Any, State[dict[str, Any]]])
assert_type(plain.run(until="count"), tuple[State[dict[str, Any]], list[Any]])
assert_type(plain.run(until_all=["count", "again"]), tuple[State[dict[str, Any]], list[Any]])
assert_type(plain.state.data, dict[str, Any])
assert_type(plain.position, str | None)

# The type of the state is that of what it is given, or said to be.

assert_type(builder.with_state(Counted()).build(), Application[Counted])
assert_type(builder.with_typing(Counted).with_state(count=1).build().state.data, Counted)
assert_type(builder.with_typing(Said).with_state({"count": 1}).build().run()[2].data, Said)


async def program() -> None:
    assert_type(await plain.arun(), tuple[Any, Any, State[dict[str, Any]]])
    assert_type(await plain.arun(until=["count"]), tuple[State[dict[str, Any]], list[Any]])
    async for _, _, state in plain.aiterate():
        assert_type(state, State[dict[str, Any]])


plain.run(halt=["count"])  # type: ignore[call-overload] # pyright: ignore[reportCallIssue]
plain.iterate(halt_after=3)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
