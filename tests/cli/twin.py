"""A repository of gv and one of git, side by side, given the same commands.

Both are read in the same form: files as (kind, content), commits as a hash
over their files, message and parents, so that equal histories have equal names on
both sides whatever their times are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gvstore.objects.blob import get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.tag import Tag
from gvstore.objects.tree import Mode
from gvstore.refs.names import BRANCHES, HEAD, TAGS
from gvstore.repo import Repository
from gvstore.repo.files import read_files
from tests.conftest import CommandLine

Contents = dict[str, tuple[str, bytes]]
_KINDS = {Mode.FILE: "file", Mode.EXECUTABLE: "program", Mode.SYMLINK: "link"}
_GIT_KINDS = {b"100644": "file", b"100755": "program", b"120000": "link"}
_MARKER = re.compile(rb"^(<{7}|={7}|>{7}|\|{7}).*$", re.MULTILINE)


@dataclass(frozen=True)
class State:
    """What can be seen of a repository: HEAD as a branch or a commit, commits of branches and tags, files of HEAD and of the work tree."""

    head: str
    branches: dict[str, str]
    tags: dict[str, str]
    files: Contents
    worktree: Contents


def named(files: Contents, message: str, parents: list[str]) -> str:
    """Returns the name of a commit: the same for the same history."""
    told = re.sub(r"This reverts commit [^.]*\.", "", message).strip()  # it has a real name in it
    told = re.sub(r'^Revert "Revert "(.*)""$', r'Reapply "\1"', told)  # as git has it since 2.43
    told = re.sub(r"^Merge (?:commit|branch) '([^'~^]*)[~^0-9]*'(?: \(early part\))?", r"Merge '\1'", told)
    return hashlib.sha256(repr((sorted(files.items()), told, parents)).encode()).hexdigest()[:16]


def lying(root: Path) -> Contents:
    """Returns the files of a work tree; labels of conflict markers are left out."""
    found: Contents = {}
    for base, folders, names in os.walk(root):
        folders[:] = [each for each in folders if each not in (".git", ".gv")]
        links = [each for each in folders if (Path(base) / each).is_symlink()]
        for name in names + links:
            path = Path(base) / name
            status = path.lstat()
            if stat.S_ISLNK(status.st_mode):
                kind, data = "link", os.fsencode(path.readlink())
            else:
                kind, data = "program" if status.st_mode & stat.S_IXUSR else "file", path.read_bytes()
            found[path.relative_to(root).as_posix()] = (kind, _MARKER.sub(rb"\1", data))
    return found


class Git:
    """git, with settings of nobody's."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        home = {
            "HOME": str(root.parent),
            "PATH": os.environ["PATH"],
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        who = {f"GIT_{role}_{what}": "Ada" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        when = dict.fromkeys(
            ("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "2026-11-20T10:02:11Z"
        )  # what is alike is one commit
        self.env = home | who | when | {"GIT_EDITOR": "true", "GIT_MERGE_AUTOEDIT": "no", "LC_ALL": "C"}
        self("init", "-q", "-b", "main")
        self("config", "core.fsync", "none")
        self.reader = subprocess.Popen(
            ["git", "cat-file", "--batch"], cwd=root, env=self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._commits: dict[str, str] = {}
        self._trees: dict[str, Contents] = {}

    def close(self) -> None:
        """Ends the process that reads objects."""
        for pipe in (self.reader.stdin, self.reader.stdout):
            assert pipe is not None
            pipe.close()
        self.reader.wait()

    def __call__(self, *arguments: str) -> tuple[bool, str]:
        """Returns whether a command did what it was told, and what it said."""
        done = subprocess.run(["git", *arguments], cwd=self.root, env=self.env, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    def all(self, commands: tuple[tuple[str, ...], ...]) -> tuple[bool, str]:
        """Returns whether all of these did what they were told, and what they said."""
        results = [self(*each) for each in commands]
        return all(ok for ok, _ in results), "".join(text for _, text in results)

    def names(self) -> list[str]:
        """Returns the branches and tags that are there."""
        folders = [self.root / ".git/refs" / kind for kind in ("heads", "tags")]
        return sorted(p.relative_to(folder).as_posix() for folder in folders for p in folder.rglob("*") if p.is_file())

    def pending(self) -> str:
        """Returns the word that has stopped at conflicts, or nothing."""
        words = {"MERGE_HEAD": "merge", "REVERT_HEAD": "revert", "CHERRY_PICK_HEAD": "cherry-pick"}
        return next((word for name, word in words.items() if (self.root / ".git" / name).exists()), "")

    def undecided(self) -> list[str]:
        """Returns the files with conflicts; those that both sides added alike but for their mode are taken as they lie, as gv takes them."""
        if not self.pending():
            return []
        sides: dict[str, list[str]] = {}
        for line in self("ls-files", "-u", "-z")[1].split("\0")[:-1]:
            head, _, path = line.partition("\t")
            sides.setdefault(path, []).extend(head.split(" ")[1:])  # oid, stage
        alike = [path for path, oids in sides.items() if oids[1::2] == ["2", "3"] and oids[0] == oids[2]]
        if alike and len(alike) < len(sides):
            self("add", "--", *alike)
        return sorted(sides.keys() - set(alike)) if len(alike) < len(sides) else sorted(sides)

    def keep(self) -> Path:
        """Returns a copy of the whole folder, for `put_back`."""
        copy = self.root.with_name("kept")
        shutil.rmtree(copy, ignore_errors=True)
        return shutil.copytree(self.root, copy, symlinks=True)

    def put_back(self, copy: Path) -> None:
        """Makes everything as it was; objects stay, for somebody reads them."""
        for path in self.root.iterdir():
            if path.name != ".git":
                path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)
        for name in ("refs", "HEAD", "index", "packed-refs", "MERGE_HEAD"):
            path = self.root / ".git" / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        shutil.copytree(copy, self.root, symlinks=True, dirs_exist_ok=True, copy_function=_copy_new)

    def state(self) -> State:
        """Returns what can be seen."""
        text = (self.root / ".git/HEAD").read_text().strip()
        branches, tags = (dict(self._refs(kind)) for kind in ("heads", "tags"))
        branch = text.removeprefix("ref: refs/heads/") if text.startswith("ref: ") else None
        oid = self._ref(f"heads/{branch}") if branch else text
        head = f"on {branch}" if branch else f"at {self.commit(text)}"
        files = self.files(oid) if oid else {}
        return State(head, branches, tags, files, lying(self.root))

    def commit(self, oid: str) -> str:
        """Returns the name of a commit; of a tag, that of what it is at."""
        if oid not in self._commits:
            head, _, message = self._read(oid).partition(b"\n\n")
            fields = [line.split(b" ", 1) for line in head.split(b"\n")]
            if fields[0][0] == b"object":
                return self.commit(fields[0][1].decode())
            parents = [self.commit(value.decode()) for key, value in fields if key == b"parent"]
            self._commits[oid] = named(self.files(oid), message.decode(), parents)
        return self._commits[oid]

    def files(self, commit: str) -> Contents:
        """Returns the files of a commit."""
        return self._tree(self._read(commit).split(b"\n", 1)[0].split(b" ")[1].decode())

    def _tree(self, oid: str) -> Contents:
        if oid not in self._trees:
            data, found = self._read(oid), Contents()
            while data:
                head, _, rest = data.partition(b"\0")
                mode, _, name = head.partition(b" ")
                below, data = rest[:20].hex(), rest[20:]
                if mode == b"40000":
                    found.update((f"{os.fsdecode(name)}/{path}", each) for path, each in self._tree(below).items())
                else:
                    found[os.fsdecode(name)] = _GIT_KINDS[mode], self._read(below)
            self._trees[oid] = found
        return self._trees[oid]

    def _refs(self, kind: str) -> Iterator[tuple[str, str]]:
        folder = self.root / ".git/refs" / kind
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield path.relative_to(folder).as_posix(), self.commit(path.read_text().strip())

    def _ref(self, name: str) -> str:
        path = self.root / ".git/refs" / name
        return path.read_text().strip() if path.is_file() else ""

    def _read(self, oid: str) -> bytes:
        asked, answers = self.reader.stdin, self.reader.stdout
        assert asked is not None
        assert answers is not None
        asked.write(oid.encode() + b"\n")
        asked.flush()
        return _answer(answers)


def _copy_new(source: str, target: str) -> None:
    """Copies a file that is not there: objects are, and cannot be written."""
    if not Path(target).exists():
        shutil.copy2(source, target)


def _answer(answers: IO[bytes]) -> bytes:
    size = int(answers.readline().split()[-1])
    data = answers.read(size)
    answers.read(1)
    return data


class Ours:
    """gv, in this process."""

    def __init__(self, gv: CommandLine, root: Path, empty: Path) -> None:
        self.gv, self.root = gv, root
        shutil.copytree(empty, root)
        self._commits: dict[ObjectId, str] = {}

    def __call__(self, *arguments: str) -> tuple[bool, str]:
        """Returns whether a command did what it was told, and what it said."""
        done = self.gv.attempt("-C", self.root, *arguments)
        assert done.status != 70, (arguments, done.err)
        return done.status == 0, done.out + done.err

    def state(self) -> State:
        """Returns what can be seen."""
        with Repository.open(self.root) as repo:
            found = {
                kind: {
                    name[len(kind) :]: self.commit(repo, ObjectId.from_hex(value))
                    for name, value in repo.refs.list(kind).items()
                }
                for kind in (BRANCHES, TAGS)
            }
            oid = repo.refs.resolve(HEAD)
            head = f"on {repo.branch}" if repo.branch else f"at {self.commit(repo, oid)}" if oid else "nowhere"
            return State(head, found[BRANCHES], found[TAGS], self.files(repo, oid) if oid else {}, lying(self.root))

    def commit(self, repo: Repository, oid: ObjectId) -> str:
        """Returns the name of a commit; of a tag, that of what it is at."""
        if oid not in self._commits:
            if repo.objects.read(oid)[0] == Kind.TAG:
                return self.commit(repo, Tag.get(repo.objects, oid).target)
            commit = Commit.get(repo.objects, oid)
            parents = [self.commit(repo, parent) for parent in commit.parents]
            self._commits[oid] = named(self.files(repo, oid), commit.message, parents)
        return self._commits[oid]

    def files(self, repo: Repository, oid: ObjectId) -> Contents:
        """Returns the files of a commit."""
        files = read_files(repo.objects, Commit.get(repo.objects, oid).tree)
        return {path: (_KINDS[entry.mode], get_blob(repo.objects, entry.oid)) for path, entry in files.items()}
