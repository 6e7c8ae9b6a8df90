"""A run is reproduced in an empty folder that holds nothing but a copy of `.gv`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gvstore.journal.repository import Repository
from tests.transcript import ROOT

AGENT = """
import gvstore as gv
from parts.text import clean


@gv.register
def ask(prompt: str) -> str:
    return clean(prompt)


@gv.register
def write(topic: str) -> str:
    with open("prompts/write.txt") as file:
        return ask(file.read() + topic)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository alone: run/1 by one code, committed; run/2 by another, which is HEAD's."""
    folder = tmp_path_factory.mktemp("made")
    with Repository.init(folder) as repo:
        (folder / "agent.py").write_text(AGENT)
        for below in ("parts", "prompts"):
            (folder / below).mkdir()
        (folder / "parts/__init__.py").write_text("")
        for method, prompt in (("upper", "Tell of "), ("title", "sing of ")):
            (folder / "parts/text.py").write_text(f"def clean(text):\n    return text.{method}()\n")
            (folder / "prompts/write.txt").write_text(prompt)
            repo.commit(method)
            in_a_process(folder, "run", "agent.py:write", "otters")
    return folder / ".gv"


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    """A folder that holds nothing but a copy of it."""
    shutil.copytree(made, tmp_path / "empty/.gv")
    return tmp_path / "empty"


def in_a_process(folder: Path, *arguments: str) -> str:
    """Returns what a `gv` of its own says: which files a process has read is the process's."""
    done = subprocess.run(
        [sys.executable, "-m", "gvstore", *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    return done.stdout


WAYS = {
    "its own code": (("replay", "run/1", "--code", "run/1", "--live", "ask"),),
    "its commit": (("replay", "run/1", "--code", "main~1", "--live", "ask"),),
    "checkout of the run": (("checkout", "run/1"), ("replay", "run/1", "--live", "ask")),
}


@pytest.mark.parametrize("commands", WAYS.values(), ids=WAYS)
def test_a_run_is_reproduced(copy: Path, commands: tuple[tuple[str, ...], ...]) -> None:
    """The program, its modules and the prompt that it reads are the run's: it calls the same and answers the same."""
    for command in commands:
        said = in_a_process(copy, *command)

    assert "run/3  write('otters') = 'TELL OF OTTERS'   0 reused, 1 executed" in said
    assert (commands[0][0] == "checkout") == (copy / "agent.py").is_file()


def test_a_checkout_of_head_fills_the_folder(copy: Path) -> None:
    """HEAD's files never were here, so nobody deleted them: going to its branch brings all of them."""
    in_a_process(copy, "checkout", "main")

    assert "sing of " == (copy / "prompts/write.txt").read_text()
    assert "run/3  write('otters') = 'Sing Of Otters'" in in_a_process(copy, "replay", "run/2", "--live", "ask")
    (copy / "agent.py").unlink()
    with Repository.discover(copy) as repo:
        repo.checkout("main")
    assert not (copy / "agent.py").exists()  # this one was deleted here
