"""docs/first-hour.md is true of git too: its right-hand column, typed in git, goes the same way."""

from __future__ import annotations

import re
from pathlib import Path

from tests.transcript import ROOT, Step, run, steps

HOUR = ROOT / "docs" / "first-hour.md"
NOT_IN_GIT = "not in git"
NAMES = (
    "GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org"
)
DATES = "GIT_AUTHOR_DATE=2026-11-20T10:02:11Z GIT_COMMITTER_DATE=2026-11-20T10:02:11Z"
PREPARED = f"git config --global init.defaultBranch main && export {NAMES} {DATES}"
TYPED = {
    "init", "status", "diff", "commit", "branch", "switch", "merge", "revert", "reset", "restore", "tag", "log",
    "blame", "bisect", "undo", "op", "reflog", "cherry-pick", "grep", "show", "run", "rewind", "replay", "runs",
}  # fmt: skip


def beside(step: Step) -> str | None:
    """Returns what stands beside a command, or None for one of the shell that is the same in git."""
    _, mark, text = step.typed[0].partition(" # ")
    return text.strip() if mark or step.typed[0].startswith("$ gv ") else None


def hour() -> list[tuple[Step, list[str]]]:
    """Returns the commands of the hour, with what is shown below each."""
    lines = HOUR.read_text().split("\n")
    return [(step, lines[step.start : step.end]) for step in steps(lines)]


def test_each_command_has_gits_beside_it() -> None:
    """At least forty commands, all the words of an hour among them."""
    ours = [(step, beside(step) or "") for step, _ in hour() if step.typed[0].startswith("$ gv ")]

    assert len(ours) >= 40
    assert TYPED <= {word for step, _ in ours for word in re.findall(r"gv ([\w-]+)", step.typed[0])}
    assert [] == [step.command for step, text in ours if not text.startswith(("git ", NOT_IN_GIT))]


def test_git_goes_the_same_way(tmp_path: Path) -> None:
    """Typed in git, the commands of the right-hand column end as ours do, and the files are the same all along."""
    typed = [(step, shown) for step, shown in hour() if beside(step) != NOT_IN_GIT]
    commands = [beside(step) or step.command for step, _ in typed]

    found = run([PREPARED, *commands], tmp_path)[1:]

    for (step, shown), command, printed in zip(typed, commands, found, strict=True):
        if beside(step) is None:
            assert shown == printed, command
        else:
            assert failed(shown) == failed(printed), f"{command}\n{printed}"


def failed(shown: list[str]) -> bool:
    """Returns whether a status stands below a command."""
    return bool(shown) and re.fullmatch(r"\[\d+\]", shown[-1]) is not None
