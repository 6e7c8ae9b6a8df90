"""Runs for other programs."""

from __future__ import annotations

import json

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer

REQUEST = ("--input", "request=a garden")


def test_the_memory_log_has_what_orchestrai_logs(task: CommandLine, chat: ChatServer) -> None:
    """An action for each question and each answer of a model, replayed runs too."""
    task("run", "task.yml", *REQUEST)
    task("run", "task.yml", *REQUEST)
    first, second = (json.loads(task("pipeline", "export", run).out) for run in ("run/1", "run/2"))
    start, planner, *_ = first["actions"]

    assert ("task", 5) == (first["pipeline_name"], len(first["actions"]))
    assert first["actions"] == second["actions"]
    assert {"module": "start_module", "input": "", "output": "a garden", "action_timestamp": start["action_timestamp"]} == start
    assert ("task_planner", "REQUEST: a garden", "success") == (planner["module"], planner["input"], planner["output"]["status_code"])
    assert "task_planner of REQUEST: a garden" == planner["output"]["response_text"]


def test_chats_are_those_that_were_had(task: CommandLine, chat: ChatServer) -> None:
    """One line a call: what was sent, and the answer."""
    task("run", "task.yml", *REQUEST)
    chats = task("pipeline", "export", "--format", "jsonl").jsons

    assert [each.body["messages"] for each in chat.asked] == [each["messages"][:-1] for each in chats]
    assert {"role": "assistant", "content": "task_planner of REQUEST: a garden"} == chats[0]["messages"][-1]


def test_a_run_of_something_else_is_refused(task: CommandLine) -> None:
    """By name."""
    task.write("dice.py", "import gvstore as gv\n\n@gv.register\ndef roll():\n    return 4\n")
    task("run", "dice.py:roll")

    assert "run/1 is no run of a pipeline" in task("pipeline", "export", "run/1", status=12).err
