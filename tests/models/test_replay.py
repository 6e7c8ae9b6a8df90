"""Recorded calls of models, replayed by another process, which has not met a model yet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.transcript import ROOT

PROGRAM = """
import gvstore as gv

@gv.register
def ask(question):
    return gv.models.chat(question, model="command:tee -a asked")

@gv.register
def both():
    return ask("one") + ask("two")
"""


def gv(folder: Path, *arguments: str) -> Any:
    """Returns what a process of its own says."""
    command = [sys.executable, "-m", "gvstore", arguments[0], "--json", *arguments[1:]]
    done = subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}, capture_output=True, check=True)
    return json.loads(done.stdout)


def test_another_process_answers_from_the_record(tmp_path: Path) -> None:
    """The plan says so, and nothing is asked but what the edited function asks."""
    (tmp_path / "program.py").write_text(PROGRAM)
    gv(tmp_path, "init")
    assert "onetwo" == gv(tmp_path, "run", "program.py:both")["output"]
    (tmp_path / "program.py").write_text(PROGRAM.replace('ask("two")', 'ask("three")'))
    replayed = gv(tmp_path, "replay")

    assert ("onethree", 2) == (replayed["output"], replayed["reused"])
    assert "onetwothree" == (tmp_path / "asked").read_text()
