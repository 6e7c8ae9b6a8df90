"""Steps that ask a person: `start_module` and `human_intervention`."""

from __future__ import annotations

import io

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer

PIPELINE = """\
pipeline:
- {module: start_module, inputs: [], output_name: request, params: {question: "What shall it be?"}}
- {module: task_planner, inputs: [request], output_name: task_plan}
- {module: human_intervention, inputs: [task_plan], output_name: opinion}
- {module: enhancer, inputs: [opinion], output_name: better_plan}
"""


@pytest.fixture
def asking(task: CommandLine) -> CommandLine:
    """The command line in a repository whose pipeline asks twice."""
    task.write("p.yml", PIPELINE)
    return task


def test_an_answer_stands_behind_what_the_step_is_given(asking: CommandLine, chat: ChatServer) -> None:
    """As OrchestrAI has it; a file's last line end is none of the answer."""
    asking.write("opinion.txt", "too\nlong\n")
    asking("run", "p.yml", "--input", "request=a boat", "--input", "opinion=@opinion.txt")

    assert "REQUEST: a boat" == chat.asked[0].user
    assert "OPINION: TASK_PLAN: task_planner of REQUEST: a boattoo\nlong" == chat.asked[1].user


def test_questions_are_asked_at_the_terminal(asking: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the step's words, those that `--input` does not answer; what a person says about is shown."""
    monkeypatch.setattr("sys.stdin", io.StringIO("too long\n"))
    done = asking("run", "--interactive", "p.yml", "--input", "request=a boat")

    assert "What shall it be?" not in done.err
    assert "What do you say to this?" in done.err and "task_planner of REQUEST: a boat" in done.err
    assert chat.asked[1].user.endswith("a boattoo long")


def test_each_question_waits_in_turn(asking: CommandLine, chat: ChatServer) -> None:
    """Status 21 until the last one is answered; no model is asked twice."""
    told = asking("run", "p.yml", status=21)
    asking("answer", "RUN", "a boat", status=21)
    asking("answer", "RUN", "too long")

    assert "What shall it be?" in told.err
    assert ["task_planner", "enhancer"] == chat.modules
