"""What a step is given of the results before it, and whether it runs at all.

`results` are by the names of steps; those that were skipped have none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gvstore.expression.bound import ExpressionFault
from gvstore.pipeline.failure import WhenFault
from gvstore.pipeline.prompt import Prompt, module_input
from gvstore.pipeline.step import Input, Step, Work

Results = Mapping[str, Any]


def given(step: Step, results: Results) -> list[tuple[str, Any]]:
    """Returns the inputs, as they were typed, with what they stand for; without those that were skipped."""
    return [(each.name, _value(each, results)) for each in step.inputs if _is_there(each, results)]


def why_skipped(step: Step, results: Results) -> str:
    """Returns why a step does not run: all its inputs were skipped, or `when` is not true; nothing if it runs.

    In `when` a result that was skipped is None.

    Raises:
        WhenFault: `when` cannot be evaluated.
    """
    if step.inputs and not any(_is_there(each, results) for each in step.inputs):
        return f"{', '.join(each.name for each in step.inputs)}: skipped before"
    if step.when is None:
        return ""
    read = {each.name: _value(each, results) if _is_there(each, results) else None for each in step.when_inputs}
    try:
        return "" if step.when.holds({**step.scope, **read}) else f"when: {step.when.source}"
    except ExpressionFault as e:
        raise WhenFault(step, e) from e


def user_prompt(step: Step, results: Results, *, work: Work | None = None) -> Prompt:
    """Returns what the user's message is; of a step's fallback if that is the `work`."""
    return module_input(given(step, results), (work or step.work).supplement)


def answers(step: Step, results: Results) -> dict[str, Any]:
    """Returns what a step's inputs answer of the questions of the pipeline that it runs, by the names of its steps.

    One input answers one question, whatever it is called.
    """
    there = given(step, results)
    asking = step.work.pipeline.asking if step.work.pipeline else ()
    if len(asking) == 1 and len(step.inputs) == 1:
        return {asking[0]: there[0][1]} if there else {}
    return {name: value for name, value in there if name in asking}


def _is_there(each: Input, results: Results) -> bool:
    return any(name in results for name in each.steps)


def _value(each: Input, results: Results) -> Any:
    if each.many:
        return [results[name] for name in each.steps if name in results]
    return results[each.steps[0]]
