"""Tool calls in the midst of a text, for models that have no other way: OrchestrAI's form.

    <@ {"tool_name": "search", "query": "otters"} @>
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gvstore.models.protocol import ToolSpec

NAME: Final = "tool_name"
_OPEN: Final = re.compile(r"<@\s*")
_CLOSE: Final = re.compile(r"\s*@>")
_MOST_CALLS: Final = 1_000


@dataclass(frozen=True, slots=True)
class InlineCall:
    """A call in a text: the tool's name, its arguments; or what is wrong with it."""

    name: str
    arguments: Mapping[str, Any]
    fault: str = ""


def inline_calls(text: str) -> list[InlineCall]:
    """Returns the calls that stand in a text, in order; one that is not well formed has a fault."""
    decoder = json.JSONDecoder()
    found: list[InlineCall] = []
    at = 0
    while len(found) < _MOST_CALLS and (opened := _OPEN.search(text, at)):
        try:
            value, at = decoder.raw_decode(text, opened.end())
        except (ValueError, RecursionError) as e:
            at = opened.end()
            found.append(InlineCall("", {}, f"a call is no JSON: {e}"))
            continue
        closed = _CLOSE.match(text, at)
        if not isinstance(value, dict) or not isinstance(value.get(NAME), str):
            found.append(InlineCall("", {}, f'a call is an object with "{NAME}"'))
        elif closed is None:
            found.append(InlineCall("", {}, "a call ends with @>"))
        else:
            at = closed.end()
            found.append(InlineCall(value.pop(NAME), value))
    return found


def inline_prompt(tools: Iterable[ToolSpec]) -> str:
    """Returns what a model is told of tools and of the form to call them in."""
    lines = [
        "You can call tools. To call one, write a line of exactly this form, with its arguments as JSON:",
        f'<@ {{"{NAME}": "NAME", "ARGUMENT": VALUE}} @>',
        "The answer comes with the next message. When you need no more tools, answer without such a line.",
        "",
        "Tools:",
    ]
    for tool in tools:
        lines += [f"- {tool.name}: {' '.join(tool.description.split())}", f"  arguments: {json.dumps(tool.parameters)}"]
    return "\n".join(lines)
