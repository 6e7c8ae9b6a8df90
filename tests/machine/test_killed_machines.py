"""Fifty random machines, each killed with its process at each of its steps, come to the states that they come to undisturbed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.machine import drawn

ROUNDS = ("1", "2", "3", "5", "8")
MEMORY = Path("/dev/shm")


def test_killed_at_a_step_they_are_resumed_from_it() -> None:
    """After SIGKILL before, inside and after the k-th step, also of the replay itself, no step that was over begins again, and the state is the same."""
    specs = drawn.fifty()
    drawn.TRIED.clear()
    expected = {spec["name"]: repr(sorted(drawn.run(spec, drawn.built(spec)).items())) for spec in specs}
    retried = {f"{spec['name']} {each['name']}" for spec in specs for each in spec["actions"] if each["retry"]}
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        command = [sys.executable, "-m", "tests.machine.killed", folder, *ROUNDS]
        made = subprocess.run(command, input=json.dumps(specs), capture_output=True, text=True, check=False)
    assert made.stderr == ""
    told = json.loads(made.stdout)
    assert [*ROUNDS] == [*told]
    for at in ROUNDS:
        statuses = told[at]["statuses"]
        assert [-9] * (len(statuses) - 1) + [0] == statuses
        # an attempt that failed is made again, whatever came after it
        assert [] == [step for step in told[at]["again"] if not _is_retried(step, retried)], at
        assert expected == told[at]["states"], at


def _is_retried(line: str, retried: set[str]) -> bool:
    _, _, app, _, name = line.split(" ")
    return f"{app} {name}" in retried or "/" in app
