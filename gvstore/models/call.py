"""Asking a model: `complete` and `chat`, which programs call.

    gv.models.chat("Name an animal.")                          -> str
    gv.models.complete("Name an animal.", model="openai:gpt-4o")  -> Completion, with token counts

Both resolve the model's name, leave out the options that are the model's own
affair, and make one call of `completion.complete`, which is recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from gvstore.models import completion
from gvstore.models.completion import ASIDE, Aside
from gvstore.models.protocol import Completion, Messages, OnText
from gvstore.models.provider import resolve_model
from gvstore.models.settings import current_settings


class Asked(TypedDict, total=False):
    """What may be said beside the messages; see `complete`."""

    model: str
    provider: str
    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    frequency_penalty: float | None
    presence_penalty: float | None
    seed: int | None
    n: int
    stop: Sequence[str]
    schema: Mapping[str, Any] | None
    tools: Sequence[Mapping[str, Any]]
    on_text: OnText | None
    timeout_s: float | None


def complete(messages: Messages, **asked: Unpack[Asked]) -> Completion:
    """Returns what `model` answers to `messages`, with token counts.

    `messages` is one prompt, or a list of dicts with the keys "role" ("system",
    "user", "assistant", "tool") and "content".  `model` is a name as in
    `openai:gpt-4o`; `provider` is whose it is where the name does not tell.  The
    same seed gives the same text again where the model can (the local one on
    the same machine); None draws a new one.  Generation ends at any text of
    `stop`, which is left out.  An answer to a `schema` is JSON that fits it:
    `Completion.value`.  Of `n` answers the texts are `Completion.samples`.
    `tools` are dicts of name, description and parameters; see `converse`.
    `on_text` hears each piece as it comes, and nothing of an answer from the
    record; `timeout_s` is the time of one attempt.

    Raises:
        UnknownModel, ModelNotInstalled, KeyMissing, BadModelSetting, PullFailed: it cannot be asked.
        ModelFailed: it gave no answer; says why.
        ValueError: messages or options that no model takes.
    """
    if unknown := set(asked) - set(Asked.__annotations__):
        raise TypeError(f"complete() has no option {min(unknown)!r}; known: {', '.join(Asked.__annotations__)}")
    stop = asked.get("stop", ())
    if isinstance(stop, str):
        raise TypeError("stop is a list of texts, not one text")
    given: dict[str, Any] = {**asked, "stop": list(stop) or None, "tools": list(asked.get("tools", ())) or None}
    on_text, timeout_s = given.pop("on_text", None), given.pop("timeout_s", None)
    name, provider = given.pop("model", "local"), given.pop("provider", "") or current_settings().provider
    if type(given.get("n")) is int and given["n"] == 1:
        del given["n"]
    options = {name: value for name, value in given.items() if value is not None}
    model = resolve_model(name, provider)
    token = ASIDE.set(Aside(on_text, timeout_s))
    try:
        return completion.complete(messages, model, **options)
    finally:
        ASIDE.reset(token)


def chat(messages: Messages, **asked: Unpack[Asked]) -> str:
    """Returns the text that `complete` gives, with the same options; recorded as that call."""
    return complete(messages, **asked).text
