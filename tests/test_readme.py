"""Python in the README, docs/python.md and docs/machine.md runs, and prints what it says; the README's commands are one line each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transcript import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", ["README.md", "docs/python.md", "docs/machine.md"])
def test_the_python_runs(page: str, tmp_path: Path) -> None:
    """A page's blocks are one program, run in an empty folder; the text blocks behind them are what it prints."""
    blocks = BLOCKS.findall((ROOT / page).read_text())
    (tmp_path / "example.py").write_text("\n".join(program for program, _ in blocks))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "GV_AUTHOR": "Ada <ada@example.org>"}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert blocks
    assert ("", "".join(printed for _, printed in blocks), 0) == (done.stderr, done.stdout, done.returncode)


def test_importing_the_python_runs_nothing(tmp_path: Path) -> None:
    """`gv replay` imports the program: the README's does nothing then."""
    (tmp_path / "example.py").write_text("\n".join(program for program, _ in BLOCKS.findall(README)))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run([sys.executable, "-c", "import example"], cwd=tmp_path, env=environment, check=True)

    assert [tmp_path / "example.py"] == list(tmp_path.iterdir())


def test_the_two_commands_are_one_line_each() -> None:
    """What is to be pasted on a fresh machine stands in a block of its own, and begins with an environment of its own."""
    blocks = re.findall(r"^```sh\n(.*?)^```\n", README, re.MULTILINE | re.DOTALL)

    assert 2 == len(blocks)
    assert [1, 1] == [block.count("\n") for block in blocks]
    assert all(block.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ") for block in blocks)
    assert blocks[0].endswith(" && gv demo\n")
    assert blocks[1].endswith(" && python -m pytest -n auto\n")
