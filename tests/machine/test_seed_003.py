"""The programs of the text that state machines began with (Burr's first README): corrected where they could not run, and as they were written."""

from __future__ import annotations

import importlib
import random
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any, TypedDict

import pytest

from gvstore.machine import (
    Action,
    ApplicationBuilder,
    MachineFault,
    Result,
    State,
    action,
    default,
    error,
    expr,
    streaming_action,
    when,
)


def _cowsay() -> Any:
    """Returns the library of the example, or a stand-in for it where it is not installed."""
    try:
        return importlib.import_module("cowsay")
    except ImportError:
        return SimpleNamespace(get_output_string=lambda char, text: f"{text}\n  \\ ({char})")


cowsay = _cowsay()


@action(reads=[], writes=["cow_should_speak"])
def cow_should_speak(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
    """Decides, as in the text."""
    result = {"cow_should_speak": random.randint(0, 3) == 0}
    return result, state.update(**result)


@action(reads=[], writes=["cow_said"])
def cow_say(state: State[Any], say_what: str | None) -> tuple[dict[str, Any], State[Any]]:
    """Says it: in the text `cow_say_hello`, that does not take what it says."""
    says = "..." if say_what is None else cowsay.get_output_string(char="cow", text=say_what)
    result = {"cow_said": says}
    return result, state.update(**result)


def test_cowsay_corrected() -> None:
    """With its names declared, its import and the unpacking of `step()` corrected, the cow speaks now and then."""
    random.seed(3)
    application = (
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
    for _ in range(40):
        done = application.step()
        assert done is not None
        chosen, result, state = done
        if chosen.name != "cow_should_speak":
            assert result == {"cow_said": state["cow_said"]}
            said.append(state["cow_said"])
    assert 20 == len(said)
    assert {"..."} < set(said)
    assert any("Hello" in each for each in said)


def test_cowsay_as_written_tells_every_fault_at_once() -> None:
    """Four names in its transitions are those of no action: each is told, with the near ones, and nothing has to be corrected twice."""
    with pytest.raises(MachineFault) as caught:
        (
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
            .build()
        )
    told = str(caught.value)
    for name in ("cow_say_hello", "cow_say ", "cow_silent"):
        assert name in told
    assert told.count("Did you mean") >= 2
    assert "cow_says_hello" in told


class CustomAction(Action):
    """The class action, letter by letter."""

    @property
    def reads(self) -> list[str]:
        """As in the text."""
        return ["var_from_state"]

    def run(self, state: State[Any]) -> dict[str, Any]:
        """As in the text."""
        return {"var_to_update": state["var_from_state"] + 1}

    @property
    def writes(self) -> list[str]:
        """As in the text."""
        return ["var_to_update"]

    def update(self, result: dict[str, Any], state: State[Any]) -> State[Any]:
        """As in the text."""
        return state.update(**result)


def test_the_class_action_and_result() -> None:
    """The class, and `Result([...])` after it, asked with `until=`: the state and the results."""
    application = (
        ApplicationBuilder()
        .with_actions(custom=CustomAction(), get_result=Result(["var_to_update"]))
        .with_transitions(("custom", "get_result"))
        .with_state(var_from_state=1)
        .build()
    )
    final_state, results = application.run(until=["get_result"])
    assert final_state == {"var_from_state": 1, "var_to_update": 2}
    assert [{"var_to_update": 2}, {"var_to_update": 2}] == results


class APIException(Exception):
    """What the flaky action of the text meets."""


def test_the_flaky_action_counts_its_attempts() -> None:
    """It catches what it meets, and raises after as many attempts as it may; `expr` and `default` lead round and out."""

    @action(reads=["attempts"], writes=["output", "attempts"])
    def some_flaky_action(state: State[Any], max_retries: int = 3) -> tuple[dict[str, Any], State[Any]]:
        result = {"output": None, "attempts": state["attempts"] + 1}
        try:
            if state["attempts"] < 2:
                raise APIException("down")
            result["output"] = "well"
        except APIException as e:
            if state["attempts"] >= max_retries:
                raise e
        return result, state.update(**result)

    application = (
        ApplicationBuilder()
        .with_actions(some_flaky_action=some_flaky_action, done=Result(["output"]))
        .with_transitions(
            ("some_flaky_action", "some_flaky_action", when(output=None)), ("some_flaky_action", "done", default)
        )
        .with_state(attempts=0)
        .build()
    )
    state, results = application.run(until="done")
    assert ({"output": "well"}, 3) == (results[-1], state["attempts"])
    with pytest.raises(APIException):
        application.fork(state=State({"attempts": 1})).run(until="done", inputs={"max_retries": 1})


def test_the_flaky_action_with_an_error_transition() -> None:
    """`error(APIException, max=3)`: three visits of this edge, and then it is raised."""
    calls: list[int] = []

    @action(reads=[], writes=["output"])
    def some_flaky_action(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
        calls.append(len(calls))
        if len(calls) != 4:
            raise APIException(f"call {len(calls)}")
        result = {"output": "well"}
        return result, state.update(**result)

    application = (
        ApplicationBuilder()
        .with_actions(some_flaky_action=some_flaky_action)
        .with_transitions(("some_flaky_action", "some_flaky_action", error(APIException, max=3)))
        .build()
    )
    assert {"output": "well"} == application.run()[2]
    with pytest.raises(APIException, match="call 8"):
        application.fork(state=State()).run()


class InputState(TypedDict):
    """As in the text."""

    foo: int
    bar: str


class OutputState(TypedDict):
    """As in the text."""

    baz: int
    qux: str


def test_the_typed_actions() -> None:
    """Both forms of the text; where a value is of another type, the error says which."""

    @action(reads=["foo", "bar"], writes=["baz", "qux"])  # the text leaves qux undeclared
    def my_action(state: State[InputState]) -> tuple[dict[str, Any], State[OutputState]]:
        result: dict[str, Any] = {"baz": state["foo"] + 1, "qux": state["bar"] + "!"}
        after: Any = state.update(**result)
        return result, after

    @action(reads={"foo": int, "bar": str}, writes={"baz": int, "qux": str})
    def by_keys(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
        result = {"baz": state["foo"] + 1, "qux": state["bar"] + "!"}
        return result, state.update(**result)

    for typed in (my_action, by_keys):
        application = ApplicationBuilder().with_actions(one=typed).with_state(foo=1, bar="a").build()
        assert {"foo": 1, "bar": "a", "baz": 2, "qux": "a!"} == application.run()[2]
    with pytest.raises(ValueError, match="foo"):
        ApplicationBuilder().with_actions(one=by_keys).with_state(foo="1", bar="a").build().run()


def test_a_write_that_the_text_forgets_to_declare_is_an_error() -> None:
    """The typed action as it was written gives `qux`, and declares `baz` alone."""

    @action(reads=["foo", "bar"], writes=["baz"])
    def my_action(state: State[Any]) -> tuple[dict[str, Any], State[Any]]:
        result = {"baz": state["foo"] + 1, "qux": state["bar"] + "!"}
        return result, state.update(**result)

    with pytest.raises(ValueError, match="qux"):
        ApplicationBuilder().with_actions(my_action).with_state(foo=1, bar="a").build().run()


def test_streaming_and_what_iterate_returns() -> None:
    """The text leaves streams to be done; `iterate(until=...)` ends with the state and the results."""

    @streaming_action(reads=["prompt"], writes=["answer"])
    def answer(state: State[Any]) -> Generator[tuple[dict[str, Any], State[Any] | None], None, None]:
        said = ""
        for word in state["prompt"].split():
            said += word.upper()
            yield {"word": word}, None
        yield {"answer": said}, state.update(answer=said)

    def application() -> Any:
        return ApplicationBuilder().with_actions(answer).with_state(prompt="a b").build()

    _, stream = application().stream_result(halt_after=["answer"])
    assert [{"word": "a"}, {"word": "b"}] == list(stream)[:2]
    assert ({"answer": "AB"}, {"prompt": "a b", "answer": "AB"}) == stream.get()
    steps = application().iterate(until=["answer"])
    next(steps)
    with pytest.raises(StopIteration) as stop:
        next(steps)
    assert ({"prompt": "a b", "answer": "AB"}, [{"answer": "AB"}]) == stop.value.value


def test_state_as_the_text_handles_it() -> None:
    """`update append subset([...]) get_all`, and the merge of its pseudocode."""
    state: State[Any] = State({"foo": 1, "bar": [1]})
    assert {"foo": 2} == state.update(foo=2).subset(["foo"])
    assert {"foo": 1, "bar": [1, 2]} == state.append(bar=2).get_all()
    assert {"foo": 1, "bar": [3]} == state.merge(state.subset(["bar"]).update(bar=[3]))


def test_conditions_as_the_text_has_them() -> None:
    """`when`, `expr` and `default`, in the order in which they stand."""

    @action(reads=["epochs"], writes=["epochs"])
    def train(state: State[Any]) -> State[Any]:
        return state.increment(epochs=1)

    application = (
        ApplicationBuilder()
        .with_actions(train, out=Result(["epochs"]))
        .with_transitions(("train", "out", expr("epochs>100")), ("train", "train", default))
        .with_state(epochs=98)
        .build()
    )
    assert {"epochs": 101} == application.run(until="out")[1][-1]
