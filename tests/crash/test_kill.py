"""kill -9: what was answered is there, the run can be read by anyone, and a replay makes the rest and nothing else."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gvstore import host
from gvstore.journal.recovery import settle
from gvstore.journal.repository import Repository
from gvstore.odb.wal import WalWriter, is_held
from gvstore.repo import layout
from tests.crash.moments import kill_at_moments, sound
from tests.crash.programs import KILL_AT, crowded, forked, model, nested, noted, record, twenty

KILLS = 20  # `python -m tests.crash.moments 200` makes them all

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # fork, where other threads may live


def journals(folder: Path) -> list[Path]:
    """Returns the journal files of a repository."""
    return sorted(layout.journal_folder(folder / ".gv").glob("*.wal"))


def test_killed_in_the_seventh_of_twenty_calls(folder: Path) -> None:
    """The run is interrupted with 6 finished calls; the replay makes the other 14 and no other call."""
    KILL_AT.append(6)
    assert -signal.SIGKILL == record(folder, twenty)
    KILL_AT.clear()
    assert [str(i) for i in range(7)] == noted("ran")

    with Repository.open(folder) as repo:
        run = repo.runs[1]
        assert ("interrupted", 6) == (run.status, run.calls)
        assert ["ok"] * 6 + ["unfinished"] == [call.status for call in run.invocation.get_children()]
        assert sound(repo)
        again = run.replay()

        assert [f"answer {i}" for i in range(20)] == again.output
        assert [str(i) for i in range(6, 20)] == noted("ran")
        assert {"calls": 21, "executed": 15, "reused": 6} == again.record.counts
        assert ("interrupted", 6) == (repo.runs[1].status, repo.runs[1].calls)
        assert sound(repo)
    assert [] == journals(folder)


@pytest.mark.parametrize("program", [nested, crowded], ids=["nested", "threads and tasks"])
def test_killed_at_any_moment_no_answer_is_lost(folder: Path, program: Callable[..., Any]) -> None:
    """Whatever the moment: every answer that the program had noted is in the record, and the repository is sound."""
    done = kill_at_moments(folder, program, KILLS)

    assert done.hits and done.answers


def test_journals_without_a_run_are_swept(folder: Path) -> None:
    """What a process left that died before its run had a number goes with the next settling, an hour later."""
    place = layout.journal_folder(folder / ".gv")
    young = place / f"{host.now_us():x}-1-aa.wal"
    old, used, other = (place / name for name in ("640000000000a-1-bb.wal", "640000000000b-1-cc.wal", "notes.wal"))
    for path in (young, old, other):
        path.write_bytes(b"GVWAL\x00\x01\n")
    held = WalWriter(used)
    killed_run(folder)

    with Repository.open(folder) as repo:
        assert 1 == settle(repo)

    assert sorted([young, used, other]) == journals(folder)
    held.close()


def test_killed_before_the_first_call(folder: Path) -> None:
    """A run without a root call is shown as interrupted, and says that there is nothing to show."""
    from gvstore.errors import GvError
    from gvstore.journal.recorder import Recording

    def body() -> None:
        Recording.begin = lambda *a, **k: __import__("os").kill(__import__("os").getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        with Repository.open(folder) as repo:
            repo.run(twenty)

    assert -signal.SIGKILL == forked(body)
    with Repository.open(folder) as repo:
        run = repo.runs[1]
        assert ("interrupted", 0) == (run.status, run.calls)
        with pytest.raises(GvError, match="interrupted before its first call began"):
            _ = run.invocation
        settle(repo)
        assert repo.runs[1].record == run.record
        assert sound(repo)


def killed_run(folder: Path) -> None:
    """Leaves run/1, killed in its seventh call, and its journal."""
    KILL_AT.append(6)
    record(folder, twenty)
    KILL_AT.clear()
    noted("ran")


def test_a_missing_journal(folder: Path) -> None:
    """A run whose journal is gone is an interrupted one of which nothing is known; others are as they were."""
    killed_run(folder)
    journals(folder)[0].unlink()

    with Repository.open(folder) as repo:
        assert ("interrupted", None) == (repo.runs[1].status, repo.runs[1].record.root)
        settle(repo)
        assert ("interrupted", None) == (repo.runs[1].status, repo.runs[1].record.root)
        assert "answer 3" == repo.run(model, 3).output
        assert sound(repo)


def test_several_settle_at_once(folder: Path) -> None:
    """Whoever comes first stores the run; all see the same one."""
    killed_run(folder)
    with Repository.open(folder) as repo:
        before = repo.runs[1].record

    def body() -> None:
        for _ in range(3):
            with Repository.open(folder) as repo:
                assert before.root == repo.runs[1].record.root
                settle(repo)
                assert before == repo.runs[1].record

    def several() -> None:
        import os

        children = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                os._exit(-forked(body) & 255)
            children.append(pid)
        assert [0] * 4 == [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]

    assert 0 == forked(several)
    with Repository.open(folder) as repo:
        assert before == repo.runs[1].record
        assert 1 == len([each for each in repo.refs.operations() if each.command.startswith("recover")])
        assert sound(repo)
    assert [] == journals(folder)


def test_a_running_run_is_left_alone(folder: Path) -> None:
    """What a living process records is shown as running, is not settled, and is not replayed."""
    import os

    from gvstore.errors import WouldLose

    go_read, go_write = os.pipe()
    here_read, here_write = os.pipe()
    programs_twenty = twenty

    def body() -> None:
        def waiting() -> int:
            model(1)
            os.write(here_write, b"x")
            os.read(go_read, 1)
            return len(programs_twenty())

        with Repository.open(folder) as repo:
            repo.run(waiting)

    pid = os.fork()
    if pid == 0:
        try:
            body()
        finally:
            os._exit(0)
    os.read(here_read, 1)
    with Repository.open(folder) as repo:
        assert 0 == settle(repo)
        run = repo.runs[1]
        assert ("running", 1) == (run.status, run.calls)
        assert is_held(journals(folder)[0])
        with pytest.raises(WouldLose, match="still running"):
            run.rewind(0)
        os.write(go_write, b"x")
        os.waitpid(pid, 0)
        assert ("ok", 23) == (repo.runs[1].status, repo.runs[1].calls)
    for fd in (go_read, go_write, here_read, here_write):
        os.close(fd)


def test_a_read_only_copy_is_read_and_not_changed(folder: Path, tmp_path: Path) -> None:
    """A copy with a dead journal shows the run; no byte, name or time below .gv changes."""
    killed_run(folder)
    with Repository.open(folder) as repo:
        expected = repo.runs[1].record
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for path in sorted(copy.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = looks(copy)

    with Repository.open(copy) as repo:
        assert repo.read_only
        run = repo.runs[1]
        assert expected == run.record
        assert ["ok"] * 6 + ["unfinished"] == [call.status for call in run.invocation.get_children()]
        assert sound(repo)

    assert before == looks(copy)
    for path in [copy, *copy.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def looks(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Returns mode, time of change and content of all below a folder."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in folder.rglob("*")
    }


def test_a_run_of_a_dead_process_replays_from_python(folder: Path) -> None:
    """Run and invocation of a dead process are replayed and rewound as any other; the first use stores it."""
    killed_run(folder)

    with Repository.open(folder) as repo:
        invocation = repo.runs[1].invocation
        child = invocation.get_child(2)
        rewound = repo.runs[1].rewind_before((4,))
        assert (4, "interrupted") == (len(rewound.invocation), repo.runs[1].status)
        assert child == child.replay()
        assert "answer 19" == invocation.replay().output[-1]
        assert [str(i) for i in range(6, 20)] == noted("ran")
        assert "answer 19" == rewound.replay().output[-1]
        assert [str(i) for i in range(4, 20)] == noted("ran")
        assert sound(repo)
