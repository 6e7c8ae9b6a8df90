"""Commits of git as code: `git:main` is the tree that git's commit has at the root of this work tree.

git itself is asked, by `git cat-file --batch`; its objects are put among ours,
blob by blob as git holds them: line ends are not converted, pointers of LFS stay
pointers.  Submodules, and names that no work tree of ours may have, are left out.
What a commit came to is remembered in `.gv/cache/git/<sha>`, and made again where
that was deleted.
"""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

from gvstore import fs
from gvstore.errors import BadRev
from gvstore.objects.blob import put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectWriter
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.repo import layout
from gvstore.repo.fault import printable
from gvstore.repo.files import iter_files
from gvstore.repo.git import ask_git, git_command, git_environment, git_program, git_root
from gvstore.repo.path import name_fault

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

PREFIX = "git:"
_SHA = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MODES = {
    "100644": Mode.FILE,
    "100664": Mode.FILE,
    "100755": Mode.EXECUTABLE,
    "120000": Mode.SYMLINK,
    "40000": Mode.FOLDER,
}
_MAX_DEPTH = 1000
_CACHE = "git"
_AUTHOR = re.compile(r"(.*) (-?[0-9]{1,15}) [+-][0-9]{4}", re.DOTALL)


class GitRefused(BadRev):
    """A rev of git that git does not know, or that cannot be asked for here."""

    hint = "`git log --all --oneline` lists what git has here."


@dataclass(frozen=True, slots=True)
class GitCode:
    """The code of a commit of git: its full name there, and the tree it has at the root of the work tree."""

    sha: str
    tree: ObjectId

    @property
    def ref(self) -> str:
        """What it is called in messages: `git:4be1902c`."""
        return f"{PREFIX}{self.sha}"


def git_code(repo: Repository, rev: str) -> GitCode:
    """Returns the code of the commit that git knows by `rev`, stored.

    Raises:
        GitRefused: git is not here, or does not know it; the work tree's root is not in that commit.
    """
    sha = git_sha(repo.path, rev)
    known = _remembered(repo, sha)
    if known is not None:
        return GitCode(sha, known)
    with GitObjects(repo.path, repo.objects) as git:
        tree = git.tree_of(sha, git_prefix(repo.path))
    if tree is None:
        raise GitRefused(
            f"{PREFIX}{rev} has no folder {git_prefix(repo.path)}, where this work tree lies",
            hint="Give a commit of git that has it.",
        )
    repo.objects.flush()
    _remember(repo, sha, tree)
    return GitCode(sha, tree)


def git_sha(root: Path, rev: str) -> str:
    """Returns the full name of the commit that git knows by `rev`.

    Raises:
        GitRefused: git is not here, or does not know it.
    """
    if git_root(root) is None:
        raise GitRefused(
            f"{PREFIX}{rev} asks git, and {root} is not in a git repository", hint="Give a rev of gv: `gv log`."
        )
    if git_program() is None:
        raise GitRefused(f"{PREFIX}{rev} asks git, and there is no program `git` here", hint="Install git.")
    if not rev or rev.startswith("-") or "\0" in rev or "\n" in rev:
        raise GitRefused(
            f"{PREFIX}{printable(rev[:200])} is no rev of git",
            hint=f"As in {PREFIX}HEAD, {PREFIX}main~2, {PREFIX}v1:agent.py",
        )
    done = ask_git(root, "rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}")
    sha = done.stdout.strip() if done is not None else b""
    if done is None or done.returncode != 0 or not _SHA.fullmatch(sha):
        lines = (
            done.stderr.decode("utf-8", "replace").strip().splitlines() if done is not None else ["git does not answer"]
        )
        why = next((line.removeprefix("fatal: ") for line in lines), "no such commit")
        if "Needed a single revision" in why or "unknown revision" in why:
            why = "git knows no commit by that name"
        raise GitRefused(f"{PREFIX}{rev[:200]} names nothing: {why}")
    return sha.decode()


def git_prefix(root: Path) -> str:
    """Returns the folder of git's work tree that `root` is, "" where it is all of it."""
    top = git_root(root)
    below = "" if top is None else root.relative_to(top).as_posix()
    return "" if below == "." else below


def _remembered(repo: Repository, sha: str) -> ObjectId | None:
    """Returns the tree that a commit came to, if all of it is still here."""
    try:
        tree = ObjectId.from_hex(fs.read_bytes(_note(repo, sha), limit=200).decode("ascii").strip())
        if repo.objects.has(tree) and all(repo.objects.has(entry.oid) for _, entry in iter_files(repo.objects, tree)):
            return tree
    except (OSError, ValueError, BadRev):
        pass
    return None


def _remember(repo: Repository, sha: str, tree: ObjectId) -> None:
    with suppress(OSError):  # it is only a cache
        _note(repo, sha).parent.mkdir(parents=True, exist_ok=True)
        fs.write_atomic(_note(repo, sha), f"{tree.hex()}\n".encode(), durable=False)


def _note(repo: Repository, sha: str) -> Path:
    # A work tree in a folder of git's is another tree of the same commit; `.gv` moves with the folder.
    return (
        repo.gv
        / layout.CACHE
        / _CACHE
        / f"{sha}-{ObjectId.of(git_prefix(repo.path).encode('utf-8', 'surrogateescape')).hex()[:8]}"
    )


class GitObjects:
    """git's objects, read through one process of git, and put among ours; each once."""

    def __init__(self, root: Path, writer: ObjectWriter) -> None:
        self._root, self._writer = root, writer
        self._put: dict[str, ObjectId] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(OSError):
                _pipe(process.stdin).close()
            _pipe(process.stdout).close()
            process.wait()

    def tree_of(self, sha: str, folder: str = "") -> ObjectId | None:
        """Returns the tree of a commit, or of a folder in it, stored; None where it has no such folder."""
        tree = self._header(self.read(sha, "commit"), "tree")
        for name in filter(None, folder.split("/")):
            found = [
                each for mode, entry, each in self._entries(tree) if entry == name and _MODES.get(mode) is Mode.FOLDER
            ]
            if not found:
                return None
            tree = found[0]
        return self._tree(tree, 0)

    def author_of(self, sha: str) -> tuple[str, int]:
        """Returns who wrote a commit, and when, in microseconds UTC."""
        lines = self.read(sha, "commit").partition(b"\n\n")[0].split(b"\n")
        line = next((line for line in lines if line.startswith(b"author ")), b"author ")
        found = _AUTHOR.fullmatch(line.decode("utf-8", "replace").removeprefix("author "))
        return (found.group(1), int(found.group(2)) * 1_000_000) if found else ("", 0)

    def message_of(self, sha: str) -> str:
        """Returns the message of a commit."""
        return self.read(sha, "commit").partition(b"\n\n")[2].decode("utf-8", "replace")

    def read(self, sha: str, kind: str) -> bytes:
        """Returns an object of git's.

        Raises:
            GitRefused: it is not there, or is something else.
        """
        if self._process is None:
            git = git_program()
            if git is None:
                raise GitRefused("there is no program `git` here", hint="Install git.")
            self._process = subprocess.Popen(
                [*git_command(git, self._root), "cat-file", "--batch"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=git_environment(),
            )  # fmt: skip
        try:
            asked, answer = _pipe(self._process.stdin), _pipe(self._process.stdout)
            asked.write(sha.encode("ascii") + b"\n")
            asked.flush()
            words = answer.readline().split()
            if len(words) != 3 or words[1] != kind.encode():
                what = words[1].decode("utf-8", "replace") if len(words) > 1 else "gone"
                raise GitRefused(
                    f"git's {kind} {sha[:8]} cannot be read: it is {what}", hint="`git fsck` looks what is wrong."
                )
            data = answer.read(int(words[2]))
            answer.read(1)
        except OSError as e:
            raise GitRefused(f"git stopped answering: {e.strerror or e}") from e
        return data

    @staticmethod
    def _header(commit: bytes, word: str) -> str:
        first = commit.split(b"\n", 1)[0]
        return first.removeprefix(word.encode() + b" ").decode("ascii", "replace")

    def _entries(self, sha: str) -> list[tuple[str, str, str]]:
        """Returns (mode, name, sha) of a tree of git's."""
        data, size = self.read(sha, "tree"), len(sha) // 2
        found, at = [], 0
        while at < len(data):
            blank, zero = data.index(b" ", at), data.index(b"\0", at)
            name = os.fsdecode(data[blank + 1 : zero])
            found.append((data[at:blank].decode("ascii", "replace"), name, data[zero + 1 : zero + 1 + size].hex()))
            at = zero + 1 + size
        return found

    def _tree(self, sha: str, depth: int) -> ObjectId:
        if sha in self._put:
            return self._put[sha]
        if depth > _MAX_DEPTH:
            raise GitRefused(f"git's tree {sha[:8]} lies more than {_MAX_DEPTH} folders deep")
        entries = {}
        for mode, name, below in self._entries(sha):
            kind = _MODES.get(mode)
            if kind is None or name_fault(name):
                continue  # a submodule, or what could reach .gv
            if kind is Mode.FOLDER:
                oid = self._tree(below, depth + 1)
            else:
                known = self._put.get(below)
                oid = put_blob(self._writer, self.read(below, "blob")) if known is None else known
                self._put[below] = oid
            entries[name] = TreeEntry(kind, oid)
        self._put[sha] = Tree(entries).put(self._writer)
        return self._put[sha]


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
