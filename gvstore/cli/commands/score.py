"""gv score: numbers that people and programs give to runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo.remark import Remarks

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?:nan|inf(?:inity)?)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ScoreListed:
    """A score; that of a name which was given last counts."""

    name: str
    value: int | float
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunScored:
    """The scores of a run, by name; `given` are all that were ever given, the oldest of a name first."""

    run: str
    number: int
    scores: dict[str, int | float]
    given: tuple[ScoreListed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        told = "  ".join(f"{name} {value:g}" for name, value in self.scores.items())
        yield f"{paint('run', self.run)}  {told or 'no scores'}"


@dataclass(frozen=True, slots=True)
class RunsScored:
    """The scores of several runs."""

    runs: tuple[RunScored, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.runs:
            yield from each.lines(paint)


@click.command("score", cls=Command, context_settings={"ignore_unknown_options": True})
@click.argument("words", metavar="RUN... [[NAME=]VALUE...]", nargs=-1, required=True)
@click.option("--clear", is_flag=True, help="Take the scores away")
@pass_context
def command(cx: CommandContext, words: tuple[str, ...], clear: bool) -> None:
    """Give runs scores, or show them

    A score is a number, last in the line; with NAME= before it a run has several.  The one that was given last counts, the
    older ones are kept.  Without VALUE the scores are shown.  `gv runs --where 'score > 0.5' --sort -score` finds by them.

    \b
    Example:
      gv score run/7 0.8
      gv score run/7..run/9 accuracy=0.9 tone=0.2
    """
    from gvstore import host
    from gvstore.cli.selection import selected_runs
    from gvstore.cli.subject import run_name
    from gvstore.repo.remark import Remarks, change_remarks, read_remarks

    repo = cx.journal
    revs, values = _parted(repo, words)
    if clear and values:
        raise UsageFault("--clear takes no value", hint="Without --clear, a new score takes the place of the old one.")
    runs = selected_runs(repo, revs, None)
    if unnumbered := [run for run in runs if not run.number]:
        raise UsageFault(f"{run_name(unnumbered[0])} has no number here", hint="Scores are kept by the number of a run.")
    if values or clear:
        author, now = repo.author(), host.now_us()

        def change(before: Remarks) -> Remarks:
            return Remarks(before.notes) if clear else before.scored(values, author, now)

        numbers = [run.number for run in runs]
        remarks = change_remarks(repo, numbers, change, f"score {' '.join(words[:20])}", author=author, now=now)
    else:
        remarks = [read_remarks(repo, run.number) for run in runs]
    told = tuple(_scored(run.number, each) for run, each in zip(runs, remarks, strict=True))
    cx.output.result(told[0] if len(told) == 1 else RunsScored(told))


def _scored(number: int, remarks: Remarks) -> RunScored:
    given = tuple(
        ScoreListed(name, each.value, each.author, units.moment(each.at)) for name, all_of in remarks.scores.items() for each in all_of
    )
    return RunScored(f"run/{number}", number, remarks.values, given)


def _is_name(repo: Repository, word: str) -> bool:
    """Returns whether a word before a number can only be the name of a score: `accuracy 0.9`."""
    try:
        repo.resolve(word)
    except BadRev:
        return word.isidentifier()
    return False


def _parted(repo: Repository, words: tuple[str, ...]) -> tuple[tuple[str, ...], dict[str, int | float]]:
    """Returns the runs that were named, and the scores by name; a number alone is a score only behind a run."""
    from gvstore.repo.remark import SCORE, BadScore

    revs = list(words)
    found: list[tuple[str, str]] = []
    while revs and "=" in revs[-1]:
        name, _, value = revs.pop().partition("=")
        found.append((name, value))
    if not found and len(revs) > 1 and _NUMBER.fullmatch(revs[-1]):
        value = revs.pop()
        found.append((revs.pop() if len(revs) > 1 and _is_name(repo, revs[-1]) else SCORE, value))
    if not revs:
        raise UsageFault("a score belongs to a run", hint="`gv score run/7 0.8`")
    values: dict[str, int | float] = {}
    for name, value in reversed(found):
        if name in values:
            raise UsageFault(f"{name} is given twice", hint="Give each name once.")
        if not _NUMBER.fullmatch(value):
            raise BadScore(f"a score is a number, not {value[:80]!r}")
        values[name] = int(value) if value.lstrip("+-").isdecimal() else float(value)
    from gvstore.repo.remark import checked_score

    for name, number in values.items():
        checked_score(name, number)
    return tuple(revs), values
