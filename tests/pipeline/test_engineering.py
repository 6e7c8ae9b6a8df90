"""OrchestrAI's engineering pipeline: code is planned, written, run, mended, changed and described, with recorded answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question
from tests.pipeline.writing import seed_pipelines

MODULES = ("code_planner", "engineer", "debugger", "modify_codebase", "create_readme")
INPUTS = ("--input", "request=a greeting", "--input", "modified_codebase=Greet in capitals")
BROKEN = "The program:\n\nmain.py\n```python\nfrom words import greeting\nprint(greting())\n```\n\nwords.py\n```python\ndef greeting():\n    return 'hello'\n```\n"
MENDED = "main.py\n```python\nfrom words import greeting\nprint(greeting())\n```\n"
CHANGED = "words.py\n```python\ndef greeting():\n    return 'HELLO'\n```\n"
README = "# Greeting\n\nRun `python main.py`.\n"


def answer(question: Question) -> str:
    """Answers as a model that makes a mistake, and mends it."""
    return {"code_planner": "A plan.", "engineer": BROKEN, "debugger": MENDED, "modify_codebase": CHANGED, "create_readme": README}[question.module]


@pytest.fixture
def code(gv: CommandLine, chat: ChatServer) -> CommandLine:
    """The command line in a repository with the engineering pipeline."""
    for name in MODULES:
        gv.write(f"system_prompts/{name}.txt", f"You are a {name}.\n")
    gv.write("engineering.yml", seed_pipelines()["engineering"])
    gv.write("config.yml", "default_model: gpt-4-0613\n")
    chat.answer = answer
    gv("init")
    return gv


def files(folder: Path) -> dict[str, str]:
    """Returns what the pipeline has written."""
    root = folder / "generated_outputs/code"
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


def test_a_program_is_written_run_mended_changed_and_described(code: CommandLine, chat: ChatServer) -> None:
    """The first program fails, one repair makes it exit with 0, the change and the README follow; each is a recorded call."""
    code("run", "engineering.yml", *INPUTS)
    calls = code("show", "run/1", "--json").json["calls"]
    below = [each["component"].rpartition(".")[2] for each in calls if "." in each["path"]]

    assert list(MODULES) == chat.modules
    assert ["README.md", "main.py", "words.py"] == list(files(code.folder))
    assert "HELLO" in files(code.folder)["words.py"]
    assert [
        "complete", "complete", "write_files", "run_code", "complete", "write_files", "run_code",
        "complete", "write_files", "run_code", "complete", "write_files",
    ] == [name for name in below if name != "RequestInput"]  # fmt: skip
    asked = chat.asked[2].user
    assert "REQUEST: a greeting\nCODE: ----main.py----\n" in asked
    assert "NameError: name 'greting' is not defined" in asked
    assert str(code.folder) not in asked
    assert "print(greeting())" in chat.asked[3].user and chat.asked[3].user.endswith("\n -- User Instructions --Greet in capitals")


def test_a_run_that_is_answered_leaves_the_folder_as_it_was(code: CommandLine, chat: ChatServer) -> None:
    """Nobody is asked, nothing is run; what is missing or differs is written again, and what a hand wrote is kept beside it."""
    code("run", "engineering.yml", *INPUTS)
    before, asked = files(code.folder), len(chat.asked)
    root = code.folder / "generated_outputs/code"
    (root / "words.py").unlink()
    (root / "main.py").write_text("mine\n")
    (root / "notes.txt").write_text("mine too\n")
    code("run", "engineering.yml", *INPUTS)

    assert before | {"notes.txt": "mine too\n"} == files(code.folder)
    assert asked == len(chat.asked)
    assert "mine\n" == (code.folder / "generated_outputs/code.edited/main.py").read_text()


def test_an_edited_prompt_goes_on_from_the_code_of_its_step(code: CommandLine, chat: ChatServer) -> None:
    """A debugger that is told otherwise begins with what the engineer wrote, and nothing of what later steps did."""
    code("run", "engineering.yml", *INPUTS)
    first = [each.user for each in chat.asked]
    code.write("system_prompts/debugger.txt", "You mend programs.\n")
    code("replay")

    assert [first[2]] == [each.user for each in chat.asked[5:]]
    assert "HELLO" in files(code.folder)["words.py"]
