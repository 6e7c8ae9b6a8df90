"""Anthropic's messages API, asked of a real server on the loopback interface."""

from __future__ import annotations

import pytest

from gvstore.models import Completion, Settings, ToolCall, chat, complete, failure, using
from gvstore.models.attempts import NO_RETRY
from gvstore.models.fault import ContextOverflow, KeyMissing, ModelFailed
from tests.models.conftest import KEY
from tests.models.endpoint import LoopbackServer, Reply, events, hang_up, status

MODEL = "anthropic:claude-test"
USED = {"input_tokens": 12, "output_tokens": 5}


def message(*blocks: dict[str, object], stop: str = "end_turn") -> dict[str, object]:
    return {"type": "message", "role": "assistant", "model": "claude-test-1", "content": [*blocks], "stop_reason": stop, "usage": USED}


def text(said: str) -> dict[str, object]:
    return {"type": "text", "text": said}


def stream(*inner: object, stop: str = "end_turn", cut: bool = False) -> Reply:
    began = {"type": "message_start", "message": {"model": "claude-test-1", "usage": {"input_tokens": 12, "output_tokens": 1}}}
    ended = [
        {"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 5}},
        {"type": "message_stop"},
    ]
    return events(began, {"type": "ping"}, *inner, *([] if cut else ended), end=b"", named=True)


def block_delta(at: int, **delta: object) -> dict[str, object]:
    return {"type": "content_block_delta", "index": at, "delta": delta}


def test_what_is_asked_and_answered(server: LoopbackServer) -> None:
    """The system prompt apart, the key in its header, a number of tokens always; nothing of what was not given."""
    server.plan(status(200, message(text("An "), text("otter."))))

    answer = complete([{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}], model=MODEL)

    assert Completion("An otter.", "claude-test-1", 12, 5, "stop", None) == answer
    [asked] = server.asked
    assert ("/v1/messages", KEY, "2023-06-01") == (asked.path, asked.headers["x-api-key"], asked.headers["anthropic-version"])
    turns = [{"role": "user", "content": [text("Hi")]}]
    assert {"model": "claude-test", "system": "Be short.", "max_tokens": 4096, "messages": turns} == asked.body


def test_pieces_come_as_they_are_streamed(server: LoopbackServer) -> None:
    """The pieces, joined, are the text."""
    pieces: list[str] = []
    begun = {"type": "content_block_start", "index": 0, "content_block": text("")}
    server.plan(stream(begun, block_delta(0, type="text_delta", text="An "), block_delta(0, type="text_delta", text="otter.")))

    answer = complete("Hi", model=MODEL, on_text=pieces.append)

    assert (["An ", "otter."], Completion("An otter.", "claude-test-1", 12, 5, "stop", None)) == (pieces, answer)


def test_tools_are_offered_and_called(server: LoopbackServer) -> None:
    """Whole and streamed; answers of tools stand in one turn of the user."""
    tools = [{"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}]
    use = {"type": "tool_use", "id": "t1", "name": "add"}
    begun = {"type": "content_block_start", "index": 1, "content_block": {**use, "input": {}}}
    parts = (block_delta(1, type="input_json_delta", partial_json=part) for part in ("", '{"a"', ": 1}"))
    server.plan(
        status(200, message({**use, "input": {"a": 1}}, stop="tool_use")), stream(begun, *parts, stop="tool_use"), status(200, message(text("1")))
    )

    asked, streamed = (complete("Hi", model=MODEL, tools=tools, on_text=listener) for listener in (None, lambda _: None))

    assert asked == streamed
    assert ((ToolCall("t1", "add", '{"a": 1}'),), "tool_calls") == (asked.tool_calls, asked.finish_reason)
    assert [{"name": "add", "description": "Adds.", "input_schema": tools[0]["parameters"]}] == server.asked[0].body["tools"]
    calls = [{"id": f"t{number}", "name": "add", "arguments": given} for number, given in enumerate(('{"a": 1}', "{oh"))]
    answers = [{"role": "tool", "tool_call_id": f"t{number}", "content": f"{number}"} for number in range(2)]
    complete([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "", "tool_calls": calls}, *answers], model=MODEL)
    _, second, third = server.asked[2].body["messages"]
    assert [{"a": 1}, {}] == [block["input"] for block in second["content"]]
    assert ("user", [("t0", "0"), ("t1", "1")]) == (third["role"], [(b["tool_use_id"], b["content"]) for b in third["content"]])


def test_several_samples_are_several_requests(server: LoopbackServer) -> None:
    """Their tokens add up."""
    server.plan(*(status(200, message(text(each))) for each in "abc"))

    answer = complete("Hi", model=MODEL, n=3)

    assert (("a", "b", "c"), 36, 15, 3) == (answer.samples, answer.prompt_tokens, answer.completion_tokens, len(server.asked))


def test_a_schema_is_told(server: LoopbackServer) -> None:
    """As the format of the output."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    server.plan(status(200, message(text('{"n": 3}'))))

    assert {"n": 3} == complete("Hi", model=MODEL, schema=schema).value
    assert {"format": {"type": "json_schema", "schema": schema}} == server.asked[0].body["output_config"]


def error(kind: str) -> dict[str, object]:
    return {"type": "error", "error": {"type": kind, "message": "Oh no"}}


WAYS: dict[str, tuple[Reply, type[ModelFailed]]] = {
    "key": (status(401, error("authentication_error")), failure.KeyRefused),
    "overloaded": (status(529, error("overloaded_error")), failure.EndpointFailed),
    "too long": (status(400, {"type": "error", "error": {"message": "prompt is too long: 9 tokens"}}), ContextOverflow),
    "another form": (status(200, {"choices": []}), failure.AnswerBroken),
    "no text": (status(200, message(text(""))), failure.AnswerEmpty),
    "refusal": (status(200, message(text("No"), stop="refusal")), failure.AnswerFiltered),
    "text is none": (status(200, message({"type": "text", "text": 3})), failure.AnswerBroken),
    "hung up": (hang_up, failure.AnswerCut),
    "cut": (stream(block_delta(0, type="text_delta", text="An "), cut=True), failure.AnswerCut),
    "error in a stream": (stream(error("rate_limit_error")), failure.RateLimited),
    "nonsense in a stream": (stream({"type": "content_block_delta"}), failure.AnswerBroken),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_each_way_to_fail(way: str, streamed: bool, server: LoopbackServer) -> None:
    """Has its class, whole or as a stream."""
    reply, kind = WAYS[way]
    server.plan(reply)
    if not streamed and kind is not failure.AnswerCut and "stream" in way:
        kind = failure.AnswerBroken  # events, where none were asked for
    if not streamed and way == "cut":
        kind = failure.AnswerBroken
    with using(Settings(backoff=NO_RETRY)), pytest.raises(kind) as caught:
        chat("Hi", model=MODEL, on_text=(lambda _: None) if streamed else None)

    assert kind is type(caught.value)


def test_what_the_api_has_not_is_refused(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A penalty of 0 is none; without a key nothing is sent to Anthropic."""
    server.plan(status(200, message(text("Hi"))))

    assert "Hi" == chat("Hi", model=MODEL, frequency_penalty=0, presence_penalty=0.0)
    with pytest.raises(failure.RequestRefused, match="no presence_penalty"):
        chat("Hi", model=MODEL, presence_penalty=0.5)
    monkeypatch.delenv("ANTHROPIC_BASE_URL")
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(KeyMissing, match="ANTHROPIC_API_KEY is not set"):
        chat("Hi", model=MODEL)
