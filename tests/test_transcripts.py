"""Every console block of README, docs and tests/cli prints what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.transcript import ROOT, rewritten

FILES = sorted(p for pattern in ("README.md", "docs/**/*.md", "tests/cli/*.md") for p in ROOT.glob(pattern))
WITH_BLOCKS = [p for p in FILES if "\n```console\n" in p.read_text()]


@pytest.mark.parametrize("path", WITH_BLOCKS, ids=lambda p: str(p.relative_to(ROOT)))
def test_prints_what_it_says(path: Path, tmp_path: Path, accept: bool) -> None:
    """A transcript is what a user sees; `pytest --accept` rewrites it."""
    old, new = rewritten(path, tmp_path)
    if accept and old != new:
        path.write_text(new)
        return

    assert old == new


def test_blocks_that_are_not_run_say_why() -> None:
    """The line before a `console no-run` block is text, not a heading or nothing at all."""
    for path in FILES:
        lines = path.read_text().split("\n")
        for number, line in enumerate(lines):
            if line.startswith("```console") and line.rstrip() != "```console":
                before = next((text for text in reversed(lines[:number]) if text.strip()), "#")

                assert line.rstrip() == "```console no-run", f"{path.name}:{number + 1}: unknown mark"
                assert not before.startswith(("#", "```")), f"{path.name}:{number + 1}: say why it is not run"
