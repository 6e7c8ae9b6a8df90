"""Running, showing and replaying where a transcript cannot tell it: signals, pipes, sizes, clocks."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.transcript import ROOT, heed_ctrl_c

PROGRAM = """
import os
import sys
import time

import gvstore as gv
from gvstore.models.protocol import Completion

sys.setrecursionlimit(20_000)


@gv.register
def step(number: int, scale: float = 1.0) -> float:
    return number * scale


@gv.register
def many(count: int) -> float:
    return sum(step(number, 1.0 if number % 2 else 2.0) for number in range(count))


@gv.register
def deep(levels: int) -> int:
    return 1 + deep(levels - 1) if levels else 0


@gv.register
def nested(levels: int) -> list:
    value = ["bottom"]
    for _ in range(levels):
        value = [value]
    return value


@gv.register
def wait(number: int) -> int:
    if number == 2 and not os.path.exists("ready"):
        print("waiting", flush=True)
        time.sleep(60)
    return number


@gv.register
def walk(count: int) -> int:
    return sum(wait(number) for number in range(count))


@gv.register
def ask(prompt: str) -> Completion:
    time.sleep(0.02)
    return Completion("Sea.", "local", 5, 2, "stop", 1)


@gv.register
def tell() -> str:
    return ask("Sea or land?").text


def loud() -> int:
    print("one")
    os.system("echo two")
    return 3
"""


@pytest.fixture
def program(gv: CommandLine) -> CommandLine:
    """A repository with PROGRAM in `p.py`."""
    gv.write("p.py", PROGRAM)
    gv("init")
    return gv


def process(folder: Path, *arguments: str, stdout: int) -> subprocess.Popen[str]:
    """Returns a started `gv ARGUMENTS` in a process of its own."""
    command = [sys.executable, "-m", "gvstore", *arguments]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, cwd=folder, env=env, text=True, stdout=stdout, stderr=subprocess.PIPE, preexec_fn=heed_ctrl_c
    )


HOSTILE = """
import asyncio
import gvstore as gv

class Hostile(Exception):
    def __str__(self):
        raise RuntimeError("never")

@gv.register
def hostile():
    raise Hostile

@gv.register
async def cancelled():
    raise asyncio.CancelledError
"""


def test_an_exception_without_a_text(gv: CommandLine) -> None:
    """What its class cannot tell is no fault of ours."""
    gv.write("bad.py", HOSTILE)
    gv("init")

    assert "error: hostile raised Hostile: <no text: RuntimeError>" in gv("run", "bad.py:hostile", status=20).err
    assert "hostile() raised Hostile: <no text: RuntimeError>" in gv("show").out


def test_a_run_that_was_cancelled(gv: CommandLine) -> None:
    """It is interrupted, not ok."""
    gv.write("bad.py", HOSTILE)
    gv("init")

    assert "error: cancelled was cancelled" in gv("run", "bad.py:cancelled", status=20).err
    assert "interrupted" == gv("runs", "--json").json["status"]


def test_ctrl_c_keeps_the_run(program: CommandLine) -> None:
    """130; what had ended is there, and a replay makes the other calls only."""
    running = process(program.folder, "run", "p.py:walk", "4", stdout=subprocess.PIPE)
    assert running.stderr is not None
    while running.stderr.readline() != "waiting\n":
        pass
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)

    assert (130, "run/1  walk(4) …   2 finished calls, 0 ms\n") == (running.returncode, out)
    assert "hint: run/1 is kept as far as it came; `gv replay run/1` goes on from there.\n" == err
    program.write("ready", "")
    assert "run/2  walk(4) = 6   2 reused, 2 executed\n" == program("replay").out
    assert ["ok", "interrupted"] == [run["status"] for run in program("runs", "--json").jsons]


@pytest.mark.parametrize("arguments", [["runs"], ["show", "--full"], ["show", "--json"], ["get", ":/output"]])
def test_closed_pipe_is_silent(program: CommandLine, arguments: list[str]) -> None:
    """The reader is gone: 141, without a word."""
    program("run", "p.py:many", "50")
    reader, writer = os.pipe()
    os.close(reader)
    done = process(program.folder, *arguments, stdout=writer)
    os.close(writer)
    _, err = done.communicate(timeout=60)

    assert (141, "") == (done.returncode, err)


def test_a_run_into_a_closed_pipe_is_kept(program: CommandLine) -> None:
    """What was executed is recorded, whoever reads the answer."""
    reader, writer = os.pipe()
    os.close(reader)
    done = process(program.folder, "run", "p.py:many", "3", stdout=writer)
    os.close(writer)
    _, err = done.communicate(timeout=60)

    assert (141, "") == (done.returncode, err)
    assert ["ok"] == [run["status"] for run in program("runs", "--json").jsons]


def test_the_program_speaks_on_stderr(program: CommandLine) -> None:
    """stdout is the answer, also where a child of the program prints."""
    done = process(program.folder, "run", "p.py:loud", stdout=subprocess.PIPE)
    out, err = done.communicate(timeout=60)

    assert ("run/1  loud() = 3   1 call, 0 ms\n", {"one", "two"}) == (out, set(err.split()))


def test_long_rows_are_folded(program: CommandLine) -> None:
    """The first and the last calls of many are lines, `--full` and `--json` have all; defaults are left out."""
    program("run", "p.py:many", "10000")
    lines = program("show").out.splitlines()

    assert 2 + 24 + 1 + 8 == len(lines)
    assert "├─ 22  step(number=22, scale=2.0) = 44.0" == lines[24]
    assert "├─ 23  step(number=23) = 23.0" == lines[25]
    assert "├─ …  9,968 more calls; --full shows all" == lines[26]
    assert "└─ 9999  step(number=9999) = 9999.0" == lines[-1]
    assert 10_002 == len(program("show", "--full").out.splitlines())
    assert 10_001 == len(program("show", "--json").json["calls"])


def test_deep_calls_are_shown(program: CommandLine) -> None:
    """900 calls in each other are 901 lines with `--full`, else 40 and one that tells how many levels there are; and rows of a flat list."""
    program("run", "p.py:deep", "900")
    rows = program("show", "--json").json["calls"]

    lines = program("show").out.splitlines()
    assert 2 + 40 + 1 == len(lines)
    assert lines[-1].endswith("└─ …  at least 860 more levels of calls; --depth 80 shows more, --full all")
    assert 902 == len(program("show", "--full").out.splitlines())
    assert ["", "0", "0.0"] == [row["path"] for row in rows[:3]]
    assert (901, 0) == (len(rows), rows[-1]["arguments"]["levels"])


def test_deep_values_are_whole(program: CommandLine) -> None:
    """JSON has what lies 900 levels deep."""
    program("run", "p.py:nested", "900")

    for arguments in (["show", "--json"], ["get", ":/output"], ["run", "--json", "p.py:nested", "900"]):
        assert '["bottom"]' + "]" * 900 in program(*arguments).out


def test_calls_tell_what_they_cost(program: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of completions, and times from 10 ms on; a call that was reused says that instead, once."""
    monkeypatch.delenv("GV_NOW")
    program("run", "p.py:tell")
    shown = program("show").out.splitlines()

    assert re.fullmatch(r"tell\(\) = 'Sea\.'   \d+ ms", shown[1])
    assert re.fullmatch(r"└─ 0  ask\(prompt='Sea or land\?'\) = Completion\(.*…   7 tokens, \d+ ms", shown[2])
    program("rewind", "-n", "0")
    program("replay")
    assert program("show").out.splitlines()[2].endswith("…   reused")
