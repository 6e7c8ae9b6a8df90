"""The message of a commit: given, taken from another commit, or written in the user's editor."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from gvstore.cli.context import CommandContext
from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.repo import Repository

FILE = "COMMIT_EDITMSG"
_HELP = "Say what changed. Lines that begin with # are left out, and an empty message stops the commit."


class NoMessage(UsageFault):
    """The editor came back without a message: nothing was committed."""

    hint = "What was written lies in .gv/COMMIT_EDITMSG."

    def __init__(self) -> None:
        super().__init__("the message is empty: nothing was committed")


def can_edit(cx: CommandContext) -> bool:
    """Returns whether an editor may be started: somebody sits there, or GV_EDITOR names one that needs nobody."""
    return bool(cx.variable("GV_EDITOR").strip()) or (not cx.json and sys.stdin.isatty() and sys.stdout.isatty())


def edited_message(cx: CommandContext, repo: Repository, start: str, about: Iterable[str]) -> str:
    """Returns the message that the user writes, `start` to begin with; `about` is told below, behind #.

    Raises:
        NoMessage: nothing was written.
        EditorFailed: the editor did.
    """
    from gvstore import fs
    from gvstore.cli.editor import edit

    path = repo.gv / FILE
    notes = ["", *("# " + line if line else "#" for line in (_HELP, "", *about))]
    fs.write_atomic(path, (start + "\n" + "\n".join(notes) + "\n").encode("utf-8", "surrogateescape"), durable=False)
    edit(cx, path)
    text = fs.read_bytes(path).decode("utf-8", "replace")
    message = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    if not message.strip():
        raise NoMessage
    return message
