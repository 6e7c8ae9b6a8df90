"""`modify_codebase`: a person says what is to be changed, the model changes it, the program is run and mended; until nothing more is wanted.

Each answer of the person is one change; "n", or nothing, is the last.  "y" has the next answer say what.  Where
answers come from `--input`, nothing more is wanted after the last of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gvstore.pipeline.codebase import condense, modify_input
from gvstore.pipeline.coding import LIMIT, debugger_prompt, mended, restore, with_codebase
from gvstore.pipeline.generated import generated_code
from gvstore.pipeline.hands import read, write
from gvstore.pipeline.prompt import together

if TYPE_CHECKING:
    from gvstore.pipeline.module_call import ModuleCall

__all__ = ["restore", "run"]

QUESTION: Final = "What should be changed? (n: nothing more)"
_NO: Final = ("", "n", "no")
_YES: Final = ("y", "yes")


def run(call: ModuleCall) -> str:
    """Returns the codebase, condensed.

    Raises:
        InputRequest: nobody says now what is to be changed; the run waits.
        PathsRefused: an answer names a file that may not be written; none was.
        AnswerRefused, ModelFailed: there was no answer, or one that is too large.
    """
    with generated_code(call.folder) as code:
        files = before = read(code)
        system = debugger_prompt(call)
        asked = 0
        while not (call.answers and asked >= len(call.answers)):
            said = str(call.question(str(call.options.get("question", QUESTION)), about=condense(files, limit=LIMIT))).strip()
            asked += 1
            if said.lower() in _NO:
                break
            if said.lower() in _YES:
                continue
            answer = call.ask(together([with_codebase(call, before, files), modify_input("", said)]))
            files, _ = write(code, answer, files, strict=True)
            files = mended(call, code, files, system=system, before=before)
    return condense(files, limit=LIMIT)
