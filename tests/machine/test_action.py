"""Actions: what they declare is what they see and write; all else is an error that names action, key and remedy."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine.action_class import DEFAULT_SCHEMA, Action, SingleStepAction
from gvstore.machine.action_fault import (
    ActionFault,
    AsyncAction,
    MissingInputs,
    MissingWrites,
    UndeclaredRead,
    UndeclaredWrite,
    WrongReturn,
)
from gvstore.machine.action_function import (
    FunctionBasedAction,
    action,
    create_action,
    derive_inputs_from_fn,
    type_eraser,
)
from gvstore.machine.attempts import Retry
from gvstore.machine.builtin_actions import Input, Placeholder, Result
from gvstore.machine.cycle import Outcome, execute, execute_async
from gvstore.machine.delta import AppendFields, DeleteField, SetFields
from gvstore.machine.graph import GraphBuilder
from gvstore.machine.node import inputs_of, node_of
from gvstore.machine.state import State
from gvstore.machine.state_fault import MissingField


def named(value: Any, name: str = "step") -> Action:
    return create_action(value, name)


def step(value: Any, state: dict[str, Any] | State[Any], **inputs: Any) -> Outcome:
    return execute(named(value), state if isinstance(state, State) else State(state), inputs)


@action(reads=["count"], writes=["count"], tags=["loop"])
def count(state: State[Any], by: int = 1) -> State[Any]:
    return state.update(count=state["count"] + by)


@action(reads=["count"], writes=["count"])
def tell(state: State[Any], by: int) -> tuple[dict[str, Any], State[Any]]:
    result = {"count": state["count"] + by}
    return result, state.update(**result)


@action(reads=["count"], writes=["count"])
async def later(state: State[Any], by: int = 1) -> State[Any]:
    await asyncio.sleep(0)
    return state.update(count=state["count"] + by)


class Adder(Action):
    retry = None

    def __init__(self, by: int) -> None:
        self.by = by

    @property
    def reads(self) -> list[str]:
        return ["count"]

    def run(self, state: State[Any], twice: bool = False) -> dict[str, Any]:
        return {"count": state["count"] + self.by * (2 if twice else 1)}

    @property
    def writes(self) -> list[str]:
        return ["count"]

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        return state.update(**result)


class Once(SingleStepAction):
    reads = ("count",)
    writes = ("count",)

    def run_and_update(self, state: State[Any], by: int) -> tuple[dict[str, Any], State[Any]]:
        return {"by": by}, state.increment(count=by)


class AsyncAdder(Adder):
    async def run(self, state: State[Any], twice: bool = False) -> dict[str, Any]:  # type: ignore[override]
        return super().run(state, twice)


def test_a_decorated_function_stays_a_function() -> None:
    """It is called as it was, and a graph takes it for an action."""
    assert {"count": 3} == count(State({"count": 2}))
    assert {"count": 7} == count(State({"count": 2}), by=5)
    assert ("count", ["count"], ["count"], ["loop"]) == (count.name, count.reads, count.writes, count.tags)
    node = node_of(count)

    assert node is count.action_function
    assert ([], ["by"]) == inputs_of(count.action_function)
    graph = GraphBuilder().with_actions(count, other=tell.bind(by=1)).with_transitions(("count", "other")).build()
    assert ["count", "other"] == [each.name for each in graph.actions]
    assert "def count(" in count.action_function.get_source()
    assert DEFAULT_SCHEMA is count.action_function.schema
    assert count.action_function.input_schema is None


@pytest.mark.parametrize(
    ("value", "inputs", "expected"),
    [
        (count, {}, ({}, 2)),
        (count, {"by": 4, "other": 1}, ({}, 5)),
        (count.bind(by=3), {}, ({}, 4)),
        (count.bind(by=3).bind(by=4), {"by": 9}, ({}, 5)),
        (tell, {"by": 1}, ({"count": 2}, 2)),
        (tell.bind(by=2), {}, ({"count": 3}, 3)),
        (Adder(10), {}, ({"count": 11}, 11)),
        (Adder(10), {"twice": True}, ({"count": 21}, 21)),
        (Once(), {"by": 3}, ({"by": 3}, 4)),
    ],
)
def test_a_step(value: Any, inputs: dict[str, Any], expected: tuple[Any, int]) -> None:
    """An action is given its inputs, and the whole state comes back, awaited or not."""
    state: State[Any] = State({"count": 1, "other": [1]})
    result, after = expected

    assert Outcome(result, State({"count": after, "other": [1]})) == execute(named(value), state, inputs)
    assert Outcome(result, State({"count": after, "other": [1]})) == asyncio.run(execute_async(named(value), state, inputs))
    assert {"count": 1, "other": [1]} == state


@pytest.mark.parametrize("value", [later, later.bind(by=1), AsyncAdder(1)])
def test_async_actions_are_awaited_or_refused(value: Any) -> None:
    """Where nothing can be awaited, an async action is an error before it begins."""
    assert 2 == asyncio.run(execute_async(named(value), State({"count": 1}))).state["count"]
    with pytest.raises(AsyncAction, match="action step is async, and this run is not") as found:
        step(value, {"count": 1})
    assert "arun" in found.value.hint


def test_an_async_function_in_disguise_is_found() -> None:
    """What a plain function returns to be awaited is awaited, or refused and closed."""

    @action(reads=["count"], writes=["count"])
    def hidden(state: State[Any]) -> Any:
        return later(state)

    assert 2 == asyncio.run(execute_async(named(hidden), State({"count": 1}))).state["count"]
    with pytest.raises(AsyncAction, match="something to await"):
        step(hidden, {"count": 1})


def test_an_action_that_fails_leaves_no_trace() -> None:
    """What an action is handed are copies: it may change them and raise."""

    @action(reads=["history"], writes=["history"])
    def mutates(state: State[Any]) -> State[Any]:
        history = state["history"]
        history[0]["text"] = "spoiled"
        history.append({"text": "more"})
        state.update(history=history)
        raise ConnectionError("no answer")

    state: State[Any] = State({"history": [{"text": "hello"}]})
    with pytest.raises(ConnectionError):
        step(mutates, state)
    assert {"history": [{"text": "hello"}]} == state


def test_a_result_and_a_state_share_nothing() -> None:
    """Who changes the result afterwards does not change the state."""

    @action(reads=[], writes=["history"])
    def begin(state: State[Any]) -> Any:
        result = {"history": [1]}
        return result, state.update(**result)

    done = step(begin, {})
    done.result["history"].append(2)
    assert {"history": [1]} == done.state


READS: list[tuple[Callable[[Any], Any], str]] = [
    (lambda s: s["histroy"], "histroy"),
    (lambda s: s.get("histroy"), "histroy"),
    (lambda s: "histroy" in s, "histroy"),
    (lambda s: s.peek("histroy"), "histroy"),
    (lambda s: s.subset("histroy"), "histroy"),
    (lambda s: s["total"], "total"),
    (lambda s: s["__SEQUENCE_ID"], "__SEQUENCE_ID"),
    (lambda s: s.apply_operation(SetFields({"total": 1}))["histroy"], "histroy"),
]


@pytest.mark.parametrize(("look", "key"), READS)
def test_undeclared_reads_are_errors(look: Callable[[Any], Any], key: str) -> None:
    """So are reads of a key that is only written, before the action wrote it, and of the machine's own."""

    @action(reads=["history"], writes=["total"])
    def reader(state: State[Any]) -> State[Any]:
        return state.update(total=look(state))

    with pytest.raises(UndeclaredRead, match=rf'action step reads {key!r}, which it does not declare: it reads \["history"\]') as found:
        step(reader, {"history": [], "histroy": 1, "total": 0, "__SEQUENCE_ID": 3})
    expected = {"histroy": "Did you mean history?", "total": 'reads=["history", "total"]', "__SEQUENCE_ID": "machine's own"}[key]
    assert expected in found.value.hint


def test_the_rest_of_the_state_is_not_there() -> None:
    """Going through a state shows what is read, and what was written meanwhile."""

    @action(reads=["a"], writes=["b", "c"])
    def looks(state: State[Any]) -> State[Any]:
        assert ["a"] == list(state)
        assert 1 == len(state)
        assert {"a": 1} == state.get_all() == state.data
        assert state == {"a": 1}
        assert "State({'a': 1})" == repr(state)
        after = state.increment(c=1)
        assert {"a": 1, "c": 6} == after
        assert 6 == after["c"]
        assert {"a": 1} == after.subset("a")
        return after.update(b=dict(state))

    assert {"a": 1, "b": {"a": 1}, "c": 6, "d": 7} == step(looks, {"a": 1, "b": 2, "c": 5, "d": 7}).state


def test_a_missing_field_names_what_there_is() -> None:
    """A key that is declared but not there is told as such."""
    with pytest.raises(MissingField, match="state field 'count' not found"):
        step(count, {"cuont": 1})


WRITES: list[tuple[Callable[[Any], Any], str]] = [
    (lambda s: s.update(tota=1), "write to 'tota'"),
    (lambda s: s.append(tota=1), "write to 'tota'"),
    (lambda s: s.extend(tota=[1]), "write to 'tota'"),
    (lambda s: s.increment(tota=1), "write to 'tota'"),
    (lambda s: s.merge({"tota": 1}), "write to 'tota'"),
    (lambda s: s.merge(State({"tota": 1})), "write to 'tota'"),
    (lambda s: s.apply_operation(AppendFields({"tota": 1})), "write to 'tota'"),
    (lambda s: State({"total": 1, "tota": 2}), "write to 'tota'"),
    (lambda s: s.update(total=1, a=2), "write to 'a'"),
    (lambda s: State({"total": 1, "a": 2}), "write to 'a'"),
    (lambda s: s.wipe(delete=["a"]), "wipe 'a'"),
    (lambda s: s.wipe(), "wipe 'a'"),
    (lambda s: s.wipe(keep=["total"]), "wipe 'a'"),
    (lambda s: s.apply_operation(DeleteField(["a"])), "wipe 'a'"),
    (lambda s: s.update(__x=1), "write to '__x'"),
]


@pytest.mark.parametrize(("write", "what"), WRITES)
def test_undeclared_writes_are_errors(write: Callable[[Any], Any], what: str) -> None:
    """Whatever method of the state does it; wiping is writing."""

    @action(reads=["a"], writes=["total"])
    def writer(state: State[Any]) -> State[Any]:
        written: State[Any] = write(state)
        return written

    with pytest.raises(UndeclaredWrite, match=f"action step attempted to {what}, which it does not declare: it writes"):
        step(writer, {"a": 1})


def test_undeclared_writes_of_classes_are_errors() -> None:
    """In `update` too."""

    class Wide(Adder):
        def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
            return state.update(**result, more=1)

    with pytest.raises(UndeclaredWrite, match="'more'") as found:
        step(Wide(1), {"count": 1})
    assert 'Declare it: writes=["count", "more"].' == found.value.hint


def test_declared_writes_must_be_there() -> None:
    """Unless they are already, or are wiped."""

    @action(reads=[], writes=["a", "b"])
    def half(state: State[Any]) -> State[Any]:
        return state.update(a=1)

    @action(reads=[], writes=["a"])
    def wiper(state: State[Any]) -> State[Any]:
        return state.wipe(delete=["a"])

    assert {"a": 1, "b": 0} == step(half, {"b": 0}).state
    with pytest.raises(MissingWrites, match=r"action step declares that it writes 'b', and did not; it wrote \[\"a\"\]"):
        step(half, {})
    assert {"c": 1} == step(wiper, {"a": 3, "c": 1}).state
    assert {"c": 1} == step(wiper, {"c": 1}).state


def test_a_state_made_anew_counts_by_its_fields() -> None:
    """The rest of the whole state stays."""

    @action(reads=["a"], writes=["b"])
    def anew(state: State[Any]) -> State[Any]:
        return State({"a": state["a"], "b": 2})

    assert {"a": [1], "b": 2, "c": 3} == step(anew, {"a": [1], "c": 3}).state


def test_nothing_written_is_the_same_state() -> None:
    """A step that writes nothing gives back the state that it was given, stored or not."""
    state: State[Any] = State({"a": 1, "b": 2})
    done = step(Result("a"), state)
    assert {"a": 1} == done.result
    assert done.state is state


RETURNS: list[tuple[Any, str]] = [
    (None, "returned None"),
    (3, r"returned int \(3\)"),
    ({"a": 1}, "returned dict"),
    (({},), "returned a tuple of 1"),
    ((State(), {}), "returned a non-dict result: State"),
    (([], State()), "returned a non-dict result: list"),
    (({}, None), "returned None for the state"),
    (({}, {"a": 1}), "returned dict .* for the state"),
]


@pytest.mark.parametrize(("returned", "what"), RETURNS)
def test_wrong_returns_say_what_came(returned: Any, what: str) -> None:
    """And what should."""

    @action(reads=[], writes=[])
    def wrong(state: State[Any]) -> Any:
        return returned

    for run in (execute, lambda *a: asyncio.run(execute_async(*a))):
        with pytest.raises(WrongReturn, match=rf"^action step .*{what}") as found:
            run(named(wrong), State(), {})
        assert "must return either" in str(found.value)
        assert found.value.hint


def test_wrong_returns_of_classes_say_what_came() -> None:
    """Of `run` and of `update`."""

    class NoDict(Adder):
        def run(self, state: State[Any], twice: bool = False) -> Any:
            return [1]

    class NoState(Adder):
        def update(self, result: dict[str, Any], state: State[Any]) -> Any:
            return result

    class AsyncUpdate(Adder):
        async def update(self, result: dict[str, Any], state: State[Any]) -> Any:  # type: ignore[override]
            return state

    with pytest.raises(WrongReturn, match=r"action step returned a non-dict result from run: list \(\[1\]\)"):
        step(NoDict(1), {"count": 1})
    with pytest.raises(WrongReturn, match="must return a State from update, and returned dict"):
        step(NoState(1), {"count": 1})
    with pytest.raises(WrongReturn, match="must return a State from update, and returned coroutine"):
        step(AsyncUpdate(1), {"count": 1})


def test_missing_inputs_show_the_signature() -> None:
    """Which, what was given instead, and how to give them."""

    @action(reads=[], writes=["said"])
    def say(state: State[Any], say_what: str, *, times: int = 3) -> State[Any]:
        return state.update(said=say_what * times)

    with pytest.raises(MissingInputs) as found:
        step(say, {}, say_wat="Hello")
    expected = "action step is missing required inputs: say_what; given: say_wat; its signature: say(state, say_what: str, *, times: int = 3)"
    assert expected.replace("*, ", "") == str(found.value).replace("*, ", "")
    assert "say_what or say_wat" in found.value.hint
    with pytest.raises(MissingInputs, match="given: none") as found:
        step(say, {})
    assert 'inputs={"say_what": ...}' in found.value.hint
    with pytest.raises(MissingInputs, match="by; given: none"):
        step(Once(), {"count": 1})
    with pytest.raises(ActionFault, match="cannot start with a double underscore"):
        step(say, {}, say_what="a", __mine=1)


def test_binding_what_is_not_there_is_an_error_at_once() -> None:
    """With the signature and the near names."""
    with pytest.raises(ActionFault, match=r"action tell has no input 'bye' to bind; its signature: tell\(state, by: int\)") as found:
        tell.bind(bye=1)
    assert "Did you mean by?" == found.value.hint
    with pytest.raises(ActionFault, match="has no input 'state'"):
        tell.bind(state=State())
    assert {"by": 2} == tell.bind(by=2).bound
    assert ([], []) == inputs_of(tell.bind(by=2))
    assert {"count": 3} == tell.bind(by=2)(State({"count": 1}))[1]
    assert (["by"], []) == tell.inputs


def test_what_the_machine_gives() -> None:
    """An action is given __context and __tracer where it has them as parameters, also in a class, where Python renames them."""

    @action(reads=[], writes=["who"])
    def asks(state: State[Any], __context: Any, name: str = "x") -> State[Any]:
        return state.update(who=(__context, name))

    class Asks(Action):
        reads = ()
        writes = ("who",)

        def run(self, state: State[Any], __context: Any, __tracer: Any = None) -> dict[str, Any]:
            return {"who": (__context, __tracer)}

        def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
            return state.update(**result)

    assert ("here", "x") == step(asks, {}, __context="here", __tracer="t").state["who"]
    assert ("here", "t") == step(Asks(), {}, __context="here", __tracer="t").state["who"]
    assert ([], ["name"]) == inputs_of(asks.action_function)
    assert (["__context"], ["name"]) == asks.inputs
    with pytest.raises(MissingInputs, match="__context") as found:
        step(asks, {})
    assert "given by an application" in found.value.hint
    assert {"count": 2} == step(count, {"count": 1}, __context="here").state


def test_names_are_given_once() -> None:
    """An action that has a name keeps it; a copy is made for each."""
    adder = Adder(1)
    first = adder.with_name("first")
    assert (None, "first") == (adder.name, first.name)
    assert "first" == first.with_name("first").name
    with pytest.raises(ValueError, match="action first cannot be named second"):
        first.with_name("second")
    assert {"by": 1} == adder.bound
    assert Adder is adder.subject
    assert count.action_function.subject is count


def test_result_input_placeholder() -> None:
    """Both forms of each; a placeholder fails only where it is run."""
    state: State[Any] = State({"a": 1, "b": [2]})
    for result in (Result("a", "b"), Result(["a", "b"])):
        assert {"a": 1, "b": [2]} == step(result, state).result
    for given in (Input("x", "y"), Input(["x", "y"])):
        assert {"a": 1, "b": [2], "x": 1, "y": None} == step(given, state, x=1, y=None).state
    with pytest.raises(MissingInputs, match="missing required inputs: y"):
        step(Input("x", "y"), state, x=1)
    with pytest.raises(NotImplementedError, match="step is a placeholder"):
        step(Placeholder(reads=["a"], writes=["c"]), state)


def test_the_small_names() -> None:
    """derive_inputs_from_fn, type_eraser, and functions in disguise."""

    def function(state: State[Any], a: int, b: int, c: int = 1, *, d: int = 2) -> State[Any]:
        return state.update(x=a + b + c + d)

    def open_(state: State[Any], **others: int) -> State[Any]:
        return state.update(x=others)

    assert {"x": {"y": 1}} == step(action([], {"x"})(open_).bind(y=1), {}, z=1).state
    assert ["a", "b", "c"] == action({"c", "a", "b"}, [])(open_).reads
    assert (["b"], ["c", "d"]) == derive_inputs_from_fn({"a": 1}, function)
    assert function is type_eraser(function)
    partly = FunctionBasedAction(functools.partial(function, a=1, b=2), [], ["x"])
    assert 6 == step(partly, {}).state["x"]
    assert ["by"] == sorted(Adder(1).bound)
    assert (set(), {"twice"}) == Adder(1).optional_and_required_inputs
    with pytest.raises(MissingInputs):
        Once().validate_inputs({})


def test_what_a_class_says_of_attempts() -> None:
    """A number of attempts is a Retry; what is no timeout is an error at once."""

    class Twice(Adder):
        retry = 2  # type: ignore[assignment]
        timeout = 3

    @dataclasses.dataclass(frozen=True, slots=True)
    class Slotted(Adder):
        by: int
        note: str = "n"

    assert (Retry(2), 3.0) == (vars(Twice)["retry"], Twice(1).timeout)
    assert {"by": 1, "note": "n"} == Slotted(1).bound
    assert "first" == Slotted(1).with_name("first").name
    assert {"count": 2} == step(Slotted(1), {"count": 1}).state
    with pytest.raises(ActionFault, match="timeout=-1"):

        class Wrong(Adder):
            timeout = -1


def test_a_method_is_told_what_it_needs() -> None:
    """Its instance can be bound."""

    class Agent:
        def __init__(self, tail: str) -> None:
            self.tail = tail

        @action(reads=["said"], writes=["said"])
        def say(self, state: State[Any]) -> State[Any]:
            return state.update(said=state["said"] + self.tail)

    with pytest.raises(MissingInputs, match="missing required inputs: self") as found:
        step(Agent.say, {"said": "a"})
    assert ".bind(self=...)" in found.value.hint
    assert {"said": "a!"} == step(Agent.say.bind(self=Agent("!")), {"said": "a"}).state


def test_what_an_action_sees_is_a_state_to_others() -> None:
    """A registered function is recorded with the fields that the action reads; a state inside a state holds no other."""

    @gv.register
    def twice(state: State[Any]) -> int:
        return 2 * int(state["count"])

    @action(reads=["count"], writes=["count", "kept"])
    def doubles(state: State[Any]) -> State[Any]:
        return state.update(count=twice(state), kept=state)

    with gv.InMemoryStore():
        invocation = gv.invoke(lambda: step(doubles, {"count": 2, "secret": 3}).state, ())
        [child] = invocation.get_children()
        assert {"count": 2} == child.get_input().args[0]
        assert {"count": 4, "kept": {"count": 2}, "secret": 3} == invocation.get_output()
    assert type(step(doubles, {"count": 2}).state["kept"]) is State
