"""Beside git: what is noted of it, its commits as code, and that it is only ever read."""

from __future__ import annotations

import os
import subprocess
from hashlib import blake2b
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.errors import BadRev
from gvstore.objects.blob import get_blob
from gvstore.objects.tree import Mode
from gvstore.repo import Repository
from gvstore.repo.files import read_files
from gvstore.repo.git import GitFight, git_note
from gvstore.repo.git_code import GitRefused, git_code
from gvstore.repo.git_history import mirrored
from gvstore.repo.history import log
from gvstore.repo.resolve import Found
from tests.repo.conftest import AUTHOR, put

_NAMES = {
    "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_AUTHOR_DATE": "2026-11-20T10:00:00Z",
    "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "GIT_COMMITTER_DATE": "2026-11-20T10:00:00Z",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
}  # fmt: skip


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", folder, *words], env=os.environ | _NAMES, capture_output=True, check=True)
    return done.stdout.decode("utf-8", "surrogateescape").strip()


def begin(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    git(folder, "init", "-q", "-b", "main")


def save(folder: Path, message: str = "x") -> str:
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", message)
    return git(folder, "rev-parse", "HEAD")


def fingerprint(folder: Path) -> str:
    """Returns a hash of all that lies in a folder: names, content, times of change."""
    state = blake2b()
    for path in sorted(folder.rglob("*")):
        state.update(os.fsencode(path) + b"\0" + str(path.lstat().st_mtime_ns).encode())
        if path.is_file():
            state.update(path.read_bytes())
    return state.hexdigest()


def test_git_never_sees_the_repository_and_is_never_written(repo: Repository) -> None:
    """Whatever is done beside git, its folder stays as it is to the byte, and its status and index know no `.gv`."""
    begin(repo.path)
    put(repo, "a.py", "one\n")
    save(repo.path)
    put(repo, "a.py", "two\n")
    save(repo.path)
    before = fingerprint(repo.path / ".git")
    first = repo.commit("first")
    put(repo, "a.py", "three\n")
    repo.status()
    repo.commit("second")
    repo.checkout(first.hex())
    repo.resolve("git:HEAD~1:a.py")
    repo.checkout("git:HEAD~1", paths=["a.py"])
    mirrored(repo, ["HEAD~1"], "HEAD")
    assert before == fingerprint(repo.path / ".git")

    git(repo.path, "add", "-A")
    assert ["a.py"] == git(repo.path, "ls-files").splitlines()
    assert ".gv" not in git(repo.path, "status", "--porcelain")


def test_gits_head_is_found_wherever_it_stands(tmp_path: Path) -> None:
    """Unborn, on a branch, detached, packed, in a second work tree, in a submodule, below the root; a bare one is none."""
    top = tmp_path / "top"
    begin(top)
    assert "" == git_note(top)
    (top / "a").write_text("1")
    first = save(top)
    assert f"{first} clean" == git_note(top)
    git(top, "pack-refs", "--all")
    assert f"{first} clean" == git_note(top)
    (top / "a").write_text("2")
    assert f"{first} dirty" == git_note(top)
    second = save(top)
    git(top, "checkout", "-q", "--detach", first)
    assert f"{first} clean" == git_note(top)
    git(top, "worktree", "add", "-q", str(tmp_path / "second"), "main")
    assert f"{second} clean" == git_note(tmp_path / "second")
    (top / "below").mkdir()
    assert f"{first} clean" == git_note(top / "below")
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(tmp_path / "second"), "inner")
    assert f"{second} clean" == git_note(top / "inner")
    git(tmp_path, "clone", "-q", "--bare", str(top), "bare.git")
    assert "" == git_note(tmp_path / "bare.git")


NAMES = st.text("ab é\udcff.-", min_size=1, max_size=3).filter(lambda name: name.strip(". ") not in ("", "-"))
FILES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join),
    st.tuples(st.binary(max_size=9), st.integers(0, 2)),
    max_size=6,
)


@given(FILES)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_the_tree_of_a_commit_of_gits_is_what_git_checks_out(
    tmp_path_factory: pytest.TempPathFactory, empty: Path, files: dict[str, tuple[bytes, int]]
) -> None:
    """Names, content, executable bits and symlinks come to the byte, in folders too, and a second time from the cache."""
    folder = tmp_path_factory.mktemp("git") / "work"
    begin(folder)
    wanted = {}
    for path, (content, kind) in files.items():
        place = folder / path
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            if kind == 2:
                place.symlink_to(os.fsdecode(content.replace(b"\0", b"") or b"x"))
            else:
                place.write_bytes(content)
                place.chmod(0o755 if kind else 0o644)
        except OSError:  # a file where a folder is due
            continue
        got = content.replace(b"\0", b"") or b"x" if kind == 2 else content
        wanted[path] = (Mode(kind) if kind != 2 else Mode.SYMLINK, got)
    save(folder)
    with Repository.init(folder, author=AUTHOR, now=0) as repo:
        for _ in range(2):
            code = git_code(repo, "HEAD")
            found = read_files(repo.objects, code.tree)
            assert wanted == {path: (entry.mode, get_blob(repo.objects, entry.oid)) for path, entry in found.items()}


def test_a_folder_of_gits_work_tree_is_its_part(tmp_path: Path) -> None:
    """A repository in a folder of git's takes that folder for its root; a commit without it is refused."""
    top = tmp_path / "top"
    begin(top)
    save(top)
    (top / "in" / "ner").mkdir(parents=True)
    (top / "in" / "ner" / "a.py").write_text("one\n")
    (top / "b.py").write_text("two\n")
    save(top)
    with Repository.init(top / "in" / "ner", author=AUTHOR, now=0) as repo:
        assert ["a.py"] == list(read_files(repo.objects, git_code(repo, "main").tree))
        with pytest.raises(GitRefused, match="in/ner"):
            git_code(repo, "main~1")


def test_revs_of_gits_name_code_and_no_paths(repo: Repository) -> None:
    """`git:REV` is never a file or a branch called git; what git does not know is a bad rev, said with its reason."""
    begin(repo.path)
    put(repo, "git:main", "a file of that name\n")
    put(repo, "a/b.txt", "text\n")
    sha = save(repo.path)
    repo.commit("first")
    repo.create_branch("git")
    found = repo.resolve("git:main")
    assert (Found.FOLDER, f"git:{sha}") == (found.found, found.ref)
    assert Found.FILE is repo.resolve("git:HEAD:a/b.txt").found
    assert Found.FOLDER is repo.resolve("git:main@{0}:a/").found
    assert Found.FILE is repo.resolve("heads/git:a/b.txt").found
    for rev in (
        "git:",
        "git:nope",
        "git:-x",
        "git:HEAD:nope",
        "git:HEAD^{tree}",
        "git:HEAD:a/b.txt/",
        "git::x",
        "git:a b",
        "git:HEAD..main",
    ):
        with pytest.raises(BadRev):
            repo.resolve(rev)
    with pytest.raises(BadRev, match="commit of git"):
        repo.checkout("git:main")


def test_no_git_is_said(repo: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a git repository, and without the program, a rev of git's is refused; files are moved all the same."""
    with pytest.raises(GitRefused, match="not in a git repository"):
        repo.resolve("git:HEAD")
    begin(repo.path)
    put(repo, "a", "1")
    first = repo.commit("first")
    put(repo, "a", "2")
    save(repo.path)
    repo.commit("second")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(GitRefused, match="no program"):
        repo.resolve("git:HEAD")
    repo.checkout(first.hex())
    assert "1" == (repo.path / "a").read_text()


def test_what_is_staged_before_the_first_commit_counts(repo: Repository) -> None:
    """On a branch that is not born yet all that git has staged is; a file that git has merged half-way is, too."""
    put(repo, "a", "1")
    first = repo.commit("first")
    put(repo, "a", "2")
    repo.commit("second")
    begin(repo.path)
    git(repo.path, "add", "a")
    with pytest.raises(GitFight, match=r": a$"):
        repo.checkout(first.hex())
    git(repo.path, "commit", "-qm", "x")
    git(repo.path, "checkout", "-qb", "side")
    put(repo, "a", "3")
    save(repo.path)
    git(repo.path, "checkout", "-q", "main")
    put(repo, "a", "4")
    save(repo.path)
    with pytest.raises(subprocess.CalledProcessError):
        git(repo.path, "merge", "side")
    (repo.path / ".git" / "MERGE_HEAD").unlink()
    put(repo, "a", "2")
    with pytest.raises(GitFight, match=r": a$"):
        repo.checkout(first.hex())


def test_gits_index_is_not_fought(repo: Repository) -> None:
    """What git has staged, or is merging, is not written over; files that it says nothing of are."""
    put(repo, "ä b", "1")
    put(repo, "c", "1")
    first = repo.commit("first")
    put(repo, "ä b", "2")
    second = repo.commit("second")
    begin(repo.path)
    save(repo.path)
    repo.checkout(first.hex())
    put(repo, "ä b", "2")
    repo.checkout(second.hex())
    put(repo, "ä b", "3")
    git(repo.path, "add", "-A")
    repo.commit("third")
    with pytest.raises(GitFight, match="ä b"):
        repo.checkout(second.hex())
    assert "3" == (repo.path / "ä b").read_text()
    repo.checkout(second.hex(), paths=["c"])
    git(repo.path, "commit", "-qm", "x")
    repo.checkout(second.hex())
    for name, word in (("MERGE_HEAD", "merge"), ("rebase-merge", "rebase"), ("CHERRY_PICK_HEAD", "cherry-pick")):
        (repo.path / ".git" / name).mkdir()
        with pytest.raises(GitFight, match=f"a {word} of git"):
            repo.checkout(first.hex())
        (repo.path / ".git" / name).rmdir()
    repo.checkout(first.hex())


@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 3)), min_size=1, max_size=8), st.data())
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_histories_of_gits_are_as_git_walks_them(
    tmp_path_factory: pytest.TempPathFactory, shape: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Between good ones and a bad one lie the commits that git lists, in any history."""
    folder = tmp_path_factory.mktemp("git") / "work"
    begin(folder)
    (folder / "a").write_text("0")
    shas = [save(folder, "0")]
    for n, (parent, other) in enumerate(shape, 1):
        (folder / "a").write_text(str(n))
        git(folder, "add", "-A")
        parents = {shas[parent % len(shas)], shas[other % len(shas)]} if other else {shas[parent % len(shas)]}
        words = [word for each in sorted(parents) for word in ("-p", each)]
        shas.append(git(folder, "commit-tree", git(folder, "write-tree"), *words, "-m", str(n)))
    bad, good = data.draw(st.sampled_from(shas)), data.draw(st.lists(st.sampled_from(shas), min_size=1, max_size=2))
    expected = set(git(folder, "rev-list", bad, "--not", *good).split())
    with Repository.init(folder, author=AUTHOR, now=0) as repo:
        found = mirrored(repo, good, bad)
        listed = {found.names[entry.oid] for entry in log(repo.objects, [found.bad], without=found.good)}
        assert expected == listed
        assert bad == found.names[found.bad]
