"""What a run says of itself: facts, status, code, times, counts; and what programs of several files are named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore import host
from gvstore.journal.address import walk
from gvstore.journal.repository import Repository
from gvstore.journal.running import RunOptions
from gvstore.journal.timing import timing_of
from gvstore.objects.blob import get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.tree import Mode, Tree
from tests.journal.bodies import BODIES, note
from tests.journal.process import Project


@gv.register
def leaf(x: int) -> int:
    note(x)
    gv.report_usage(prompt_tokens=10, completion_tokens=x)
    return x


@gv.register
def branch(n: int) -> int:
    return sum(leaf(i) for i in range(n))


@gv.register
def root(n: int) -> int:
    return branch(n) + leaf(n)


def test_a_run_knows_who_when_where_and_what(repo: Repository) -> None:
    """Target, words, author, host, Python, message, group and branch stand in the run."""
    options = RunOptions(target="dice.py:root", message="why", group="g", argv=("gv", "run", "dice.py:root", "3"))
    before = host.now_us()

    run = repo.perform(root, (3,), {}, options).run

    assert run is not None
    record = run.record
    assert ("dice.py:root", "why", "g", options.argv) == (record.target, record.message, record.group, record.argv)
    assert (repo.author(), host.user(), host.hostname()) == (record.author, record.user, record.host)
    assert (host.python_version(), "main", "ok") == (record.python, record.branch, record.status)
    assert before <= record.started_at <= record.ended_at <= host.now_us()
    assert record.base is None
    assert record == repo.runs[1].record


def test_usage_is_counted(repo: Repository) -> None:
    """What models report is summed over the calls that were executed."""
    run = repo.run(root, 3)

    assert {"calls": 6, "executed": 6, "reused": 0, "prompt_tokens": 40, "completion_tokens": 6} == run.record.counts
    assert {"calls": 6, "executed": 1, "reused": 5} == run.replay().record.counts
    gv.report_usage(prompt_tokens=5)  # outside of a run: nothing happens


def test_times_mirror_the_calls(repo: Repository) -> None:
    """Each executed call has its start and duration within its parent's; what was reused has none."""
    run = repo.run(root, 4)
    timings = {path: timing_of(run.record.times, path, repo.objects) for path, _ in walk(run.invocation)}

    for path, timing in timings.items():
        assert not timing.reused
        if path:
            above = timings[path[:-1]]
            assert above.started_us <= timing.started_us
            assert timing.started_us + timing.duration_us <= above.started_us + above.duration_us
    again = run.rewind(1).replay()
    times = again.record.times
    assert [False, True, True, False] == [
        timing_of(times, path, repo.objects).reused for path in ((), (0,), (0, 2), (1,))
    ]


def test_an_interrupt_keeps_the_run(repo: Repository) -> None:
    """Ctrl-C: the run is interrupted, the finished calls are there, a replay executes the rest and no more."""
    stop = [True]

    @gv.register
    def step(x: int) -> int:
        note(x)
        if x == 3 and stop:
            raise KeyboardInterrupt
        return x

    @gv.register
    def steps(n: int) -> int:
        return sum(step(i) for i in range(n))

    performed = repo.perform(steps, (6,), {})

    assert isinstance(performed.error, KeyboardInterrupt)
    run = repo.runs[1]
    assert ("interrupted", 3) == (run.status, run.record.counts["executed"])
    assert ["ok", "ok", "ok", "unfinished"] == [call.status for call in run.invocation.get_children()]
    stop.clear()
    BODIES.clear()
    assert 15 == run.replay().output
    assert [3, 4, 5] == BODIES


def test_a_component_that_raises_keeps_its_run(repo: Repository) -> None:
    """Status raised, the exception raised again, its traceback without our own lines."""

    @gv.register
    def bad() -> None:
        leaf(1)
        raise ValueError("no such topic")

    with pytest.raises(ValueError, match="no such topic"):
        repo.run(bad)

    run = repo.runs[1]
    assert ("raised", 2) == (run.status, run.calls)
    assert "no such topic" in run.record.traceback and "recorder.py" not in run.record.traceback
    with pytest.raises(gv.InvocationError, match="has no output"):
        _ = run.output


def test_arguments_that_do_not_fit_record_nothing(repo: Repository) -> None:
    """No run is begun for a call that cannot be made."""
    with pytest.raises(TypeError):
        repo.run(root)

    assert 0 == len(repo.runs)


PACKAGE = {
    "tools/__init__.py": "",
    "tools/search.py": """
        import gvstore as gv
        @gv.register
        def find(x): return x
        """,
    "helper.py": """
        import gvstore as gv
        @gv.register
        def helped(x): return x
        class Kit:
            @gv.register
            @staticmethod
            def use(x): return x
        """,
    "unused.py": "",
    "agent.py": """
        import gvstore as gv
        from helper import Kit, helped
        from tools.search import find
        @gv.register
        def local(x): return x
        @gv.register
        def act(x): return [local(x), helped(x), Kit.use(x), find(x)]
        if __name__ == "__main__":
            with gv.open() as repo:
                gv.run(act, 1)
        """,
}
NAMES = ["agent.act", "agent.local", "helper.helped", "helper.Kit.use", "tools.search.find"]


def project(folder: Path) -> Project:
    """Returns a project of several files, with a repository."""
    made = Project(folder)
    for name, text in PACKAGE.items():
        made.write(name, "\n".join(line[8:] for line in text.splitlines()))
    Repository.init(folder).close()
    return made


def names(run: gv.Run[Any]) -> list[str]:
    """Returns the names of a run's calls."""
    return [call.component.name for _, call in walk(run.invocation)]


def test_components_are_named_by_their_path(tmp_path: Path) -> None:
    """One name, whether a file was imported or started, and from which folder."""
    made = project(tmp_path)
    made.run("import gvstore as gv, agent\nwith gv.open(): gv.run(agent.act, 1)")
    for folder, target in ((tmp_path, "agent.py"), (tmp_path / "tools", "../agent.py")):
        subprocess.run(
            [sys.executable, target], cwd=folder, check=True, env={"PYTHONPATH": str(Path.cwd()), "PATH": ""}
        )

    with Repository.open(tmp_path) as repo:
        assert [NAMES] * 3 == [names(run) for run in repo.runs]
        assert 1 == len({run.invocation.oid for run in repo.runs})


@gv.register
def spread(n: int) -> int:
    return sum(branch(i % 5) if i % 3 else leaf(i) for i in range(n))


def files(repo: Repository, tree: Any, prefix: str = "") -> dict[str, bytes]:
    """Returns the content of the files of a tree by path."""
    found: dict[str, bytes] = {}
    for name, entry in Tree.get(repo.objects, tree).entries.items():
        if entry.mode == Mode.FOLDER:
            found |= files(repo, entry.oid, f"{prefix}{name}/")
        else:
            found[prefix + name] = get_blob(repo.objects, entry.oid)
    return found


def test_the_snapshot_holds_the_loaded_files(tmp_path: Path) -> None:
    """A run's code is the project files that were loaded, over the commit it started from."""
    made = project(tmp_path)
    made.run("import gvstore as gv, agent\nwith gv.open(): gv.run(agent.act, 1)")

    with Repository.open(tmp_path) as repo:
        code = repo.runs[1].record.code
        assert {"agent.py", "helper.py", "tools/__init__.py", "tools/search.py"} == set(files(repo, code))
        assert (tmp_path / "agent.py").read_bytes() == files(repo, code)["agent.py"]
        base = repo.commit("all", author="Ada")
    made.write("helper.py", (tmp_path / "helper.py").read_text() + "\nMORE = 1\n")
    made.run("import gvstore as gv, agent\nwith gv.open(): gv.run(agent.act, 1)")

    with Repository.open(tmp_path) as repo:
        run = repo.runs[2]
        assert base == run.record.base
        committed = files(repo, Commit.get(repo.objects, base).tree)
        assert committed | {"helper.py": (tmp_path / "helper.py").read_bytes()} == files(repo, run.record.code)
        assert [] == [each for each in repo.fsck() if each.damage]


def test_key_like_files_are_left_out(tmp_path: Path) -> None:
    """A source file that holds a key is not stored, and the run says so."""
    made = project(tmp_path)
    key = "sk-ant-" + "api03-abcDEF0123456789ghiJKL"
    made.write("helper.py", (tmp_path / "helper.py").read_text() + f"\nKEY = '{key}'\n")
    made.run("import gvstore as gv, agent\nwith gv.open(): gv.run(agent.act, 1)")

    with Repository.open(tmp_path) as repo:
        run = repo.runs[1]
        assert "helper.py" not in files(repo, run.record.code)
        assert any(note.startswith("helper.py holds an Anthropic key") for note in run.record.notes)


def test_a_rewound_run_keeps_its_origin(repo: Repository) -> None:
    """A rewound run is a run of its own that executed nothing; history is not edited."""
    run = repo.run(root, 3)
    rewound = run.rewind_before((0, 1))

    assert ("rewound", run.number) == (rewound.status, rewound.parent and rewound.parent.number)
    assert {"calls": 3, "executed": 0, "reused": 3} == rewound.record.counts
    assert 6 == repo.runs[1].calls
    with pytest.raises(gv.GvError, match=r"there is no call 0\.7"):
        run.rewind_before((0, 7))


def test_a_rewound_run_counts_its_calls(repo: Repository) -> None:
    """Wherever it is rewound to, and though not all of them are looked at."""
    run = repo.run(spread, 120)
    places = [path for path, _ in walk(run.invocation)]

    for path in [*places[::7], places[-1], (0,), (120,)]:
        rewound = repo.keep_rewound(run, path)
        assert len(list(walk(rewound.invocation))) == rewound.calls
    for count in (0, 1, 119, 120):
        assert len(list(walk(run.rewind(count).invocation))) == repo.runs.last.calls  # type: ignore[union-attr]
    with pytest.raises(gv.GvError, match="made 120 calls, 121 cannot be taken back"):
        run.rewind(121)


def test_a_missing_run_names_near_ones(repo: Repository) -> None:
    """Which runs there are is told with the error."""
    with pytest.raises(gv.GvError, match="nothing has been recorded yet"):
        repo.runs[3]
    repo.run(root, 1)
    with pytest.raises(gv.GvError, match="there is no run/3"):
        repo.runs[3]


def test_runs_are_named_by_numbers(repo: Repository) -> None:
    """Anything else is told what is wanted; so is a checkout of what is no reference."""
    key: Any = "run/1"

    with pytest.raises(TypeError, match=r"as in repo\.runs\[7\], not by 'run/1'"):
        repo.runs[key]
    with pytest.raises(TypeError, match="takes a Ref, as commit returns it, not 'run/1'"):
        repo.store.checkout(key)
