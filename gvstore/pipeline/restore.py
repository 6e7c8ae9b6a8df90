"""What a pipeline did beside its answers, brought back where the record answers: the files that its steps wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gvstore.pipeline.builtin import restore_builtin
from gvstore.pipeline.component import PIPELINE
from gvstore.pipeline.program import Program
from gvstore.pipeline.step import Does, Step, Work

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation

RESTORED: Final = (Does.BUILTIN, Does.PIPELINE)
"""What steps do that may have done something beside their answers."""


def restore_program(program: Program, recorded: Invocation) -> tuple[str, ...]:
    """Brings back the files that a recorded call of a pipeline left in its folder; returns the paths that changed."""
    changed: list[str] = []
    done: set[Path] = set()
    for each, module, call in reversed(list(_calls(program, recorded))):  # of several steps the last one knows how the folder was
        if each.output not in done and (found := restore_builtin(module, each.output, call)) is not None:
            done.add(each.output)
            changed += found
    return tuple(changed)


def restore_step(program: Program, step: Step, recorded: Invocation, *, work: Work | None = None) -> None:
    """Brings back the files that a recorded call of a step left in the pipeline's folder."""
    work = work or step.work
    if work.does is Does.BUILTIN:
        restore_builtin(work.module, program.output, recorded)
    for call in recorded.get_children() if work.does is Does.PIPELINE else ():
        if call.component.flavor == PIPELINE:
            restore_program(program.nested[step.name], call)


def _calls(program: Program, recorded: Invocation) -> Iterator[tuple[Program, str, Invocation]]:
    """Yields (pipeline, module, recorded call) of the built-in modules below a recorded pipeline, in order, nested ones in their place."""
    by_component = {f"{program.name}.{step.name}": step for step in program.pipeline.steps}
    for call in recorded.get_children():
        step = by_component.get(call.component.name)
        if step is None or call.status != "ok" or "skipped" in call.args["options"]:
            continue
        if step.work.does is Does.BUILTIN:
            yield program, step.work.module, call
        elif step.work.does is Does.PIPELINE:
            for inner in call.get_children():
                if inner.component.flavor == PIPELINE:
                    yield from _calls(program.nested[step.name], inner)
