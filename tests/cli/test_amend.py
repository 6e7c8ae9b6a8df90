from __future__ import annotations

import pytest

from gvstore.journal.repository import Repository
from gvstore.objects.commit import Commit
from gvstore.repo.amend import NothingToAmend
from tests.conftest import CommandLine


def head(repo: Repository) -> Commit:
    assert repo.head is not None
    return Commit.get(repo.objects, repo.head)


def test_runs_and_values_of_the_amended_commit_are_kept(gv: CommandLine) -> None:
    """And those made since are added; parents, message and author stay; a part of the work tree may be taken."""
    gv("init")
    gv.write("a.py", "def f(n):\n    return n\n")
    gv("run", "a.py:f", "1")
    gv("put", "golden", "--name", "golden")
    gv("commit", "-m", "first")
    with Repository.open(gv.folder) as repo:
        old = head(repo)
        gv("run", "a.py:f", "2")
        gv.write("a.py", "def f(n):\n    return n + 1\n")
        gv.write("b.txt", "b")
        repo.amend(paths=["a.py"], author="Bob <bob@example.org>")
        new = head(repo)

        assert (old.parents, old.message, old.values) == (new.parents, new.message, new.values)
        assert old.runs == new.runs[:1] and 2 == len(new.runs)
        assert "Bob <bob@example.org>" == new.author
        assert ({"a.py"}, ("b.txt",)) == (set(repo.head_files()), repo.status().added)
        repo.undo()
        assert old == head(repo)
        repo.redo()
        repo.reset("HEAD@{1}", hard=True)
        assert (old, 1) == (head(repo), len(repo.undo(dry_run=True).refs))


def test_nothing_to_amend(gv: CommandLine) -> None:
    """There is no commit; or its files would be those of the one before it."""
    with Repository.init(gv.folder) as repo:
        with pytest.raises(NothingToAmend):
            repo.amend("x")
        gv.write("a.txt", "1")
        repo.commit("first")
        gv.write("a.txt", "2")
        second = repo.commit("second")
        gv.write("a.txt", "1")
        with pytest.raises(NothingToAmend):
            repo.amend()
        assert second == repo.head
        repo.amend(allow_empty=True)
        assert 2 == len(list(repo.log()))
