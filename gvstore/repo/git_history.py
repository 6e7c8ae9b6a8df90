"""git's commits between good ones and a bad one as commits of ours, for `gv bisect --git`.

Each has the tree that git's has at the root of the work tree, its message and
author, and the parents that are among them; where the good ones and the bad
one parted is the oldest.  No ref leads to them: they go with the next `gv gc`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Tree
from gvstore.repo.git import ask_git
from gvstore.repo.git_code import PREFIX, GitObjects, GitRefused, git_prefix, git_sha

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Commits of git's as ours: the good ones, the bad one, and how git calls each."""

    good: tuple[ObjectId, ...]
    bad: ObjectId
    names: Mapping[ObjectId, str]


def mirrored(repo: Repository, good: Sequence[str], bad: str) -> Mirrored:
    """Returns what lies between these commits of git's, stored.

    Raises:
        GitRefused: git is not here, or does not know one of them; nothing leads from one to the other.
    """
    ends = [git_sha(repo.path, rev.removeprefix(PREFIX)) for rev in good]
    last = git_sha(repo.path, bad.removeprefix(PREFIX))
    if len(ends) > 1:  # one that leads to another says nothing more
        ends = _lines(repo, "merge-base", "--independent", *ends)
    parted = [each for end in ends for each in _lines(repo, "merge-base", "--all", last, end)]
    if not parted:
        raise GitRefused(
            f"{good[0]} and {bad} have no commit in common", hint="Give a good commit that leads to the bad one."
        )
    lines = _lines(
        repo,
        "rev-list",
        "--topo-order",
        "--reverse",
        "--parents",
        last,
        *ends,
        "--not",
        *(f"{each}^@" for each in parted),
    )
    found: dict[str, ObjectId] = {}
    generations: dict[str, int] = {}
    prefix = git_prefix(repo.path)
    with GitObjects(repo.path, repo.objects) as git:
        empty = Tree({}).put(repo.objects)
        for line in lines:
            sha, *above = line.split()
            parents = [each for each in above if each in found]
            generations[sha] = 1 + max((generations[each] for each in parents), default=0)
            author, created_at = git.author_of(sha)
            found[sha] = Commit(
                tree=git.tree_of(sha, prefix) or empty,
                parents=tuple(found[each] for each in parents),
                author=author,
                created_at=created_at,
                message=git.message_of(sha),
                generation=generations[sha],
                git=f"{sha} clean",
            ).put(repo.objects)
    repo.objects.flush()
    names = {oid: sha for sha, oid in found.items()}
    return Mirrored(tuple(found[each] for each in ends), found[last], names)


def _lines(repo: Repository, *words: str) -> list[str]:
    done = ask_git(repo.path, *words)
    if done is None or (done.returncode != 0 and done.stderr.strip()):
        why = "git does not answer" if done is None else done.stderr.decode("utf-8", "replace").strip().splitlines()[0]
        raise GitRefused(f"git's history cannot be read: {why}")
    return done.stdout.decode("ascii", "replace").splitlines()
