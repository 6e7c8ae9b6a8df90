"""What a model may write and is not to do: a pipeline refuses it or stops it, keeps the run, and touches nothing outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer
from tests.pipeline.writing import START, write

ENGINEER = "  - {module: engineer, inputs: [request], output_name: code}\n"
DEBUGGER = "  - {module: debugger, inputs: [request, code], output_name: working, params: {attempts: 1, seconds: 30, memory_mb: 200, output_kb: 50}}\n"


@pytest.fixture
def code(gv: CommandLine, chat: ChatServer) -> CommandLine:
    """The command line in a repository whose pipeline writes a program and runs it."""
    write(gv.folder, {f"system_prompts/{name}.txt": f"You are a {name}.\n" for name in ("engineer", "debugger")})
    write(gv.folder, {"p.yml": f"pipeline:\n{START}{ENGINEER}{DEBUGGER}", "config.yml": "default_model: gpt-4\n"})
    gv("init")
    return gv


def block(path: str, text: str = "x = 1") -> str:
    return f"{path}\n```python\n{text}\n```\n"


def generated(code: CommandLine) -> list[str]:
    root = code.folder / "generated_outputs/code"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("path", ["../../x.py", "/tmp/gv-refused.py", "C:\\x.py", "link/x.py"])
def test_a_path_out_of_the_folder_is_refused(path: str, code: CommandLine, chat: ChatServer, tmp_path_factory: pytest.TempPathFactory) -> None:
    """None of the answer's files is written; the run is kept, with the answer; nobody is asked further."""
    outside = tmp_path_factory.mktemp("outside")
    folder = code.folder / "generated_outputs/code"
    folder.mkdir(parents=True)
    (folder / "link").symlink_to(outside)
    chat.answer = lambda question: block("main.py") + block(path)
    done = code("run", "p.yml", "--input", "request=x", status=13)

    assert "refused to write" in done.err
    assert [] == generated(code)
    assert [] == list(outside.iterdir())
    assert not Path("/tmp/gv-refused.py").exists() and not (code.folder / "x.py").exists()
    assert ["engineer"] == chat.modules
    assert "engineer" in code("show", "run/1").out


def test_the_debugger_tells_its_model_what_is_refused(code: CommandLine, chat: ChatServer) -> None:
    """The other files of that answer are written, and the next question says so."""
    code.write("p.yml", f"pipeline:\n{START}{ENGINEER}{DEBUGGER.replace('attempts: 1', 'attempts: 2')}")
    answers = [block("main.py", "import a"), block("../a.py") + block("main.py", "import b"), block("main.py", "print(1)")]
    chat.answer = lambda question: answers[len(chat.asked) - 1]
    code("run", "p.yml", "--input", "request=x")

    assert "Of the last answer:\n../a.py: " in chat.asked[2].user
    assert ["main.py"] == generated(code)
    assert "print(1)" in code("get", "run/1:/output").out


def test_what_cannot_be_read_is_no_file(code: CommandLine, chat: ChatServer) -> None:
    """A block without a name, one without an end: nothing is written for it, the record says so, and the run goes on."""
    chat.answer = lambda question: block("main.py", "print(1)") + "\nAs here:\n\n" + block("", "x") + "b.py\n```python\nprint("
    code("run", "p.yml", "--input", "request=x")

    assert ["main.py"] == generated(code)
    assert ["no_path", "unfinished"] == [each[0] for each in code("get", "run/1:1.1/output", "--json").json["value"]["unread"]]


ENDLESS = {
    "loop": ("while True: pass", "was stopped after 1 s|s of CPU time"),
    "output": ("while True: print('x' * 1000)", "it wrote more than 50,000 bytes"),
    "memory": ("kept = []\nwhile True: kept.append(bytearray(10_000_000))", "exited with 1|of memory"),
    "processes": (
        "import os, time\nfor _ in range(200):\n    try:\n        if os.fork() == 0: time.sleep(30)\n    except OSError:\n        break\ntime.sleep(30)",
        "it had more than 64 processes|exited with|was stopped",
    ),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_a_program_without_end_is_stopped(kind: str, code: CommandLine, chat: ChatServer) -> None:
    """The model is told how it ended; the run goes on with what it answers."""
    program, told = ENDLESS[kind]
    answers = {"engineer": block("main.py", program), "debugger": block("main.py", "print('done')")}
    chat.answer = lambda question: answers[question.module]
    code("run", "p.yml", "--input", "request=x", *(("--set", "working.params.seconds=1") if kind == "loop" else ()))

    assert any(each in chat.asked[1].user for each in told.split("|"))
    assert "print('done')" in code("get", "run/1:/output").out


def test_an_answer_without_end_is_refused(code: CommandLine, chat: ChatServer) -> None:
    """An answer that is larger than what is read writes nothing; the run is kept."""
    chat.answer = lambda question: block("main.py", "#" * 20_000_000)
    done = code("run", "p.yml", "--input", "request=x", status=15)

    assert "the model's answer has more than 16,000,000 characters" in done.err
    assert [] == generated(code)


def test_what_does_not_work_in_the_end_is_the_result(code: CommandLine, chat: ChatServer) -> None:
    """The run goes on; the record says how the program ended."""
    chat.answer = lambda question: block("main.py", "1 / 0")
    code("run", "p.yml", "--input", "request=x")

    assert "1 / 0" in code("get", "run/1:/output").out
    assert (False, "run", 1) == tuple(code("get", "run/1:2.4/output", "--json").json["value"][name] for name in ("works", "stage", "code"))
