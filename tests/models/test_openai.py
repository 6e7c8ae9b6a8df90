"""OpenAI's chat completions, asked of a real server on the loopback interface: requests, answers, streams, tools, schemas."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from gvstore.models import Completion, Settings, ToolCall, chat, complete, http, using
from gvstore.models.fault import BadModelSetting, KeyMissing, ModelNotInstalled
from gvstore.models.openai import is_strict
from tests.models.conftest import KEY
from tests.models.endpoint import USAGE, LoopbackServer, delta, events, status
from tests.models.endpoint import chat as whole

MODEL = "openai:gpt-test"
TURNS = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Name an animal."}]


def test_what_is_asked_and_answered(server: LoopbackServer) -> None:
    """Messages, the model's own name, the key in its header; nothing is sent of an option that was not given."""
    server.plan(whole("An otter."))

    answer = complete(TURNS, model=MODEL)

    assert Completion("An otter.", "gpt-test-2026-01-01", 12, 5, "stop", None) == answer
    [asked] = server.asked
    assert ("/v1/chat/completions", f"Bearer {KEY}") == (asked.path, asked.headers["authorization"])
    assert {"model": "gpt-test", "messages": TURNS} == asked.body


def test_options_are_sent(server: LoopbackServer) -> None:
    """All of them, by the endpoint's names."""
    server.plan(whole("Otter"))

    answer = complete(
        "Hi", model=MODEL, max_tokens=9, temperature=0.5, top_p=0.9, frequency_penalty=0.1, presence_penalty=0.0, seed=4, stop=["."]
    )

    expected = {
        "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "frequency_penalty": 0.1, "presence_penalty": 0.0, "seed": 4, "stop": ["."],
    }  # fmt: skip
    assert expected == {key: value for key, value in server.asked[0].body.items() if key not in ("model", "messages")}
    assert 4 == answer.seed


def test_pieces_come_as_they_are_streamed(server: LoopbackServer) -> None:
    """The pieces, joined, are the text; the usage comes last; events may come in any cut."""
    pieces: list[str] = []
    server.plan(events(b": hello\r\n\r\nda", b"ta: " + json.dumps(delta("An ")).encode() + b"\r\n", b"\r\n", delta("otter."), delta(finish="stop"), USAGE))

    answer = complete("Hi", model=MODEL, on_text=pieces.append)

    assert ["An ", "otter."] == pieces
    assert Completion("An otter.", "gpt-test-2026-01-01", 12, 5, "stop", None) == answer
    assert server.asked[0].body["stream"] is True


def test_an_endpoint_may_answer_whole_where_a_stream_was_asked_for(server: LoopbackServer) -> None:
    """One piece, then."""
    pieces: list[str] = []
    server.plan(whole("An otter."))

    assert "An otter." == chat("Hi", model=MODEL, on_text=pieces.append)
    assert ["An otter."] == pieces


def test_text_is_spelled_as_utf8_can(server: LoopbackServer) -> None:
    """Halves of a surrogate pair that come apart are joined; one alone is replaced."""
    parts = [delta("a"), delta("\ud83d"), delta("\ude00 \udfff"), delta(finish="stop")]
    server.plan(events(*parts))
    pieces: list[str] = []

    assert "a😀 �" == chat("Hi", model=MODEL, on_text=pieces.append)
    assert "a😀 �" == "".join(pieces)


def test_several_samples(server: LoopbackServer) -> None:
    """One request; the texts in their order, tokens of all."""
    choices = [{"index": at, "message": {"content": text}, "finish_reason": "stop"} for at, text in ((1, "b"), (0, "a"), (2, "c"))]
    server.plan(status(200, {"choices": choices, "usage": {"prompt_tokens": 1, "completion_tokens": 3}}))

    answer = complete("Hi", model=MODEL, n=3)

    assert (("a", "b", "c"), "a", 3, 3) == (answer.samples, answer.text, answer.completion_tokens, server.asked[0].body["n"])


def test_tools_are_offered_and_called(server: LoopbackServer) -> None:
    """Whole and streamed: the arguments are the model's text, put together; the next turn carries call and answer."""
    tools = [{"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}}]
    function = {"name": "add", "arguments": '{"a": 1}'}
    server.plan(
        whole(None, finish="tool_calls", tool_calls=[{"id": "c1", "type": "function", "function": function}]),
        events(
            delta(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
            delta(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
            delta(finish="tool_calls"),
            USAGE,
        ),
        whole("1"),
    )

    asked, streamed = (complete("Hi", model=MODEL, tools=tools, on_text=listener) for listener in (None, lambda _: None))

    assert asked == streamed
    assert ((ToolCall("c1", "add", '{"a": 1}'),), "tool_calls", "") == (asked.tool_calls, asked.finish_reason, asked.text)
    call = {"id": "c1", "name": "add", "arguments": '{"a": 1}'}
    complete([
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "c1"},
    ], model=MODEL)  # fmt: skip
    assert [{"id": "c1", "type": "function", "function": function}] == server.asked[2].body["messages"][1]["tool_calls"]
    assert {"role": "tool", "tool_call_id": "c1", "content": "1"} == server.asked[2].body["messages"][2]


SCHEMA = {
    "type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False,
}  # fmt: skip


def test_an_answer_to_a_schema_is_a_value(server: LoopbackServer) -> None:
    """The endpoint is told of the schema, strictly where it is of that kind."""
    server.plan(whole('{"n": 3}'))

    assert {"n": 3} == complete("Hi", model=MODEL, schema=SCHEMA).value
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    assert form == server.asked[0].body["response_format"]


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (SCHEMA, True),
        ({"type": "object"}, False),
        (SCHEMA | {"required": []}, False),
        ({"type": "array", "items": SCHEMA}, True),
        ({"anyOf": [SCHEMA, {"type": "object", "properties": {}}]}, False),
    ],
    ids=repr,
)
def test_strictness_is_only_asked_for_where_it_can_be_had(schema: Mapping[str, Any], strict: bool) -> None:
    """Objects without other properties, all of them required."""

    assert strict == is_strict(schema)


def test_an_endpoint_of_ones_own_needs_no_key(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's own does, and says so before anything is sent; so does a setting that cannot be meant."""
    monkeypatch.delenv("OPENAI_API_KEY")
    server.plan(whole("Hi"))

    assert "Hi" == chat("Hi", model=MODEL)
    assert "authorization" not in server.asked[0].headers
    monkeypatch.delenv("OPENAI_BASE_URL")
    with pytest.raises(KeyMissing, match="OPENAI_API_KEY is not set"):
        chat("Hi", model=MODEL)


def test_settings_say_where_and_with_which_key(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their address outranks the environment's; the key's variable can be named."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/elsewhere")
    monkeypatch.setenv("HOUSE_KEY", "house-key-1234")
    server.plan(whole("Hi"))
    with using(Settings(options={"openai": {"base_url": f"{server.url}/house/?v=2", "key_env": "HOUSE_KEY"}})):
        chat("Hi", model=MODEL)

    assert ("/house/chat/completions?v=2", "Bearer house-key-1234") == (server.asked[0].path, server.asked[0].headers["authorization"])


def test_a_password_in_the_address_is_sent_as_one(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """As basic authentication, where there is no key."""
    monkeypatch.delenv("OPENAI_API_KEY")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url.replace("http://", "http://ada:love%20lace@"))
    server.plan(whole("Hi"))
    chat("Hi", model=MODEL)

    assert "Basic YWRhOmxvdmUgbGFjZQ==" == server.asked[0].headers["authorization"]


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/", "http://", "http://a b/", "http://x:port/", "/v1", "http://[::1"])
def test_an_address_that_is_none_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the name of the variable, without quoting what may hold a password."""
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(BadModelSetting, match=r"^OPENAI_BASE_URL is no address") as caught:
        chat("Hi", model=MODEL)

    assert url.strip("/") not in str(caught.value).replace("is no address of http or https", "")


def test_a_key_with_a_line_end_is_refused(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header cannot carry it, and it is not quoted."""
    monkeypatch.setenv("OPENAI_API_KEY", "one\ntwo")
    with pytest.raises(BadModelSetting, match="OPENAI_API_KEY holds what no header can carry"):
        chat("Hi", model=MODEL)


def test_headers_and_keys_of_the_settings(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables are filled in when the call is made; a header of one's own outranks ours."""
    monkeypatch.setenv("TEAM_TOKEN", "team-token-1")
    server.plan(whole("Hi"))
    options = {"api_key": "${env:TEAM_TOKEN}", "headers": {"X-Team": "otters ${env:TEAM_TOKEN}"}}
    with using(Settings(options={"openai": options})):
        chat("Hi", model=MODEL)
    with using(Settings(options={"openai": {"headers": {"Authorization": "Basic x"}}})):
        chat("Hi", model=MODEL)

    assert ("Bearer team-token-1", "otters team-token-1") == (server.asked[0].headers["authorization"], server.asked[0].headers["x-team"])
    assert "Basic x" == server.asked[1].headers["authorization"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"headers": 3}, r"models\.openai\.headers is a table"),
    ({"headers": {"a b": "c"}}, "has 'a b', which is no header"),
    ({"headers": {"Host": "c"}}, "has 'Host', which is no header that can be set"),
    ({"headers": {"X": "a\nb"}}, r"headers\.X holds what no header can carry"),
    ({"headers": {"X": 3}}, r"headers\.X is text, not int"),
    ({"api_key": 3}, r"api_key is text, not int"),
    ({"timeout_s": "long"}, "timeout_s is a number of seconds"),
]


@pytest.mark.parametrize(("options", "says"), BAD, ids=str)
def test_settings_that_cannot_be_meant(options: dict[str, Any], says: str, server: LoopbackServer) -> None:
    """Are told by their names, before anything is sent."""
    with using(Settings(options={"openai": options})), pytest.raises(BadModelSetting, match=says):
        chat("Hi", model=MODEL)


def test_a_variable_that_is_not_set(server: LoopbackServer) -> None:
    """Is told by its name."""
    for options in ({"api_key": "${env:NO_SUCH}"}, {"headers": {"X": "${env:NO_SUCH}"}}):
        with using(Settings(options={"openai": options})), pytest.raises(KeyMissing, match="NO_SUCH is not set"):
            chat("Hi", model=MODEL)


def test_what_is_not_installed_is_told(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra to install."""
    http.close()
    monkeypatch.setitem(sys.modules, "httpx2", None)
    for model, extra in ((MODEL, "openai"), ("anthropic:claude-test", "anthropic")):
        with pytest.raises(ModelNotInstalled, match="needs httpx2, which is not installed") as caught:
            chat("Hi", model=model)

        assert f'Run `pip install ".[{extra}]"` in the clone, or `pip install "gvstore[{extra}]"`.' == caught.value.hint
