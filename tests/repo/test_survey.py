"""What a survey beside the stat cache finds is what reading everything finds."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import TreeEntry
from gvstore.repo import Repository
from gvstore.repo.files import differing, write_tree
from gvstore.repo.scan import scan
from gvstore.repo.stat_cache import StatCache
from gvstore.repo.survey import Differences, survey
from tests.repo.conftest import AUTHOR, put
from tests.repo.test_worktree import _age

FOLDERS = ["", "a/", "a/b/", "a/b/c/", "d/", "d/e/"]
IGNORES = ["", "*.log\n", "/d\n", "*\n!*/\n!*.py\n", "b/\n"]


def from_scratch(repo: Repository) -> Differences:
    """Returns how the work tree differs from HEAD, found without a cache and without shortcuts."""
    cache = repo.gv / "cache" / "stat"
    aside = cache.with_name("aside")
    if cache.exists():
        cache.rename(aside)
    try:
        files = {path: repo.worktree.entry(path) for path in scan(repo.path, repo.gv).files}
    finally:
        cache.unlink(missing_ok=True)
        if aside.exists():
            aside.rename(cache)
    found: dict[str, TreeEntry] = {path: entry for path, entry in files.items() if entry is not None}
    return differing(repo.objects, repo.head_tree(), write_tree(repo.objects, found))


def change(repo: Repository, chance: random.Random) -> None:
    """Does one thing to the work tree: writes, deletes, moves, ignores, commits, lets time pass."""
    path = chance.choice(FOLDERS) + chance.choice(["x.py", "y.log", "z"])
    kind = chance.choice(
        ["put", "put", "delete", "folder", "mode", "link", "ignore", "touch", "commit", "checkout", "age"]
    )
    file = repo.path / path
    if kind in ("put", "link") and any(above.is_file() or above.is_symlink() for above in file.parents):
        return
    if kind == "put" and not file.is_symlink() and not file.is_dir():
        put(repo, path, chance.choice(["1", "2", "three"]))
    elif kind == "delete" and (file.is_file() or file.is_symlink()):
        file.unlink()
    elif kind == "folder":
        shutil.rmtree(repo.path / chance.choice(FOLDERS[1:]), ignore_errors=True)
    elif kind == "mode" and file.is_file():
        file.chmod(chance.choice([0o644, 0o755]))
    elif kind == "link" and not file.exists() and not file.is_symlink():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.symlink_to("somewhere")
    elif kind == "ignore":
        put(repo, chance.choice(["", "a/"]) + ".gitignore", chance.choice(IGNORES)) if (
            repo.path / "a"
        ).is_dir() else None
    elif kind == "touch" and file.is_file():
        file.touch()
    elif kind == "commit":
        repo.commit("c", author=AUTHOR, allow_empty=True)
    elif kind == "checkout" and repo.head is not None and repo.status().clean:
        repo.checkout(chance.choice(["HEAD", "HEAD~1", "main"]) if repo.log() and len(list(repo.log())) > 1 else "HEAD")
    elif kind == "age":
        _age(repo)


@pytest.mark.parametrize("seed", range(8))
def test_a_survey_finds_what_reading_everything_finds(repo: Repository, seed: int) -> None:
    """After any changes, racy or old, the differences are those found without a cache; `look` tells the same files."""
    chance = random.Random(seed)
    for _ in range(50):
        change(repo, chance)
        if chance.random() < 0.7:
            assert from_scratch(repo) == repo.worktree.compare(repo.head_tree()).differences
        if chance.random() < 0.3:
            assert list(scan(repo.path, repo.gv).files) == list(repo.worktree.look().files)


def test_where_nothing_changed_no_tree_is_read(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache knows the tree of each folder: HEAD's are read only on the way to what changed."""
    for n in range(6):
        put(repo, f"{'abc'[n % 3]}/{n}/file", str(n))
    repo.commit("all", author=AUTHOR)
    _age(repo)
    repo.status()
    _age(repo)
    assert repo.status().clean
    read: list[object] = []
    plain = repo.objects.read

    def reading(oid: ObjectId) -> bytes:
        read.append(oid)
        return plain(oid)

    monkeypatch.setattr(repo.objects, "read", reading)
    tree = repo.head_tree()
    read.clear()

    assert {} == repo.worktree.compare(tree).differences
    assert [] == read
    put(repo, "a/0/file", "changed")
    assert ["a/0/file"] == list(repo.worktree.compare(tree).differences)
    assert 3 == len(read)  # the root, a, a/0


def test_rules_that_change_are_asked_again(repo: Repository) -> None:
    """A file of the cache is ignored as soon as an ignore file says so, and no longer than it does."""
    for path in ("keep", "sub/x.log", "sub/deep/y.log"):
        put(repo, path, path)
    repo.commit("all", author=AUTHOR)
    _age(repo)
    repo.status()
    put(repo, ".gitignore", "*.log\n")

    assert (("sub/deep/y.log", "sub/x.log")) == repo.status().deleted
    put(repo, ".gitignore", "/sub/deep\n")
    assert (("sub/deep/y.log",)) == repo.status().deleted
    put(repo, ".gitignore", None)
    assert repo.status().clean


def test_the_cache_is_written_folder_by_folder(repo: Repository, tmp_path: Path) -> None:
    """What was saved is loaded: entries, rules and trees of folders."""
    put(repo, "a/b/file", "x")
    repo.commit("all", author=AUTHOR)
    _age(repo)
    repo.status()
    cache = StatCache(repo.gv)
    found = survey(repo.path, repo.gv, cache)

    assert ["", "a/", "a/b/"] == list(found.folders)
    assert all(folder.clean for folder in found.folders.values())
    assert repo.head_tree() == cache.folder("").tree
    assert ["file"] == list(cache.folder("a/b/").entries)
