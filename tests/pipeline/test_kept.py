"""What a run keeps: the files that it was read from; and how the words for runs go with pipelines."""

from __future__ import annotations

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer

REQUEST = ("--input", "request=a garden")
MODULES = ["task_planner", "scrutinizer", "enhancer", "markdown_converter"]


def test_a_run_keeps_its_pipeline_and_prompts(task: CommandLine, chat: ChatServer) -> None:
    """`--code run/1` replays with them; what was deleted is brought back."""
    task("run", "task.yml", *REQUEST)
    before = (task.folder / "system_prompts/enhancer.txt").read_text()
    task.write("system_prompts/enhancer.txt", "You are another.\n")
    assert "nothing to do" in task("replay", "run/1", "--code", "run/1").out

    (task.folder / "system_prompts/enhancer.txt").unlink()
    (task.folder / "task.yml").unlink()
    assert "task.yml is gone, which run/1 is a run of" in task("replay", "run/1", status=12).err

    task("checkout", "run/1", "--", "task.yml", "system_prompts/enhancer.txt")
    assert before == (task.folder / "system_prompts/enhancer.txt").read_text()
    assert "nothing to do" in task("replay", "run/1").out


def test_the_endpoint_may_be_down_at_a_replay(task: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """All is answered from the record, also what stands behind a rewind that a record of before answers."""
    task("run", "task.yml", *REQUEST)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    task("run", "task.yml", *REQUEST)

    assert MODULES == chat.modules


def test_live_set_and_from(task: CommandLine, chat: ChatServer) -> None:
    """They take steps by name: `--live enhanced_task_plan`, `--set task_plan=...`, `--from scrutinized_task_plan`."""
    chat.answer = lambda question: question.module
    task("run", "task.yml", *REQUEST)
    task("replay", "run/1", "--live", "task.enhanced_task_plan")
    assert [*MODULES] == chat.modules  # the model's own call is answered

    task("replay", "run/1", "--live", "complete", "--plan")
    task("replay", "run/1", "--set", 'task_plan="other"')
    assert ["scrutinizer", "enhancer"] == chat.modules[4:]
    assert "TASK_PLAN: other" in chat.asked[4].user

    task("replay", "run/1", "--from", "enhanced_task_plan")
    assert ["enhancer", "markdown_converter"] == chat.modules[6:]


def test_calls_taken_back_are_made_again(task: CommandLine, chat: ChatServer) -> None:
    """`gv rewind` before a step, then `gv replay`."""
    task("run", "task.yml", *REQUEST)
    task("rewind", "run/1:scrutinized_task_plan")
    task("replay")

    assert [*MODULES, *MODULES[1:]] == chat.modules
    assert "the same calls with the same outcomes" in task("diff", "run/1", "run/3").out


def test_prompt_configuration_and_answer_are_compared(task: CommandLine, chat: ChatServer) -> None:
    """`gv diff`: an edited prompt as code, another configuration by its key, answers by words."""
    task("run", "task.yml", *REQUEST)
    task.write("system_prompts/enhancer.txt", "You are a enhancer.\nBe rich.\n")
    chat.answer = lambda question: f"{question.module} anew"
    task("run", "task.yml", *REQUEST, "--set", "scrutinized_task_plan.model_config.temperature=0.1")
    told = task("diff", "run/1", "run/2").out

    assert "model_config['temperature']   0.7 → 0.1" in told
    assert "-Be brief.\n" in told
    assert "+Be rich.\n" in told


def test_a_chain_and_another_beside_it_run(task: CommandLine, chat: ChatServer) -> None:
    """Branches that have nothing to do with each other are no fault."""
    task.write(
        "two.yml",
        "pipeline:\n- {module: enhancer, inputs: [], output_name: a}\n- {module: scrutinizer, inputs: [], output_name: b}\n",
    )
    task("run", "two.yml")

    assert ["enhancer", "scrutinizer"] == chat.modules


def test_names_may_have_dots_in_them(task: CommandLine, chat: ChatServer) -> None:
    """Of pipelines' files, results and items."""
    task.write(
        "two.v2.yml", "pipeline:\n- {module: enhancer, inputs: [], output_name: a.b, foreach: [v1.5]}\n- {module: scrutinizer, inputs: [a.b], output_name: c}\n"
    )
    task("run", "two.v2.yml")
    task.write("system_prompts/scrutinizer.txt", "Other.\n")
    task("replay")

    assert "a.b@v1.5: enhancer()" in task("show", "run/1").out
    assert ["enhancer", "scrutinizer", "scrutinizer"] == chat.modules
