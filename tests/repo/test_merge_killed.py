"""kill -9 at any change on disk that a merge, revert or cherry-pick makes: nothing is lost, and it goes on or back."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from gvstore.refs.names import HEAD
from gvstore.repo import Repository
from gvstore.repo.conclude import abort, continue_merge
from gvstore.repo.pending import Action, PickWords, State
from gvstore.repo.pick import carry_on, pick
from tests.crash.kind import in_fork
from tests.crash.shim import Shim, kill
from tests.repo.conftest import Seen, seen, write
from tests.repo.merging import RECIPE, fork_line, merge

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork, where other threads may live

STEP = int(
    os.environ.get("GV_KILL_STEP", "13")
)  # 1: every change on disk; odd, so that kills come before and after the changes
Act = Callable[[Repository], None]


def clean(repo: Repository) -> None:
    merge(repo, "side")


def conflict(repo: Repository) -> None:
    merge(repo, "other")


def forward(repo: Repository) -> None:
    merge(repo, "side")


def picks(repo: Repository) -> None:
    pick(
        repo, Action.CHERRY_PICK, [repo.resolve_commit(rev) for rev in ("side~1", "side", "other")], PickWords(), RECIPE
    )


def revert(repo: Repository) -> None:
    pick(repo, Action.REVERT, [repo.resolve_commit("main")], PickWords(), RECIPE)


def decided(repo: Repository) -> None:
    """Edits what is in conflict."""
    write(repo, a="both\n")


def concluded(repo: Repository) -> None:
    continue_merge(repo, RECIPE)


def committed(repo: Repository) -> None:
    repo.commit("joined")


def taken_back(repo: Repository) -> None:
    abort(repo, Action.MERGE, RECIPE)


def prepare(repo: Repository, act: Act) -> None:
    """Does what comes before an act, unharmed."""
    if act is forward:
        repo.checkout("start", detach=True)
    elif act in (concluded, committed, taken_back):
        merge(repo, "other")
        decided(repo)


ACTS: dict[Act, Action] = {
    clean: Action.MERGE,
    conflict: Action.MERGE,
    forward: Action.MERGE,
    picks: Action.CHERRY_PICK,
    revert: Action.REVERT,
    concluded: Action.MERGE,
    committed: Action.MERGE,
    taken_back: Action.MERGE,
}


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with lines to be merged, on main, with an unsaved edit that no merge touches."""
    root = tmp_path_factory.mktemp("lines") / "work"
    with Repository.init(root, author="Ada", now=1, branch="main") as repo:
        write(repo, a="1\n2\n3\n", b="b\n", c__d="d\n", kept="kept\n", gone="gone\n")
        repo.commit("base", author="Ada", now=2)
        repo.create_branch("start", author="Ada", now=2)
        fork_line(repo, "other")
        write(repo, a="1\ntwo\n3\n", o="o\n")
        repo.commit("other", author="Ada", now=3)
        fork_line(repo, "side", "main")
        write(repo, b="side\n", c__d=None)
        (root / "c").rmdir()
        write(repo, c="a file now\n")
        repo.commit("side 1", author="Ada", now=4)
        write(repo, gone=None, new__x="x\n")
        repo.commit("side 2", author="Ada", now=5)
        repo.checkout("main")
        write(repo, a="1\n2 here\n3\n")
        repo.commit("main", author="Ada", now=6)
        write(repo, kept="edited\n")
    return root


def state(repo: Repository) -> tuple[Seen, object]:
    """Returns the files and where HEAD is."""
    return seen(repo.path), (repo.refs.read(HEAD), repo.head)


def killed_at(folder: Path, act: Act, at: int) -> int:
    """Lets an act die at its k-th change on disk, in a fork; returns how it ended."""

    def body() -> None:
        shim = Shim(kill("after" if at % 2 else "before", 0.5), at)
        with Repository.open(folder) as repo:
            repo.refs.read(HEAD)
            shim.install()
            act(repo)
        os._exit(0)

    return in_fork(body)


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_killed_at_any_change_it_goes_on_or_back(lines: Path, tmp_path: Path, act: Act) -> None:
    """Status tells what is going on; --abort gives the files and HEAD of before, unsaved edits too; what is not told of is done or never began."""
    whole = shutil.copytree(lines, tmp_path / "whole")
    with Repository.open(whole) as repo:
        files = seen(whole) if act is not forward else None
        prepare(repo, act)
        before = state(repo)
        shutil.copytree(whole, tmp_path / "prepared")
        act(repo)
        after = state(repo)
    stages = {repr(before), repr(after)}
    told = set[State]()
    at = 1
    while True:
        folder = shutil.copytree(tmp_path / "prepared", tmp_path / "killed")
        ended = killed_at(folder, act, at)
        with Repository.open(folder) as repo:
            status = repo.status()
            assert "edited\n" == (folder / "kept").read_text()
            if status.pending is not None:
                told.add(status.pending.state)
                end(repo, act, files or before[0])
            elif status.mark is None:
                assert repr(state(repo)) in stages, at
            assert repo.status().pending is None
        shutil.rmtree(folder)
        if ended == 0:
            break
        assert -signal.SIGKILL == ended
        at += STEP
    assert told or act is taken_back


def end(repo: Repository, act: Act, files: Seen) -> None:
    """Takes what is pending back, on a copy, and goes on with it where nobody has to decide; both must end well."""
    action = ACTS[act]
    copy = shutil.copytree(repo.path, repo.path.with_name("copy"))
    with Repository.open(copy) as other:
        abort(other, action, RECIPE)
        assert files == seen(copy)
        assert not other.status().clean and other.status().pending is None
    shutil.rmtree(copy)
    pending = repo.status().pending
    assert pending is not None
    if action is Action.MERGE:
        if pending.state is State.MOVING:
            continue_merge(repo, RECIPE)
        if repo.status().pending is not None:
            decided(repo)
            continue_merge(repo, RECIPE)
        return
    while repo.status().pending is not None:
        if repo.status().undecided:
            decided(repo)
        carry_on(repo, action, RECIPE)
