"""What the built-in modules that work on code have in common: the codebase in their prompt, the debugger's loop, what a replay restores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gvstore.pipeline.ai import system_of
from gvstore.pipeline.codebase import condense
from gvstore.pipeline.debug_loop import ATTEMPTS, Failure, Taken, Trial, debug
from gvstore.pipeline.generated import GeneratedCode, generated_code
from gvstore.pipeline.hands import restore_files, try_program, write
from gvstore.pipeline.project import Project
from gvstore.pipeline.prompt import Prompt, module_input, together
from gvstore.pipeline.sandbox import Ended
from gvstore.pipeline.step import Does

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation
    from gvstore.pipeline.module_call import ModuleCall

LIMIT: Final = 400_000  # characters of a codebase in a prompt, and as a step's result
WRITERS: Final = ("engineer", "debugger", "modify_codebase", "create_readme")
_LIMITS = ("seconds", "memory_mb", "output_kb")


def writes_first(call: ModuleCall) -> bool:
    """Returns whether a step is the first one of its pipeline that writes code."""
    steps = call.program.pipeline.steps
    return call.step.name == next(each.name for each in steps if each.work.does is Does.BUILTIN and each.work.module in WRITERS)


def restore(folder: Path, recorded: Invocation) -> tuple[str, ...] | None:
    """Brings back the codebase as a recorded step left it; returns the paths that changed, None if the step wrote nothing."""
    with generated_code(folder) as code:
        return restore_files(code, recorded)


def debugger_prompt(call: ModuleCall) -> Prompt | None:
    """Returns what a model that mends is told: system_prompts/debugger.txt; None, for the step's own, if there is none."""
    if not Project(call.program.pipeline.root).has("system_prompts/debugger.txt"):
        return None
    return system_of(call, "debugger")[0]


def with_codebase(call: ModuleCall, before: Mapping[str, bytes], now: Mapping[str, bytes]) -> Prompt:
    """Returns the step's message with the codebase as it is now in the place of that which it was given.

    Where it was given none, the codebase stands behind its inputs.
    """
    old, new = condense(before, limit=LIMIT), condense(now, limit=LIMIT)
    if old not in call.inputs.values():
        return together([call.prompt, f"\n -- Codebase --\n{new}"]) if new else call.prompt
    if old == new:
        return call.prompt
    return module_input([(name, new if value == old else value) for name, value in call.inputs.items()], call.work.supplement)


def mended(call: ModuleCall, code: GeneratedCode, files: dict[str, bytes], *, before: Mapping[str, bytes], system: Prompt | None = None) -> dict[str, bytes]:
    """Runs the program, and lets the model mend it while it fails; returns the codebase then.

    `before` is the codebase that the step was given.
    """
    options = call.options
    entry = str(options.get("program", "main.py"))
    limits = {name: options[name] for name in _LIMITS if name in options}
    escalation = options.get("escalate_to")
    config = None if escalation is None else escalation.over(call.config)
    current = [files]

    def trial() -> Trial:
        done = try_program(code, current[0], entry, limits)
        return Trial(done["stage"], Ended(done["how"], done["code"]), done["error"])

    def ask(failure: Failure) -> str:
        said = together([with_codebase(call, before, current[0]), f"\n -- Error --\n{failure.error}"])
        return call.ask(said, system=system, config=config if failure.model else None)

    def take(answer: str) -> Taken:
        current[0], taken = write(code, answer, current[0], strict=False)
        return taken

    debug(
        trial, lambda: "", ask, take,
        attempts=int(options.get("attempts", ATTEMPTS)),
        other_model="escalate_to" if escalation is not None else None,
        other_after=int(options.get("escalate_after", 1)) if escalation is not None else 0,
    )  # fmt: skip
    return current[0]
