"""Asking a model: `complete` and `chat`, the calls that programs make and records hold.

    gv.models.chat("Name an animal.")                      -> str
    gv.models.complete([{"role": "user", "content": ...}])  -> Completion, with token counts

`complete` is the recorded component: its arguments are plain data, its output
holds text and token counts, and at replay it is answered from the record.
`chat` is `complete(...).text` and no component of its own, so that one call of
a model is one call in the record, with its tokens.

Without a seed every executed call draws a new one: resampling gives new
samples.  The one used stands in the output.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from gvstore.journal.recorder import report_usage
from gvstore.journal.register import register
from gvstore.models.fault import UnknownModel
from gvstore.models.local import local
from gvstore.models.protocol import ChatModel, Completion, Messages, Options, parse_messages

_MODELS: dict[str, Callable[[], ChatModel]] = {"local": local}


@register
def complete(
    messages: Messages,
    *,
    model: str = "local",
    max_tokens: int = 256,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int | None = None,
    stop: Sequence[str] = (),
) -> Completion:
    """Returns what `model` answers to `messages`, with token counts.

    `messages` is one prompt, or a list of dicts with the keys "role" ("system",
    "user", "assistant") and "content".  The same seed gives the same text again
    on the same machine; None draws a new one.  Generation ends at any text of
    `stop`, which is left out.

    Raises:
        UnknownModel, ModelNotInstalled, PullFailed, ModelFailed: no answer to be had.
        ContextOverflow: the messages are too long.
        ValueError: messages or options that no model takes.
    """
    if isinstance(stop, str):
        raise TypeError("stop is a list of texts, not one text")
    parsed = parse_messages(messages)
    drawn = int.from_bytes(os.urandom(4)) if seed is None else seed
    options = Options(drawn, max_tokens, temperature, top_p, tuple(stop))
    completion = find_model(model).complete(parsed, options)
    report_usage(prompt_tokens=completion.prompt_tokens, completion_tokens=completion.completion_tokens)
    return completion


def chat(
    messages: Messages,
    *,
    model: str = "local",
    max_tokens: int = 256,
    temperature: float = 0.8,
    top_p: float = 0.95,
    seed: int | None = None,
    stop: Sequence[str] = (),
) -> str:
    """Returns the text that `complete` gives; recorded as that call."""
    return complete(
        messages,
        model=model,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        seed=seed,
        stop=stop,
    ).text


def find_model(name: str) -> ChatModel:
    """Returns the model of this name; nothing is loaded yet.

    Raises:
        UnknownModel: there is none.
    """
    make = _MODELS.get(name)
    if make is None:
        raise UnknownModel(name, tuple(_MODELS))
    return make()
