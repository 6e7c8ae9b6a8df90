"""The built-in modules: where each stands, and what one is.

A built-in module is a function of a file of this room, `run(call)`: it is given a `ModuleCall` and returns text, or
plain data.  A file may have `restore(folder, recorded)` as well: it is called where the step is answered from the record, with the folder
for generated files and the recorded call, to bring back what stood in the folder after it, and returns the paths that changed;
None where the call did nothing there.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gvstore.pipeline.keys import ASKING
from gvstore.pipeline.step import Does, Step

if TYPE_CHECKING:
    from gvstore.journal.invocation import Invocation
    from gvstore.pipeline.module_call import ModuleCall

WHERE: dict[str, str] = {
    "start_module": "asking",
    "human_intervention": "asking",
    "engineer": "engineer",
    "debugger": "debugger",
    "modify_codebase": "modify_codebase",
    "create_readme": "create_readme",
}
"""The file of each built-in module."""


class Module(Protocol):
    """What a file of a built-in module has."""

    def run(self, call: ModuleCall) -> Any:
        """Returns the step's result."""
        ...


def run_builtin(call: ModuleCall) -> Any:
    """Returns what a built-in module answers."""
    return importlib.import_module(f"gvstore.pipeline.{WHERE[call.work.module]}").run(call)


def restore_builtin(module: str, folder: Path, recorded: Invocation) -> tuple[str, ...] | None:
    """Brings back what stood in the folder after a recorded call of a module; returns the paths that changed, None if it did nothing there."""
    restore = getattr(importlib.import_module(f"gvstore.pipeline.{WHERE[module]}"), "restore", None)
    found: tuple[str, ...] | None = None if restore is None else restore(folder, recorded)
    return found


def asks_person(step: Step) -> bool:
    """Returns whether a step asks a person and does nothing else."""
    return step.work.does is Does.BUILTIN and step.work.module in ASKING
