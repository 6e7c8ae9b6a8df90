"""A random history in a gv repository and in a git one: the same commits under other names, to compare what is said of them."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from gvstore.objects.blob import put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.refs.names import HEAD, branch_ref
from gvstore.repo import Repository
from gvstore.repo.files import write_tree
from tests.repo.conftest import AUTHOR, NOW_US

NAMES = ("a.txt", "b.txt", "d/c.txt", "d/e/f.txt")
# For each commit: which of the earlier ones are its parents, and the files that it writes, None deletes.
EDITS = st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), st.integers(0, 3)), max_size=2)
HISTORIES = st.lists(st.tuples(st.sets(st.integers(0, 30), max_size=2), EDITS), min_size=1, max_size=12)
Shape = list[tuple[set[int], dict[str, int | None]]]


def git(folder: Path, *arguments: str, stdin: bytes | None = None) -> str:
    """Returns what git printed; nothing of the developer's own settings counts."""
    names = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "LC_ALL": "C"}
    done = subprocess.run(["git", *arguments], cwd=folder, env=os.environ | names, input=stdin, capture_output=True, check=False)

    assert done.returncode in (0, 1), done.stderr.decode()
    return done.stdout.decode()


@dataclass(slots=True)
class Twin:
    """Both repositories; commit number n is `gv[n]` here and `git[n]` there, and stands on branch `c<n>` in both."""

    repo: Repository
    folder: Path
    gv: list[ObjectId] = field(default_factory=list)
    git: list[str] = field(default_factory=list)

    def numbers(self, oids: list[ObjectId]) -> list[int]:
        """Returns the numbers of commits here."""
        return [self.gv.index(oid) for oid in oids]

    def asked(self, *arguments: str) -> list[int]:
        """Returns the numbers of the commits that `git rev-list ARGUMENTS` names."""
        return [self.git.index(sha) for sha in git(self.folder, "rev-list", *arguments).split()]


def make_twin(repo: Repository, folder: Path, shape: Shape) -> Twin:
    """Returns the history in both; each commit is a second younger than the one before it."""
    twin = Twin(repo, folder)
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    stream, states = [], list[dict[str, int]]()
    for number, (wanted, edits) in enumerate(shape):
        parents = sorted({each % number for each in wanted}, reverse=True) if number else []
        files = dict(states[parents[0]]) if parents else {}
        for name, content in edits.items():
            files.pop(name, None)
            if content is not None:
                files[name] = content
        states.append(files)
        entries = {name: TreeEntry(Mode.FILE, put_blob(repo.objects, _text(content))) for name, content in files.items()}
        above = [twin.gv[each] for each in parents]
        generation = 1 + max((Commit.get(repo.objects, each).generation for each in above), default=0)
        moment = NOW_US + number * 1_000_000
        commit = Commit(write_tree(repo.objects, entries), tuple(above), AUTHOR, moment, f"commit {number}", generation=generation)
        twin.gv.append(commit.put(repo.objects))
        stream.append(_imported(number, parents, files))
    git(folder, "fast-import", "--quiet", "--force", stdin="".join(stream).encode())
    twin.git = git(folder, "rev-parse", *(f"c{n}" for n in range(len(shape)))).split()
    git(folder, "symbolic-ref", "HEAD", f"refs/heads/c{len(shape) - 1}")
    with repo.transaction("twin", author=AUTHOR, now=NOW_US) as transaction:
        for name in repo.refs.list("refs/heads/"):
            transaction.delete(name, expected=repo.refs.resolve(name))
        for number, oid in enumerate(twin.gv):
            transaction.update(branch_ref(f"c{number}"), oid, expected=repo.refs.resolve(branch_ref(f"c{number}")))
        transaction.set_symbolic(HEAD, branch_ref(f"c{len(shape) - 1}"), expected=repo.refs.read(HEAD))
    return twin


def _text(content: int) -> bytes:
    return b"" if not content else f"{content}\n".encode() * 3


def _imported(number: int, parents: list[int], files: dict[str, int]) -> str:
    seconds = NOW_US // 1_000_000 + number
    message = f"commit {number}"
    lines = [f"commit refs/heads/c{number}\nmark :{number + 1}\ncommitter {AUTHOR} {seconds} +0000\ndata {len(message)}\n{message}\n"]
    lines += [f"{'merge' if n else 'from'} :{parent + 1}\n" for n, parent in enumerate(parents)]
    lines.append("deleteall\n")
    for name, content in files.items():
        text = _text(content).decode()
        lines.append(f"M 100644 inline {name}\ndata {len(text)}\n{text}\n")
    return "".join([*lines, "\n"])
