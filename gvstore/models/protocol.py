"""What a chat model is: messages and options in, a `Completion` out.

A model never prints, never reads the environment, and knows nothing of
recording; `completion.complete` is where a call becomes part of a run.  What
it takes and gives is plain data, so that the record of a call can be read
where the model is not installed.

Options are checked here, once for all models: what reaches a model is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

ROLES = ("system", "user", "assistant")

Messages = str | Sequence[Mapping[str, str]]
"""What callers may pass: messages of a role and a content, or one prompt, which stands for one user message."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Options:
    """How to sample; `seed` is always set, so that a model draws nothing itself."""

    seed: int
    max_tokens: int = 256
    temperature: float = 0.8
    top_p: float = 0.95
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")
        if not 0.0 <= self.temperature <= 10.0:
            raise ValueError(f"temperature must lie between 0 and 10, not {self.temperature}")
        if not 0.0 < self.top_p <= 1.0:
            raise ValueError(f"top_p must be above 0 and at most 1, not {self.top_p}")
        if "" in self.stop:
            raise ValueError("a stop text may not be empty")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered.

    `model` is what answered, not what was asked for: the name of the weights,
    say.  `finish_reason` is "stop" (the model ended, or met a stop text, which
    is left out) or "length" (`max_tokens` or the end of the context).  `seed`
    is the one used: with it, the same model gives the same text again.
    """

    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    finish_reason: str
    seed: int


class ChatModel(Protocol):
    """One generative model."""

    def complete(
        self, messages: Sequence[Message], options: Options, *, on_text: Callable[[str], None] | None = None
    ) -> Completion:
        """Returns the model's answer to `messages`.

        `on_text` is called in the caller's thread with each piece as it comes;
        the pieces joined are `Completion.text`.

        Raises:
            ContextOverflow: the messages do not fit.
            ModelNotInstalled, ModelFailed: the model cannot answer.
        """
        ...


def parse_messages(messages: Messages) -> tuple[Message, ...]:
    """Returns `messages` as the models take them, checked.

    Raises:
        ValueError: no messages, a key other than role and content, an unknown
            role, a content that is no text or has no UTF-8.
    """
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    parsed = tuple(_parse_message(number, message) for number, message in enumerate(messages))
    if not parsed:
        raise ValueError("there are no messages")
    return parsed


def _parse_message(number: int, message: Mapping[str, str]) -> Message:
    if not isinstance(message, Mapping) or set(message) != {"role", "content"}:
        raise ValueError(f"message {number} must be a dict with the keys 'role' and 'content', not {message!r:.80}")
    role, content = message["role"], message["content"]
    if role not in ROLES:
        raise ValueError(f"message {number} has the role {role!r}; known: {', '.join(ROLES)}")
    if not isinstance(content, str):
        raise ValueError(f"the content of message {number} must be text, not {type(content).__name__}")
    try:
        content.encode()
    except UnicodeEncodeError as e:
        raise ValueError(f"the content of message {number} is no text: {e.reason} at {e.start}") from e
    return Message(role, content)
