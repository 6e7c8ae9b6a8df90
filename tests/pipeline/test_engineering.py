"""OrchestrAI's engineering pipeline: code is planned, written, run, mended, changed and described, with recorded answers."""

from __future__ import annotations

import zipfile
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
        "complete", "complete", "write_files", "read_files", "run_code", "complete", "write_files", "run_code",
        "read_files", "complete", "write_files", "run_code", "complete", "read_files", "write_files",
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


def test_changes_are_asked_for_until_there_are_none(code: CommandLine, chat: ChatServer) -> None:
    """OrchestrAI's y, what to change, n; then further changes, each with the code as it is by then."""
    answers = iter([BROKEN, MENDED, CHANGED, CHANGED.replace("HELLO", "HELLO!"), README])
    chat.answer = lambda question: "A plan." if question.module == "code_planner" else next(answers)
    words = ["y", "Greet in capitals", "Greet with a mark", "n"]
    code("run", "engineering.yml", "--input", "request=a greeting", *[each for word in words for each in ("--input", f"modified_codebase={word}")])

    assert [*MODULES[:4], "modify_codebase", "create_readme"] == chat.modules
    assert "return 'HELLO'" in chat.asked[4].user and chat.asked[4].user.endswith("--Greet with a mark")
    assert "HELLO!" in files(code.folder)["words.py"]


def test_a_run_waits_for_a_wish_and_goes_on(code: CommandLine, chat: ChatServer) -> None:
    """Status 21; each `gv answer` goes on from there, and what was answered and run before is not again."""
    code("run", "engineering.yml", "--input", "request=a greeting", status=21)
    assert list(MODULES[:3]) == chat.modules
    (code.folder / "generated_outputs/code/words.py").unlink()
    code("answer", "run/1", "Greet in capitals", status=21)
    assert "HELLO" in files(code.folder)["words.py"]
    (code.folder / "generated_outputs/code/words.py").unlink()
    code("answer", "RUN", "n")

    assert list(MODULES) == chat.modules
    assert ["README.md", "main.py", "words.py"] == list(files(code.folder))
    assert "HELLO" in files(code.folder)["words.py"]


def test_another_model_mends_after_the_second_attempt(code: CommandLine, chat: ChatServer) -> None:
    """`escalate_to` is asked with what it says over the step's model_config; at most as often as `attempts`."""
    text = seed_pipelines()["engineering"].replace("  - module: debugger\n", "  - module: debugger\n    params: {attempts: 3, escalate_after: 2, escalate_to: {model: gpt-4-large}}\n")
    code.write("engineering.yml", text)
    chat.answer = lambda question: "I do not know." if question.module == "debugger" else answer(question)
    code("run", "engineering.yml", "--input", "request=a greeting", "--input", "modified_codebase=n")
    mending = [(each.body["model"], each.body["temperature"]) for each in chat.asked if each.module == "debugger"]

    assert [("gpt-3.5-turbo-16k", 0.7)] * 2 + [("gpt-4-large", 0.7)] == mending
    assert chat.asked[3].user.endswith("Of the last answer:\nthe answer changed no file")


def test_what_an_earlier_run_wrote_is_not_part_of_a_new_program(code: CommandLine, chat: ChatServer) -> None:
    """The engineer begins anew: its own files of before go, what was edited is kept beside, what others made stays."""
    code("run", "engineering.yml", *INPUTS)
    root = code.folder / "generated_outputs/code"
    (root / "data.csv").write_text("1,2\n")
    (root / "words.py").write_text("mine\n")
    chat.answer = lambda question: "main.py\n```python\nprint(1)\n```\n" if question.module == "engineer" else answer(question)
    code("run", "engineering.yml", "--input", "request=one", "--until", "working_codebase")

    assert ["data.csv", "main.py"] == list(files(code.folder))
    assert "mine\n" == (code.folder / "generated_outputs/code.edited/words.py").read_text()
    assert "----main.py----\nprint(1)\n" == code("get", "RUN:/output").out.replace("\n\n", "\n")


def test_what_a_program_requires_is_installed_only_where_it_may_be(code: CommandLine, chat: ChatServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --allow-install, in an environment of its own; without, the model is told that it is not there."""
    packages = tmp_path_factory.mktemp("packages")
    with zipfile.ZipFile(packages / "greetings-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("greetings.py", "HELLO = 'hello'\n")
        wheel.writestr("greetings-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: greetings\nVersion: 1.0\n")
        wheel.writestr("greetings-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("greetings-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(packages))
    chat.answer = lambda question: "requirements.txt\n```\ngreetings\n```\nmain.py\n```python\nimport greetings\nprint(greetings.HELLO)\n```\n"
    code.write("p.yml", "".join(seed_pipelines()["engineering"].partition("  - module: modify_codebase")[:1]).replace("module: debugger", "module: debugger\n    params: {attempts: 1}"))
    code("run", "p.yml", "--input", "request=x")
    assert "(requirements.txt is not installed)" in chat.asked[-1].user
    code("run", "p.yml", "--input", "request=x", "--no-cache", "--allow-install")

    assert 3 + 2 == len(chat.asked)
    assert (code.folder / "generated_outputs/code.environment/bin/python").exists()
    assert "environment" not in code("status").out


def test_a_replay_without_anything_to_do_brings_the_files_back(code: CommandLine, chat: ChatServer) -> None:
    """As the last step that wrote each left it; a pipeline that another one runs is no exception."""
    code.write("outer.yml", "pipeline:\n- {module: start_module, inputs: [], output_name: wish}\n- {pipeline: inner.yml, inputs: [wish], output_name: built}\n")
    code.write("inner.yml", "".join(seed_pipelines()["engineering"].partition("  - module: modify_codebase")[:1]))
    code("run", "outer.yml", "--input", "wish=a greeting")
    before = files(code.folder)
    (code.folder / "generated_outputs/code/main.py").unlink()
    told = code("replay")
    assert before == files(code.folder)
    assert "1 file of generated_outputs/code brought back" in told.err
    assert "brought back" not in code("replay").err
    (code.folder / "generated_outputs/code/main.py").unlink()
    code("run", "outer.yml", "--input", "wish=a greeting")

    assert before == files(code.folder)
    assert 3 == len(chat.asked)


def test_code_that_was_there_is_changed_step_by_step_and_never_taken_away(code: CommandLine, chat: ChatServer) -> None:
    """A run that waits goes on from the code that it began with; a program that is written anew leaves a person's files."""
    code.write("p.yml", "pipeline:\n- {module: modify_codebase, inputs: [], output_name: changed}\n")
    root = code.folder / "generated_outputs/code"
    code.write("generated_outputs/code/main.py", "from words import greeting\nprint(greeting())\n")
    code.write("generated_outputs/code/words.py", "def greeting():\n    return 'hello'\n")
    code.write("generated_outputs/code/table.csv", "1,2\n" * 300_000)
    code("run", "p.yml", status=21)
    code("answer", "RUN", "Greet in capitals", status=21)
    code("answer", "RUN", "n")

    assert ["modify_codebase"] == chat.modules
    assert "'hello'" in chat.asked[0].user and "table.csv" not in chat.asked[0].user
    assert "HELLO" in (root / "words.py").read_text()
    assert 1_200_000 == (root / "table.csv").stat().st_size
    chat.answer = lambda question: "main.py\n```python\nprint(1)\n```\n" if question.module == "engineer" else answer(question)
    code("run", "engineering.yml", "--input", "request=one", "--until", "working_codebase")

    assert ["main.py", "table.csv", "words.py"] == list(files(code.folder))
