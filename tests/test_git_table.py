"""docs/git.md is true: each row stands in a transcript, where it is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.transcript import ROOT, steps

PAGE = ROOT / "docs" / "git.md"
HOUR = ROOT / "docs" / "first-hour.md"
TRANSCRIPTS = [HOUR, *sorted(ROOT.glob("tests/cli/*.md"))]
ROW = re.compile(r"^\| (?P<git>.+?) \| (?P<gv>.+?) \| (?P<why>.*)\|$")


def commands_of(path: Path) -> set[str]:
    """Returns the commands of a transcript, one by one: what stands between `&&`, `;` and `|`, without a comment."""
    found = set[str]()
    for step in steps(path.read_text().split("\n")):
        line = re.sub(r"\s+# .*$", "", step.typed[0][2:])
        found.update(part.strip() for part in re.split(r"&&|;|\||(?<!\d)>+", line))
        found.add(line)
    return found


def rows() -> list[tuple[str, str]]:
    """Returns git's and our commands of each row of the page."""
    found = [match for line in PAGE.read_text().split("\n") if (match := ROW.match(line))]
    return [(match["git"], match["gv"]) for match in found if match["git"] not in ("git", "---", "what you want")]


def told(cell: str) -> str:
    """Returns the command of a cell, or nothing."""
    match = re.fullmatch(r"`(.+)`", cell)
    return match[1] if match else ""


@pytest.fixture(scope="module")
def run() -> set[str]:
    """Every command that some transcript runs."""
    return set().union(*(commands_of(path) for path in TRANSCRIPTS))


@pytest.mark.parametrize("git, gv", rows())
def test_a_row_stands_in_a_transcript(run: set[str], git: str, gv: str) -> None:
    """Our command is run as it stands there; where there is none, git's word with `gv` before it is, and answers."""
    wanted = told(gv) or "gv " + told(git).removeprefix("git ")

    assert wanted in run


def test_the_table_is_whole() -> None:
    """Every command that has git's name stands in the table, and about all that people type."""
    text = PAGE.read_text()

    assert len(rows()) >= 90
    for word in [
        "add",
        "commit",
        "status",
        "diff",
        "log",
        "show",
        "branch",
        "switch",
        "checkout",
        "merge",
        "revert",
        "reset",
        "restore",
        "tag",
        "stash",
    ]:
        assert f"`git {word}" in text
