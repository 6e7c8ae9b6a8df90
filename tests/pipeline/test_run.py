"""Runs of pipelines: what is recorded, what is answered, what runs."""

from __future__ import annotations

import json

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question, Status

REQUEST = ("--input", "request=a garden")
MODULES = ["task_planner", "scrutinizer", "enhancer", "markdown_converter"]


def test_every_step_is_a_call_with_its_model_below(task: CommandLine, chat: ChatServer) -> None:
    """A run has a call a step, in the order of the file; each model is that of its step's model_config."""
    task("run", "task.yml", *REQUEST)
    calls = task("show", "run/1", "--json").json["calls"]

    assert [
        "task", "task.request", "task.task_plan", "task.scrutinized_task_plan", "task.enhanced_task_plan", "task.markdown_plan",
    ] == [each["component"] for each in calls if each["path"].count(".") == 0]  # fmt: skip
    assert ["gpt-4-0613", "gpt-3.5-turbo", "gpt-4-0613", "gpt-3.5-turbo"] == [each.body["model"] for each in chat.asked]
    assert [0.7, 0.3] == [each.body["temperature"] for each in chat.asked if "temperature" in each.body]


def test_a_run_asks_nothing_twice(task: CommandLine, chat: ChatServer) -> None:
    """Equal steps of earlier runs answer, also of those before the last; --no-cache asks anew."""
    for request in ("a garden", "a boat", "a garden"):
        task("run", "task.yml", "--input", f"request={request}")
    assert MODULES * 2 == chat.modules

    task("run", "task.yml", *REQUEST, "--no-cache")
    assert MODULES * 3 == chat.modules


def test_an_edited_prompt_runs_what_depends_on_it(task: CommandLine, chat: ChatServer) -> None:
    """An edit in the middle makes its step stale, with the reason; a replay runs it and what is given other results."""
    task("run", "task.yml", *REQUEST)
    task.write("system_prompts/enhancer.txt", "You are an enhancer.\nBe rich.\n")
    plan = task("replay", "--plan", "--json").json
    task("replay")

    assert ["task.enhanced_task_plan changed"] == plan["stale"]
    assert [*MODULES, "enhancer"] == chat.modules  # which answers the same, so that nothing follows


def test_line_ends_of_a_prompt_do_not_count(task: CommandLine, chat: ChatServer) -> None:
    """They are not sent."""
    task("run", "task.yml", *REQUEST)
    task.write("system_prompts/enhancer.txt", "You are \na enhancer.Be\n brief.\n")

    assert "nothing to do" in task("replay").out


def test_a_failed_call_fails_the_run_and_is_carried_on(task: CommandLine, chat: ChatServer) -> None:
    """Status 20; what was done is kept, and a replay makes the calls that are missing."""
    chat.answer = lambda question: Status(400, {"error": {"message": "no"}}) if question.module == "enhancer" else question.module
    done = task("run", "task.yml", *REQUEST, status=20)
    chat.answer = lambda question: question.module
    task("replay")

    assert "enhanced_task_plan     failed" in done.err
    assert [*MODULES[:3], *MODULES[2:]] == chat.modules


def test_a_question_waits_and_is_answered(task: CommandLine, chat: ChatServer) -> None:
    """Without an answer the run waits, status 21, and no model is asked; `gv answer` goes on."""
    task("run", "task.yml", status=21)
    assert [] == chat.asked

    task("answer", "run/1", "a garden")
    assert MODULES == chat.modules


def test_calls_have_the_same_numbers_in_any_number_of_threads(task: CommandLine, chat: ChatServer) -> None:
    """Steps stand in the order of the file, whatever ends first."""
    for name in "abcd":
        task.write(f"system_prompts/{name}.txt", name)
    steps = "\n".join(f"- {{module: {name}, inputs: [request], output_name: {name}}}" for name in "abcd")
    task.write("wide.yml", f"pipeline:\n- {{module: start_module, inputs: [], output_name: request}}\n{steps}\n")

    def answer(question: Question) -> str:
        return question.module

    chat.answer = answer
    task("run", "wide.yml", *REQUEST, "-j", "4")
    task("run", "wide.yml", *REQUEST, "--no-cache")
    first, second = (task("show", run, "--json").json["calls"] for run in ("run/1", "run/2"))

    assert [(each["path"], each["component"]) for each in first] == [(each["path"], each["component"]) for each in second]
    assert "the same calls with the same outcomes" in task("diff", "run/1", "run/2").out


def test_nothing_is_asked_of_a_faulty_pipeline(task: CommandLine, chat: ChatServer) -> None:
    """Faults are told with their places, status 2, and nothing is recorded."""
    text = (task.folder / "task.yml").read_text().replace("module: enhancer", "module: enhancr")
    task.write("task.yml", text)
    done = task("run", "task.yml", *REQUEST, status=2)

    assert "task.yml:14:13: unknown module 'enhancr': did you mean enhancer?" in done.err
    assert [] == chat.asked
    assert [] == [json.loads(each) for each in task("runs", "--json").out.splitlines()]
