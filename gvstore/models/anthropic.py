"""Models of Anthropic, by its messages API.

    POST {ANTHROPIC_BASE_URL}/v1/messages          answer: JSON, or a stream of events

`ANTHROPIC_API_KEY` holds the key.  The API knows no seed, no penalties and no
samples: `n` answers are asked for one by one.

Source: https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from gvstore.models.endpoint import Access, Endpoint, endpoint_of
from gvstore.models.failure import AnswerBroken, AnswerCut, AnswerFiltered, RequestRefused, failure_of_event
from gvstore.models.http import ask, ask_events
from gvstore.models.openai import check_filled
from gvstore.models.pieces import Pieces, spelled
from gvstore.models.protocol import Completion, Message, OnText, Options, ToolCall

ACCESS = Access(
    "anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY", "x-api-key",
    headers={"anthropic-version": "2023-06-01"},
)  # fmt: skip
_PATH = "/v1/messages"
_MAX_TOKENS = 4096  # the API wants a number
_FINISHED = {"max_tokens": "length", "model_context_window_exceeded": "length", "tool_use": "tool_calls"}


class AnthropicModel:
    """A `ChatModel` behind Anthropic's messages API."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.name, self._endpoint = name, endpoint

    @classmethod
    def make(cls, name: str, environment: Mapping[str, str], settings: Mapping[str, object]) -> AnthropicModel:
        """Returns the model, at the endpoint that environment and settings tell; nothing is sent yet."""
        return cls(name, endpoint_of(ACCESS, environment, settings))

    def complete(self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None) -> Completion:
        """Returns the model's answer; see `ChatModel.complete`.  It is streamed if somebody listens."""
        body = self._body(messages, options)
        first, *rest = (self._ask(dict(body), options, None if number else on_text) for number in range(options.n))
        if not rest:
            return first
        every = (first, *rest)
        return replace(
            first,
            samples=tuple(each.text for each in every),
            prompt_tokens=sum(each.prompt_tokens for each in every),
            completion_tokens=sum(each.completion_tokens for each in every),
        )

    def _ask(self, body: dict[str, Any], options: Options, on_text: OnText | None) -> Completion:
        answer = _Answer(self.name, options, self._endpoint, on_text)
        if on_text is None:
            answer.take_whole(ask(self._endpoint, _PATH, body, model=self.name, extra="anthropic"))
        else:
            body["stream"] = True
            with closing(ask_events(self._endpoint, _PATH, body, model=self.name, extra="anthropic")) as events:
                for event in events:
                    answer.take(event)
        return answer.completion()

    def _body(self, messages: Sequence[Message], options: Options) -> dict[str, Any]:
        for name in ("frequency_penalty", "presence_penalty"):
            if getattr(options, name):
                raise RequestRefused(self.name, f"Anthropic's API has no {name}", hint=f"Leave {name} out for this model.")
        system = "\n\n".join(message.content for message in messages if message.role == "system")
        wanted = {
            "max_tokens": options.max_tokens or _MAX_TOKENS,
            "system": system or None,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "stop_sequences": list(options.stop) or None,
            "tools": [
                {"name": tool.name, "description": tool.description, "input_schema": tool.parameters} for tool in options.tools
            ] or None,
            "output_config": None
            if options.schema is None
            else {"format": {"type": "json_schema", "schema": options.schema}},
        }  # fmt: skip
        body: dict[str, Any] = {"model": self.name, "messages": _turns(messages)}
        return body | {key: value for key, value in wanted.items() if value is not None}


class _Answer:
    """An answer being put together from events."""

    def __init__(self, model: str, options: Options, endpoint: Endpoint, on_text: OnText | None) -> None:
        self._model, self._options, self._endpoint = model, options, endpoint
        self._text = Pieces(on_text)
        self._calls: dict[int, list[str]] = {}
        self._answered = self._finish = ""
        self._prompt_tokens = self._completion_tokens = 0

    def take_whole(self, message: Mapping[str, Any]) -> None:
        """Takes an answer that came whole.

        Raises:
            ModelFailed: it tells of an error, or has not the form of an answer.
        """
        if "error" in message or not isinstance(message.get("content"), list):
            self.take({**message, "type": None})
        self.take({"type": "message_start", "message": message})
        for at, block in enumerate(message["content"]):
            self.take({"type": "content_block_start", "index": at, "content_block": block})
        self.take({"type": "message_delta", "delta": message, "usage": message.get("usage")})

    def take(self, event: Mapping[str, Any]) -> None:
        """Takes one event.

        Raises:
            ModelFailed: it tells of an error, or has not the form of an answer.
        """
        kind = event.get("type")
        if kind == "message":  # whole, where a stream was asked for
            self.take_whole(event)
            return
        if kind == "error" or "error" in event:
            raise failure_of_event(self._model, event, self._endpoint.clean)
        try:
            piece = self._take(str(kind), event)
        except (AttributeError, TypeError, ValueError, KeyError):
            broken = AnswerBroken(self._model, f"{self._endpoint.shown} answers otherwise than the messages API does")
        else:
            self._text.add(piece)  # out here: what a listener raises is its own
            return
        raise broken

    def _take(self, kind: str, event: Mapping[str, Any]) -> str:
        """Takes one event; returns the text that came."""
        if kind == "message_start":
            message = event["message"]
            self._answered = str(message.get("model") or "")
            self._count(message.get("usage") or {})
        elif kind == "content_block_start":
            block = event["content_block"]
            if block["type"] == "text":
                return _checked(block.get("text") or "")
            elif block["type"] == "tool_use":
                given = block.get("input")
                self._calls[int(event["index"])] = [block["id"], block["name"], json.dumps(given) if given else ""]
        elif kind == "content_block_delta":
            delta = event["delta"]
            if delta["type"] == "text_delta":
                return _checked(delta["text"])
            elif delta["type"] == "input_json_delta":
                self._calls[int(event["index"])][2] += delta["partial_json"]
        elif kind == "message_delta":
            self._finish = str(event["delta"].get("stop_reason") or self._finish)
            self._count(event.get("usage") or {})
        elif kind == "None":
            raise ValueError("no event")
        return ""

    def _count(self, usage: Mapping[str, Any]) -> None:
        read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        self._prompt_tokens = sum(int(usage.get(name) or 0) for name in read) or self._prompt_tokens
        self._completion_tokens = int(usage.get("output_tokens") or 0) or self._completion_tokens

    def completion(self) -> Completion:
        """Returns what the events made.

        Raises:
            ModelFailed: it is no answer.
        """
        text, finish = self._text.end(), self._finish
        calls = tuple(ToolCall(*map(spelled, (id_, name, given or "{}"))) for _, (id_, name, given) in sorted(self._calls.items()))
        if finish == "refusal":
            raise AnswerFiltered(self._model, "the model refused to answer")
        if not finish:
            raise AnswerCut(self._model, f"{self._endpoint.shown} ended the answer in the midst of it")
        check_filled(self._model, text, _FINISHED.get(finish, "stop"), calls, self._options, self._completion_tokens)
        return Completion(
            text=text,
            model=spelled(self._answered) or self._model,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            finish_reason="tool_calls" if calls else _FINISHED.get(finish, "stop"),
            seed=None,
            tool_calls=calls,
        )


def _checked(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(type(text))
    return text


def _turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Returns the turns as the API takes them: tool answers stand in the user's turn, and turns of one role are joined."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += _blocks(message)
        else:
            turns.append({"role": role, "content": _blocks(message)})
    return turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.content}] if message.content else []
    for call in message.tool_calls:
        try:
            given = json.loads(call.arguments)
        except (ValueError, RecursionError):
            given = {}
        blocks.append({"type": "tool_use", "id": call.id, "name": call.name, "input": given if isinstance(given, dict) else {}})
    return blocks
