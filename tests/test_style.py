"""ruff and mypy are content: run here, so that one command covers all."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.transcript import ROOT


@pytest.mark.parametrize("tool", ["ruff check", "mypy"])
def test_tool_is_content(tool: str) -> None:
    """The tool, set up in pyproject.toml, finds nothing in gvstore and tests."""
    done = subprocess.run([sys.executable, "-m", *tool.split()], cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
