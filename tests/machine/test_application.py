"""A machine goes from step to step as its transitions say, and stops where it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gvstore.machine import (
    Application,
    ApplicationBuilder,
    ApplicationContext,
    AsyncAction,
    Graph,
    Input,
    LifecycleAdapterSet,
    MachineFault,
    MachineWarning,
    MissingInputs,
    MissingKeys,
    Result,
    State,
    TooManySteps,
    Transition,
    UnknownInput,
    action,
    all_of,
    create_action,
    default,
    when,
)
from gvstore.machine.call import CallFault
from gvstore.machine.execution import open_execution
from gvstore.machine.halts import HaltFault
from tests.machine.counting import count, counter, endless, finish

METHODS = ["run", "arun", "iterate", "aiterate", "step", "astep"]


def call(app: Application[Any], method: str, **asked: Any) -> Any:
    """Calls a method by name, to its end, whatever its kind; of those that yield, the items."""
    if method == "aiterate":

        async def gathered() -> list[Any]:
            return [each async for each in app.aiterate(**asked)]

        return asyncio.run(gathered())
    if method.startswith("a"):

        async def awaited() -> Any:
            return await getattr(app, method)(**asked)

        return asyncio.run(awaited())
    done = getattr(app, method)(**asked)
    return list(done) if method == "iterate" else done


def test_steps_one_by_one() -> None:
    """A step returns (action, result, state); None at the end; steps are counted from 0."""
    app = counter(2).build()

    assert (None, None, "count") == (app.sequence_id, app.position, app.entrypoint)
    taken = [app.step() for _ in range(4)]
    assert [("count", {"count": 1}), ("count", {"count": 2}), ("finish", {})] == [(s[0].name, s[1]) for s in taken if s]
    assert taken[3] is None
    assert {"count": 2, "done": True} == app.state
    assert (2, "finish", False) == (app.sequence_id, app.position, app.has_next_action())
    assert not [name for name in app.state if name.startswith("__")]


@pytest.mark.parametrize("method", ["run", "arun"])
def test_runs_to_the_end(method: str) -> None:
    """Without halts it ends where nothing follows; it returns the last step."""
    action, result, state = call(counter().build(), method)

    assert ("finish", {}) == (action.name, result)
    assert {"count": 3, "done": True} == state


@pytest.mark.parametrize("method", ["run", "arun"])
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"halt_after": ["count"]}, ("count", {"count": 1}, 1)),
        ({"halt_after": "count"}, ("count", {"count": 1}, 1)),
        ({"halt_before": ["finish"]}, ("finish", None, 3)),
        ({"halt_before": ["finish"], "halt_after": ["finish"]}, ("finish", None, 3)),
        ({"halt_after": ["@tag:last"]}, ("finish", {}, 3)),
        ({"halt_before": ["count"]}, ("count", None, 1)),
        ({"halt_after": all_of("count", "finish")}, ("finish", {}, 3)),
    ],
)
def test_halts(method: str, asked: dict[str, Any], expected: tuple[str, Any, int]) -> None:
    """One step always runs; then halt_before wins over halt_after, and gives the next action without a result."""
    action, result, state = call(counter().build(), method, **asked)

    assert expected == (action.name, result, state["count"])


@pytest.mark.parametrize("method", ["run", "arun"])
def test_until_gives_state_and_results(method: str) -> None:
    """The form of Burr's first days: the state, and the result of every step."""
    state, results = call(counter().build(), method, until=["finish"])

    assert {"count": 3, "done": True} == state
    assert [{"count": 1}, {"count": 2}, {"count": 3}, {}] == results
    assert 3 == call(counter().build(), method, until_all=["finish", "count"])[0]["count"]
    assert 1 == call(counter().build(), method, until="count")[0]["count"]


def test_iterate_gives_a_value() -> None:
    """What run returns is in StopIteration."""

    def value(**asked: Any) -> Any:
        steps = counter().build().iterate(**asked)
        while True:
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value

    assert ("finish", None) == (value(halt_before=["finish"])[0].name, value(halt_before="finish")[1])
    assert [{"count": 1}] == value(until=["count"])[1]
    assert "finish" == value()[0].name


@pytest.mark.parametrize("method", ["iterate", "aiterate"])
def test_iterates(method: str) -> None:
    """Every step comes as (action, result, state)."""
    app = counter().build()

    assert ["count", "count", "count", "finish"] == [each[0].name for each in call(app, method)]
    assert [] == call(app, method)
    assert (None, None, app.state) == app.run()


def test_goes_on_where_it_was() -> None:
    """Calls follow each other; the state and the place are the application's."""
    app = counter().build()
    app.step()
    app.run(halt_after=["count"])

    assert 2 == app.state["count"]
    app.update_state(app.state.update(count=0))
    app.reset_to_entrypoint()
    assert 3 == app.run()[2]["count"]


@pytest.mark.parametrize("method", METHODS[:4])
def test_a_bound_keeps_the_state(method: str) -> None:
    """A run that would go on past max_steps says so, and can be gone on with."""
    app = endless().build()

    with pytest.raises(TooManySteps, match=r"stopped after 5 steps \(max_steps=5\), before count") as caught:
        call(app, method, max_steps=5)
    assert "halt_after" in caught.value.hint
    assert (5, 4) == (app.state["count"], app.sequence_id)
    with pytest.raises(TooManySteps):
        call(app, method, max_steps=5)
    assert 10 == app.state["count"]
    assert 4 == counter().build().run(max_steps=4)[2]["count"] + 1


def test_a_run_without_end_is_warned_of() -> None:
    """Where every action surely has another after it, a run without halts never ends."""
    app = endless().build()

    with pytest.warns(MachineWarning, match="never ends by itself"):
        steps = app.iterate()
    next(steps)
    steps.close()
    counter().build().run()


@pytest.mark.parametrize("method", METHODS)
def test_inputs_go_to_every_step_that_takes_them(method: str) -> None:
    """And to no other; those with a default may be left out."""
    app = counter(6).build()
    call(app, method, inputs={"by": 2})

    assert (2 if "step" in method else 6) == app.state["count"]


@pytest.mark.parametrize("method", METHODS)
def test_wrong_inputs(method: str) -> None:
    """An input that nobody takes, or that is missing, is told before anything runs."""

    @action(reads=[], writes=["said"])
    def say(state: State[Any], prompt: str, loud: bool = False) -> State[Any]:
        return state.update(said=prompt)

    app = ApplicationBuilder().with_actions(say, count).with_transitions(("say", "count")).with_state(count=0).build()
    with pytest.raises(UnknownInput, match="no action takes an input promt") as caught:
        call(app, method, inputs={"promt": "hi"})
    assert "Did you mean prompt?" == caught.value.hint
    with pytest.raises(UnknownInput, match="double underscore"):
        call(app, method, inputs={"__context": 1})
    with pytest.raises(MissingInputs, match=r"action say is missing required inputs: prompt.*loud") as missing:
        call(app, method)
    assert "prompt" in missing.value.hint
    assert app.sequence_id is None
    assert {"count": 0} == app.state
    with pytest.raises(CallFault, match="dict of names"):
        call(app, method, inputs=["prompt"])


def test_what_halts_cannot_be() -> None:
    """Unknown and unreachable halts, and halts that are no names, are told before anything runs."""
    app = counter().build()

    with pytest.raises(MachineFault, match="action finsh not found") as caught:
        app.run(halt_after=["finsh"])
    assert "Did you mean finish?" in str(caught.value)
    with pytest.raises(MachineFault, match="tag lst not found"):
        app.iterate(halt_before=["@tag:lst"])
    with pytest.raises(HaltFault) as wrong:
        app.run(halt_after=[finish])  # type: ignore[list-item]
    assert 'Type halt_after=["finish"].' == wrong.value.hint
    with pytest.raises(CallFault, match="until= means halt_after="):
        app.run(until="finish", halt_after=["finish"])
    with pytest.raises(CallFault, match="from 1"):
        app.run(max_steps=0)
    lonely = ApplicationBuilder().with_actions(finish, count).with_transitions(("finish", "finish", when(done=False))).with_state(count=0)
    with pytest.warns(MachineWarning, match="nothing leads from finish to count"):
        app = lonely.build()
    with pytest.raises(MachineFault, match="it never stops there"):
        app.run(halt_after=["count"])
    assert app.sequence_id is None


def test_async_actions_are_named_in_sync_runs() -> None:
    """A sync run stops before an async action; an async one runs both kinds."""

    @action(reads=["count"], writes=["count"])
    async def slow(state: State[Any]) -> State[Any]:
        await asyncio.sleep(0)
        return state.increment(count=1)

    app = ApplicationBuilder().with_actions(count, slow).with_transitions(("count", "slow")).with_state(count=0).build()
    with pytest.raises(AsyncAction, match="slow is async"):
        app.run()
    assert (1, 0) == (app.state["count"], app.sequence_id)
    assert 2 == asyncio.run(app.arun())[2]["count"]


def test_a_condition_on_a_missing_key() -> None:
    """It is told by the step that asks; the one before it is kept."""
    counting, ending = create_action(count, "count"), create_action(finish, "finish")
    graph = Graph([counting, ending], [Transition(counting, ending, when(mood=1))])
    app: Application[Any] = Application(State({"count": 0}), "count", graph=graph)
    app.step()

    with pytest.raises(MissingKeys, match="mood"):
        app.step()
    assert (1, 0) == (app.state["count"], app.sequence_id)


def test_a_failed_step_leaves_no_trace() -> None:
    """The state is as it was, the step is counted, and the next call tries it again."""
    failing = [True]

    @action(reads=["items"], writes=["items"])
    def add(state: State[Any]) -> State[Any]:
        items = state["items"]
        items.append(1)
        if failing:
            raise RuntimeError("no")
        return state.update(items=items)

    app = ApplicationBuilder().with_actions(add).with_state(items=[]).build()
    for number in range(2):
        with pytest.raises(RuntimeError, match="no"):
            app.run()
        assert ([], number, None) == (app.state["items"], app.sequence_id, app.position)
    failing.clear()
    assert [1] == app.run()[2]["items"]
    assert 2 == app.sequence_id


def test_an_application_by_its_parts() -> None:
    """The constructor takes what programs written for Burr give, and a state that says itself where it is."""
    counting, ending = create_action(count, "count"), create_action(finish, "finish")
    graph = Graph(actions=[counting, ending], transitions=[Transition(counting, ending, default)])
    app: Application[Any] = Application(
        state=State({"count": 1, "__PRIOR_STEP": "count", "__SEQUENCE_ID": 4}),
        entrypoint="count",
        partition_key="north",
        uid="app",
        sequence_id=None,
        graph=graph,
        adapter_set=LifecycleAdapterSet(),
    )

    assert ("north", "app", 4, "count") == (app.partition_key, app.uid, app.sequence_id, app.position)
    assert ("count", ["count", "finish"]) == (app.graph.entrypoint.name, [each.name for each in app.graph.actions])
    assert {"count": 1, "done": True} == app.run()[2]
    with pytest.raises(TypeError, match="has a graph"):
        Application(state=State())


def test_the_context() -> None:
    """An action may know where it runs."""
    seen: list[Any] = []

    @action(reads=[], writes=[])
    def look(state: State[Any], __context: ApplicationContext) -> State[Any]:
        seen.extend([__context, ApplicationContext.get()])
        return state

    app = ApplicationBuilder().with_actions(look).with_identifiers("app", "north").build()
    app.run()

    assert seen[0] is seen[1]
    assert ("app", "north", 0, "look", None) == (seen[0].app_id, seen[0].partition_key, seen[0].sequence_id, seen[0].action_name, seen[0].error)
    assert ApplicationContext.get() is None
    assert ("app", 0) == (app.context.app_id, app.context.sequence_id)


def test_a_fork_is_its_own() -> None:
    """A fork walks the same graph from somewhere else, and the application does not notice."""
    app = counter().build()
    app.step()
    made = app.fork(State({"count": 2}), position="count", sequence_id=7, app_id="other")
    made.run()

    assert {"count": 3, "done": True} == made.state
    assert (9, "other") == (made.sequence_id, made.uid)
    assert made.parent_pointer is not None
    assert (app.uid, 0) == (made.parent_pointer.app_id, made.parent_pointer.sequence_id)
    assert {"count": 1} == app.state == app.fork().state
    assert (0, "count") == (app.sequence_id, app.fork().position)


def test_proceeds_like_iterate() -> None:
    """What calls are made of, for whoever opens executions."""
    app = counter().build()

    assert ["count"] * 3 == [each[0].name for each in app.proceed(halt_before=["finish"])]
    with open_execution(app, "iterate") as execution:
        assert ["finish"] == [each[0].name for each in app.proceed(limit=1, execution=execution)]


def test_seed_forms() -> None:
    """Result(["a"]), subset(["a"]), no entrypoint, no state."""

    @action(reads=["name"], writes=["greeting"])
    def greet(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
        result = {"greeting": f"hello {state.subset(['name'])['name']}"}
        return result, state.update(**result)

    app = (
        ApplicationBuilder()
        .with_actions(ask=Input("name"), greet=greet, get_result=Result(["greeting"]))
        .with_transitions(("ask", "greet"), ("greet", "get_result"))
        .build()
    )
    _, results = app.run(until=["get_result"], inputs={"name": "Aaron"})

    assert {"greeting": "hello Aaron"} == results[-1]


@pytest.mark.parametrize("method", METHODS)
def test_repr_says_where(method: str) -> None:
    """An application prints where it is."""
    app = counter(1).with_identifiers(app_id="a").build()

    assert "<Application a: before count, step None>" == repr(app)
    call(app, method)
    assert f"after {app.position}" in repr(app)
