"""The built-in modules: where each stands, and what one is.

A built-in module is a function of a file of this room, `run(call)`: it is given a `ModuleCall` and returns text, or
plain data.  A file may have `restore(call, recorded)` as well: it is called where the step is answered from the
record, with the recorded call, to bring back what the module did beside its answer, as the files that it wrote.
"""

from __future__ import annotations

import importlib
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


def restore_builtin(call: ModuleCall, recorded: Invocation) -> None:
    """Brings back what a built-in module did beside its answer, when that came from the record."""
    restore = getattr(importlib.import_module(f"gvstore.pipeline.{WHERE[call.work.module]}"), "restore", None)
    if restore is not None:
        restore(call, recorded)


def asks_person(step: Step) -> bool:
    """Returns whether a step asks a person and does nothing else."""
    return step.work.does is Does.BUILTIN and step.work.module in ASKING
