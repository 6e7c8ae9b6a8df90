"""Merges where runs are: those of both lines are reached, and each is in one commit."""

from __future__ import annotations

from pathlib import Path

import gvstore as gv
from gvstore.journal.commit import recipe, runs_to_commit
from gvstore.journal.repository import Repository
from gvstore.objects.commit import Commit
from gvstore.repo.merge import MergeOptions, Outcome, merge


@gv.register
def double(x: int) -> int:
    return 2 * x


def runs_of(repo: Repository) -> list[tuple[str, int]]:
    """Returns each commit's message and how many runs it holds, the newest first."""
    return [(entry.commit.message, len(entry.commit.runs)) for entry in repo.log()]


def test_runs_of_both_lines_are_united(tmp_path: Path) -> None:
    """The merge commit takes what no commit of either line holds; the others are reached through the parents, each once."""
    with gv.init(tmp_path / "work") as repo:
        (repo.path / "a").write_text("a\n")
        repo.run(double, 1)
        repo.commit("base")
        repo.checkout("HEAD", create="side")
        (repo.path / "b").write_text("b\n")
        repo.commit("theirs")
        loose = repo.run(double, 3)
        repo.checkout("main")
        assert () == runs_to_commit(repo)
        (repo.path / "c").write_text("c\n")
        repo.commit("ours")
        mine = repo.run(double, 4)

        done = merge(repo, repo.resolve_commit("side"), "refs/heads/side", "side", MergeOptions(), recipe(repo))

        assert Outcome.MERGED is done.outcome and repo.head is not None
        assert {loose.oid, mine.oid} == set(Commit.get(repo.objects, repo.head).runs)
        assert {("base", 1), ("theirs", 0), ("ours", 0), ("Merge branch 'side'", 2)} == set(runs_of(repo))
        assert () == runs_to_commit(repo)


def test_components_are_found_again_in_merged_files(tmp_path: Path) -> None:
    """A function that each side edited in another line is the merged one."""
    text = "import gvstore as gv\n\n\n@gv.register\ndef f(x):\n    a = 1\n\n    b = 2\n\n    return a + b + x\n"
    with gv.init(tmp_path / "work") as repo:
        agent = repo.path / "agent.py"
        agent.write_text(text)
        repo.commit("base")
        repo.checkout("HEAD", create="side")
        agent.write_text(text.replace("a = 1", "a = 10"))
        repo.commit("theirs")
        repo.checkout("main")
        agent.write_text(text.replace("return a + b", "return a - b"))
        ours = Commit.get(repo.objects, repo.commit("ours"))
        merge(repo, repo.resolve_commit("side"), "refs/heads/side", "side", MergeOptions(), recipe(repo))
        assert repo.head is not None
        merged = Commit.get(repo.objects, repo.head)
        assert ours.components.keys() == merged.components.keys() == {"agent.f"}
        assert ours.components != merged.components
        repo.commit("the same", allow_empty=True)
        assert merged.components == Commit.get(repo.objects, repo.head).components
