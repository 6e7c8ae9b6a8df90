"""A parallel step that failed and is run again goes on with its branches where each of them was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gvstore.machine import (
    Application,
    ApplicationBuilder,
    ApplicationContext,
    GraphBuilder,
    MapStates,
    MemoryPersister,
    RunnableGraph,
    SQLitePersister,
    State,
    action,
    expr,
)

BEGAN: Counter[int] = Counter()  # how often each branch began
TROUBLE: Counter[int] = Counter()  # how often each is still to fail
ATTEMPTS: list[tuple[int | None, int | None]] = []


@action(reads=["n"], writes=["half"])
def begin(state: State[Any]) -> State[Any]:
    """Counts that it was called."""
    BEGAN[state["n"]] += 1
    return state.update(half=state["n"] / 2)


@action(reads=["n", "half"], writes=["n"])
def end(state: State[Any]) -> State[Any]:
    """Fails while there is trouble."""
    if TROUBLE[state["n"]]:
        TROUBLE[state["n"]] -= 1
        raise ConnectionError(f"branch {state['n']}")
    return state.update(n=state["n"] + state["half"])


GRAPH = GraphBuilder().with_actions(begin, end).with_transitions(("begin", "end")).build()


class Branches(MapStates):
    """Runs the graph for 1, 2 and 3."""

    @property
    def reads(self) -> list[str]:
        """How often it ran."""
        return ["rounds"]

    @property
    def writes(self) -> list[str]:
        """How often it ran, and what came of it."""
        return ["rounds", "sums"]

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Two steps."""
        return RunnableGraph(GRAPH, "begin", ["end"])

    def states(self, state: State[Any], context: ApplicationContext, inputs: dict[str, Any]) -> Iterator[State[Any]]:
        """Three branches."""
        ATTEMPTS.append((context.sequence_id, context.first_attempt))
        for n in (1, 2, 3):
            yield state.update(n=n)

    def reduce(self, state: State[Any], states: Any) -> State[Any]:
        """Collects."""
        return state.increment(rounds=1).update(sums=[each["n"] for each in states])


@action(reads=[], writes=["noise"])
def before(state: State[Any]) -> State[Any]:
    """A step before, so that numbers do not begin at 0."""
    return state.update(noise=1)


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Nothing was called yet."""
    BEGAN.clear()
    TROUBLE.clear()
    ATTEMPTS.clear()


@pytest.fixture(params=["memory", "sqlite"])
def persister(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Either kind."""
    if request.param == "memory":
        yield MemoryPersister()
        return
    with SQLitePersister(tmp_path / "steps.db") as made:
        made.initialize()
        yield made


def machine(persister: Any, rounds: int = 1) -> Application[Any]:
    """A machine with a parallel step, from a persister and into it."""
    return (
        ApplicationBuilder()
        .with_actions(before, branches=Branches())
        .with_transitions(("before", "branches"), ("branches", "branches", expr(f"rounds < {rounds}")))
        .with_identifiers("a")
        .initialize_from(persister, default_state={"rounds": 0}, default_entrypoint="before")
        .with_state_persister(persister)
        .build()
    )


def until_done(run: Callable[[], State[Any]]) -> State[Any]:
    """Runs until nothing fails, and returns the state."""
    for _ in range(10):
        try:
            return run()
        except ConnectionError:
            pass
    raise AssertionError("it never ended")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("again", ["built again", "the same application"])
def test_branches_go_on(persister: Any, again: str, is_async: bool) -> None:
    """Whatever failed how often: no step of a branch that is done is done again."""
    TROUBLE.update({1: 1, 3: 3})
    app = machine(persister)

    def run() -> State[Any]:
        application = app if again == "the same application" else machine(persister)
        return asyncio.run(application.arun())[2] if is_async else application.run()[2]

    state = until_done(run)
    assert state["sums"] == [1.5, 3, 4.5]
    assert BEGAN == {1: 1, 2: 1, 3: 1}
    assert {first for _, first in ATTEMPTS} == {1}
    assert [number for number, _ in ATTEMPTS] == list(range(1, len(ATTEMPTS) + 1))
    assert len(persister.list_app_ids(None)) == 4  # and itself


def test_each_round_has_branches_of_its_own(persister: Any) -> None:
    """Those of a step that went well are not gone on with."""
    TROUBLE.update({2: 1})
    assert until_done(lambda: machine(persister, rounds=3).run()[2])["rounds"] == 3
    assert BEGAN == {1: 3, 2: 3, 3: 3}
    assert len(persister.list_app_ids(None)) == 10


def test_what_came_before_a_failure_is_not_its_attempt() -> None:
    """Another action that failed, and an application that begins anew, count from their own step."""
    persister = MemoryPersister()
    TROUBLE.update({1: 1})
    app = machine(persister)
    with pytest.raises(ConnectionError):
        app.run()
    app.reset_to_entrypoint()
    app.run()
    assert ATTEMPTS == [(1, 1), (3, 3)]
