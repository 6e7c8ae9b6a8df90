"""Steps of state machines, and machines, on one line.

    answer(prompt='hi')   history + 1, mode='question'
"""

from __future__ import annotations

from typing import Any

from gvstore.cli.style import Paint
from gvstore.cli.value_text import arguments_line, value_line
from gvstore.journal.invocation import Invocation
from gvstore.objects.placeholder import Unresolved

ACTION, MACHINE = "action", "machine"  # flavors of components
_APART = "   "


def step_called(call: Invocation, paint: Paint, width: int) -> str:
    """Returns the action's name with the inputs that it was given: `answer(prompt='hi')`."""
    given = call.args
    inputs = {name: value for name, value in (given.get("inputs") or {}).items() if not name.startswith("__")}
    name = str(given.get("action", call.name))
    return f"{paint('call', name)}({arguments_line(inputs, width)})" if inputs else paint("call", name)


def step_ending(call: Invocation, width: int) -> str:
    """Returns what a step that ended wrote: `history + 1, mode='question'`."""
    from gvstore.machine.steps import step_of

    step = step_of(call)
    parts = [f"{name} + {value_line(items[0], max(width // 2, 16)) if len(items) == 1 else len(items)}" for name, items in step.further.items()]
    parts += [f"{name} gone" for name in step.gone]
    before = ", ".join(parts)
    shown = arguments_line(step.wrote, max(width - len(before), 16)) if step.wrote else ""
    told = ", ".join(each for each in (before, shown) if each)
    return _APART + told if told else ""


def machine_called(call: Invocation, paint: Paint, width: int) -> str:
    """Returns the machine's name with its inputs: `application(prompt='hi')`."""
    inputs = call.args.get("inputs") or {}
    return f"{paint('call', call.name)}({arguments_line(inputs, width)})"


def machine_ending(call: Invocation, width: int) -> str:
    """Returns where a machine that ended came to: ` → answer: {'text': 'hello'}`."""
    output: Any = call.output
    if type(output) is not tuple or len(output) != 4:
        return ""
    position, result, *_ = output
    place = f" → {position}" if position else ""
    empty = result is None or result == {} or isinstance(result, Unresolved)
    return place if empty else f"{place}: {value_line(result, max(width - len(place) - 2, 16))}"
