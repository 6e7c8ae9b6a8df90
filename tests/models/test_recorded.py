"""Answers that were given before: of a file, and of a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gvstore as gv
from gvstore.models import Settings, ToolCall, chat, complete, failure, using
from gvstore.models.fault import BadModelSetting
from gvstore.models.price import Price, PriceTable
from gvstore.models.recorded import RecordedModel
from tests.models.endpoint import LoopbackServer
from tests.models.endpoint import chat as whole


def lines(path: Path, *rows: object) -> str:
    """Writes a file of answers; returns the model's name."""
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return f"recorded:{path}"


def test_an_answer_is_found_by_its_messages(tmp_path: Path) -> None:
    """In their order for equal ones, the last for ever; lines without messages are for the rest, once each."""
    model = lines(
        tmp_path / "a.jsonl",
        {"messages": "one", "text": "1"},
        {"text": "any"},
        {"messages": [{"role": "user", "content": "two"}], "text": "2", "model": "better", "prompt_tokens": 3, "seed": 4},
        "",
        {"messages": "one", "text": "1 again"},
    )
    answers = [chat(question, model=model) for question in ("one", "two", "one", "one", "three", "two")]

    assert ["1", "2", "1 again", "1 again", "any", "2"] == answers
    answer = complete("two", model=model)
    assert ("better", 3, 0, 4, "stop") == (answer.model, answer.prompt_tokens, answer.completion_tokens, answer.seed, answer.finish_reason)
    with pytest.raises(failure.NoRecordedAnswer, match="nothing is recorded for 'four'"):
        chat("four", model=model)


def test_it_is_streamed_to_who_listens(tmp_path: Path) -> None:
    """In one piece."""
    pieces: list[str] = []

    assert "Hi" == chat("?", model=lines(tmp_path / "a.jsonl", {"text": "Hi"}), on_text=pieces.append)
    assert ["Hi"] == pieces


def test_failures_and_tool_calls_are_recorded_too(tmp_path: Path) -> None:
    """With arguments as JSON or as its text."""
    calls = [{"name": "add", "arguments": {"a": 1}}, {"id": "x", "name": "add", "arguments": "{oh"}]
    model = lines(tmp_path / "a.jsonl", {"text": "", "tool_calls": calls}, {"raises": "503 busy"})

    answer = complete("Hi", model=model)

    assert (ToolCall("call_0", "add", '{"a": 1}'), ToolCall("x", "add", "{oh")) == answer.tool_calls
    with pytest.raises(failure.EndpointFailed, match="503 busy"), using(Settings()):
        chat("Hi", model=model)


BAD = {
    "no JSON": ("{oh", "is no JSON"),
    "no object": ([1], "is no answer"),
    "no text": ({"messages": "Hi"}, "is no answer"),
    "text is none": ({"text": 3}, "its text is none"),
    "unknown key": ({"text": "", "txet": ""}, "has the key 'txet'; known: completion_tokens, "),
    "bad messages": ({"text": "", "messages": [{"role": "robot", "content": ""}]}, "has the role 'robot'"),
    "bad count": ({"text": "", "prompt_tokens": "many"}, "is no answer"),
    "bad call": ({"text": "", "tool_calls": ["add"]}, "is no answer"),
}


@pytest.mark.parametrize("way", BAD)
def test_lines_that_are_no_answers(way: str, tmp_path: Path) -> None:
    """Are told by file and line."""
    row, says = BAD[way]
    model = lines(tmp_path / "a.jsonl", {"text": "Hi"}, row)
    with pytest.raises(BadModelSetting, match=r"a\.jsonl:2 .*" + says):
        chat("Hi", model=model)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """None there, no UTF-8; and what is no file is a run of the active repository, if there is one."""
    (tmp_path / "a.jsonl").write_bytes(b"\xff")
    for name, says in ((tmp_path / "b.jsonl", "cannot be read: No such file"), (tmp_path / "a.jsonl", "is no UTF-8"), ("run/1", "is no file, and no")):
        with pytest.raises(BadModelSetting, match=says):
            chat("Hi", model=f"recorded:{name}")


@gv.register
def two(model: str) -> list[str]:
    return [chat("one", model=model), chat("two", model=model), chat("one", model=model)]


def test_a_run_answers_as_it_was_answered(server: LoopbackServer, tmp_path: Path) -> None:
    """Each run that asks it from the beginning; nobody else is asked, and no tokens are counted."""
    server.plan(*(whole(text) for text in "abc"))
    prices = PriceTable({"gpt-test": Price(1.0, 1.0)})
    with gv.init(tmp_path / "work"), using(Settings(prices=prices)):
        first = gv.run(two, "openai:gpt-test")
        again = [gv.run(two, "recorded:run/1") for _ in range(2)]
        replayed = again[0].replay()
        with pytest.raises(failure.NoRecordedAnswer):
            gv.run(ask, "three", "recorded:1")
        counts = [dict(run.record.counts) for run in (first, *again)]

    assert 51 == first.record.counts["cost_microusd"]
    assert all(call.output.cost_microusd is None for call in again[0].invocation.get_children())
    assert [["a", "b", "c"]] * 4 == [first.output, *(run.output for run in again), replayed.output]
    assert (3, [36, None, None]) == (len(server.asked), [each.get("prompt_tokens") for each in counts])


@gv.register
def ask(question: str, model: str) -> str:
    return chat(question, model=model)


def test_an_edited_file_makes_its_calls_stale(tmp_path: Path) -> None:
    """All that asked it, also those that did not open it."""
    with gv.init(tmp_path / "work"):
        path = tmp_path / "work" / "answers.jsonl"
        model = lines(path, {"messages": "one", "text": "a"}, {"messages": "two", "text": "b"})
        run = gv.run(two, model)
        assert ["a", "b", "a"] == run.output == run.replay().output
        lines(path, {"messages": "one", "text": "c"}, {"messages": "two", "text": "d"})

        assert ["c", "d", "c"] == run.replay().output


def test_a_model_of_memory_needs_no_file() -> None:
    """For programs that make their answers themselves."""
    with pytest.raises(failure.NoRecordedAnswer):
        from gvstore.models.protocol import Message, Options

        RecordedModel("mine", []).complete([Message("user", "Hi")], Options(0))
