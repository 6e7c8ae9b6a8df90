"""A model at work with tools: it asks for calls, they are made, it goes on, until it answers without one.

    answer = gv.models.converse("How warm is it in Oslo?", [weather], model="openai:gpt-4o")
    answer.text

Nothing here is a component: what is recorded are the calls of `complete` and
of the tools, one by one, below the call that converses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Unpack

from gvstore.models.call import Asked, complete
from gvstore.models.fault import ModelFailed
from gvstore.models.inline import inline_calls, inline_prompt
from gvstore.models.protocol import Completion, Message, Messages, format_message, parse_messages
from gvstore.models.provider import PROVIDERS, provider_of, resolve_model
from gvstore.models.settings import current_settings
from gvstore.models.tool import Tool, tools_of

MOST_ROUNDS: Final = 8
MOST_CALLS: Final = 32  # of one round; what is asked beyond is answered with an error
Form = Literal["", "native", "inline"]


class TooManyRounds(ModelFailed):
    """The model goes on calling tools."""

    hint = "Allow more rounds, or say in the prompt when to end."


@dataclass(frozen=True, slots=True)
class Conversation:
    """What came of it: the last answer, all messages with it, and how many times tools were called, in how many rounds."""

    completion: Completion
    messages: tuple[dict[str, Any], ...]
    calls: int
    rounds: int

    @property
    def text(self) -> str:
        """The last answer's text."""
        return self.completion.text


def converse(
    messages: Messages,
    tools: Sequence[Callable[..., Any] | Tool],
    /,
    *,
    rounds: int = MOST_ROUNDS,
    form: Form = "",
    prompt: str | None = None,
    **asked: Unpack[Asked],
) -> Conversation:
    """Returns what a model answers in the end, with the help of tools.

    `tools` are functions; each call of one is recorded.  `form` is how calls are
    asked for: "native", by the provider's tool calls; "inline", in the text, as
    `<@ {"tool_name": ...} @>`; by default native where the model's provider can.
    Inline, `prompt` is what the model is told of the tools, in the system prompt;
    None stands for a list of them, an empty text for nothing.  After `rounds`
    rounds of calls the model has to answer.  Other options are those of `complete`.

    Raises:
        TooManyRounds: it called tools once more.
        TypeError: a function is no tool.
        whatever `complete` raises, and of what tools raise, errors of gvstore and questions.
    """
    known = tools_of(tools)
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, not {rounds}")
    if form not in ("", "native", "inline"):
        raise ValueError(f"form is 'native' or 'inline', not {form!r}")
    if asked.get("tools"):
        raise TypeError("the tools of converse() are its second argument")
    model = resolve_model(asked.get("model", "local"), asked.pop("provider", "") or current_settings().provider)
    asked["model"] = model
    turns = list(parse_messages(messages))
    inline = form == "inline" or (not form and not PROVIDERS[provider_of(model)].takes_tools)
    if inline:
        turns = _told(turns, inline_prompt(tool.spec for tool in known.values()) if prompt is None else prompt)
    else:
        asked["tools"] = [tool.as_dict() for tool in known.values()]
    made = 0
    for round_ in range(rounds + 1):
        completion = complete([format_message(turn) for turn in turns], **asked)
        turns.append(Message("assistant", completion.text, completion.tool_calls))
        if not (inline_calls(completion.text) if inline else completion.tool_calls):
            return Conversation(completion, tuple(map(format_message, turns)), made, round_)
        if round_ < rounds:
            answers = _inline_answers(completion.text, known) if inline else _answers(completion, known)
            made += len(answers)
            turns += [Message("user", "\n\n".join(each.content for each in answers))] if inline else answers
    raise TooManyRounds(model, f"it still calls tools after {rounds} round{'s'[: rounds != 1]}")


def _answers(completion: Completion, known: Mapping[str, Tool]) -> list[Message]:
    """Returns the turns that answer native calls, in their order."""
    answers = []
    for at, call in enumerate(completion.tool_calls):
        tool = known.get(call.name)
        if at >= MOST_CALLS:
            text = f"error: more than {MOST_CALLS} calls at once"
        else:
            text = tool.answer(call.arguments) if tool is not None else _unknown(call.name, known)
        answers.append(Message("tool", text, tool_call_id=call.id))
    return answers


def _inline_answers(text: str, known: Mapping[str, Tool]) -> list[Message]:
    """Returns the turns that answer calls in a text, each with the tool's name before the answer."""
    by_name = {name.casefold(): tool for name, tool in known.items()} | dict(known)
    answers = []
    for call in inline_calls(text)[:MOST_CALLS]:
        tool = by_name.get(call.name) or by_name.get(call.name.casefold())
        if call.fault:
            answers.append(Message("user", f"error: {call.fault}"))
        elif tool is None:
            answers.append(Message("user", _unknown(call.name, known)))
        else:
            answers.append(Message("user", f"{tool.name}: {tool.answer_to(dict(call.arguments))}"))
    return answers


def _unknown(name: str, known: Mapping[str, Tool]) -> str:
    return f"error: there is no tool {name[:80]!r}; there are {', '.join(known) or 'none'}"


def _told(turns: list[Message], prompt: str) -> list[Message]:
    """Returns the turns with `prompt` at the end of the system prompt."""
    if not prompt:
        return turns
    if turns[0].role == "system":
        return [Message("system", f"{turns[0].content}\n\n{prompt}"), *turns[1:]]
    return [Message("system", prompt), *turns]
