"""A slice of the full counts of tests/bench/faults.py: some cases of each kind of fault."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.bench.faults import KINDS, PAGE, done
from tests.crash import fuzz
from tests.crash.kind import Kind
from tests.crash.parsers import TARGETS

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # forks of a process with threads
]
SEED = 1
BY_NAME = {kind.name: kind for kind in KINDS}
SLICES = {  # `stop` takes ten seconds where SQLite waits; test_stopped.py does it without
    "kill": ["0:3:torn", "1:95:after", "2:170:torn"],
    "kill-timed": ["0:1"],
    "power": ["0:40", "1:90"],
    "fail": ["0:61:ENOSPC+", "1:25:short"],
    "sixteen": ["4x2"],
    "flip": ["pack:60-62", "index:40-42", "segment:1110-1111", "dictionary:30-31", "journal:50-52", "refs-wal:200-202"],
    "cut": ["pack:99-103", "torn:700-704", "refs:9000-9002"],
}  # fmt: skip


def undone(kind: Kind, units: Sequence[str], place: Path) -> tuple[int, list[str]]:
    """Returns how many cases some units have, and what did not hold in them."""
    cases, wrong = 0, []
    for number, unit in enumerate(units):
        folder = place / str(number)
        folder.mkdir()
        outcome = done(kind, unit, SEED, folder)
        cases += outcome.cases
        wrong += [f"{failure.why}: {failure.command(SEED)}" for failure in outcome.failures]
    return cases, wrong


@pytest.mark.parametrize("name", SLICES)
def test_a_slice_of_each_kind_holds(name: str, tmp_path: Path) -> None:
    """Nothing promised is lost, damage is found, the next command works."""
    cases, wrong = undone(BY_NAME[name], SLICES[name], tmp_path)

    assert [] == wrong
    assert cases >= len(SLICES[name])


@pytest.mark.parametrize("target", TARGETS)
def test_no_bytes_break_a_parser(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value or an error of ours, within a second and 256 MB."""
    monkeypatch.setattr(fuzz, "BLOCK", 80)

    assert (80, []) == undone(BY_NAME["fuzz"], [f"{target}:0"], tmp_path)


def test_the_full_counts_are_what_the_page_says() -> None:
    """docs/faults.md has every kind, with as many cases as were asked for, and all of them held."""
    rows = [line.split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    counted = {row[0].removeprefix("| "): row for row in rows if row[0].removeprefix("| ") in BY_NAME and len(row) == 8}

    assert [kind.name for kind in KINDS] == list(counted)
    assert ["all"] * len(KINDS) == [row[3] for row in counted.values()]
    assert int(counted["kill"][2].replace(",", "")) + int(counted["kill-timed"][2].replace(",", "")) >= 10_000
    assert int(counted["fuzz"][2].replace(",", "")) >= 1_000_000
    assert int(counted["sixteen"][2].replace(",", "")) >= 16 * 200 * 2
