from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs import BadRefName, RefClash, RefExists, RefMissing
from gvstore.repo import Repository
from gvstore.repo.branch import CurrentBranch, UnmergedBranch
from gvstore.repo.fault import NothingToCommit
from gvstore.repo.fsck import Finding
from tests.repo.conftest import AUTHOR, NOW_US, put, seen, write


def test_what_a_commit_holds(repo: Repository) -> None:
    """Files, parent, author, time, message, components, named values and runs; the branch moved, in one operation."""
    write(repo, a="1")
    first = repo.commit("first")
    component, value, run = (repo.objects.put(each) for each in (b"component", b"value", b"run"))
    with repo.transaction("put") as transaction:
        transaction.create("refs/values/golden", value)
    write(repo, a="2")
    before = len(repo.refs.operations())
    second = repo.commit(
        "second  \n\nbody\n\n",
        components=lambda files: {"f": component} if "a" in files else {},
        runs=[run, run],
        author="Bob",
        now=5,
    )
    commit = Commit.get(repo.objects, second)

    assert (("second\n\nbody"), "Bob", 5, (first,), 2) == (
        commit.message,
        commit.author,
        commit.created_at,
        commit.parents,
        commit.generation,
    )
    assert ({"f": component}, {"golden": value}, (run,), "") == (
        commit.components,
        commit.values,
        commit.runs,
        commit.git,
    )
    assert (before + 1, second, "commit: second") == (
        len(repo.refs.operations()),
        repo.head,
        repo.refs.reflog("HEAD")[0].message,
    )
    assert (AUTHOR, NOW_US) == (Commit.get(repo.objects, first).author, Commit.get(repo.objects, first).created_at)


def test_equal_commits_are_equal_objects(repo: Repository, empty: Path, tmp_path: Path) -> None:
    """With clock and author given, the oid is a function of what is committed: two repositories agree."""
    oids = []
    with Repository.open(shutil.copytree(empty, tmp_path / "other")) as other:
        for each in (repo, other):
            write(each, a="1", d__b="2")
            oids.append(each.commit("first", author="Ada", now=5))

    assert oids[0] == oids[1]


def test_nothing_to_commit(repo: Repository) -> None:
    """The same work tree makes no commit, unless there are runs to add, or it is asked for; nor does no message."""
    with pytest.raises(NothingToCommit) as caught:
        repo.commit("first")
    assert 1 == caught.value.exit_code
    write(repo, a="1")
    repo.commit("first")
    with pytest.raises(NothingToCommit):
        repo.commit("again")
    repo.commit("again", allow_empty=True)
    repo.commit("with runs", runs=[repo.objects.put(b"run")])
    for message in ("", " \n\t\n"):
        with pytest.raises(UsageFault, match="empty"):
            repo.commit(message, allow_empty=True)

    assert ["with runs", "again", "first"] == [entry.commit.message for entry in repo.log()]


def test_part_of_the_work_tree(repo: Repository) -> None:
    """A commit of paths leaves the rest of the work tree for the next."""
    write(repo, a="1", b="1", d__x="1")
    repo.commit("first")
    write(repo, a="2", b="2", d__x=None)
    repo.commit("a and d", paths=["a", "d"])

    assert (("b",), (), ()) == (repo.status().modified, repo.status().deleted, repo.status().added)


def test_git_is_noted(repo: Repository) -> None:
    """Inside a git repository each commit says where git stood, and whether its work tree was dirty."""
    git = ["git", "-C", str(repo.path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    write(repo, a="1")
    repo.commit("before git's first")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    notes = [repo.git_note()]
    subprocess.run([*git, "pack-refs", "--all"], check=True)
    write(repo, a="changed")
    notes.append(repo.git_note())
    repo.commit("dirty")

    assert [f"{sha} clean", f"{sha} dirty", f"{sha} dirty", ""] == [*notes, *(entry.commit.git for entry in repo.log())]


def test_status(repo: Repository) -> None:
    """Added, changed, deleted and renamed files beside HEAD; an empty file is renamed from nothing."""
    write(repo, same="s", changed="1", gone="g", old="content", empty="")
    (repo.path / "tool").write_text("t")
    repo.commit("first")
    write(repo, changed="2", gone=None, old=None, d__new="content", added="a", empty=None, hollow="")
    (repo.path / "tool").chmod(0o755)
    status = repo.status()

    assert (("added", "hollow"), ("changed", "tool"), ("empty", "gone"), (("old", "d/new"),)) == (
        status.added,
        status.modified,
        status.deleted,
        status.renamed,
    )
    assert (False, "main", repo.head, None) == (status.clean, status.branch, status.head, status.mark)
    repo.commit("second")
    assert repo.status().clean


def test_branches(repo: Repository) -> None:
    """Branches are listed, made, renamed and deleted; the current one and unmerged ones are kept."""
    assert [("main", None, True)] == [(b.name, b.oid, b.current) for b in repo.branches()]
    first = repo.commit("first", allow_empty=True)
    repo.create_branch("side")
    repo.rename_branch("main", "trunk")

    assert [("side", first, False), ("trunk", first, True)] == [(b.name, b.oid, b.current) for b in repo.branches()]
    assert "trunk" == repo.branch
    repo.checkout("side")
    second = repo.commit("second", allow_empty=True)
    repo.checkout("trunk")
    with pytest.raises(CurrentBranch):
        repo.delete_branch("trunk", force=True)
    with pytest.raises(UnmergedBranch) as caught:
        repo.delete_branch("side")
    assert 13 == caught.value.exit_code
    assert second == repo.delete_branch("side", force=True)
    with pytest.raises(RefMissing):
        repo.delete_branch("side")
    with pytest.raises(RefMissing):
        repo.rename_branch("none", "x")
    for name, error in {"trunk": RefExists, "trunk/x": RefClash, "Trunk": RefClash, "-x": BadRefName}.items():
        with pytest.raises(error):
            repo.create_branch(name)


def test_unborn_branch_can_be_renamed(repo: Repository) -> None:
    """Before the first commit, HEAD is on a branch that has no ref yet."""
    repo.rename_branch("main", "trunk")
    repo.commit("first", allow_empty=True)

    assert ["trunk"] == [branch.name for branch in repo.branches()]


def damaged(repo: Repository) -> list[Finding]:
    return [finding for finding in repo.fsck() if finding.damage]


def test_fsck_of_a_sound_repository(repo: Repository) -> None:
    """Commits, branches, runs and reflogs that hold together: nothing is found, weak links may lead nowhere."""
    write(repo, a="1", d__b="2")
    first = repo.commit("first", runs=[ObjectId(bytes(32))])
    write(repo, a="3")
    repo.commit("second")
    repo.checkout(first.hex())
    repo.create_branch("side")

    assert [] == list(repo.fsck())
    assert [] == list(repo.fsck(full=False))


def test_fsck_finds_what_is_missing(repo: Repository) -> None:
    """A ref to nothing, a commit without its tree, a branch that is no commit, a lie about the generation, a bad name."""
    write(repo, a="1")
    first = repo.commit("first")
    commit = Commit.get(repo.objects, first)
    nowhere = ObjectId(bytes(32))
    lost = replace(commit, tree=nowhere).put(repo.objects)
    liar = replace(commit, parents=(first,), generation=9).put(repo.objects)
    with repo.transaction("damage") as transaction:
        transaction.create("refs/heads/lost", lost)
        transaction.create("refs/heads/liar", liar)
        transaction.create("refs/heads/blob", repo.objects.put(b"x"))
        transaction.create("refs/tags/nowhere", nowhere)
        transaction.set_run(77)
    found = {(finding.where, finding.why) for finding in damaged(repo)}

    assert {(f"commit {lost.hex()[:8]}", "is missing")} <= found
    assert {"its generation is 9, not 2", "leads to something that is no commit", "there was never a run 77"} <= {
        why for _, why in found
    }


def test_fsck_finds_flipped_bytes(repo: Repository) -> None:
    """A byte flipped in a stored object is damage, by the object and by what leads to it."""
    content = bytes(range(256)) * 100
    put(repo, "a", content)
    repo.commit("first")
    repo.close()
    segment = max(
        (repo.gv / "objects").rglob("*.*"), key=lambda p: p.stat().st_size if p.suffix in (".seg", ".pack") else 0
    )
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.chmod(0o644)
    segment.write_bytes(data)

    assert damaged(repo)


def test_fsck_of_lost_refs(repo: Repository) -> None:
    """A refs.db that is no database is told; the work tree is untouched."""
    write(repo, a="1")
    repo.commit("first")
    repo.close()
    (repo.gv / "refs.db").write_bytes(b"gone" * 2000)
    before = seen(repo.path)

    assert any("refs.db" in finding.where for finding in damaged(repo))
    assert before == seen(repo.path)
