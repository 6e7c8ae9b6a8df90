"""What a run would do, told before: it is what the run does."""

from __future__ import annotations

from typing import Any

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer

REQUEST = ("--input", "request=a garden")


def planned(gv: CommandLine, *words: str) -> dict[str, tuple[str, str]]:
    """The steps with what becomes of them and why; an action that is not sure with a question mark."""
    steps: list[dict[str, Any]] = gv("pipeline", "plan", "task.yml", *words, "--json").json["steps"]
    return {each["step"]: (each["action"] + "?" * each["unsure"], each["why"]) for each in steps}


def test_before_the_first_run_all_run(task: CommandLine, chat: ChatServer) -> None:
    """Nothing is asked, nothing recorded."""
    plan = planned(task, *REQUEST)

    assert ("given", "--input") == plan["request"]
    assert ("run", "it has not run before") == plan["task_plan"]
    assert ("run", "scrutinized_task_plan runs") == plan["enhanced_task_plan"]
    assert "ask" == planned(task)["request"][0]
    assert [] == chat.asked
    assert "" == task("runs").out


def test_it_names_the_edited_prompt(task: CommandLine, chat: ChatServer) -> None:
    """And those that run if its step answers otherwise; tokens are those of the last time."""
    task("run", "task.yml", *REQUEST)
    task.write("system_prompts/enhancer.txt", "You are an enhancer.\nBe rich.\n")
    plan = planned(task, *REQUEST)

    assert ["given", "reuse", "reuse", "run", "run?"] == [action for action, _ in plan.values()]
    assert "system_prompts/enhancer.txt changed" == plan["enhanced_task_plan"][1]
    assert 30 == task("pipeline", "plan", "task.yml", *REQUEST, "--json").json["tokens"]


def test_it_says_what_of_the_configuration_changed(task: CommandLine, chat: ChatServer) -> None:
    """Old value and new."""
    task("run", "task.yml", *REQUEST)
    plan = planned(task, *REQUEST, "--set", "scrutinized_task_plan.model_config.temperature=0.1", "--force", "markdown_plan")

    assert "temperature 0.7 → 0.1" == plan["scrutinized_task_plan"][1]
    assert ("run?", "scrutinized_task_plan runs") == plan["enhanced_task_plan"]


def test_other_inputs_are_named(task: CommandLine, chat: ChatServer) -> None:
    """By the names of the results."""
    task("run", "task.yml", *REQUEST)

    assert ("run", "request changed") == planned(task, "--input", "request=a boat")["task_plan"]


def test_it_compares_with_the_run_that_is_nearest(task: CommandLine, chat: ChatServer) -> None:
    """Not with the newest, which was given something else."""
    task("run", "task.yml", *REQUEST)
    task("run", "task.yml", "--input", "request=a boat")
    task.write("system_prompts/task_planner.txt", "You are another.\n")

    assert "system_prompts/task_planner.txt changed" == planned(task, *REQUEST)["task_plan"][1]


def test_more_samples_are_named(task: CommandLine, chat: ChatServer) -> None:
    """`n`: those that there are stay; also where the newest run was given something else."""
    for n, request in ("2", "a garden"), ("2", "a boat"):
        task("run", "task.yml", "--input", f"request={request}", "--set", f"task_plan.n={n}")

    assert ("run", "n 2 → 3") == planned(task, *REQUEST, "--set", "task_plan.n=3")["task_plan"]
    assert ("run", "n is gone") == planned(task, *REQUEST)["task_plan"]


def test_a_step_whose_function_reads_another_prompt_runs_for_sure(task: CommandLine, chat: ChatServer) -> None:
    """Also behind a step that runs."""
    task.write("modules.py", "from gvstore.pipeline import AI\n\ndef short(prompt):\n    return AI('enhancer').generate_response(prompt)['response_text']\n")
    task.write("task.yml", "pipeline:\n- {module: scrutinizer, inputs: [], output_name: a}\n- {module: short, inputs: [a], output_name: b}\n")
    task("run", "task.yml")
    task.write("system_prompts/scrutinizer.txt", "You are another.\n")
    assert ("run?", "a runs") == planned(task)["b"]

    task.write("system_prompts/enhancer.txt", "You are another.\n")
    assert ("run", "a runs") == planned(task)["b"]
