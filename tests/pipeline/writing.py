"""Projects in a temporary folder, written by tests."""

from __future__ import annotations

import re
from pathlib import Path

from gvstore.pipeline.check import examine
from gvstore.pipeline.fault import Fault
from gvstore.pipeline.pipeline import Pipeline
from gvstore.pipeline.setting import Setting
from tests.transcript import ROOT

PROMPTS = ("task_planner", "scrutinizer", "enhancer", "markdown_converter", "translator")
START = "  - {module: start_module, inputs: [], output_name: request}\n"


def write(root: Path, files: dict[str, str | bytes]) -> None:
    """Writes files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def project(root: Path, text: str | bytes, **files: str | bytes) -> Path:
    """Writes a pipeline with a few prompts beside it, and other files (`modules_py=`); returns its path."""
    write(root, {f"system_prompts/{name}.txt": f"You are a {name}.\nBe brief.\n" for name in PROMPTS})
    write(root, {re.sub("_(py|yml|json|txt)$", r".\1", name): each for name, each in files.items()})
    write(root, {"pipeline.yml": text})
    return root / "pipeline.yml"


def looked_at(root: Path, text: str | bytes, *settings: Setting, **files: str | bytes) -> tuple[Pipeline | None, list[str]]:
    """Returns the pipeline, and the faults as lines without the folder."""
    pipeline, faults = examine(project(root, text, **files), settings=settings)
    return pipeline, told(faults, root)


def told(faults: tuple[Fault, ...], root: Path) -> list[str]:
    """Returns faults as lines, their paths relative to a folder."""
    return [str(fault).replace(f"{root}/", "") for fault in faults]


def sound(root: Path, text: str, *settings: Setting, **files: str | bytes) -> Pipeline:
    """Returns a pipeline in which nothing is wrong."""
    pipeline, faults = looked_at(root, text, *settings, **files)
    assert [] == faults
    assert pipeline is not None
    return pipeline


def seed_pipelines() -> dict[str, str]:
    """The three pipelines of OrchestrAI's README, as it prints them."""
    return {path.stem: path.read_text() for path in (ROOT / "tests/pipeline/orchestrai").glob("*.yml")}
