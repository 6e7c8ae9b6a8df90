"""`engineer`: a model writes a program; the files of its answer are written into the working folder.

The first step of a pipeline that writes code begins anew: what earlier runs wrote is taken away (`generated`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.pipeline.codebase import condense
from gvstore.pipeline.coding import LIMIT, restore, writes_first
from gvstore.pipeline.generated import generated_code
from gvstore.pipeline.hands import read, write

if TYPE_CHECKING:
    from gvstore.pipeline.module_call import ModuleCall

__all__ = ["restore", "run"]


def run(call: ModuleCall) -> str:
    """Returns the codebase, condensed.

    Raises:
        PathsRefused: the answer names a file that may not be written; none was.
        AnswerRefused: it is too large.
        ModelFailed: there was none.
    """
    answer = call.ask()
    with generated_code(call.folder) as code:
        before = {} if writes_first(call) else read(code)
        files, _ = write(code, answer, before, strict=True)
    return condense(files, limit=LIMIT)
