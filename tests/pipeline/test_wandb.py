"""Weights & Biases, as far as it can be tried without the package: what is told, and that a run never fails for it."""

from __future__ import annotations

import json
import sys

import pytest

from tests.conftest import CommandLine
from tests.pipeline.chat_server import ChatServer

CONFIG = "default_model: gpt-4\nwandb_enabled: true\n"
STANDS_IN = """\
import json
import pathlib

class Table:
    def __init__(self, columns, data):
        self.rows = [dict(zip(columns, row)) for row in data]

class Session:
    summary = {}
    def log(self, values):
        pathlib.Path("told.json").write_text(json.dumps(values["steps"].rows))
    def finish(self):
        pass

def init(**options):
    return Session()
"""


def test_without_the_package_it_is_said_and_the_run_is_kept(task: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Status 0, a warning, what to install."""
    monkeypatch.setitem(sys.modules, "wandb", None)
    task.write("config.yml", CONFIG)
    done = task("run", "task.yml", "--input", "request=x")

    assert "warning: config.yml says wandb_enabled, and wandb is not installed" in done.err


def test_a_row_a_step_is_told(task: CommandLine, chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Module, model, inputs, answer and tokens; another package in wandb's place takes them."""
    task.write("config.yml", CONFIG)
    task.write("wandb.py", STANDS_IN)
    monkeypatch.syspath_prepend(str(task.folder))
    task("run", "task.yml", "--input", "request=x")
    rows = json.loads((task.folder / "told.json").read_text())

    assert ["request", "task_plan", "scrutinized_task_plan", "enhanced_task_plan", "markdown_plan"] == [each["step"] for each in rows]
    assert ("openai:gpt-4", "REQUEST: x", 10, 5) == tuple(
        rows[1][name] for name in ("model", "inputs", "prompt_tokens", "completion_tokens")
    )
