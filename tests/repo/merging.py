"""What tests of merges, reverts and picks begin with."""

from __future__ import annotations

from gvstore.objects.blob import get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.repo import Repository
from gvstore.repo.landing import Recipe
from gvstore.repo.merge import Merged, MergeOptions
from gvstore.repo.merge import merge as merge_commits
from tests.repo.conftest import AUTHOR, NOW_US

RECIPE = Recipe(AUTHOR, NOW_US)
PLAIN = MergeOptions()


def merge(repo: Repository, rev: str, options: MergeOptions = PLAIN) -> Merged:
    """Merges what a rev names."""
    found = repo.resolve(rev)
    return merge_commits(repo, repo.resolve_commit(rev), found.ref, rev, options, RECIPE)


def fork_line(repo: Repository, name: str, start: str = "HEAD") -> None:
    """Goes onto a new branch at `start`."""
    repo.checkout(start, create=name)


def contents(repo: Repository, commit: ObjectId | None) -> dict[str, bytes]:
    """Returns the files of a commit, and what they hold."""
    return {path: get_blob(repo.objects, entry.oid) for path, entry in repo.files(commit).items()}


def commit_at(repo: Repository, oid: ObjectId | None = None) -> Commit:
    """Returns a commit, HEAD's if none is named."""
    oid = oid or repo.head
    assert oid is not None
    return Commit.get(repo.objects, oid)
