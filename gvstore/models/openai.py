"""Models of OpenAI, and of any endpoint that speaks its chat completions.

    POST {OPENAI_BASE_URL}/chat/completions        answer: JSON, or a stream of events

`OPENAI_API_KEY` holds the key; an endpoint of one's own needs none.  The form
of request and answer is here, the connection in `http`.

Source: https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from gvstore.models.endpoint import Access, Endpoint, endpoint_of
from gvstore.models.failure import AnswerBroken, AnswerCut, AnswerEmpty, AnswerFiltered, failure_of_event
from gvstore.models.http import ask, ask_events
from gvstore.models.pieces import Pieces, spelled
from gvstore.models.protocol import Completion, Message, OnText, Options, ToolCall

ACCESS = Access(
    "openai", "https://api.openai.com/v1", "OPENAI_BASE_URL", "OPENAI_API_KEY", "authorization", key_prefix="Bearer "
)
_PATH = "/chat/completions"
_FINISHED = {"stop": "stop", "length": "length", "tool_calls": "tool_calls", "function_call": "tool_calls"}


class OpenAIModel:
    """A `ChatModel` at an endpoint that speaks OpenAI's chat completions."""

    def __init__(self, name: str, endpoint: Endpoint) -> None:
        self.name, self._endpoint = name, endpoint

    @classmethod
    def make(cls, name: str, environment: Mapping[str, str], settings: Mapping[str, object]) -> OpenAIModel:
        """Returns the model, at the endpoint that environment and settings tell; nothing is sent yet."""
        return cls(name, endpoint_of(ACCESS, environment, settings))

    def complete(self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None) -> Completion:
        """Returns the model's answer; see `ChatModel.complete`.  It is streamed if somebody listens."""
        body = self._body(messages, options)
        answer = _Answer(self.name, options, self._endpoint, on_text)
        if on_text is None:
            answer.take(ask(self._endpoint, _PATH, body, model=self.name, extra="openai"))
        else:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
            # Closed here and now: an exception on its way out keeps the generator alive, and the connection open.
            with closing(ask_events(self._endpoint, _PATH, body, model=self.name, extra="openai")) as events:
                for event in events:
                    answer.take(event)
        return answer.completion()

    def _body(self, messages: Sequence[Message], options: Options) -> dict[str, Any]:
        own = urlsplit(self._endpoint.base_url).hostname == urlsplit(ACCESS.default_url).hostname
        wanted = {
            # OpenAI's newer models take the new name only, most other endpoints the old one only.
            "max_completion_tokens" if own else "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "frequency_penalty": options.frequency_penalty,
            "presence_penalty": options.presence_penalty,
            "seed": options.seed if options.seeded else None,  # not every endpoint takes one
            "stop": list(options.stop) or None,
            "n": options.n if options.n > 1 else None,
            "tools": [_tool(tool.name, tool.description, tool.parameters) for tool in options.tools] or None,
        }
        body: dict[str, Any] = {"model": self.name, "messages": [_format(message) for message in messages]}
        if options.schema is not None:
            form = {"name": "answer", "schema": options.schema, "strict": is_strict(options.schema)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        return body | {key: value for key, value in wanted.items() if value is not None}


class _Answer:
    """An answer being put together from events; one that came whole is one event."""

    def __init__(self, model: str, options: Options, endpoint: Endpoint, on_text: OnText | None) -> None:
        self._model, self._options, self._endpoint = model, options, endpoint
        self._texts = [Pieces(on_text if number == 0 else None) for number in range(options.n)]
        self._finish: dict[int, str] = {}
        self._calls: dict[int, list[str]] = {}
        self._answered = ""
        self._refusal = ""
        self._tokens = (0, 0)

    def take(self, event: Mapping[str, Any]) -> None:
        """Takes one event.

        Raises:
            ModelFailed: it tells of an error, or has not the form of an answer.
        """
        if event.get("error"):
            raise failure_of_event(self._model, event, self._endpoint.clean)
        try:
            come = [self._choice(choice) for choice in event.get("choices") or ()]
            if usage := event.get("usage"):
                self._tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            self._answered = str(event.get("model") or self._answered)
        except (AttributeError, TypeError, ValueError, KeyError, IndexError):
            broken = AnswerBroken(self._model, f"{self._endpoint.shown} answers otherwise than chat completions do")
        else:
            for number, piece in come:  # out here: what a listener raises is its own
                self._texts[number].add(piece)
            return
        raise broken

    def _choice(self, choice: Mapping[str, Any]) -> tuple[int, str]:
        """Takes one choice; returns its number, and the text that came."""
        number = int(choice.get("index") or 0)
        said: Mapping[str, Any] = choice.get("delta") or choice.get("message") or {}
        content = said.get("content")
        if isinstance(content, list):  # parts; what is no text is none of ours
            content = "".join(part.get("text") or "" for part in content)
        if not isinstance(content, str | None):
            raise TypeError(type(content))
        if not 0 <= number < len(self._texts):
            raise IndexError(number)
        self._refusal += said.get("refusal") or ""
        for at, call in enumerate(said.get("tool_calls") or ()):
            parts = self._calls.setdefault(int(call.get("index", at)), ["", "", ""])
            function = call.get("function") or {}
            parts[0] = call.get("id") or parts[0]
            parts[1] = parts[1] or function.get("name") or ""
            parts[2] += function.get("arguments") or ""
        if finish := choice.get("finish_reason") or ("stop" if "message" in choice else ""):
            self._finish[number] = str(finish)
        return number, content or ""

    def completion(self) -> Completion:
        """Returns what the events made.

        Raises:
            ModelFailed: it is no answer.
        """
        options = self._options
        texts = [text.end() for text in self._texts]
        calls = tuple(
            ToolCall(spelled(id_) or f"call_{at}", spelled(name), spelled(arguments))
            for at, (id_, name, arguments) in sorted(self._calls.items())
        )
        finish = self._finish.get(0)
        if "content_filter" in self._finish.values():
            raise AnswerFiltered(self._model, "a content filter took the answer")
        if self._refusal:
            raise AnswerFiltered(self._model, f"the model refused: {self._endpoint.clean(spelled(self._refusal))[:200]}")
        if finish is None:
            if any(texts) or calls:
                raise AnswerCut(self._model, f"{self._endpoint.shown} ended the answer in the midst of it")
            raise AnswerEmpty(self._model, f"{self._endpoint.shown} answered without an answer in it")
        check_filled(self._model, texts[0], finish, calls, options, self._tokens[1])
        return Completion(
            text=texts[0],
            model=spelled(self._answered) or self._model,
            prompt_tokens=self._tokens[0],
            completion_tokens=self._tokens[1],
            finish_reason="tool_calls" if calls else _FINISHED.get(finish, "stop"),
            seed=options.seed if options.seeded else None,
            tool_calls=calls,
            samples=tuple(texts) if options.n > 1 else (),
        )


def check_filled(
    model: str, text: str, finish: str, calls: Iterable[ToolCall], options: Options, tokens: int
) -> None:
    """Raises AnswerEmpty for an answer of nothing, unless a stop text may have stood at its beginning."""
    if text or any(True for _ in calls) or (options.stop and finish == "stop"):
        return
    if finish == "length":
        spent = f", {tokens} were spent" if tokens else ""
        raise AnswerEmpty(model, f"no text within max_tokens{spent}", hint="Raise max_tokens: some models think before they write.")
    raise AnswerEmpty(model, "the answer is empty", hint="Sample again, or word the messages otherwise.")


def is_strict(schema: object) -> bool:
    """Returns whether a schema is of the kind that OpenAI holds a model to: objects with no other properties, all of them required."""
    if isinstance(schema, list):
        return all(map(is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    if schema.get("type") == "object":
        names = schema.get("properties", {})
        if schema.get("additionalProperties") is not False or set(schema.get("required", ())) != set(names):
            return False
    return all(map(is_strict, schema.values()))


def _format(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
    formatted: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        formatted["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return formatted


def _tool(name: str, description: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
