"""What git says about the folder, noted with each commit and run; git is never written.

git's HEAD is read from its files.  Whether its work tree is dirty git itself
is asked, for a moment: no more than it takes is spent on a note.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PATIENCE_S = 2.0
_MAX_SYMBOLIC_STEPS = 5


def git_note(folder: Path) -> str:
    """Returns `<sha> clean` or `<sha> dirty` of the git repository around `folder`; `<sha>` alone where git does not answer; "" without one."""
    root = next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
    if root is None:
        return ""
    sha = git_head(root / ".git")
    if sha is None:
        return ""
    dirty = _dirty(root)
    return sha if dirty is None else f"{sha} {'dirty' if dirty else 'clean'}"


def git_head(dot_git: Path) -> str | None:
    """Returns the commit that git's HEAD comes to, or None before the first; `dot_git` is the folder or the file `.git`."""
    git = _pointed_to(dot_git)
    common = git
    text = _read(git / "commondir")
    if text:
        common = (git / text).resolve()
    name = "HEAD"
    for _ in range(_MAX_SYMBOLIC_STEPS):
        value = _read(git / name) or _read(common / name) or _packed(common, name)
        if value is None:
            return None
        if not value.startswith("ref: "):
            return value if _SHA.fullmatch(value) else None
        name = value.removeprefix("ref: ").strip()
        if ".." in name or name.startswith("/"):
            return None
    return None


def _pointed_to(dot_git: Path) -> Path:
    """Returns git's folder: a submodule or a second work tree has a file that names it."""
    if dot_git.is_file():
        text = _read(dot_git) or ""
        if text.startswith("gitdir: "):
            return dot_git.parent / text.removeprefix("gitdir: ")
    return dot_git


def _packed(common: Path, name: str) -> str | None:
    for line in (_read(common / "packed-refs") or "").splitlines():
        sha, _, ref = line.partition(" ")
        if ref == name:
            return sha
    return None


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def _dirty(root: Path) -> bool | None:
    git = shutil.which("git")
    if git is None:
        return None
    # Settings of the repository can name programs to run; these two are not asked for their help.
    command = [git, "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks"]
    try:
        done = subprocess.run(
            [*command, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"],
            cwd=root,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return bool(done.stdout.strip()) if done.returncode == 0 else None
