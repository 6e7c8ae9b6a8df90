"""Runnables of LangChain as actions: sync, async, streaming; wired, recorded, told what is wrong where it is typed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.errors import UsageFault
from gvstore.machine import ApplicationBuilder, on_error
from gvstore.machine.action_fault import ActionFault
from gvstore.machine.integrations.described import Description
from gvstore.machine.integrations.langchain import (
    AsyncLangChain,
    AsyncStreamingLangChain,
    LangChain,
    StreamingLangChain,
    append_state,
    from_input,
    from_state,
    from_value,
    update_state,
)
from tests.machine.replaying import replayed

runnables: Any = pytest.importorskip("langchain_core.runnables")
models: Any = pytest.importorskip("langchain_core.language_models")
messages: Any = pytest.importorskip("langchain_core.messages")
parsers: Any = pytest.importorskip("langchain_core.output_parsers")
prompts: Any = pytest.importorskip("langchain_core.prompts")

PROMPT = prompts.ChatPromptTemplate.from_messages([("system", "Be {mood}."), ("user", "Tell of {topic}.")])
MODEL = models.FakeListChatModel(responses=["An otter."])
chain = PROMPT | MODEL | parsers.StrOutputParser()
TOPIC: dict[str, Any] = {"topic": from_state("prompt"), "mood": from_value("brief")}


def built(action: Any, **state: Any) -> Any:
    return ApplicationBuilder().with_actions(ask=action).with_state(**state).build()


def test_a_chain_is_invoked() -> None:
    """With a dict, from the state, from values and from inputs; its result goes into a field."""
    action = LangChain(chain, {**TOPIC, "mood": from_input("mood", "brief")}, update_state("answer"))
    app = built(action, prompt="otters")
    _, result, state = app.run(inputs={"mood": "glad"})

    assert ({"answer": "An otter."}, "An otter.") == (result, state["answer"])
    assert ([], ["mood"]) == action.inputs


def test_a_runnable_takes_one_value_and_may_give_a_dict() -> None:
    """A function is one too; outputs by the result's keys."""

    def both(text: str) -> dict[str, Any]:
        return {"short": text[:2], "long": text * 2, "rest": 1}

    state = built(LangChain(both, from_state("prompt"), {"short": update_state("a"), "long": append_state("b")}), prompt="abc", b=[]).run()[2]

    assert ("ab", ["abcabc"]) == (state["a"], state["b"])


def test_messages_are_kept_as_they_are(tmp_path: Path) -> None:
    """A message in the state is one when it is read back from the record."""
    with gv.init(tmp_path / "work"):
        app = built(LangChain(MODEL, from_state("prompt"), append_state("messages")), prompt="Hi", messages=[])
        app.run()
        message = app.last_run.output[1]["messages"]

    assert app.state["messages"] == [message]
    assert (messages.AIMessage, "An otter.") == (type(message), message.content)


def test_it_streams() -> None:
    """Chunks as they come, their sum as the result; a message's chunks become the message."""
    app = built(StreamingLangChain(chain, TOPIC, update_state("answer")), prompt="otters")
    _, stream = app.stream_result(halt_after=["ask"])
    pieces = [part["answer"] for part in stream]

    assert len(pieces) > 3
    assert "An otter." == "".join(pieces) == stream.get()[1]["answer"]
    message = built(StreamingLangChain(MODEL, from_state("prompt"), update_state("answer")), prompt="Hi").run()[2]["answer"]
    assert (messages.AIMessage, "An otter.") == (type(message), message.content)


def test_chunks_that_do_not_add_up_replace_each_other() -> None:
    """As in LangChain."""

    def numbers(given: Iterator[Any]) -> Iterator[Any]:
        yield from (None, {"n": 1}, object)

    assert object is built(StreamingLangChain(runnables.RunnableGenerator(numbers), from_state("prompt"), update_state("a")), prompt=1).run()[2]["a"]


def test_it_is_awaited() -> None:
    """`ainvoke` and `astream`."""

    async def shout(text: str) -> str:
        return text.upper()

    async def letters(given: AsyncIterator[str]) -> AsyncIterator[str]:
        async for text in given:
            for each in text:
                yield each

    async def ran() -> Any:
        said = (await built(AsyncLangChain(runnables.RunnableLambda(shout), from_state("prompt"), update_state("a")), prompt="abc").arun())[2]["a"]
        app = built(AsyncStreamingLangChain(runnables.RunnableGenerator(letters), from_state("prompt"), update_state("a")), prompt="abc")
        _, stream = await app.astream_result(halt_after=["ask"])
        pieces = [each["a"] async for each in stream]
        return said, pieces, (await stream.get())[1]["a"]

    assert ("ABC", ["a", "b", "c"], "abc") == asyncio.run(ran())


def test_what_it_raises_leads_on() -> None:
    """As in any action."""

    def fail(_: Any) -> Any:
        raise ConnectionError("down")

    app = (
        ApplicationBuilder()
        .with_actions(ask=LangChain(fail, from_state("prompt"), update_state("a")), instead=LangChain(chain, TOPIC, update_state("a")))
        .with_transitions(("ask", "instead", on_error(ConnectionError)))
        .with_state(prompt="otters")
        .build()
    )

    assert "An otter." == app.run()[2]["a"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((3, from_state("a"), update_state("b")), "int .3. is no runnable of LangChain"),
        ((chain, "prompt", update_state("b")), r"inputs of LangChain is str"),
        ((chain, {"topic": "prompt"}, update_state("b")), r"inputs\['topic'\] of LangChain is str"),
        ((chain, TOPIC, "b"), "outputs of LangChain is str"),
        ((chain, TOPIC, {}), "LangChain has no outputs"),
    ],
)
def test_what_does_not_fit_is_told_where_it_is_typed(arguments: Any, told: str) -> None:
    """Before anything runs."""
    with pytest.raises(ActionFault, match=told) as raised:
        LangChain(*arguments)

    assert raised.value.hint


def test_a_result_that_does_not_fit_is_told() -> None:
    """No dict where outputs have names; no such key, with the near ones."""
    with pytest.raises(ActionFault, match="has outputs by name, and the runnable returned str"):
        built(LangChain(chain, TOPIC, {"text": update_state("a")}), prompt="x").run()
    with pytest.raises(ActionFault, match="no key in the runnable's result 'texd'") as raised:
        built(LangChain(lambda _: {"text": 1}, from_state("prompt"), {"texd": update_state("a")}), prompt="x").run()
    assert "text" in str(raised.value.hint)


def test_without_langchain_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When an action is made."""
    monkeypatch.setitem(sys.modules, "langchain_core.runnables.base", None)
    with pytest.raises(UsageFault, match="not installed") as raised:
        LangChain(chain, TOPIC, update_state("a"))

    assert "pip install langchain-core" in str(raised.value.hint)


def test_a_description_changes_with_what_it_describes() -> None:
    """With a prompt, a parameter, what a function closed over; it is the same each time, and has no keys."""

    class Client:
        def __init__(self, url: str) -> None:
            self.url, self.api_key, self.lock = url, "sk-very-secret", object()

    def closing(number: int, client: Any) -> Any:
        return lambda x: (x, number, client)

    first, again, other = (Description([chain, closing(n, Client("u"))]).text for n in (1, 1, 2))
    assert first == again != other
    assert Description(PROMPT | MODEL).text != Description(chain).text
    assert "sk-very-secret" not in first
    assert "Tell of {topic}." in first
    knot: list[Any] = []
    knot.append(knot)
    assert "list" in Description(knot).text


PROGRAM = '''
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import PromptTemplate
from gvstore.machine import ApplicationBuilder
from gvstore.machine.integrations.langchain import LangChain, from_state, update_state


def shout(text):
    return text.upper()


chain = PromptTemplate.from_template("Tell of {topic}.") | FakeListChatModel(responses=["An otter."]) | StrOutputParser()
loud = StrOutputParser() | shout | (lambda text: text + "!")
application = (
    ApplicationBuilder()
    .with_actions(ask=LangChain(chain, {"topic": from_state("prompt")}, update_state("answer")), louder=LangChain(loud, from_state("answer"), update_state("loud")))
    .with_transitions(("ask", "louder"))
    .with_state(prompt="otters")
    .build()
)
'''


def test_an_edit_in_a_chain_makes_just_it_stale(gv: Any) -> None:
    """A prompt, a function, a lambda; the diff shows it."""
    app = gv.write("app.py", PROGRAM)
    gv("init")
    gv("run", "app.py:application")

    for before, after, stale in (('"!"', '"!!"', "loud"), ("Tell of", "Sing of", "chain")):
        app.write_text(app.read_text().replace(before, after))
        assert f"stale: app.{stale} changed" in replayed(gv.folder).stderr
    assert "loud='AN OTTER.!!'" in gv("show").out
    assert "Sing of {topic}." in gv("diff", "RUN~1", "RUN").out
