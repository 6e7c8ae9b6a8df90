"""A process that is killed in the middle of a pipeline loses nothing that was answered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer, Question
from tests.pipeline.writing import START, write
from tests.transcript import ROOT


def test_killed_after_the_third_of_six_steps_three_calls_are_made(gv: CommandLine, chat: ChatServer) -> None:
    """`kill -9` while the fourth is asked; `gv replay` asks for the fourth, fifth and sixth."""
    names = "abcdef"
    before = ["request", *names]
    steps = "".join(
        f"  - {{module: {name}, inputs: [{given}], output_name: {name}}}\n" for given, name in zip(before, names, strict=False)
    )
    write(gv.folder, {f"system_prompts/{name}.txt": f"{name}\n" for name in names})
    write(gv.folder, {"p.yml": f"pipeline:\n{START}{steps}", "config.yml": "default_model: gpt-4\n"})
    gv("init")
    fourth = threading.Event()
    killed = threading.Event()

    def answer(question: Question) -> str:
        if question.module == "d" and not killed.is_set():
            fourth.set()
            killed.wait(60)
        return question.module

    chat.answer = answer
    words = [sys.executable, "-m", "gvstore", "run", "p.yml", "--input", "request=x"]
    process = subprocess.Popen(words, cwd=gv.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        assert fourth.wait(60)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        killed.set()
    asked = len(chat.asked)
    assert "interrupted" in gv("runs").out
    gv("replay")

    assert ["d", "e", "f"] == chat.modules[asked:]
    assert "f" == gv("get", "run/2:/output").out.strip()


def test_interrupted_with_several_at_work_no_program_is_left(gv: CommandLine) -> None:
    """Ctrl-C while threads wait for models that are programs: these are stopped, and the run is kept."""
    write(gv.folder, {f"system_prompts/{name}.txt": name for name in "ab"})
    write(gv.folder, {"slow.sh": "cat > /dev/null\necho $$ > $(mktemp pid.XXXXXX)\nexec sleep 60\n"})
    write(gv.folder, {"p.yml": "pipeline:\n" + "".join(f"- {{module: {name}, inputs: [], output_name: {name}}}\n" for name in "ab")})
    gv("init")
    words = [sys.executable, "-m", "gvstore", "run", "p.yml", "-j", "2", "--provider", "command:sh slow.sh"]
    process = subprocess.Popen(
        words, cwd=gv.folder, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # these tests may run where it is ignored
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(pids := [each.read_text().strip() for each in gv.folder.glob("pid.*")]) < 2 or "" in pids:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)

    assert 130 == process.wait(60)
    assert "interrupted" in gv("runs").out
    for pid in pids:
        while _lives(int(pid)):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
