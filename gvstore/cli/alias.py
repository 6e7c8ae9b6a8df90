"""Aliases: words of the user's own for commands, `alias.last = "log -n 1 --stat"`.

An alias is looked up only where there is no such command, so none is ever
shadowed.  It may begin with another alias; with "!" it is a line for the
shell, run in the work tree's root, its arguments behind it, as in git.
"""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext


class BadAlias(UsageFault):
    """An alias that leads nowhere."""


def expanded(aliases: dict[str, str], arguments: list[str], names: list[str]) -> list[str] | None:
    """Returns the arguments with the alias at their beginning written out, None where there is none; "!..." stays for the shell.

    Raises:
        BadAlias: it stands for itself, for nothing, or its quotes do not close.
    """
    seen: list[str] = []
    while arguments and arguments[0] in aliases and arguments[0] not in names:
        name = arguments[0]
        if name in seen:
            raise BadAlias(
                f"the alias {seen[0]} goes round in circles: {' → '.join([*seen, name])}",
                hint=f"`gv config alias.{name} COMMAND` gives it another meaning, `gv config --unset alias.{name}` none.",
            )
        seen.append(name)
        text = aliases[name].strip()
        if text.startswith("!"):
            return [text, *arguments[1:]]
        try:
            words = shlex.split(text)
        except ValueError as e:
            raise BadAlias(f"the alias {name} cannot be read: {e}: {text}", hint=f"gv config alias.{name}") from e
        if not words or words[0].startswith("-"):
            raise BadAlias(
                f"the alias {name} does not begin with a command: {text!r}",
                hint=f'As in: gv config alias.{name} "log --oneline"',
            )
        arguments = [*words, *arguments[1:]]
    return arguments if seen else None


def run_in_shell(cx: CommandContext, line: str, arguments: list[str]) -> int:
    """Returns the exit status of a shell that ran the line behind "!", with the arguments, in the work tree's root."""
    from gvstore.errors import NoRepository

    try:
        folder = cx.repository.path
    except NoRepository:
        folder = cx.folder
    cx.close()  # the line may well call gv
    done = subprocess.run(["sh", "-c", f'{line[1:]} "$@"', line[1:], *arguments], cwd=folder, check=False)
    return done.returncode if done.returncode >= 0 else 128 - done.returncode
