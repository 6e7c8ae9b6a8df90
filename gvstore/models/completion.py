"""The recorded component: one question to a model, one answer.

`call.complete` resolves what a program wrote and calls this; nothing else
should.  Its arguments are plain data, say all that is asked, and hold neither
keys nor addresses: messages, the full name of the model, and of the options
those that were given.  At replay it is answered from the record.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from gvstore.journal.recorder import report_usage
from gvstore.journal.register import register
from gvstore.models.attempts import persist
from gvstore.models.limit import estimated_tokens, limiter_of
from gvstore.models.protocol import Completion, Message, Messages, OnText, Options, parse_messages, parse_tools
from gvstore.models.provider import make_model, provider_of
from gvstore.models.settings import Settings, current_settings

_SEED_BITS = 31  # many endpoints take no larger ones


class Aside(NamedTuple):
    """What goes with a call and is none of its arguments, for it does not say what is asked: who listens, how long to wait."""

    on_text: OnText | None = None
    timeout_s: float | None = None


ASIDE: Final[ContextVar[Aside]] = ContextVar("gvstore.models.aside", default=Aside())  # noqa: B039 - it cannot be changed

FILLED: Final[ContextVar[Mapping[str, str]]] = ContextVar("gvstore.models.filled", default=MappingProxyType({}))
"""Texts that stand in the recorded messages for others, which are what the model is sent: prompts with secrets in them."""


@register
def complete(messages: Messages, model: str, **options: Any) -> Completion:
    """Returns what `model` answers to `messages`, with token counts.

    `model` is a resolved name (`local`, `openai:gpt-4o`).  `options` are those of
    `Options`, with tools as dicts; without a seed every executed call draws a new
    one.

    Raises:
        ModelFailed, ModelNotInstalled, PullFailed, KeyMissing: no answer to be had.
        ValueError: messages or options that no model takes.
    """
    on_text, timeout_s = ASIDE.get()
    parsed = _filled(parse_messages(messages))
    wanted = parse_options(options)
    settings = current_settings()
    provider, _, name = model.partition(":")
    own = dict(settings.options.get(provider, {}))
    if timeout_s is not None and provider != "local":
        own["timeout_s"] = timeout_s
    asked = make_model(model, own)
    limit = settings.limit(provider, name)
    limiter = None if limit is None else limiter_of(*limit)
    estimated = estimated_tokens(parsed, wanted)

    def ask(listener: OnText | None) -> Completion:
        if limiter is not None:
            limiter.enter(estimated)
        used = 0  # by what failed
        try:
            answer = asked.complete(parsed, wanted, on_text=listener)
            used = answer.prompt_tokens + answer.completion_tokens or estimated
            return answer
        finally:
            if limiter is not None:
                limiter.settle(estimated, used)

    completion = _told(persist(ask, settings.backoff, on_text), model, settings)
    if wanted.schema is not None:
        _check(completion, wanted.schema, name or model)
    return completion


def _filled(messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """Returns the messages as they are sent; a system prompt may go on behind the text that stands for another."""
    filled = FILLED.get()
    for shown, sent in filled.items():
        messages = tuple(
            replace(each, content=sent + each.content.removeprefix(shown))
            if each.content == shown or (each.role == "system" and each.content.startswith(shown))
            else each
            for each in messages
        )
    return messages


def parse_options(given: Mapping[str, Any]) -> Options:
    """Returns the options that a call's keywords spell; a seed is drawn where there is none.

    Raises:
        ValueError: a value that no model takes.
        TypeError: an unknown name, or a value of another type.
    """
    names = dict(given)
    stop = names.pop("stop", ())
    if isinstance(stop, str):
        raise TypeError("stop is a list of texts, not one text")
    seed = names.pop("seed", None)
    for name in ("max_tokens", "n"):
        if name in names and (type(names[name]) is not int):
            raise TypeError(f"{name} is a whole number, not {names[name]!r:.80}")
    if (schema := names.get("schema")) is not None:
        _check_schema(schema)
    names["tools"] = parse_tools(names.get("tools", ()))
    defaults: dict[str, Any] = {"max_tokens": None, "temperature": None, "top_p": None}
    drawn = int.from_bytes(os.urandom(4)) >> 32 - _SEED_BITS if seed is None else seed
    return Options(drawn, stop=tuple(stop), seeded=seed is not None, **(defaults | names))


def _told(completion: Completion, model: str, settings: Settings) -> Completion:
    """Returns the completion with its cost; its tokens and cost join the counts of the run."""
    if provider_of(model) == "recorded":
        return completion  # nobody was asked: nothing was used
    tokens = completion.prompt_tokens, completion.completion_tokens
    cost = settings.prices.cost_microusd(*tokens, model, completion.model) if any(tokens) else None
    counts = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    if cost is not None:
        completion = replace(completion, cost_microusd=cost)
        counts["cost_microusd"] = cost
    report_usage(**counts)
    return completion


def _check_schema(schema: object) -> None:
    from gvstore.models.schema import schema_faults

    for where, why in schema_faults(schema):
        raise ValueError(f"the schema is none: {where + ': ' if where else ''}{why}")


def _check(completion: Completion, schema: Mapping[str, Any], model: str) -> None:
    """Raises AnswerUnfit if an answer does not fit the schema."""
    import json

    from gvstore.models.failure import AnswerUnfit
    from gvstore.models.schema import mismatch

    for text in completion.samples or (completion.text,):
        try:
            why = mismatch(json.loads(text), schema)
        except (ValueError, RecursionError) as e:
            why = f"it is no JSON: {e}"
        if why and completion.finish_reason == "length":
            why += " (max_tokens cut it off)"
        if why:
            raise AnswerUnfit(model, why, text)


