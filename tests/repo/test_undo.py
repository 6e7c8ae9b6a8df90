from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.errors import GvError
from gvstore.repo import Repository
from gvstore.repo.fault import EditedSince, WorktreeBusy
from gvstore.repo.lock import worktree_lock
from gvstore.repo.operations import standing
from gvstore.repo.reset import reset
from gvstore.repo.undo import NothingToUndo, ObjectsGone, RefsMovedSince, redo, undo
from tests.repo.conftest import AUTHOR, NOW_US, Seen, seen, write
from tests.repo.test_checkout import WORLDS, build, record, two_commits


def back(repo: Repository, text: str | None = None, *, to: bool = False, keep_files: bool = False) -> None:
    undo(repo, text, to=to, keep_files=keep_files, author=AUTHOR, now=NOW_US)


def again(repo: Repository) -> None:
    redo(repo, author=AUTHOR, now=NOW_US)


def refs(repo: Repository) -> dict[str, str]:
    """All refs but those that tell of moved files."""
    return {name: value for name, value in repo.refs.list("").items() if not name.startswith("refs/work/")}


Step = tuple[str, int, Seen]
STEPS = st.lists(
    st.tuples(st.sampled_from(["commit", "checkout", "hard", "soft", "restore", "branch", "run", "amend"]), st.integers(0, 3), WORLDS),
    min_size=1,
    max_size=5,
)


def do(repo: Repository, step: Step, number: int) -> None:
    """Does one command; those that cannot be done here do nothing."""
    kind, which, world = step
    commits = [entry.oid for entry in repo.log()]
    oid = commits[which % len(commits)]
    if kind == "commit":
        build(repo.path, world)
    acts: dict[str, Callable[[], object]] = {
        "commit": lambda: repo.commit(f"commit {number}", allow_empty=True),
        "amend": lambda: repo.commit(f"commit {number}", allow_empty=True),
        "checkout": lambda: repo.checkout(oid.hex() if which else "main"),
        "hard": lambda: reset(repo, oid, rev=oid.hex(), hard=True, author=AUTHOR, now=NOW_US),
        "soft": lambda: reset(repo, oid, rev=oid.hex(), hard=False, author=AUTHOR, now=NOW_US),
        "restore": lambda: repo.restore([""], source=oid.hex()),
        "branch": lambda: repo.create_branch(f"b{number}"),
        "run": lambda: record(repo, None, None),
    }
    try:
        acts[kind]()
    except GvError:
        return


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(first=WORLDS, steps=STEPS)
def test_undo_n_times_and_redo_n_times(
    empty: Path, tmp_path_factory: pytest.TempPathFactory, first: Seen, steps: list[Step]
) -> None:
    """After any commands: undo n times gives the refs of n commands ago, and the files that commands moved; redo n times comes back."""
    root = tmp_path_factory.mktemp("w") / "work"
    with Repository.open(shutil.copytree(empty, root)) as repo:
        build(root, first)
        repo.commit("first", allow_empty=True)
        states = [(len(list(standing(repo))), refs(repo), seen(root), True)]
        for number, step in enumerate(steps):
            do(repo, step, number)
            count = len(list(standing(repo)))
            if count > states[-1][0]:
                states.append((count, refs(repo), seen(root), step[0] != "commit"))
        done = 0
        for at in range(len(states) - 1, 0, -1):
            try:
                back(repo)
            except EditedSince:  # files that a commit took, which is undone: edits now
                break
            done += 1
            assert states[at - 1][1] == refs(repo)
            if all(state[3] for state in states[at:]):
                assert states[at - 1][2] == seen(root)
        for _ in range(done):
            try:
                again(repo)
            except EditedSince:  # what a commit had taken stands in the way
                assert not all(state[3] for state in states)
                return
        assert states[-1][1:3] == (refs(repo), seen(root))


def test_edits_that_gave_way_come_back(repo: Repository) -> None:
    """After `reset --hard`: edited, untracked and in the way, deleted, a folder in a file's place; and what was there stays."""
    first, second = two_commits(repo)
    write(repo, changed="edited", gone="untracked, in the way", d__x="edited", d__more="untracked", same=None, mine="m")
    before = seen(repo.path)
    done = reset(repo, first, rev="main~1", hard=True, author=AUTHOR, now=NOW_US)

    assert ("changed", "d/more", "d/x", "gone") == done.gave_way
    assert {b"changed": ("file", b"1"), b"gone": ("file", b"g"), b"d": ("file", b"file"), b"mine": ("file", b"m")}.items() <= seen(
        repo.path
    ).items()
    assert first == repo.head
    back(repo)
    assert (before | {b"same": ("file", b"s")}, second) == (seen(repo.path) | {b"same": ("file", b"s")}, repo.head)


def test_files_edited_since_are_not_overwritten(repo: Repository) -> None:
    """They are all told, and nothing is done; --keep-files moves the refs alone."""
    first, second = two_commits(repo)
    repo.checkout(first.hex())
    write(repo, changed="edited", gone="edited too", mine="m")
    before = seen(repo.path)
    with pytest.raises(EditedSince) as caught:
        back(repo)

    assert (("changed", "gone"), before, first) == (caught.value.paths, seen(repo.path), repo.head)
    back(repo, keep_files=True)
    assert (before, second, "main") == (seen(repo.path), repo.head, repo.branch)


def test_one_of_long_ago(repo: Repository) -> None:
    """One operation alone goes back if nothing that it moved has moved since."""
    first, second = two_commits(repo)
    repo.create_branch("side", first.hex())
    repo.create_branch("other")
    number = repo.refs.operations(limit=2)[1].number
    back(repo, str(number))

    assert {"main", "other"} == {branch.name for branch in repo.branches()}
    with pytest.raises(NothingToUndo):
        back(repo, str(number))
    with pytest.raises(RefsMovedSince, match="main") as caught:
        back(repo, "2")
    assert (11, second) == (caught.value.exit_code, repo.head)
    back(repo)
    assert ["main"] == [branch.name for branch in repo.branches()]


def test_all_after_one_in_one_step(repo: Repository) -> None:
    """`undo --to` composes what stands after it; redo brings all of it back."""
    first, _ = two_commits(repo)
    write(repo, changed="mine")
    kept, number = refs(repo), repo.refs.operations(limit=1)[0].number
    before = seen(repo.path)
    repo.restore(["changed"])
    repo.checkout(first.hex())
    repo.create_branch("side")
    back(repo)
    after = refs(repo), seen(repo.path)
    back(repo, str(number), to=True)

    assert (kept, before) == (refs(repo), seen(repo.path))
    again(repo)
    assert after == (refs(repo), seen(repo.path))


def test_runs_go_and_come_back(repo: Repository) -> None:
    """With their numbers; a number is never used again."""
    write(repo, a="1")
    base = repo.commit("first")
    record(repo, repo.snapshot_code(["a"], base=base).tree, base)
    back(repo)

    row = repo.refs.run(1)
    assert row is not None and row.removed and () == repo.refs.runs()
    again(repo)
    assert [1] == [each.number for each in repo.refs.runs()]
    back(repo)
    assert 2 == record(repo, None, base)


def test_the_code_of_a_run_goes_and_comes_back(repo: Repository) -> None:
    """What lay over the work tree is known to be saved after an undo and a redo too."""
    write(repo, a="1")
    base = repo.commit("first")
    write(repo, a="used")
    number = record(repo, repo.snapshot_code(["a"], base=base).tree, base)
    write(repo, a="1")
    repo.checkout(f"run/{number}")
    back(repo)
    assert (b"1", "main", None) == ((repo.path / "a").read_bytes(), repo.branch, repo.status().mark)
    again(repo)
    mark = repo.status().mark

    assert mark is not None and ("run/1", True) == (mark.label, mark.done)
    repo.checkout("main")
    assert b"1" == (repo.path / "a").read_bytes()
    same = record(repo, repo.snapshot_code(["a"], base=base).tree, base)
    repo.checkout(f"run/{same}")
    back(repo)
    assert repo.status().mark is None


def test_what_is_gone_does_not_come_back(repo: Repository) -> None:
    """Forgotten objects are told, and nothing is done."""
    oid = repo.objects.put(b"secret")
    repo.name_value("secret", oid)
    with repo.transaction("rm secret") as transaction:
        transaction.delete("refs/values/secret")
    repo.forget(repo.forget_targets([oid.hex()]))
    with pytest.raises(ObjectsGone) as caught:
        back(repo)

    assert 11 == caught.value.exit_code and repo.refs.resolve("refs/values/secret") is None


def test_forgetting_is_passed_over(repo: Repository) -> None:
    """It cannot be undone; what was done before can, also the run that was forgotten, of which nothing is left."""
    write(repo, a="1")
    base = repo.commit("first")
    record(repo, None, base)
    repo.create_branch("side")
    repo.forget(repo.forget_targets(["run/1"]))
    last = repo.refs.operations(limit=1)[0]
    with pytest.raises(NothingToUndo, match="forget run/1"):
        back(repo, str(last.number))
    done = undo(repo, None, author=AUTHOR, now=NOW_US)

    assert (["branch side"], (last,)) == ([each.command for each in done.operations], done.passed)
    back(repo)
    assert base == repo.head
    back(repo)
    assert repo.head is None


def test_nothing_to_undo(repo: Repository) -> None:
    """An empty log, the first operation, an undo without its turn, a redo after another command."""
    for text in (None, "1"):
        with pytest.raises(NothingToUndo):
            back(repo, text)
    with pytest.raises(NothingToUndo):
        again(repo)
    write(repo, a="1")
    repo.commit("first")
    repo.create_branch("side")
    back(repo)
    back(repo)
    with pytest.raises(NothingToUndo, match="undo 3"):
        back(repo, "4")
    back(repo, "5")  # the last undo: this is a redo
    assert repo.head is not None
    repo.create_branch("other")
    with pytest.raises(NothingToUndo):
        again(repo)


def test_a_socket_in_the_way_stops_a_reset(repo: Repository) -> None:
    """What no tree can hold is never taken away."""
    first, _ = two_commits(repo)
    os.mkfifo(repo.path / "gone")
    with pytest.raises(GvError) as caught:
        reset(repo, first, rev="main~1", hard=True, author=AUTHOR, now=NOW_US)

    assert 13 == caught.value.exit_code and (repo.path / "gone").exists()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_second_gv_waits(repo: Repository) -> None:
    """While another holds the work tree an undo waits for it; who waits too long is told."""
    two_commits(repo)
    back_end, front_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        with worktree_lock(repo.gv, repo.path):
            os.write(front_end, b".")
            time.sleep(0.5)
            os._exit(0)
    os.read(back_end, 1)
    with pytest.raises(WorktreeBusy) as caught, worktree_lock(repo.gv, repo.path, wait_s=0):
        raise AssertionError
    assert 11 == caught.value.exit_code
    back(repo)
    os.waitpid(pid, 0)
    assert 1 == len(list(repo.log()))
