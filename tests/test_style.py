"""ruff, mypy and pyright are content: run here, so that one command covers all."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.transcript import ROOT

TOOLS = {"ruff": "ruff check", "mypy": "mypy", "pyright": f"pyright --pythonpath {shlex.quote(sys.executable)}"}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_tool_is_content(tool: str) -> None:
    """The tool, set up in pyproject.toml, finds nothing in gvstore and tests; pyright, in what users write.

    tests/typing/ is checked by mypy and pyright: types come out as they should, and mistakes are found.
    """
    words = shlex.split(tool)
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
