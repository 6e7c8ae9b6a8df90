"""Parallel steps that are recorded: each branch is a run of its machine below the step, and a replay answers its steps."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.journal.question import InputRequest, request_input
from gvstore.machine import BranchesFailed, Retry, State, action, map_reduce_action
from gvstore.machine.keeping import hydrate
from gvstore.machine.steps import MachineCall
from tests.machine.fanned import BRANCHES
from tests.machine.fanning import Squares, Tasks, answers, builder, each_number
from tests.transcript import ROOT

RAN: list[int] = []
GATES: dict[int, threading.Event] = {}
DOWN: list[int] = []


@action(reads=["number"], writes=["answer"])
def noted(state: State[Any]) -> State[Any]:
    """Says that it runs; waits for its gate; fails where it is to."""
    number = state["number"]
    gate = GATES.get(number)
    if gate is not None:
        gate.wait()
    RAN.append(number)
    for each in GATES.values():
        each.set()
    if number in DOWN:
        raise ConnectionError(f"down: {number}")
    return state.update(answer=number * 2)


@action(reads=["number"], writes=["answer"])
async def anoted(state: State[Any]) -> State[Any]:
    """Says that it runs; the first waits longest."""
    for _ in range(10 - state["number"]):
        await asyncio.sleep(0)
    RAN.append(state["number"])
    return state.update(answer=state["number"] * 2)


class Noted(Squares):
    """Runs `noted` for each number."""

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the action."""
        return noted


class Awaited(Squares):
    """Runs `anoted` for each number."""

    def action(self, state: State[Any], inputs: dict[str, Any]) -> Any:
        """Returns the action."""
        return anoted

    def is_async(self) -> bool:
        """Returns True."""
        return True


def of_numbers(state: State[Any]) -> list[State[Any]]:
    """Returns a state a number."""
    return [state.update(number=number) for number in state["numbers"]]


def gathered(state: State[Any], states: Any) -> State[Any]:
    """Returns the answers."""
    return state.update(answers=answers(states))


class Patient(Noted):
    """Tries again."""

    task_retry = Retry(2, on=ConnectionError, backoff=0)


@action(reads=["number"], writes=["answer"])
def asking(state: State[Any]) -> State[Any]:
    """Asks in the second branch."""
    RAN.append(state["number"])
    return state.update(answer=request_input(int, "how many?") if state["number"] == 2 else state["number"])


simple = builder(Noted()).build()
questions = {fail: builder(Tasks(each_number(asking), fail=fail)).build() for fail in ("fast", "all", "keep")}
question_fast, question_all, question_keep = questions.values()
waiting = builder(Awaited()).build()
thorough = builder(Tasks(each_number(noted), fail="all")).build()
patient = builder(Patient()).build()
mapped = builder(map_reduce_action(noted, of_numbers, gathered, ["numbers"], ["answers"])).build()


@pytest.fixture
def repo(tmp_path: Path) -> Any:
    """An empty repository, open; nothing has run."""
    RAN.clear()
    GATES.clear()
    DOWN.clear()
    with gv.init(tmp_path) as repo:
        yield repo


def shape(call: Any) -> Any:
    """Returns which calls a call is made of, by what they are."""
    return call.component.flavor, call.component.name.rpartition(".")[2], [shape(each) for each in call.get_children()]


def test_a_branch_is_a_run_of_its_machine_below_the_step(repo: Any) -> None:
    """Machine, step, a machine for each branch in order, its steps; states of branches are read back."""
    GATES[1] = threading.Event()  # the first ends last
    app = simple.fork()
    app.run()
    root = repo.runs[1].invocation
    branch: Any = ("machine", "branch", [("action", "noted", [])])
    assert [("action", "Noted", [branch] * 3)] == shape(root)[2]
    step = root.get_child(0)
    assert [1, 2, 3] == [MachineCall(each).last_state()["number"] for each in step.get_children()]
    assert [2, 4, 6] == [MachineCall(each).last_state()["answer"] for each in step.get_children()]
    assert 3 == len({MachineCall(each).app_id for each in step.get_children()})
    assert hydrate("run/1:0/state")["answers"] == [2, 4, 6]


def test_a_replay_is_what_was_recorded_whoever_ended_first(repo: Any) -> None:
    """The record does not depend on timing, and a replay of it runs nothing."""
    GATES[1] = threading.Event()
    simple.fork().run()
    assert 1 != RAN[0]
    GATES.clear()
    simple.fork().run()
    first, second = (run.invocation for run in (repo.runs[1], repo.runs[2]))
    assert first.oid == second.oid
    RAN.clear()
    again = repo.runs[1].replay()
    assert [] == RAN
    assert first.oid == again.invocation.oid


def test_a_branch_that_failed_runs_again_alone(repo: Any) -> None:
    """The failing branch's step is what a replay runs; the state has no trace of the failure."""
    DOWN.append(2)
    app = thorough.fork()
    with pytest.raises(BranchesFailed):
        app.run()
    assert {"numbers": [1, 2, 3]} == app.state
    run = repo.runs[1]
    assert "raised" == run.status
    assert {"fail": "all"} == run.invocation.get_child(0).args["inputs"]  # an instance's attributes are arguments
    RAN.clear()
    DOWN.clear()
    again = run.replay()
    assert [2] == RAN
    assert [2, 4, 6] == MachineCall.of_run(again.invocation, again.record).last_state()["answers"]


@pytest.mark.parametrize("fail", ["fast", "all", "keep"])
def test_a_question_in_a_branch_is_no_failure(repo: Any, fail: str) -> None:
    """The run waits, whatever becomes of failures; with the answer the branch goes on, and no other runs again."""
    with pytest.raises(InputRequest):
        questions[fail].fork().run()
    run = repo.runs[1]
    assert ("waiting", 1) == (run.status, len(run.questions))
    assert {1, 2} <= set(RAN)  # with "fast" the third may not have begun
    left = {2} | ({1, 2, 3} - set(RAN))
    RAN.clear()
    done = run.answer(70)
    assert left == set(RAN)
    assert [1, 70, 3] == MachineCall.of_run(done.invocation, done.record).last_state()["answers"]


def test_attempts_are_on_record(repo: Any) -> None:
    """A task that is tried again goes on as another run of its machine."""
    DOWN.append(2)
    with pytest.raises(ConnectionError):
        patient.fork().run()
    step = repo.runs[1].invocation.get_child(0)
    assert ["raised", "raised"] == [each.status for each in step.get_children() if each.args["state"]["number"] == 2]


def test_tasks_of_an_event_loop(repo: Any) -> None:
    """They stand in the order of the tasks; after a rewind to the second branch the steps before it are answered."""
    asyncio.run(waiting.fork().arun())
    assert [3, 2, 1] == RAN
    first = repo.runs[1].invocation
    RAN.clear()
    assert first.oid == repo.runs[1].replay().invocation.oid
    assert [] == RAN
    again = repo.runs[1].rewind_before("0.1").replay()
    assert [3, 2] == RAN
    assert first.oid == again.invocation.oid


def test_a_rewind_within_a_branch(repo: Any) -> None:
    """What comes before the call that is named is answered, branches and steps; the rest runs."""
    app = simple.fork()
    app.run()
    RAN.clear()
    again = repo.runs[1].rewind_before("0.2").replay()
    assert [3] == RAN
    assert [2, 4, 6] == MachineCall.of_run(again.invocation, again.record).last_state()["answers"]


def test_an_action_of_functions_is_known_by_its_reducer(repo: Any) -> None:
    """It has the reducer's name, its branches below it; a replay runs nothing."""
    mapped.fork().run()
    step = repo.runs[1].invocation.get_child(0)
    assert {"action": [f"{__name__}.noted"]} == step.args["inputs"]
    assert ("action", "gathered", [("machine", "branch", [("action", "noted", [])])] * 3) == shape(step)
    RAN.clear()
    assert repo.runs[1].replay().invocation.oid == repo.runs[1].invocation.oid
    assert [] == RAN


def program(place: Path, what: str) -> subprocess.CompletedProcess[str]:
    """Runs `fanned` in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.machine.fanned", str(place), what]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False)


def ran(place: Path) -> list[str]:
    """Returns what the program noted since this was last asked, sorted."""
    path = place / "ran"
    lines = sorted(path.read_text().splitlines()) if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_killed_with_four_branches_under_way(tmp_path: Path) -> None:
    """kill -9 in the middle of four threads: a replay in another process runs what had not ended, and nothing else; the next runs nothing."""
    gv.init(tmp_path).close()
    assert -signal.SIGKILL == program(tmp_path, "run").returncode
    begun = [f"{name} {n}" for name in ("first", "second") for n in range(BRANCHES)] + [f"third {n}" for n in range(BRANCHES - 1)]
    assert begun == ran(tmp_path)

    done = program(tmp_path, "replay")
    assert ("", 0) == (done.stderr, done.returncode)
    assert ["reduce", "second 3", "third 0", "third 1", "third 2", "third 3"] == ran(tmp_path)
    with gv.open(tmp_path) as repo:
        run = repo.runs[2]
        assert [f"{n}: {n * 11}" for n in range(BRANCHES)] == hydrate("run/2:0/state")["told"]
        assert 7 == run.record.counts["reused"]

    done = program(tmp_path, "replay")
    assert ("", 0) == (done.stderr, done.returncode)
    assert [] == ran(tmp_path)
