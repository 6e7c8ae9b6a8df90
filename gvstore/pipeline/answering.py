"""For which steps a person's answers are: `request`, `translation@es`; of a pipeline that a step runs `s.sure`, `s@es.sure`.

An answer is for the step of its name, or for all that a loop makes of it.  Answers are by these names, lists of
texts: what a step asks first, second, ...
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.step import Step

Inputs = Mapping[str, list[str]]


def askers(pipeline: Pipeline, name: str) -> tuple[str, ...]:
    """Returns the steps of a pipeline that an answer of this name is for, those included that run a pipeline which asks."""
    asking = set(pipeline.answerable)
    own = {each for each in pipeline.groups.get(name, (name,)) if each in asking}
    return tuple(step.name for step in pipeline.steps if step.name in own or any(_is_open(step, rest) for rest in _rests(step, name)))


def answerable(pipeline: Pipeline) -> list[str]:
    """Returns the names of all that can be answered, of pipelines that steps run too."""
    names = list(pipeline.answerable)
    for step in pipeline.steps:
        if step.work.pipeline is not None:
            names += [f"{step.name}.{each}" for each in answerable(step.work.pipeline) if _is_open(step, each)]
    return names


def answers_of(step: Step, inputs: Inputs) -> tuple[str, ...]:
    """Returns the answers to the questions of a step itself."""
    return tuple(inputs.get(step.name, inputs.get(step.output_name, ())))


def answers_below(step: Step, inputs: Inputs) -> dict[str, list[str]]:
    """Returns the answers to the questions of the pipeline that a step runs, by their names in there."""
    found: dict[str, list[str]] = {}
    for whole in (False, True):  # what names the very step goes before what names its loop
        for name, answers in inputs.items():
            for rest in _rests(step, name):
                if whole == name.startswith(f"{step.name}.") and _is_open(step, rest):
                    found[rest] = list(answers)
    return found


def _rests(step: Step, name: str) -> Iterator[str]:
    """Yields what stands behind the step's name and a dot; names may have dots in them too."""
    if step.work.pipeline is not None:
        yield from (name[len(each) + 1 :] for each in dict.fromkeys((step.name, step.output_name)) if name.startswith(f"{each}."))


def _is_open(step: Step, name: str) -> bool:
    """Returns whether the pipeline that a step runs asks under this name, and no input of the step answers it."""
    inner = step.work.pipeline
    if inner is None or not askers(inner, name):
        return False
    if len(inner.asking) == 1 and len(step.inputs) == 1:
        return name != inner.asking[0]
    return name not in {each.name for each in step.inputs}
