"""What git says about the folder, noted with each commit and run; git is never written.

git's HEAD is read from its files.  Whether its work tree is dirty git itself
is asked, for a moment: no more than it takes is spent on a note.  What is staged
there is asked before files are moved: the two must not fight over them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path

from gvstore import host
from gvstore.errors import WouldLose

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PATIENCE_S = 2.0
_STATUS_PATIENCE_S = 60.0
_MAX_SYMBOLIC_STEPS = 5
_SHOWN = 20
# What git keeps in its folder while something is under way, and what people call it.
_UNDER_WAY = {
    "MERGE_HEAD": "merge", "rebase-merge": "rebase", "rebase-apply": "rebase", "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
}  # fmt: skip
# Where git is told to look by whoever calls us, a hook of git's for one: we ask about a folder.
_ELSEWHERE = (
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_LITERAL_PATHSPECS", "GIT_TRACE",
)  # fmt: skip


class GitFight(WouldLose):
    """git has plans of its own for files that are about to be written."""


def git_note(folder: Path) -> str:
    """Returns `<sha> clean` or `<sha> dirty` of the git repository around `folder`; `<sha>` alone where git does not answer; "" without one."""
    root = git_root(folder)
    if root is None:
        return ""
    sha = git_head(root / ".git")
    if sha is None:
        return ""
    dirty = _dirty(root)
    return sha if dirty is None else f"{sha} {'dirty' if dirty else 'clean'}"


def git_root(folder: Path) -> Path | None:
    """Returns the root of git's work tree around `folder`, or None."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)


def refuse_fight(root: Path, paths: Collection[str]) -> None:
    """Returns if git has nothing against it that these files of the work tree at `root` are written or deleted.

    Raises:
        GitFight: a merge or the like of git's is under way, or it has changes of such a file staged.
    """
    top = git_root(root) if paths else None
    if top is None:
        return
    git = _pointed_to(top / ".git")
    for name, word in _UNDER_WAY.items():
        if (git / name).exists():
            raise GitFight(
                f"a {word} of git is under way here, and files that it is about would be written",
                hint=f"End it first: `git {word} --continue`, or `git {word} --abort`.",
            )
    below = root.relative_to(top).as_posix()
    prefix = "" if below == "." else f"{below}/"
    staged = sorted({path[len(prefix) :] for path in _staged(top) if path.startswith(prefix)} & set(paths))
    if staged:
        shown = ", ".join(os.fsencode(path).decode("utf-8", "replace") for path in staged[:_SHOWN])
        raise GitFight(
            f"git has changes staged of what would be written: {shown}" + (", ..." if len(staged) > _SHOWN else ""),
            hint="Run `git commit`, or `git restore --staged FILE`, first.",
        )


def _staged(top: Path) -> Iterator[str]:
    """Yields the paths, from git's root, that its index has otherwise than its HEAD; none where git does not answer.

    The work tree is not looked at: only what git would commit.
    """
    words = ("--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=all")
    done = ask_git(top, "diff", "--cached", *words)
    if done is not None and done.returncode == 0:
        yield from map(os.fsdecode, filter(None, done.stdout.split(b"\0")))


def git_program() -> str | None:
    """Returns where git is, or None."""
    return shutil.which("git")


def git_command(git: str, root: Path) -> list[str]:
    """Returns how a command line of git begins that asks about a folder and writes nothing.

    Settings of a repository can name programs to run: those that reading would run are not asked for their help.
    """
    return [git, "-C", str(root), "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "--no-optional-locks"]


def git_environment() -> dict[str, str]:
    """Returns the environment that git is asked in: nothing is fetched, nobody is asked for a password."""
    kept = {name: value for name, value in host.environment().items() if name not in _ELSEWHERE}
    return {**kept, "GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


def ask_git(
    root: Path, *words: str, patience_s: float = _STATUS_PATIENCE_S
) -> subprocess.CompletedProcess[bytes] | None:
    """Returns what git answers to a question about a folder; None where there is no git, or it takes too long."""
    git = git_program()
    if git is None:
        return None
    try:
        return subprocess.run(
            [*git_command(git, root), *words],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=git_environment(),
            timeout=patience_s,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None


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
    words = ("status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all")
    done = ask_git(root, *words, patience_s=_PATIENCE_S)
    return None if done is None or done.returncode != 0 else bool(done.stdout.strip())
