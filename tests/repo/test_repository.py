from __future__ import annotations

import hashlib
import multiprocessing
import shutil
import subprocess
from pathlib import Path

import pytest

from gvstore.errors import NoRepository, UsageFault
from gvstore.refs import RefsReadOnly
from gvstore.repo import Repository
from gvstore.repo.fault import BadFormat, NewerRepository, NotARepository
from gvstore.repo.format import Format, decode_format, encode_format
from tests.repo.conftest import write


def test_init_makes_an_empty_repository(repo: Repository) -> None:
    """A new repository is on main, has no commit, and says so in its first operation."""

    assert ("main", None, ["init"]) == (repo.branch, repo.head, [o.command for o in repo.refs.operations()])
    assert repo.gv == repo.path / ".gv"
    assert [] == list(repo.fsck())


def test_init_twice_keeps_all(repo: Repository) -> None:
    """To make a repository where one is opens it."""
    write(repo, a="1")
    oid = repo.commit("first")
    with Repository.init(repo.path, branch="other") as again:
        assert (oid, "main") == (again.head, again.branch)


def test_half_made_is_none(tmp_path: Path) -> None:
    """What a killed init left is no repository, and is made anew."""
    with Repository.init(tmp_path / "w") as repo:
        (repo.gv / "format").unlink()
    with pytest.raises(NotARepository):
        Repository.open(tmp_path / "w")
    with Repository.init(tmp_path / "w") as repo:
        assert "main" == repo.branch


def test_init_where_nothing_can_be_made(tmp_path: Path) -> None:
    """A file in the way is told, not a traceback."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageFault):
        Repository.init(tmp_path / "file" / "repo")


def test_discover_walks_up(repo: Repository) -> None:
    """The nearest repository above is found, from a folder deep inside it."""
    deep = repo.path / "a" / "b"
    deep.mkdir(parents=True)
    with Repository.discover(deep) as found:
        assert repo.path == found.path
    with Repository.init(repo.path / "a") as inner, Repository.discover(deep) as found:
        assert inner.path == found.path


def test_no_repository(tmp_path: Path) -> None:
    """Outside, the error says where, exits 10, and hints at `gv init`."""
    with pytest.raises(NotARepository) as caught:
        Repository.discover(tmp_path)

    assert 10 == caught.value.exit_code
    assert str(tmp_path) in str(caught.value) and "gv init" in caught.value.hint


def test_gv_folder_elsewhere(tmp_path: Path) -> None:
    """GV_DIR puts `.gv` on another disk; the work tree stays where it was, wherever one stands."""
    with Repository.init(tmp_path / "w", gv_dir=tmp_path / "far" / "store") as repo:
        (repo.path / "a").write_text("1")
        oid = repo.commit("first")
    assert not (tmp_path / "w" / ".gv").exists()
    with Repository.discover(tmp_path, gv_dir=tmp_path / "far" / "store") as found:
        assert (tmp_path / "w", oid) == (found.path, found.head)
        assert found.status().clean


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b"", BadFormat),
        (b"ref: refs/heads/main\n", BadFormat),
        (b"gv repository\n", BadFormat),
        (b"gv repository\nversion 2\n", NewerRepository),
        (b"gv repository\nversion 99\n\xff strange", NewerRepository),
        (b"gv repository\nversion 1\nfeature sparse\n", NewerRepository),
        (b"gv repository\nversion 1\nwhatever x\n", NewerRepository),
    ],
)
def test_format_that_cannot_be_opened(repo: Repository, text: bytes, error: type[NoRepository]) -> None:
    """A newer or broken format is refused with exit 10; nothing is guessed."""
    (repo.gv / "format").write_bytes(text)
    with pytest.raises(error) as caught:
        Repository.open(repo.path)

    assert 10 == caught.value.exit_code


def test_format_round_trip() -> None:
    """What is written is read; features that may be passed over are."""
    form = Format(1, (), ("a-hint",))

    assert form == decode_format(encode_format(form), "format")


def _digests(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(p.relative_to(folder)): (hashlib.sha256(p.read_bytes()).hexdigest(), p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_reading_a_read_only_copy_changes_no_byte(repo: Repository, tmp_path: Path) -> None:
    """status, log, resolve and fsck of a copy without write permission leave it as it is, left-over WAL included."""
    write(repo, a="1", b="2")
    repo.commit("first")
    write(repo, a="3")
    copy = tmp_path / "copy"
    shutil.copytree(repo.path, copy, symlinks=True)  # while the original is open: refs.db-wal is there
    assert (copy / ".gv" / "refs.db-wal").stat().st_size
    folders = [copy, *(p for p in copy.rglob("*") if p.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    before = _digests(copy)
    with Repository.open(copy) as readable:
        assert readable.read_only
        assert ("a",) == readable.status().modified
        assert ["first"] == [entry.commit.message for entry in readable.log()]
        assert readable.head == readable.resolve("main").oid
        assert [] == list(readable.fsck())
        with pytest.raises(RefsReadOnly):
            readable.create_branch("x")
    for folder in folders:
        folder.chmod(0o755)

    assert before == _digests(copy)


def test_git_does_not_see_the_repository(repo: Repository) -> None:
    """`.gv/` hides itself from git."""
    subprocess.run(["git", "init", "-q", repo.path], check=True)
    write(repo, a="1")
    shown = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=repo.path, capture_output=True, text=True, check=True
    )

    assert "?? a\n" == shown.stdout


def _commit(path: Path, n: int) -> None:
    with Repository.open(path) as repo:
        repo.commit(f"by {n}", allow_empty=True)


def test_processes_commit_at_once(repo: Repository) -> None:
    """6 processes commit in one work tree: none is lost, the history is a line."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(6) as pool:
        pool.starmap(_commit, [(repo.path, n) for n in range(6)], chunksize=1)

    assert {f"by {n}" for n in range(6)} == {entry.commit.message for entry in repo.log()}
    assert [6, 5, 4, 3, 2, 1] == [entry.commit.generation for entry in repo.log()]
    assert [] == list(repo.fsck())
