"""Questions to chat models as actions: what is asked, what is written, what is recorded."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine import (
    Application,
    ApplicationBuilder,
    ChatAction,
    Input,
    StreamingChatAction,
    on_error,
)
from gvstore.machine.action_fault import ActionFault
from gvstore.models import http
from gvstore.models.failure import NoRecordedAnswer
from tests.models.endpoint import LoopbackServer, delta, events, serving

ASKED = {"role": "user", "content": "Name an animal."}
SAID = {"role": "assistant", "content": "An otter."}


@pytest.fixture
def answers(tmp_path: Path) -> str:
    """A model that has been asked for an animal before."""
    path = tmp_path / "answers.jsonl"
    rows: list[dict[str, Any]] = [
        {"messages": "Name an animal.", "text": "An otter."},
        {"messages": [{"role": "system", "content": "Be brief."}, ASKED], "text": "Otter."},
        {"messages": [ASKED, SAID, {"role": "user", "content": "Another."}], "text": "A seal."},
        {"messages": [SAID, {"role": "user", "content": "Another."}], "text": "A dog."},
        {"messages": "Which?", "text": '"code"'},
        {"messages": "How many?", "text": "[1, 2]"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    return f"recorded:{path}"


def asking(*actions: ChatAction, **state: Any) -> Application[Any]:
    """Returns a machine of these, one after the other."""
    pairs = [(str(a.name), str(b.name)) for a, b in itertools.pairwise(actions)]
    return ApplicationBuilder().with_actions(*actions).with_transitions(*pairs).with_state(**state).build()


def test_a_prompt_is_answered(answers: str) -> None:
    """In the field `writes`; the system prompt goes first."""
    app = asking(ChatAction("plain", model=answers), ChatAction("brief", model=answers, system="Be brief.", writes="short"), prompt="Name an animal.")
    _, result, state = app.run()

    assert {"short": "Otter."} == result
    assert ("An otter.", "Otter.") == (state["response"], state["short"])


def test_a_history_goes_on(answers: str) -> None:
    """The prompt joins it as the user's, the answer as the assistant's; without a prompt the last of it is what is asked."""
    both = ChatAction("both", model=answers, prompt="prompt", history="history", writes=None)
    alone = ChatAction("alone", model=answers, history="history")
    first = asking(both, prompt="Name an animal.", history=[]).run()[2]
    second = asking(alone, history=[*first["history"], {"role": "user", "content": "Another."}]).run()[2]

    assert [ASKED, SAID] == first["history"]
    assert "response" not in first
    assert "A seal." == second["response"] == second["history"][-1]["content"]
    assert 4 == len(second["history"])


def test_the_last_of_a_history_are_sent(answers: str) -> None:
    """`last` bounds what is asked, and nothing of what is kept."""
    app = asking(ChatAction("ask", model=answers, prompt="prompt", history="history", last=2), prompt="Another.", history=[ASKED, SAID])
    state = app.run()[2]

    assert ("A dog.", 4) == (state["response"], len(state["history"]))


def test_an_answer_to_a_schema_is_its_value(answers: str) -> None:
    """Not its text, which is what the history gets."""
    mode = ChatAction("mode", model=answers, writes="mode", schema={"enum": ["code", "question"]})
    count = ChatAction("count", model=answers, prompt="prompt", history="history", writes="counts", schema={"type": "array"})

    assert "code" == asking(mode, prompt="Which?").run()[2]["mode"]
    state = asking(count, prompt="How many?", history=[]).run()[2]
    assert ([1, 2], "[1, 2]") == (state["counts"], state["history"][-1]["content"])


def test_the_model_is_a_recorded_call_below_the_step(answers: str, tmp_path: Path) -> None:
    """With what it was asked; a replay that takes the step again is answered by it."""
    with gv.init(tmp_path / "work"):
        app = asking(ChatAction("ask", model=answers, temperature=0.5), prompt="Name an animal.")
        app.run()
        run = app.last_run
        assert run is not None
        [step] = run.invocation.get_children()
        [call] = step.get_children()
        Path(answers.removeprefix("recorded:")).write_text("")
        again = run.replay(live="gvstore.machine.chat_action.ChatAction")

    asked = {"model": answers, "temperature": 0.5, "fields": "prompt -> response"}
    assert ("ask", asked) == (step.args["action"], step.args["inputs"])
    assert ("complete", "An otter.") == (call.name, call.output.text)
    assert "An otter." == again.output[1]["response"]


def test_a_model_that_fails_leads_on(answers: str) -> None:
    """By an error transition, as with any action."""
    app = (
        ApplicationBuilder()
        .with_actions(Input("prompt").with_name("ask"), ChatAction("answer", model=answers), Input("reason").with_name("explain"))
        .with_transitions(("ask", "answer"), ("answer", "explain", on_error(NoRecordedAnswer)))
        .build()
    )
    last, _, state = app.run(inputs={"prompt": "What?", "reason": "no idea"})

    assert ("explain", "no idea") == (last.name, state["reason"])
    assert "response" not in state


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """An endpoint on the loopback interface."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving() as running:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{running.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key-of-the-test-7f3a9c")
        yield running
        http.close()


def test_pieces_are_told_as_they_come(server: LoopbackServer, tmp_path: Path) -> None:
    """Then the whole, written and recorded; a replay tells what the record has."""
    server.plan(events(delta("An "), delta("otter."), delta(finish="stop")))
    with gv.init(tmp_path / "work"):
        app = asking(StreamingChatAction("ask", model="openai:gpt-test", prompt="prompt", history="history"), prompt="Name an animal.", history=[])
        _, stream = app.stream_result(halt_after=["ask"])
        pieces = list(stream)
        result, state = stream.get()
        run = app.last_run
        assert run is not None
        again = run.replay(live="gvstore.machine.chat_action.StreamingChatAction")

    assert [{"response": "An "}, {"response": "otter."}] == pieces
    assert ({"response": "An otter."}, [ASKED, SAID]) == (result, state["history"])
    assert 1 == len(server.asked)
    assert run.output[1] == again.output[1]


def test_who_stops_reading_stops_the_model(server: LoopbackServer) -> None:
    """The step failed, and nothing is written; the next one asks again."""
    server.plan(events(*(delta(f"{n} ") for n in range(50)), delta(finish="stop")), events(delta("An otter."), delta(finish="stop")))
    app = asking(StreamingChatAction("ask", model="openai:gpt-test"), prompt="Name an animal.")
    _, stream = app.stream_result(halt_after=["ask"])

    assert {"response": "0 "} == next(iter(stream))
    stream.close()
    assert "response" not in app.state
    assert "An otter." == app.run()[2]["response"]


def test_a_stream_that_fails_says_so(answers: str) -> None:
    """To who reads it."""
    app = asking(StreamingChatAction("ask", model=answers), prompt="What?")
    _, stream = app.stream_result(halt_after=["ask"])

    with pytest.raises(NoRecordedAnswer):
        list(stream)


def weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"rain in {city}"


def test_tools_are_called(tmp_path: Path) -> None:
    """By what the model says, and recorded."""
    path = tmp_path / "answers.jsonl"
    call = {"text": "", "tool_calls": [{"name": "weather", "arguments": {"city": "Oslo"}}]}
    path.write_text("\n".join(map(json.dumps, (call, {"text": "It rains."}))))
    with gv.init(tmp_path / "work"):
        app = asking(ChatAction("ask", model=f"recorded:{path}", tools=[weather]), prompt="How is it in Oslo?")
        state = app.run()[2]
        assert app.last_run is not None
        names = [each.name for each in app.last_run.invocation.get_child(0).get_children()]

    assert "It rains." == state["response"]
    assert ["complete", "weather", "complete"] == names


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"temprature": 0.1}, "no option 'temprature'"),
        ({"temperature": 11}, "temperature must lie between 0 and 10"),
        ({"max_tokens": "many"}, "max_tokens is a whole number"),
        ({"stop": "."}, "stop is a list of texts"),
        ({"n": 2}, "one answer"),
        ({"writes": None}, "the answer goes nowhere"),
        ({"prompt": ["a"]}, "prompt is the name of a field"),
        ({"history": "__h"}, "history is the name of a field"),
        ({"prompt": "response"}, "would be written over"),
        ({"system": 3}, "system is text"),
        ({"last": 0}, "a number of messages from 1"),
        ({"model": None}, "model is a name"),
        ({"tools": [3]}, "is no tool"),
        ({"tools": [weather], "schema": {}}, "tools do not go with a schema"),
    ],
)
def test_what_cannot_be_meant_is_told_where_it_is_typed(given: dict[str, Any], told: str) -> None:
    """Before the machine is built, by the action's name."""
    with pytest.raises(ActionFault, match=told) as raised:
        ChatAction("ask", **given)

    assert "ChatAction('ask'): " in str(raised.value)
    assert "temprature" not in given or "temperature" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("given", "state", "told"),
    [
        ({}, {"prompt": 3}, "the prompt in prompt is text, not int"),
        ({"history": "history"}, {"history": ["hi"]}, "history is no list of messages"),
        ({"history": "history"}, {"history": []}, "holds no message yet"),
    ],
)
def test_what_cannot_be_asked_is_told(answers: str, given: dict[str, Any], state: dict[str, Any], told: str) -> None:
    """By the names of the action and of the field."""
    with pytest.raises(ActionFault, match=told):
        asking(ChatAction("ask", model=answers, **given), **state).run()
