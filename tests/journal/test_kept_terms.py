"""A replay that was stopped half-way keeps to what it was told, when it is carried on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.fault import CallLimitReached
from gvstore.journal.repository import Repository
from gvstore.journal.run import Run
from tests.journal.process import Project

DRAWN: list[int] = []


@gv.register
def drawn(n: int) -> list[int]:
    return [outer(i) for i in range(n)]


@gv.register
def draw(i: int) -> int:
    DRAWN.append(i)
    return len(DRAWN)


@gv.register
def outer(i: int) -> int:
    return draw(i)


def _stopped(run: Run[Any], max_calls: int, **words: Any) -> Run[Any]:
    with pytest.raises(CallLimitReached):
        run.replay(max_calls=max_calls, **words)
    last = run.repo.runs.last
    assert last is not None
    return last


def test_a_live_replay_that_was_stopped_is_carried_on_live(repo: Repository) -> None:
    """Calls that it did not come to are executed, though the run before it has answers: it was to replace those."""
    DRAWN.clear()
    run = repo.run(drawn, 4)
    assert [1, 2, 3, 4] == run.output
    once = _stopped(run, 4, live="draw")  # two of each kind

    twice = _stopped(once, 2)
    plan = twice.plan()
    assert (6, 2) == (plan.reuse, plan.run)
    done = twice.replay()

    assert [5, 6, 7, 8] == done.output
    assert [0, 1, 2, 3, 0, 1, 2, 3] == DRAWN


def test_what_was_set_stays_set(repo: Repository) -> None:
    """Also where the replay was stopped before it came there; calls that it was not told of are reused."""
    DRAWN.clear()
    run = repo.run(drawn, 4)
    stopped = _stopped(run, 0, set={"3.0": 70, "2": 60}, live="outer")

    assert [1, 2, 60, 70] == stopped.replay(set={}).output
    assert 4 == len(DRAWN)


def test_from_a_call_on_stays_from_it_on(repo: Repository) -> None:
    """What came after the call that a stopped replay began at is not answered from the run before."""
    DRAWN.clear()
    run = repo.run(drawn, 3)
    stopped = _stopped(run, 2, from_call=(1,))

    assert [1, 4, 5] == stopped.replay().output


KILLED = """
import os, sys
import gvstore as gv

SIDE = sys.argv[1]

@gv.register
def ask(i):
    return SIDE

@gv.register(effect="once")
def pause(i):  # what came before it is in the journal when it begins
    if SIDE == "killed" and i == 1:
        os.kill(os.getpid(), 9)

@gv.register
def main():
    return [(ask(i), pause(i))[0] for i in range(4)]

with gv.Repository.open(".") as repo:
    if SIDE == "first":
        print(repo.run(main).output)
    elif SIDE == "killed":
        repo.runs.last.replay(live="ask", from_call=(2,), effects=True)
    else:
        print(repo.runs.last.replay(effects=True).output)
"""


def test_killed_it_keeps_to_them_too(tmp_path: Path) -> None:
    """The journal holds the terms from the start."""
    Repository.init(tmp_path).close()
    project = Project(tmp_path)
    project.run(KILLED, "first")
    project.killed(KILLED, "killed")

    assert "['killed', 'killed', 'on', 'on']\n" == project.run(KILLED, "on")
