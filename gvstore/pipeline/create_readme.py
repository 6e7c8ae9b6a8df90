"""`create_readme`: a model describes the codebase; what it says is written into the working folder, as README.md, and is the result."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.pipeline.codebase import readme_of
from gvstore.pipeline.coding import restore
from gvstore.pipeline.generated import generated_code
from gvstore.pipeline.hands import read, write

if TYPE_CHECKING:
    from gvstore.pipeline.module_call import ModuleCall

__all__ = ["restore", "run"]


def run(call: ModuleCall) -> str:
    """Returns the README's text.

    Raises:
        PathsRefused: it may not be written where `file` says.
        ModelFailed: the model gave no answer.
    """
    text = readme_of(call.ask())
    with generated_code(call.folder) as code:
        write(code, text, read(code), strict=True, name=str(call.options.get("file", "README.md")))
    return text
