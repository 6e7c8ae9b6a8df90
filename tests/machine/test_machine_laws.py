"""What is promised of machines that are recorded, one law at a time: what a replay may take from the record, and what it may not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

import gvstore as gv
from gvstore.machine import (
    ApplicationBuilder,
    MachineWarning,
    PostRunStepHook,
    State,
    action,
    expr,
    register_field_serde,
)
from gvstore.machine.steps import MachineCall

CHAT = '''
import json, sys
from pathlib import Path
import gvstore as gv
from gvstore.machine import ApplicationBuilder, action, expr

PROMPT = "You are kind."

@gv.register
def model(prompt: str, text: str) -> str:
    with open("asked.txt", "a") as file:
        file.write(text + "\\n")
    return prompt.upper() + text

@action(reads=["turns"], writes=["prompt"])
def ask(state):
    return state.update(prompt=f"question {state['turns']}")

@action(reads=["prompt"], writes=["history", "turns"])
def answer(state):
    system = PROMPT if state["prompt"] == "question 3" else "You are."
    return state.append(history=model(system, state["prompt"])).increment(turns=1)

application = (
    ApplicationBuilder().with_actions(ask, answer).with_transitions(("ask", "answer"), ("answer", "ask", expr("turns < 4")))
    .with_state(history=[], turns=0).with_identifiers(app_id="chat").build()
)
'''


@pytest.fixture
def repo(tmp_path: Path) -> Any:
    """An empty repository, open."""
    with gv.init(tmp_path) as repo:
        yield repo


def gvstore(folder: Path, *words: str) -> str:
    """Returns what `gv` prints, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(Path(gv.__file__).parents[1])}
    command = [sys.executable, "-m", "gvstore", *words]
    made = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    return made.stdout


def test_rewound_four_steps_with_another_prompt_the_earlier_answers_stand(tmp_path: Path) -> None:
    """Only the model call with the new prompt is made again; the old history and the new one can both be seen."""
    program = tmp_path / "chat.py"
    program.write_text(CHAT)
    gvstore(tmp_path, "init")
    gvstore(tmp_path, "run", "chat.py:application")
    asked = tmp_path / "asked.txt"
    assert [f"question {number}" for number in range(4)] == asked.read_text().splitlines()
    asked.unlink()
    gvstore(tmp_path, "rewind", "run/1", "-n", "4")
    program.write_text(CHAT.replace("kind", "stern"))
    gvstore(tmp_path, "replay")
    assert ["question 2", "question 3"] == asked.read_text().splitlines()
    assert "KIND" in gvstore(tmp_path, "show", "run/1:7")
    assert "STERN" in gvstore(tmp_path, "show", "run/3:7")


def loop(act: Any, limit: int = 3, **state: Any) -> Any:
    """Returns a machine of one action."""
    return (
        ApplicationBuilder().with_actions(act=act).with_transitions(("act", "act", expr(f"n < {limit}")))
        .with_state(**{"n": 0, **state}).build()
    )  # fmt: skip


def test_a_step_that_saw_what_it_only_writes_is_executed_again(repo: Any) -> None:
    """What it did cannot be told from its arguments: a warning says so, and the record does not answer for it."""
    ran = []

    @action(reads=["n"], writes=["n", "log"])
    def peeks(state: State[Any]) -> State[Any]:
        ran.append(state["n"])
        state = state.append(log="x").increment(n=1)
        return state.update(n=state["n"] + 0 * len(state["log"]))

    app = loop(peeks, log=[])
    with pytest.warns(MachineWarning, match="log"):
        app.run()
        ran.clear()
        app.last_run.rewind(1).replay()
    assert [0, 1, 2] == ran


class Client:
    """What has no encoding of its own."""

    def __init__(self, name: str) -> None:
        self.name, self.lock = name, threading.Lock()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Client) and self.name == other.name

    __hash__ = None  # type: ignore[assignment]


def test_fields_with_a_serializer_of_their_own_are_recorded_by_it(repo: Any) -> None:
    """Read, written and given back as what the program put there; a replay executes just what was rewound."""
    register_field_serde("law_client", lambda value: value.name, Client)
    ran = []

    @action(reads=["n", "law_client"], writes=["n", "law_client"])
    def renames(state: State[Any]) -> State[Any]:
        ran.append(state["law_client"].name)
        return state.update(law_client=Client(f"{state['law_client'].name}+")).increment(n=1)

    app = loop(renames, law_client=Client("a"))
    app.run()
    run = app.last_run
    machine = MachineCall.of_run(run.invocation, run.record)
    assert [Client("a+"), Client("a++"), Client("a+++")] == [machine.state_after(at)["law_client"] for at in (1, 2, 3)]
    ran.clear()
    run.rewind(1).replay()
    assert ["a++"] == ran


def test_actions_of_one_function_with_other_cells_are_other_code(repo: Any) -> None:
    """What a function closes over counts when its step is looked for."""

    def made(prompt: str) -> Any:
        @action(reads=["n"], writes=["n", "said"])
        def say(state: State[Any]) -> State[Any]:
            return state.update(said=prompt).increment(n=1)

        return say

    def code(prompt: str) -> Any:
        app = loop(made(prompt), 1)
        app.run()
        return app.last_run.invocation.get_child(0).component.code

    assert code("kind") == code("kind") != code("stern")


def test_a_hook_that_raises_loses_no_step(repo: Any) -> None:
    """The step is in the record and in the state before the hook is heard."""

    class Raises(PostRunStepHook):
        def post_run_step(self, *, state: Any, **future_kwargs: Any) -> None:
            raise OSError("the hook")

    @action(reads=["n"], writes=["n"])
    def count(state: State[Any]) -> State[Any]:
        return state.increment(n=1)

    app = ApplicationBuilder().with_actions(count).with_state(n=0).with_hooks(Raises()).build()
    with pytest.raises(OSError, match="the hook"):
        app.run()
    run = repo.runs.last
    assert {"n": 1} == app.state == MachineCall.of_run(run.invocation, run.record).last_state()


def test_threads_run_machines_over_one_repository(repo: Any) -> None:
    """Each of many at once is a run of its own, with its own steps; two of one name do not meet."""

    @action(reads=["n"], writes=["n", "log"])
    def count(state: State[Any]) -> State[Any]:
        return state.append(log=f"{state['n']} " * 100).increment(n=1)

    apps = [loop(count, 20 + at) for at in range(8)]

    def run(app: Any) -> None:
        with repo:
            app.run()

    threads = [threading.Thread(target=run, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for at, app in enumerate(apps):
        machine = MachineCall.of_run(app.last_run.invocation, app.last_run.record)
        assert 20 + at == len(machine)
        assert machine.last_state() == machine.state_after(20 + at) == app.state
