"""The README's Python runs, and prints what it says; its commands are one line each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.transcript import ROOT

README = (ROOT / "README.md").read_text()
EXAMPLES = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("program", "printed"), EXAMPLES)
def test_the_python_runs(program: str, printed: str, tmp_path: Path) -> None:
    """Each block is a program, run in an empty folder; the text block behind it is what it prints."""
    (tmp_path / "example.py").write_text(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "GV_AUTHOR": "Ada <ada@example.org>"}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert ("", printed, 0) == (done.stderr, done.stdout, done.returncode)


def test_there_is_python() -> None:
    """The pattern above still finds the README's blocks."""

    assert EXAMPLES


def test_the_two_commands_are_one_line_each() -> None:
    """What is to be pasted on a fresh machine stands in a block of its own, and begins with an environment of its own."""
    blocks = re.findall(r"^```sh\n(.*?)^```\n", README, re.MULTILINE | re.DOTALL)

    assert 2 == len(blocks)
    assert [1, 1] == [block.count("\n") for block in blocks]
    assert all(block.startswith("python3 -m venv .venv && . .venv/bin/activate && pip install ") for block in blocks)
    assert blocks[0].endswith(" && gv demo\n")
    assert blocks[1].endswith(" && python -m pytest\n")
