"""The code of a pipeline and of its steps, as text: prompt files, tools, steps and edges.

    --- general_system.txt
    You are helpful.
    --- system_prompts/task_planner.txt
    You plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from gvstore.journal.register import live_of
from gvstore.pipeline.fault import Faults
from gvstore.pipeline.modules import TOOL_PROMPT
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.project import Project
from gvstore.pipeline.prompt import one_line
from gvstore.pipeline.step import Step, Work
from gvstore.pipeline.template import BadTemplate, Param, parse_template
from gvstore.pipeline.terms import terms

GENERAL = "general_system.txt"


def pipeline_source(pipeline: Pipeline) -> str:
    """Returns what a pipeline's files say of its steps, one after the other, without prompts."""
    return json.dumps({step.name: _without_prompts(terms(step)) for step in pipeline.steps}, indent=1, ensure_ascii=False, default=str) + "\n"


def _without_prompts(said: Any) -> Any:
    if not isinstance(said, dict):
        return said
    return {name: _without_prompts(value) for name, value in said.items() if name != "system"}


def step_source(
    step: Step, pipeline: Pipeline, project: Project, functions: Mapping[str, Callable[..., Any]], root: Path | None
) -> tuple[str, str]:
    """Returns (what a step's model is told, the same as far as it counts): how prompt files are broken into lines does not."""
    source, code = [], []
    for name, text in _prompts(step, pipeline, project):
        source.append(f"--- {name}\n{text}" + ("" if text.endswith("\n") else "\n"))
        code.append(f"--- {name}\n{one_line(text)}\n")
    for path in step.tools:
        live = live_of(functions[str(path)])
        assert live is not None
        component = live.component(root)
        source.append(f"--- {path}\n{component.source}\n")
        code.append(f"--- {path}\n{component.code.hex()}\n")
    return "".join(source), f"{step.work.does.value} {step.work.module}\n{''.join(code)}"


def _prompts(step: Step, pipeline: Pipeline, project: Project) -> Iterator[tuple[str, str]]:
    names: dict[str, None] = {}
    for work in _works(step):
        if work.system is not None:
            names |= dict.fromkeys((GENERAL, *((TOOL_PROMPT,) if pipeline.config.tools else ()), f"system_prompts/{work.module}.txt"))
    for name in names:
        file = project.read(name, Faults())
        if file is not None:
            yield name, file.text


def _works(step: Step) -> tuple[Work, ...]:
    return (step.work,) if step.fallback is None else (step.work, step.fallback)


def prompt_params(step: Step, pipeline: Pipeline, project: Project) -> tuple[str, ...]:
    """Returns the parameters that the prompt files of a step ask for, sorted."""
    found: set[str] = set()
    for _, text in _prompts(step, pipeline, project) if step.scope else ():
        try:
            found |= {part.path[0] for part in parse_template(text) if isinstance(part, Param)}
        except BadTemplate:
            continue  # a file that is taken as it stands
    return tuple(sorted(found & set(step.scope)))
