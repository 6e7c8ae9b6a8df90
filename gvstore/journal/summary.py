"""An execution as a few lines of text.

->roll_sum(2) = 7
  ->roll_die(6) = 2
  ->roll_die(6) = 5
"""

from __future__ import annotations

import reprlib
from typing import Any, Final

from gvstore.journal.callargs import CallArgs
from gvstore.journal.invocation import Invocation

_WIDTH: Final = 160
_STEP: Final = 2


def invocation_summary(
    invocation: Invocation, indent: int = 0, show_input: bool = True, show_output: bool = True
) -> str:
    """Returns one line a call, those below it indented; long values are cut."""
    lines: list[str] = []
    stack: list[tuple[int, Invocation]] = [(indent, invocation)]
    while stack:
        depth, call = stack.pop()
        lines.append(" " * depth + _line(call, show_input=show_input, show_output=show_output))
        stack.extend(reversed([(depth + _STEP, child) for child in call.get_children()]))
    return "\n".join(lines)


def call_text(call: Invocation) -> str:
    """Returns one call on a line, as in a summary."""
    return _line(call, show_input=True, show_output=True).removeprefix("->")


def _line(call: Invocation, *, show_input: bool, show_output: bool) -> str:
    text = f"->{_called(call)}"
    if show_input:
        text += f"({_arguments(call.get_input())})"
    if call.status == "ok":
        return f"{text} = {_shown(call.get_output())}" if show_output else text
    if call.status == "unfinished":
        return f"{text} incomplete"
    if call.status == "raised":
        return f"{text} raised {_shown(call.get_raised())}"
    return f"{text} waits: {call.get_raised()}" if call.status == "waiting" else f"{text} {call.status}"


def _called(call: Invocation) -> str:
    state = call.state
    if state is None:
        return call.name
    return _shown(state) if call.component.flavor == "class" else f"{_shown(state)}.{call.name}"


def _arguments(given: Any) -> str:
    if not isinstance(given, CallArgs):
        return _shown(given)
    named = [f"{name}={_shown(value)}" for name, value in given.kwargs.items()]
    return ", ".join([*map(_shown, given.args), *named])


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # a program's own __repr__
        text = reprlib.repr(type(value))
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"
