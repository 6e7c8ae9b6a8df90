"""The examples and the demo's programs: the same files, and they run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gvstore.models import completions
from tests.transcript import ROOT

EXAMPLES = {"dice": "01-dice", "story": "02-story"}


def example(name: str) -> Path:
    return ROOT / "docs" / "examples" / EXAMPLES[name] / f"{name}.py"


def load(name: str) -> ModuleType:
    """Returns the example, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", example(name))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_demo_writes_the_example(name: str) -> None:
    """What `gv demo` leaves in the folder is what the docs explain."""
    template = ROOT / "gvstore" / "cli" / "demo" / f"{name}.py.txt"

    assert example(name).read_text() == template.read_text()


def test_story_asks_the_model_three_times(gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outline, draft and revision are one completion each."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))
    before = completions()

    story = load("story").write("otters")

    assert len(story) > 40
    assert before + 3 == completions()


def test_dice_repeat_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """DICE_SEED gives the rolls that the transcript shows; without it they are in range."""
    monkeypatch.setenv("DICE_SEED", "4")

    assert [2, 5] == [roll(6) for roll in [load("dice").roll_die] for _ in range(2)]
    monkeypatch.setenv("DICE_SEED", "7")

    assert 6 == load("dice").roll_die(6)
    monkeypatch.delenv("DICE_SEED")

    assert 20 <= load("dice").roll_sum(20) <= 120


def test_the_room_loads_no_engine_by_itself() -> None:
    """Importing the room is cheap: no xllamacpp, no subprocess, no zip file."""
    code = "import sys, gvstore.models; print([m for m in ('xllamacpp', 'subprocess', 'zipfile') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()
