"""Pipelines as pictures: the sketch that machines are drawn from, made of steps.

A box is an entry of the file, with its module; an arrow leads from a result to who
is given it, dashed where only a condition reads it.
"""

from __future__ import annotations

from gvstore.machine.draw import FORMS
from gvstore.machine.finding import meant
from gvstore.machine.sketch import Arrow, Box, Sketch, Style
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.step import Does, Step


def draw_pipeline(pipeline: Pipeline, form: str = "text") -> str:
    """Returns a pipeline drawn in one of the forms (text, mermaid, dot, svg), as text that ends in a newline.

    Raises:
        ValueError: there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"no form {form!r} to draw in. {meant(form, FORMS, 'There are: text, mermaid, dot, svg.')}")
    return FORMS[form](sketch_of(pipeline)).replace("digraph machine {", "digraph pipeline {", 1)


def sketch_of(pipeline: Pipeline) -> Sketch:
    """Returns what is to be drawn: a box for each output_name, in the order of the file."""
    numbers = {name: number for number, name in enumerate(pipeline.groups)}
    steps = {name: [step for step in pipeline.steps if step.output_name == name] for name in numbers}
    bases = {step.name: step.output_name for step in pipeline.steps}
    arrows: dict[tuple[int, int, Style], None] = {}
    for style in (Style.ALWAYS, Style.CONDITION):
        for name, each in steps.items():
            for step in each:
                for before in step.inputs if style is Style.ALWAYS else step.when_inputs:
                    key = numbers[bases[before.steps[0]]], numbers[name], style
                    if style is Style.ALWAYS or (*key[:2], Style.ALWAYS) not in arrows:
                        arrows[key] = None
    leaving = {source for source, _, _ in arrows}
    reached = {target for _, target, _ in arrows}
    boxes = tuple(Box(name, _details(each), numbers[name] not in reached, numbers[name] not in leaving) for name, each in steps.items())
    labels = {Style.ALWAYS: (), Style.CONDITION: ("when",)}
    return Sketch(
        boxes, tuple(Arrow(source, target, style, labels[style], (order,)) for order, (source, target, style) in enumerate(arrows))
    )


def _details(steps: list[Step]) -> tuple[str, ...]:
    first = steps[0]
    work = first.work
    match work.does:
        case Does.FUNCTION if work.function is not None and work.function.file != "modules.py":
            lines = [str(work.function)]
        case _:
            lines = [work.module if len({each.work.module for each in steps}) == 1 else "several modules"]
    if len(steps) > 1 or "@" in first.name:
        lines.append(f"for {', '.join(step.name.partition('@')[2] for step in steps[:6])}{', ...' if len(steps) > 6 else ''}")
    if first.when is not None:
        lines.append(f"when {first.when.source}")
    return tuple(lines)
