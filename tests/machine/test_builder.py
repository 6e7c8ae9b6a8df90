"""A builder takes what is typed, and says all that is wrong with it when it builds."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, TypedDict

import pytest

from gvstore.machine import (
    Application,
    ApplicationBuilder,
    BuilderFault,
    Graph,
    GraphBuilder,
    HookFault,
    MachineFault,
    MachineWarning,
    MemoryPersister,
    PostApplicationCreateHook,
    PostApplicationExecuteCallHook,
    PostRunStepHook,
    PostRunStepHookAsync,
    PreApplicationExecuteCallHook,
    PreRunStepHook,
    State,
    StateTypeError,
    TooManySteps,
    action,
    all_of,
    expr,
    on_error,
    when,
)
from tests.machine.counting import count, counter, finish


@action(reads=[], writes=["cow_should_speak"])
def cow_should_speak(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """The first action of the seed, with its die loaded."""
    result = {"cow_should_speak": True}
    return result, state.update(**result)


@action(reads=[], writes=["cow_said"])
def cow_say(state: State[Any], say_what: str | None) -> tuple[dict[str, Any], State[Any]]:
    """The other one."""
    result = {"cow_said": "..." if say_what is None else f"< {say_what} >"}
    return result, state.update(**result)


def test_cowsay_as_written() -> None:
    """Every name that the seed forgot to declare is told at once, with the near ones."""
    builder = (
        ApplicationBuilder()
        .with_actions(
            cow_should_speak=cow_should_speak,
            cow_says_nothing=cow_say.bind(say_what=None),
            cow_says_hello=cow_say.bind(say_what="Hello"),
        )
        .with_transitions(
            ("cow_should_speak", "cow_say_hello", when(cow_should_speak=True)),
            ("cow_should_speak", "cow_say", when(cow_should_speak=False)),
            (["cow_say_hello", "cow_silent"], "cow_should_speak"),
        )
    )
    with pytest.raises(MachineFault) as caught:
        builder.build()

    told = [each for each in caught.value.findings if each.kind == "unknown-action"]
    assert ["cow_say_hello", "cow_say", "cow_say_hello", "cow_silent"] == [each.what.split()[2] for each in told]
    assert "Did you mean cow_says_hello?" == told[0].remedy


def test_cowsay_corrected() -> None:
    """With its names declared the cow speaks, for ever."""
    app = (
        ApplicationBuilder()
        .with_actions(
            cow_should_speak=cow_should_speak,
            cow_says_nothing=cow_say.bind(say_what=None),
            cow_says_hello=cow_say.bind(say_what="Hello"),
        )
        .with_transitions(
            ("cow_should_speak", "cow_says_hello", when(cow_should_speak=True)),
            ("cow_should_speak", "cow_says_nothing", when(cow_should_speak=False)),
            (["cow_says_hello", "cow_says_nothing"], "cow_should_speak"),
        )
        .build()
    )
    said = []
    for _ in range(4):
        taken = app.step()
        assert taken is not None
        acted, _, state = taken
        if acted.name != "cow_should_speak":
            said.append(state["cow_said"])

    assert ["< Hello >"] * 2 == said
    assert "cow_should_speak" == app.entrypoint


def test_everything_is_told_at_once() -> None:
    """Faults in actions, transitions, entrypoint and state come together."""
    builder = (
        ApplicationBuilder()
        .with_actions(count, end=finish, other=print)
        .with_transitions(("count", "finis"), ("count", "end", expr("cuont > 1")), ("end", "count", "x"))
        .with_entrypoint("cuont")
    )
    with pytest.raises(MachineFault) as caught:
        builder.build()

    assert {"no-action", "unknown-action", "no-condition", "dead-transition"} <= {each.kind for each in caught.value.findings}
    assert caught.value.findings
    with pytest.raises(MachineFault, match=r"finish reads count, which nobody writes[^?]*Did you mean coutn\?"):
        ApplicationBuilder().with_actions(finish).with_state(coutn=0).build()
    with pytest.raises(MachineFault, match="at least one action"):
        ApplicationBuilder().build()


def test_what_is_not_fatal_is_a_warning() -> None:
    """It is told once, and the application keeps it."""
    with pytest.warns(MachineWarning, match="nothing leads from count to finish") as seen:
        app = ApplicationBuilder().with_actions(count, finish).with_state(count=0).build()

    assert ["unreachable-action"] == [each.kind for each in app.findings]
    assert __file__ == seen[0].filename


def test_state_adds_up() -> None:
    """State, dict and fields; a fresh application has its own."""
    builder = counter().with_state({"x": 1}, y=2).with_state(State({"x": 3}))

    assert {"count": 0, "x": 3, "y": 2} == builder.build().state
    assert builder.build().uid != builder.build().uid
    assert builder is builder.build().builder


def test_typed_state() -> None:
    """The state's type is checked when it is built, and seen by its users."""

    class Counted(TypedDict):
        count: int

    app: Application[Counted] = counter().with_typing(Counted).build()
    assert {"count": 0} == app.state.data
    app.run()
    assert 3 == app.state.data["count"]
    with pytest.raises(TypeError, match="no type of a state"):
        counter().with_typing(3)  # type: ignore[arg-type]
    with pytest.raises(StateTypeError, match="count"):
        counter().with_state(count="many").with_typing(Counted).build()


def test_graphs_are_shared() -> None:
    """with_graph takes what another builder made; several add up."""
    graph = GraphBuilder().with_actions(count, finish).with_transitions(("count", "finish")).build()
    app = ApplicationBuilder().with_graph(graph).with_entrypoint("finish").with_state(count=2)

    with pytest.warns(MachineWarning, match="nothing leads from finish to count"):
        assert {"count": 2, "done": True} == app.build().run()[2]
    other = GraphBuilder().with_actions(again=finish).build()
    both = ApplicationBuilder().with_graphs(graph, other).with_transitions(("finish", "again")).with_state(count=0).build()
    assert ["count", "finish", "again"] == [each.name for each in both.graph.actions]
    assert "again" == both.run()[0].name


def test_what_a_builder_refuses() -> None:
    """What can be seen at once is said at once."""
    builder = ApplicationBuilder()

    with pytest.raises(BuilderFault) as caught:
        builder.with_entrypoint(count)  # type: ignore[arg-type]
    assert 'Type with_entrypoint("count").' == caught.value.hint
    with pytest.raises(BuilderFault, match="app_id is text"):
        builder.with_identifiers(app_id=3)  # type: ignore[arg-type]
    with pytest.raises(BuilderFault, match="sequence_id is the number"):
        builder.with_identifiers(sequence_id="3")  # type: ignore[arg-type]
    with pytest.raises(BuilderFault, match="function that makes an executor"):
        builder.with_parallel_executor(3)  # type: ignore[arg-type]
    with pytest.raises(BuilderFault, match="no tracker 'loal'"):
        builder.with_tracker("loal")
    with pytest.raises(HookFault):
        builder.with_hooks(3)
    with pytest.raises(TypeError, match="takes a Graph"):
        builder.with_graph(3)  # type: ignore[arg-type]


class Watch(PreRunStepHook, PostRunStepHook, PreApplicationExecuteCallHook, PostApplicationExecuteCallHook, PostApplicationCreateHook):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def pre_run_step(self, *, action: Any, inputs: dict[str, Any], sequence_id: int, **future_kwargs: Any) -> None:
        self.seen.append(("pre", action.name, sequence_id, inputs))

    def post_run_step(self, *, action: Any, state: Any, exception: Any, result: Any, **future_kwargs: Any) -> None:
        self.seen.append(("post", action.name, state["count"], result, exception and str(exception)))

    def pre_run_execute_call(self, *, method: Any, **future_kwargs: Any) -> None:
        self.seen.append(("begin", method.value))

    def post_run_execute_call(self, *, method: Any, exception: Any, **future_kwargs: Any) -> None:
        self.seen.append(("end", method.value, exception and str(exception)))

    def post_application_create(self, *, app_id: str, application_graph: Any, **future_kwargs: Any) -> None:
        self.seen.append(("create", app_id, application_graph.entrypoint.name))


@pytest.mark.parametrize("method", ["run", "arun"])
def test_hooks_are_told(method: str) -> None:
    """In order: the application, each call, each step; failed steps with what they raised."""

    @action(reads=["count"], writes=["count"])
    def fail(state: State[Any]) -> State[Any]:
        raise OSError("no")

    watch = Watch()
    app = (
        ApplicationBuilder()
        .with_actions(count, fail, finish)
        .with_transitions(("count", "fail"), ("fail", "finish", on_error(OSError)))
        .with_state(count=0)
        .with_identifiers("app")
        .with_hooks(watch)
        .build()
    )
    asyncio.run(app.arun(inputs={"by": 2})) if method == "arun" else app.run(inputs={"by": 2})

    assert [
        ("create", "app", "count"),
        ("begin", method),
        ("pre", "count", 0, {"by": 2}),
        ("post", "count", 2, {"count": 2}, None),
        ("pre", "fail", 1, {}),
        ("post", "fail", 2, None, "no"),
        ("pre", "finish", 2, {}),
        ("post", "finish", 2, {}, None),
        ("end", method, None),
    ] == watch.seen


def test_a_hook_that_raises_loses_no_step() -> None:
    """What it raises is heard after the step is kept; beside what an action raises it is a note."""

    class Bad(PostRunStepHook):
        def post_run_step(self, **future_kwargs: Any) -> None:
            raise RuntimeError("hook")

    app = counter().with_hooks(Bad()).build()
    with pytest.raises(RuntimeError, match="hook"):
        app.step()
    assert (0, "count", 1) == (app.sequence_id, app.position, app.state["count"])

    @action(reads=[], writes=[])
    def fail(state: State[Any]) -> State[Any]:
        raise OSError("no")

    with pytest.raises(OSError, match="no") as caught:
        ApplicationBuilder().with_actions(fail).with_hooks(Bad()).build().run()
    assert any("hook" in each for each in caught.value.__notes__)


def test_awaited_hooks_mix() -> None:
    """Where it is awaited, hooks of both kinds are told, in their order."""
    seen = []

    class Awaited(PostRunStepHookAsync):
        async def post_run_step(self, *, action: Any, **future_kwargs: Any) -> None:
            await asyncio.sleep(0)
            seen.append(("awaited", action.name))

    class Plain(PostRunStepHook):
        def post_run_step(self, *, action: Any, **future_kwargs: Any) -> None:
            seen.append(("plain", action.name))

    asyncio.run(counter().with_hooks(Awaited(), Plain()).build().astep())

    assert [("awaited", "count"), ("plain", "count")] == seen
    app = counter().with_hooks(Awaited(), Plain()).build()
    with pytest.warns(MachineWarning, match=r"post_run_step: awaited hooks are not told of step\(\)"):
        app.step()
    app.step()
    assert 4 == len(seen)


def test_state_of_an_instance() -> None:
    """An instance of a dataclass gives the fields and their type."""

    @dataclasses.dataclass
    class Counted:
        count: int = 0
        by: str = "one"

    app = ApplicationBuilder().with_actions(count).with_state(Counted(count=4)).build()
    app.run()

    assert Counted(5, "one") == app.state.data
    app.update_state({"count": 1, "by": "two"})
    assert Counted(1, "two") == app.state.data


def test_a_persister_that_fails_loses_no_step() -> None:
    """The step is the application's, hooks are told of it, and the persister's error is raised."""

    class Full(MemoryPersister):
        def save(self, *args: Any, **kwargs: Any) -> None:
            raise OSError("disk full")

    watch = Watch()
    app = counter().with_state_persister(Full()).with_hooks(watch).build()
    with pytest.raises(OSError, match="disk full"):
        app.step()

    assert (1, "count") == (app.state["count"], app.position)
    assert ("post", "count", 1, {"count": 1}, None) in watch.seen


def test_warnings_stand_where_they_were_caused() -> None:
    """A warning names the user's line."""
    app = ApplicationBuilder().with_actions(count).with_transitions(("count", "count")).with_state(count=0).build()

    with pytest.warns(MachineWarning) as plain:
        next(app.iterate())

    async def program() -> None:
        await app.arun(max_steps=1)

    assert [__file__] == [each.filename for each in plain]
    with pytest.raises(TooManySteps):
        asyncio.run(program())


@pytest.mark.parametrize(
    ("build", "told"),
    [
        (lambda b: b.with_state([1]), "instance of its type, not as"),
        (lambda b: b.with_identifiers(app_id=""), "app_id is empty"),
        (lambda b: b.with_identifiers(sequence_id=-1), "number of a step"),
        (lambda b: b.with_state_persister(MemoryPersister), "class, not an instance"),
        (lambda b: ApplicationBuilder().initialize_from(MemoryPersister), "class, not an instance"),
        (lambda b: ApplicationBuilder().initialize_from(MemoryPersister(), override_state_values=5), "dict of fields"),  # type: ignore[arg-type]
        (lambda b: b.build().update_state(None), "replaced by a state or a dict"),
        (lambda b: Application(graph=Graph([], [])), "action to begin with not found"),
        (lambda b: all_of(1), "names of actions"),  # type: ignore[arg-type]
    ],
)
def test_mistypings(build: Any, told: str) -> None:
    """Each is told where it was typed."""
    with pytest.raises((ValueError, TypeError), match=told):
        build(counter())
