"""The table of runs fits any terminal, and runs become files of other programs."""

from __future__ import annotations

import csv
import importlib
import io
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from gvstore.cli.cells import cells
from gvstore.cli.runs import ago
from tests.conftest import CommandLine

PROGRAM = """
import gvstore as gv

@gv.register
def write(topic: str, n: int = 1) -> dict:
    gv.report_usage(prompt_tokens=900 * n, completion_tokens=n, cost_microusd=20_000)
    return {"title": "Of " + topic, "words": n}
"""


@pytest.fixture
def runs(gv: CommandLine) -> Iterator[CommandLine]:
    """Four runs: 1 of wide letters, 2 with a long argument, 3 in a group, scored and tagged, 4 replayed from it."""
    gv("init")
    gv.write("story.py", PROGRAM)
    gv("run", "story.py:write", "海獺と海獺と海獺と海獺と海獺")
    gv("run", "story.py:write", "a word and another " * 20, "2")
    gv("run", "--group", "tries", "-m", "why not", "story.py:write", "otters", "3")
    gv("replay", "--live", "write", "run/3")
    gv("score", "run/3", "0.75")
    gv("tag", "a/tag/of/some/length", "run/3")
    yield gv


@pytest.mark.parametrize("width", [40, 41, 47, 53, 60, 72, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_terminal(runs: CommandLine, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns give way, the least important first; run, status and call always stand there."""
    monkeypatch.setenv("COLUMNS", str(width))
    for arguments in ((), ("--graph",), ("--columns", "run,args.topic,output,message,score")):
        lines = runs("runs", *arguments).out.splitlines()
        assert width >= max(map(cells, lines)), arguments
    head, *rows = runs("runs").out.splitlines()
    assert ["run", "status", "call"] == head.split()[:3]
    assert ["run/4", "run/3", "run/2", "run/1"] == [row.split()[0] for row in rows]
    assert (width >= 200) is ("score" in head and "note" in head and "cost" in head)


def test_files_of_other_programs(runs: CommandLine) -> None:
    """CSV, JSON and Parquet hold the same."""
    runs("runs", "--format", "csv", "-o", "runs.csv")
    rows = list(csv.DictReader(io.StringIO((runs.folder / "runs.csv").read_text())))
    assert ["otters", "otters"] == [row["args.topic"] for row in rows[:2]]
    assert ["0.02", "0.75", "Of otters"] == [rows[1]["cost"], rows[1]["score"], rows[1]["output.title"]]
    assert '["a/tag/of/some/length"]' == rows[1]["tags"]

    done = runs("runs", "--format", "parquet", "-o", "runs.parquet", "--where", "args.n == 3", "--json").json
    assert ("parquet", 2) == (done["format"], done["runs"])
    table = importlib.import_module("pyarrow.parquet").read_table(runs.folder / "runs.parquet").to_pylist()
    assert [4, 3] == [row["number"] for row in table]
    assert [datetime] * 2 == [type(row["started"]) for row in table]

    by_json = [json.loads(line) for line in runs("runs", "--format", "json").out.splitlines()]
    assert by_json == runs("runs", "--json").jsons
    assert {"score": 0.75} == by_json[1]["scores"]
    assert [{"args.n": 3, "score": 0.75}] == runs("runs", "--columns", "args.n,score", "--tag", "a/*", "--json").jsons
    assert runs("runs", "--format", "csv", "-o", "runs.csv", status=13)


def test_what_is_not_installed_is_named(runs: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that brings it."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    failure = runs("runs", "--format", "parquet", "-o", "x.parquet", "--json", status=2).failure

    assert "library_missing" == failure["error"]
    assert "gvstore[tables]" in failure["hint"]
    assert not (runs.folder / "x.parquet").exists()


def test_runs_are_removed_by_a_query(runs: CommandLine) -> None:
    """All that are found, or, where it finds none, none, with status 12."""
    runs("rm", "--where", "args.n < 1", status=12)
    would = runs("rm", "--where", "args.n < 3", "run/4", "--dry-run", "--json").json

    assert ["run/4", "run/2", "run/1"] == [each["run"] for each in would["removed"]]
    runs("rm", "--where", "args.n < 3", "run/4")
    assert [3] == [each["number"] for each in runs("runs", "--json").jsons]


def test_times_as_people_say_them() -> None:
    """On a terminal: from seconds to days, then the date."""
    now = datetime(2026, 11, 20, 10, tzinfo=UTC)
    said = ago(now)

    spans = {5: "5 s ago", 99: "99 s ago", 100: "1 min ago", 7_200: "2 h ago", 3 * 86_400: "3 days ago"}
    assert list(spans.values()) == [said(now - timedelta(seconds=seconds)) for seconds in spans]
    assert "2026" == said(now - timedelta(days=100))[:4] == said(now + timedelta(days=1))[:4]
