"""Commands that move work tree files, killed at their steps: nothing is lost, and undo or the same command again makes it whole.

Every fifth step, unless GV_EVERY_STEP is set: then each of them, which takes a minute or two.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from gvstore.objects.blob import get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import BRANCHES, HEAD, WORK_AFTER, WORK_BEFORE
from gvstore.refs.value import value_oid
from gvstore.repo.checkout import read_mark
from gvstore.repo.files import read_files
from gvstore.repo.reset import reset
from gvstore.repo.undo import redo, undo
from tests.crash.kind import in_fork
from tests.crash.shim import Shim, kill
from tests.repo.conftest import AUTHOR, NOW_US, Seen, put, seen

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

EVERY = 1 if "GV_EVERY_STEP" in os.environ else 5

Act = Callable[[Repository], object]


def back(repo: Repository) -> None:
    undo(repo, None, author=AUTHOR, now=NOW_US)


def first(repo: Repository) -> ObjectId:
    return repo.resolve_commit("first")


CLEAN: dict[str, Act] = {
    "checkout": lambda repo: repo.checkout("first"),
    "commit": lambda repo: repo.commit("third", allow_empty=True),
}
EDITED: dict[str, Act] = {
    "commit-edits": lambda repo: repo.commit("third"),
    "switch-f": lambda repo: repo.checkout("first", force=True),
    "reset-hard": lambda repo: reset(repo, first(repo), rev="first", hard=True, author=AUTHOR, now=NOW_US),
    "restore": lambda repo: repo.restore([""], source="first"),
    "undo": back,
}


def prepare(root: Path, *, edited: bool, moved: bool) -> None:
    """Makes a repository with two commits that differ in every way; with edits; and after a reset of them."""
    with Repository.init(root, branch="main") as repo:
        for name, content in {"same": "s", "changed": "1", "gone": "g", "d": "file", "p/q/r": "deep"}.items():
            put(repo, name, content)
        repo.commit("first")
        repo.create_branch("first")
        for name in ("gone", "d"):
            put(repo, name, None)
        for name, content in {"changed": "2", "new": "n", "d/x": "in a folder", "p/q/r": "deeper"}.items():
            put(repo, name, content)
        repo.commit("second")
        if edited:
            for name, content in {"changed": "edited", "gone": "in the way", "d/y": "in the way", "same": "edited", "mine": "m"}.items():
                put(repo, name, content)
        if moved:
            reset(repo, first(repo), rev="first", hard=True, author=AUTHOR, now=NOW_US)


def contents(repo: Repository) -> set[bytes]:
    """What branches, the reflogs of HEAD and of the work tree and the mark of an unfinished command lead to, and what lies there."""
    commits = {value_oid(value) for value in repo.refs.list(BRANCHES).values()}
    commits |= {value_oid(value) for entry in repo.refs.reflog(HEAD) for value in (entry.old, entry.new)}
    trees = {Commit.get(repo.objects, each).tree for each in commits if each is not None}
    for name in (WORK_BEFORE, WORK_AFTER):
        trees |= {oid for entry in repo.refs.reflog(name) if (oid := value_oid(entry.new)) is not None}
    mark = read_mark(repo.gv)
    trees |= set(mark.leads_to) if mark is not None else set()
    blobs = {entry.oid for tree in trees for entry in read_files(repo.objects, tree).values()}
    return {get_blob(repo.objects, oid) for oid in blobs} | {content for _, content in seen(repo.path).values()}


def state(repo: Repository) -> tuple[dict[str, str], Seen]:
    """The refs that a user sees, and the files."""
    refs = {name: value for name, value in repo.refs.list("").items() if name == HEAD or name.startswith(BRANCHES)}
    return refs, seen(repo.path)


def killed(base: Path, copy: Path, act: Act) -> Iterator[int]:
    """Does it in a copy and kills it before the first, second, ... change on disk; yields these steps, while it lasts."""
    for step in range(1, 100_000, EVERY):
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(base, copy, symlinks=True)

        def work(step: int = step) -> None:
            with Repository.open(copy) as repo:
                Shim(kill("torn", 0.5), step).install()
                act(repo)
                os._exit(0)

        status = in_fork(work)
        if status == 0:
            return
        assert -signal.SIGKILL == status, step
        yield step


@pytest.mark.parametrize("name", [*CLEAN, *EDITED])
def test_killed_at_every_step(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each content is in the work tree or kept; status tells what did not end; undo goes back, the same again goes on, and undo then back."""
    monkeypatch.setenv("GV_AUTHOR", AUTHOR)
    monkeypatch.setenv("GV_NOW", "2026-11-20T10:02:11Z")
    base, copy, act = tmp_path / "base", tmp_path / "copy", (CLEAN | EDITED)[name]
    prepare(base, edited=name in EDITED, moved=name == "undo")
    with Repository.open(base) as repo:
        before, kept = state(repo), contents(repo)
        count = len(repo.refs.operations())
    whole = tmp_path / "whole"
    shutil.copytree(base, whole, symlinks=True)
    with Repository.open(whole) as repo:
        act(repo)
        after = state(repo)
    for step in killed(base, copy, act):
        with Repository.open(copy) as repo:
            assert kept <= contents(repo), step
            mark, made = repo.status().mark, len(repo.refs.operations()) > count
            assert made or state(repo) == before or (mark is not None and not mark.done), step
            if step // EVERY % 2:
                if made or mark is not None:
                    take_back(repo, name)
                assert before == state(repo), step
            elif not made:
                if name == "undo" and mark is not None:  # `gv undo` itself takes back what was cut off
                    undo(repo, str(count), author=AUTHOR, now=NOW_US)
                else:
                    act(repo)
                assert after == state(repo), step
                take_back(repo, name)
                assert before == state(repo), step
            assert kept <= contents(repo), step
            assert repo.status().mark is None, step


def take_back(repo: Repository, name: str) -> None:
    """Takes back what was cut off, or done; an undo that was done is taken back by a redo."""
    mark = repo.status().mark
    if name == "undo" and mark is None:
        redo(repo, author=AUTHOR, now=NOW_US)
    else:
        back(repo)
