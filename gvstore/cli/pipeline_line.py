"""Pipelines and their steps on one line.

    plan(request='a garden')
    task_plan: task_planner(request) = First, dig.
"""

from __future__ import annotations

from gvstore.cli.style import Paint
from gvstore.cli.value_text import arguments_line, text_line, value_line
from gvstore.journal.invocation import Invocation
from gvstore.pipeline.component import STEP, shown_name

__all__ = ["STEP", "models_of", "pipeline_called", "step_called", "step_ending", "text_ending"]


def pipeline_called(call: Invocation, paint: Paint, width: int) -> str:
    """Returns the pipeline's name with the answers to its questions, and what it was told."""
    args = call.args
    told = {name: answers[0] if len(answers) == 1 else answers for name, answers in args["inputs"].items()}
    more = {"set": args["settings"], "provider": args["provider"], "only": args["chosen"]}
    shown = {**told, **{name: value for name, value in more.items() if value}}
    return f"{paint('call', shown_name(call.component))}({arguments_line(shown, width)})"


def step_called(call: Invocation, paint: Paint) -> str:
    """Returns the step's name, its module, the names of what it is given: `task_plan: task_planner(request)`."""
    args = call.args
    sample = args["options"].get("sample")
    name = shown_name(call.component)
    name = name if sample is None else f"{name}[{sample}]"
    return f"{paint('call', name)}: {args['module']}({', '.join(args['inputs'])})"


def step_ending(call: Invocation, width: int) -> str:
    """Returns the first line of a step's answer, or that it was skipped."""
    why = call.args["options"].get("skipped")
    if why is not None:
        return f" skipped: {why}"
    return text_ending(call.output, width)


def text_ending(value: object, width: int) -> str:
    """Returns the first line of a text that says something, or another value."""
    if not isinstance(value, str):
        return f" = {value_line(value, width)}"
    lines = [line for line in value.split("\n") if line.strip()]
    first = text_line(lines[0].strip(), width - 2) if lines else "''"
    return f" = {first}{' …' if len(lines) > 1 and not first.endswith('…') else ''}"


def models_of(call: Invocation) -> dict[str, int]:
    """Returns the models that a step asked, with the tokens of each; calls of pipelines below it are not looked into."""
    from gvstore.pipeline.usage import usage_of

    found: dict[str, int] = {}
    for each in usage_of(call, nested=False):
        found[each.model] = found.get(each.model, 0) + each.tokens
    return found
