"""The user's editor: GV_EDITOR, core.editor, VISUAL, EDITOR, else vi."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext


class EditorFailed(UsageFault):
    """There is no editor, or it ended with a failure: what it was to edit does not count."""

    hint = "Choose one with `gv config --user core.editor nano`, or with GV_EDITOR or EDITOR."


def editor_of(cx: CommandContext) -> str:
    """Returns the command line of the user's editor.

    Raises:
        EditorFailed: none is set, and vi is not here.
    """
    for given in (
        cx.variable("GV_EDITOR"),
        cx.settings.text("core.editor"),
        cx.variable("VISUAL"),
        cx.variable("EDITOR"),
    ):
        if given.strip():
            return given
    if shutil.which("vi"):
        return "vi"
    raise EditorFailed("no editor is set, and vi is not here")


def edit(cx: CommandContext, path: Path) -> None:
    """Lets the user edit a file, and returns when the editor ends.

    Raises:
        EditorFailed: it cannot be started, or says that it failed.
    """
    command = editor_of(cx)
    done = subprocess.run(["sh", "-c", f'{command} "$@"', command, str(path)], check=False)
    if done.returncode != 0:
        raise EditorFailed(f"the editor failed: {command} ended with {done.returncode}")
