"""Components in commits: their history, and what cannot be read of it."""

from __future__ import annotations

from dataclasses import replace

from gvstore.errors import BadRev
from gvstore.journal.components import CodeSide, component_changes, component_log
from gvstore.journal.repository import Repository
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from tests.conftest import CommandLine

STEPS = "import gvstore as gv\nimport tools\n\n\n@gv.register\ndef step(x):\n    return tools.clean(x)\n"


def told(repo: Repository, start: ObjectId, name: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.commit.message, each.change.changes) for each in component_log(repo, start, name)]


def test_a_merge_tells_nothing_new(repo: Repository) -> None:
    """The history goes through both parents; a merge counts only where the component is as in none of them."""
    (repo.path / "steps.py").write_text(STEPS)
    (repo.path / "tools.py").write_text("def clean(x):\n    return x\n")
    first = repo.commit("first")
    (repo.path / "other.txt").write_text("x")
    left = repo.commit("left")
    (repo.path / "tools.py").write_text("def clean(x):\n    return x + 1\n")
    right = repo.commit("right")
    one, other = Commit.get(repo.objects, left), replace(Commit.get(repo.objects, right), parents=(first,), generation=2)
    right = other.put(repo.objects)
    merge = replace(other, parents=(left, right), message="merge", generation=3).put(repo.objects)

    assert one.components != other.components
    assert [("right", ("reach",)), ("first", ("appeared",))] == told(repo, merge, "steps.step")


def test_the_work_tree_is_a_side_as_a_commit_is(repo: Repository) -> None:
    """What lies there is what the next commit holds; files that are no Python stop nothing."""
    (repo.path / "steps.py").write_text(STEPS)
    (repo.path / "tools.py").write_text("def clean(x):\n    return x\n")
    first = repo.commit("first")
    (repo.path / "tools.py").write_text("def clean(x):\n    return x + 1\n")
    (repo.path / "broken.py").write_text("@register\ndef f(:\n")
    lying = CodeSide.of_worktree(repo)
    changed = component_changes(CodeSide.of_commit(repo, first), lying)
    second = CodeSide.of_commit(repo, repo.commit("second"))

    assert [["helper tools.clean() changed"]] == [[str(each) for each in change.reach] for change in changed]
    assert lying.oids == second.oids
    assert () == component_changes(lying, second)


def test_a_component_whose_file_does_not_parse_is_gone_with_its_reason(gv: CommandLine) -> None:
    """`gv commit` says once which file it could not read; the component's history says when it went."""
    gv("init")
    gv.write("steps.py", STEPS)
    gv.write("tools.py", "def clean(x):\n    return x\n")
    gv("commit", "-m", "first")
    gv.write("steps.py", STEPS + "def (:\n")
    done = gv("commit", "-m", "broken")

    assert 1 == done.err.count("steps.py")
    assert "steps.step   gone" in gv("log", "--oneline", "--", "::steps.step").out
    asked = gv("show", "HEAD::steps.step", status=BadRev.exit_code)
    assert "it was last in" in asked.err


def test_what_stands_in_a_file_that_cannot_be_read_is_not_told_as_gone(repo: Repository) -> None:
    """A file with conflict markers, or half written, tells nothing of its components; one without them does."""
    (repo.path / "steps.py").write_text(STEPS)
    (repo.path / "more.py").write_text(STEPS)
    (repo.path / "tools.py").write_text("def clean(x):\n    return x\n")
    first = CodeSide.of_commit(repo, repo.commit("first"))
    (repo.path / "steps.py").write_text("<<<<<<< HEAD\n" + STEPS)
    (repo.path / "more.py").write_text("import gvstore as gv\n")

    assert [("more.step", ("gone",))] == [
        (change.name, change.changes) for change in component_changes(first, CodeSide.of_worktree(repo))
    ]
    assert ["more.step"] == [change.name for change in component_changes(CodeSide.of_worktree(repo), first)]
