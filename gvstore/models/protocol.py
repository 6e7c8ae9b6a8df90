"""What a chat model is: messages and options in, a `Completion` out.

A model never prints, never reads the environment, and knows nothing of
recording; `completion.complete` is where a call becomes part of a run.  What
it takes and gives is plain data, so that the record of a call can be read
where the model is not installed.

Options are checked here, once for all models: what reaches a model is valid.
An option that is None is the model's own affair: nothing is sent of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

ROLES = ("system", "user", "assistant", "tool")
MOST_SAMPLES = 128

_KEYS = {"role", "content"}
_KEYS_OF = {"assistant": _KEYS | {"tool_calls"}, "tool": _KEYS | {"tool_call_id"}}

Messages = str | Sequence[Mapping[str, Any]]
"""What callers may pass: messages of a role and a content, or one prompt, which stands for one user message."""

OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model wants called; `arguments` is the JSON text that it wrote, which may be anything."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; a "tool" turn is the answer to the call `tool_call_id` of an earlier turn."""

    role: str
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """What a model is told of a tool; `parameters` is the JSON schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Options:
    """How to sample.

    `seed` is always set, so that a model draws nothing itself; it was asked for
    if `seeded`, and drawn for this call otherwise.  `n` is how many answers are
    wanted, `schema` the JSON schema that each of them has to fit.
    """

    seed: int
    max_tokens: int | None = 256
    temperature: float | None = 0.8
    top_p: float | None = 0.95
    stop: tuple[str, ...] = ()
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int = 1
    schema: Mapping[str, Any] | None = None
    tools: tuple[ToolSpec, ...] = field(default=())
    seeded: bool = True

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if self.temperature is not None and not 0.0 <= self.temperature <= 10.0:
            raise ValueError(f"temperature must lie between 0 and 10, not {self.temperature}")
        if self.top_p is not None and not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        for name in ("frequency_penalty", "presence_penalty"):
            value = getattr(self, name)
            if value is not None and not -2.0 <= value <= 2.0:
                raise ValueError(f"{name} must lie between -2 and 2, not {value}")
        if not 1 <= self.n <= MOST_SAMPLES:
            raise ValueError(f"n must lie between 1 and {MOST_SAMPLES}, not {self.n}")
        if "" in self.stop:
            raise ValueError("a stop text may not be empty")
        if self.tools and (self.n > 1 or self.schema is not None):
            raise ValueError("tools go with neither n samples nor a schema")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered.

    `model` is what answered, not what was asked for: the name of the weights,
    say.  `finish_reason` is "stop" (the model ended, or met a stop text, which
    is left out), "length" (`max_tokens` or the end of the context) or
    "tool_calls".  `seed` is the one used: with it, the same model gives the
    same text again; None where the model was given none.  Token counts are 0
    where the model tells none.

    `samples` are the texts of all answers where several were asked for, `text`
    among them as the first; tokens are those of all.  `cost_microusd` is what it
    cost by the price table of that time, in millionths of a dollar, None
    without a price.  `retried` says how each attempt before the last failed.
    """

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seed: int | None
    tool_calls: tuple[ToolCall, ...] = ()
    samples: tuple[str, ...] = ()
    cost_microusd: int | None = None
    retried: tuple[str, ...] = ()

    @property
    def value(self) -> Any:
        """The text as JSON: the answer where a `schema` was given.

        Raises:
            ValueError: it is none.
        """
        return json.loads(self.text)


class ChatModel(Protocol):
    """One generative model."""

    def complete(
        self, messages: Sequence[Message], options: Options, *, on_text: OnText | None = None
    ) -> Completion:
        """Returns the model's answer to `messages`.

        `on_text` is called in the caller's thread with each piece as it comes;
        the pieces joined are `Completion.text`.

        Raises:
            ModelFailed: the model gave no answer; ContextOverflow among its kinds.
            ModelNotInstalled: it cannot run here.
        """
        ...


def parse_messages(messages: Messages) -> tuple[Message, ...]:
    """Returns `messages` as the models take them, checked.

    An assistant's message may hold `tool_calls`, dicts of "id", "name" and
    "arguments" (JSON text); a message of the role "tool" has a `tool_call_id`.

    Raises:
        ValueError: no messages, an unknown key, an unknown role, a content
            that is no text or has no UTF-8.
    """
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    parsed = tuple(_parse_message(number, message) for number, message in enumerate(messages))
    if not parsed:
        raise ValueError("there are no messages")
    return parsed


def format_message(message: Message) -> dict[str, Any]:
    """Returns the dict that `parse_messages` reads as this message."""
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        found["tool_calls"] = [{"id": c.id, "name": c.name, "arguments": c.arguments} for c in message.tool_calls]
    if message.role == "tool":
        found["tool_call_id"] = message.tool_call_id
    return found


def parse_tools(tools: Sequence[Mapping[str, Any]]) -> tuple[ToolSpec, ...]:
    """Returns tools as the models take them: dicts of "name", "description" and "parameters", a JSON schema.

    Raises:
        ValueError: another key, no name, two of one name.
    """
    parsed: dict[str, ToolSpec] = {}
    for number, tool in enumerate(tools):
        if not isinstance(tool, Mapping) or not {"name"} <= set(tool) <= {"name", "description", "parameters"}:
            raise ValueError(f"tool {number} must be a dict of 'name', 'description' and 'parameters', not {tool!r:.80}")
        name, parameters = tool["name"], tool.get("parameters", {"type": "object", "properties": {}})
        if not isinstance(name, str) or not name or not isinstance(parameters, Mapping):
            raise ValueError(f"tool {number} needs a name and a JSON schema of its parameters")
        if name in parsed:
            raise ValueError(f"two tools are named {name}")
        parsed[name] = ToolSpec(name, str(tool.get("description", "")), parameters)
    return tuple(parsed.values())


def _parse_message(number: int, message: Mapping[str, Any]) -> Message:
    if not isinstance(message, Mapping) or not set(message) >= _KEYS:
        raise ValueError(f"message {number} must be a dict with the keys 'role' and 'content', not {message!r:.80}")
    role, content = message["role"], message["content"]
    if role not in ROLES:
        raise ValueError(f"message {number} has the role {role!r}; known: {', '.join(ROLES)}")
    if unknown := set(message) - _KEYS_OF.get(role, _KEYS):
        raise ValueError(f"message {number}, of the role {role!r}, may not have the key {min(unknown, key=str)!r}")
    if not isinstance(content, str):
        raise ValueError(f"the content of message {number} must be text, not {type(content).__name__}")
    try:
        content.encode()
    except UnicodeEncodeError as e:
        raise ValueError(f"the content of message {number} is no text: {e.reason} at {e.start}") from e
    calls = tuple(_parse_call(number, call) for call in message.get("tool_calls", ()))
    return Message(role, content, calls, str(message.get("tool_call_id", "")))


def _parse_call(number: int, call: Any) -> ToolCall:
    keys = ("id", "name", "arguments")
    if not isinstance(call, Mapping) or set(call) != set(keys) or not all(isinstance(call[key], str) for key in keys):
        raise ValueError(f"a tool call of message {number} must be a dict of the texts {', '.join(keys)}")
    return ToolCall(*(call[key] for key in keys))
