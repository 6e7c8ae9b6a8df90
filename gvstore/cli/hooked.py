"""Hooks beside commands: what they print, and what becomes of a command when they fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gvstore.errors import GvError
from gvstore.repo.hook import find_hook, run_hook

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.repo import Repository


class HookStopped(GvError):
    """A hook said no."""

    exit_code = 1
    hint = "Mend what it says, or `gv commit --no-verify` commits all the same."


def before(cx: CommandContext, repo: Repository, name: str) -> None:
    """Runs a hook that may stop the command, if there is one.

    Raises:
        HookStopped: it ended with another status than 0, or cannot be run.
    """
    failed = _run(cx, repo, name, {})
    if failed:
        raise HookStopped(f"the hook {name} {failed}; nothing was done")


def after(cx: CommandContext, repo: Repository, name: str, *arguments: str, **names: str) -> None:
    """Runs a hook after the fact, if there is one; that it failed is a warning."""
    failed = _run(cx, repo, name, names, *arguments)
    if failed:
        cx.output.warning(f"the hook {name} {failed}")


def _run(cx: CommandContext, repo: Repository, name: str, names: dict[str, str], *arguments: str) -> str:
    """Returns in which way a hook failed, in words, or nothing."""
    hook = find_hook(repo, name)
    if hook is None:
        return ""
    if hook.fault:
        cx.output.warning(f"the hook {cx.shown(hook.path)} is not run: {hook.fault}")
        if "executable" in hook.fault:
            cx.output.hint(f"`chmod +x {cx.shown(hook.path)}` makes it one.")
        return ""
    try:
        status = run_hook(repo, hook, *arguments, names=names, on_line=cx.output.detail)
    except OSError as e:
        return f"cannot be run: {e.strerror or e}"
    if not status:
        return ""
    return f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
