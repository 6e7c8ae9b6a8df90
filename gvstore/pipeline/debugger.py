"""`debugger`: the program in the working folder is run, and while it fails the model is told why, and its files are written.

It gives up after `attempts`; then too the codebase is the step's result, and the record says how the program ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.pipeline.codebase import condense
from gvstore.pipeline.coding import LIMIT, mended, restore
from gvstore.pipeline.generated import generated_code
from gvstore.pipeline.hands import read

if TYPE_CHECKING:
    from gvstore.pipeline.module_call import ModuleCall

__all__ = ["restore", "run"]


def run(call: ModuleCall) -> str:
    """Returns the codebase, condensed.

    Raises:
        ModelFailed: the model gave no answer.
    """
    with generated_code(call.folder) as code:
        before = read(code)
        files = mended(call, code, before, before=before)
    return condense(files, limit=LIMIT)
