"""OrchestrAI's three pipelines, unchanged, with the local model, and nobody there to ask."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvstore.models import completions
from tests.conftest import CommandLine
from tests.pipeline.writing import PROMPTS, seed_pipelines, write

CODING = ("code_planner", "engineer", "debugger", "modify_codebase", "create_readme")
ENGINEERING = (
    "--input", "modified_codebase=shorter", "--set", "working_codebase.params.attempts=1", "--set", "modified_codebase.params.attempts=1",
)  # fmt: skip
ASKED = {"task": 4, "translation": 1, "engineering": 5}  # at least


@pytest.mark.parametrize("name", ASKED)
def test_a_pipeline_runs_to_its_end(name: str, gv: CommandLine, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever so small a model says; a second run asks it nothing."""
    monkeypatch.setenv("GV_MODEL_PATH", str(gguf))
    write(gv.folder, {f"system_prompts/{each}.txt": f"You are a {each}." for each in (*PROMPTS, *CODING)})
    write(gv.folder, {f"pipelines/{name}.yml": seed_pipelines()[name], "config.yml": f"pipeline: {name}\ndefault_max_tokens: 4\n"})
    gv("init")
    words = ("pipeline", "run", "--provider", "local", "--input", "request=hi")
    wishes = ENGINEERING if name == "engineering" else ()
    before = completions()
    gv(*words, *wishes)
    asked = completions() - before
    gv(*words, *wishes)

    assert ASKED[name] <= asked
    assert before + asked == completions()
