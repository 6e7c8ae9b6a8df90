"""The tour of `gv demo`, with the real local model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import CommandLine


def test_the_story_goes_the_whole_way(weights: Path, gv: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outline and draft are answered from the record; only the revision asks the model again, with the new prompt."""
    monkeypatch.setenv("GV_MODEL_PATH", str(weights))
    tour = gv("demo", "tour", "--json").json

    assert "local" == tour["model"]
    assert [0] * 9 == [step["status"] for step in tour["steps"]]
    told, replayed = (gv("-C", "tour", "show", run, "--json").json for run in ("run/1", "run/3"))
    assert [3, 1] == [_asked(told), _asked(replayed)]
    assert "run/2" == replayed["parent"]
    changed = [row for row in gv("-C", "tour", "diff", "run/1", "run/3", "--json").json["calls"] if row["cause"]]
    assert ["code"] == [row["change"] for row in changed]
    assert ["story.revise"] == [row["component"] for row in changed]


def _asked(shown: dict[str, object]) -> int:
    """Returns how many completions the run made itself."""
    calls = shown["calls"]
    assert isinstance(calls, list)
    return sum(row["component"].endswith(".complete") and not row["reused"] for row in calls)
