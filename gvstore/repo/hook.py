"""Hooks: programs of the user's that run beside commands, in `.gv/hooks` or where `hooks.path` says.

    pre-commit     before a commit; any other status than 0 stops it
    post-commit    after it; GV_COMMIT is its oid
    post-run       after a run that a command made; GV_RUN names it, GV_RUN_STATUS says how it ended

As git's: executable files, run in the root of the work tree with nothing on
stdin.  GV_DIR names the repository, so that `gv` in a hook means this one, and GV_HOOK the
hook: in it the same hook does not run again.  No command writes them, and no
checkout brings them; one that belongs to another user is not run.
"""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import host
from gvstore.repo import layout

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

NAMES = ("pre-commit", "post-commit", "post-run")


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook that is there; `fault` says why it cannot be run, or nothing."""

    name: str
    path: Path
    fault: str = ""


def find_hook(repo: Repository, name: str) -> Hook | None:
    """Returns the hook of that name, or None where there is none, or this process runs in it."""
    path = hooks_folder(repo) / name
    try:
        status = path.stat()
    except OSError:
        return None
    if name in (host.environ("GV_HOOK") or "").split(":"):
        return None
    if not stat.S_ISREG(status.st_mode):
        return Hook(name, path, "it is no file")
    if not os.access(path, os.X_OK):
        return Hook(name, path, "it is not executable")
    if host.user_number() not in (None, status.st_uid) and status.st_uid != 0:
        return Hook(name, path, "it belongs to another user")
    return Hook(name, path)


def hooks_folder(repo: Repository) -> Path:
    """Returns the folder that hooks are looked for in; it may not exist."""
    given = repo.config.text("hooks.path")
    return repo.path / Path(given).expanduser() if given else repo.gv / layout.HOOKS


def run_hook(
    repo: Repository, hook: Hook, *arguments: str, names: Mapping[str, str], on_line: Callable[[str], None]
) -> int:
    """Returns the status that a hook ended with, negative for a signal; `on_line` gets what it prints, line by line.

    Raises:
        OSError: it cannot be run.
    """
    chain = ":".join(filter(None, [host.environ("GV_HOOK") or "", hook.name]))
    env = {**host.environment(), "GV_DIR": str(repo.gv), "GV_WORK_TREE": str(repo.path), "GV_HOOK": chain, **names}
    words = [str(hook.path), *arguments]
    try:
        process = _started(words, repo.path, env)
    except OSError as e:
        if e.errno != errno.ENOEXEC:
            raise
        process = _started(
            ["/bin/sh", *words], repo.path, env
        )  # without a first line that names its program, as git does
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                on_line(line.rstrip("\n"))
            return process.wait()
        except BaseException:
            process.kill()
            raise


def _started(words: list[str], folder: Path, env: Mapping[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", errors="replace",
    )  # fmt: skip
