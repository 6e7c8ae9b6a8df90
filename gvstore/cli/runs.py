"""Runs as rows of a table, as `gv runs` prints them.

    run    status  call         output             calls  when                 from
    run/3  ok      roll_sum(3)  9                      4  2026-11-20 10:02:11  run/2
    run/1  raised  fail('no')   ValueError: no         1  2026-11-20 10:02:11

A column that says nothing is left out.  Where the line is too narrow, the least important go first, then
calls and outputs are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.cells import cells, cut, pad
from gvstore.cli.output import HIDDEN
from gvstore.cli.shown_run import painted_status
from gvstore.cli.style import PLAIN, Paint
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.errors import Corrupt
    from gvstore.journal.run_row import Beside
    from gvstore.repo import RunRow

_MEASURED = 200  # rows that tell the widths of the columns
_SPELLED = 160  # columns of a call or output before it is cut to its column
_GAP = "  "
_CORE = 5  # the rank from which on columns give way to longer calls and outputs


@dataclass(frozen=True, slots=True)
class RunListed:
    """One run of the list; `calls` counts those that had ended, and `status` is "damaged" where the run cannot be read."""

    run: str
    number: int
    oid: ObjectId | None
    status: str
    target: str
    component: str
    message: str
    group: str
    branch: str
    author: str
    parent: str | None
    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_microusd: int | None
    started_at: datetime
    ended_at: datetime
    labels: dict[str, object]
    tags: tuple[str, ...]
    notes: tuple[str, ...]
    score: int | float | None
    scores: dict[str, int | float]
    call: str = field(metadata=HIDDEN)
    output: str = field(metadata=HIDDEN)

    def cells(self, when: Callable[[datetime], str]) -> dict[str, str]:
        """Returns what stands in each column; `when` says how times are written."""
        tokens = (self.prompt_tokens or 0) + (self.completion_tokens or 0)
        score = "" if self.score is None else f"{self.score:g}"
        if self.score is None and self.scores:
            score = " ".join(f"{name}={value:g}" for name, value in self.scores.items())
        return {
            "run": self.run,
            "status": self.status,
            "call": self.call,
            "output": self.output,
            "calls": f"{self.calls:,}",
            "tokens": f"{tokens:,}" if tokens else "",
            "cost": f"${self.cost_microusd / 1e6:.4f}" if self.cost_microusd else "",
            "when": when(self.started_at),
            "from": self.parent or "",
            "group": " ".join(self.group.split()),
            "tags": ", ".join(self.tags),
            "score": score,
            "note": (self.notes[-1] if self.notes else self.message).partition("\n")[0],
        }


def listed(run: RunOf, beside: Beside) -> RunListed:
    """Returns one run, ready to print."""
    from gvstore.cli.call_line import called, ending

    record, parent = run.record, run.parent
    root = run.invocation if record.root is not None else None
    remarks = beside.remarks(run.number)
    return RunListed(
        run=run.name, number=run.number, oid=run.oid, status=run.status, target=record.target,
        component=root.component.name if root is not None else "", message=record.message, group=record.group, branch=record.branch,
        author=record.author, parent=parent.name if parent is not None else None, calls=run.calls,
        prompt_tokens=record.counts.get("prompt_tokens"), completion_tokens=record.counts.get("completion_tokens"),
        cost_microusd=record.counts.get("cost_microusd"), started_at=units.moment(record.started_at),
        ended_at=units.moment(record.ended_at), labels=dict(run.labels), tags=beside.tags(run.oid),
        notes=tuple(note.text for note in remarks.notes), score=remarks.score, scores=remarks.values,
        call=called(root, PLAIN, _SPELLED, names=False) if root is not None else record.target,
        output=_ended(ending(root, PLAIN, _SPELLED)) if root is not None else "",
    )  # fmt: skip


def _ended(ending: str) -> str:
    """Returns how a call ended, without the words that the status says already."""
    return ending.strip().removeprefix("= ").removeprefix("raised ")


def damaged(row: RunRow, why: Corrupt, beside: Beside) -> RunListed:
    """Returns a run that cannot be read: what is known without it."""
    remarks = beside.remarks(row.number)
    return RunListed(
        run=f"run/{row.number}", number=row.number, oid=row.oid, status="damaged", target=row.target, component="", message="",
        group="", branch="", author="", parent=None, calls=0, prompt_tokens=None, completion_tokens=None, cost_microusd=None,
        started_at=units.moment(row.started_at), ended_at=units.moment(row.ended_at or row.started_at), labels={},
        tags=beside.tags(row.oid), notes=tuple(note.text for note in remarks.notes), score=remarks.score, scores=remarks.values,
        call=row.target, output=str(why),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: `rank` says which goes first where there is no room, the greatest.

    It is cut to `good` columns before one of greater rank goes, and to `least` before it goes itself; 0: it is never cut.
    """

    rank: int
    role: str = ""
    good: int = 0
    least: int = 0
    right: bool = False


_TABLE = {
    "run": _Column(0, "run"),
    "status": _Column(1),
    "call": _Column(2, "", 24, 10),
    "output": _Column(3, "", 20, 8),
    "calls": _Column(8, right=True),
    "tokens": _Column(7, right=True),
    "cost": _Column(9, right=True),
    "when": _Column(5, "quiet"),
    "from": _Column(10, "run"),
    "group": _Column(11),
    "tags": _Column(6, "ref", 12, 8),
    "score": _Column(4, right=True),
    "note": _Column(12, "quiet", 16, 10),
}


class Line:
    """One line of the table as it is printed: of each column its name, the text cut to its width, blanks that fill it up."""

    def __init__(self, texts: Sequence[tuple[str, str, str]]) -> None:
        self.texts = texts

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields the line, without blanks at its end."""
        parts = []
        for column, text, blanks in self.texts:
            role = _TABLE[column].role if column in _TABLE else ""
            shown = painted_status(text, paint) if column == "status" else paint(role, text) if role else text
            right = column in _TABLE and _TABLE[column].right
            parts.append(blanks + shown if right else shown + blanks)
        yield _GAP.join(parts).rstrip()


class Head(Line):
    """The names of the columns."""

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields the line."""
        parts = [(blanks + text if column in _TABLE and _TABLE[column].right else text + blanks) for column, text, blanks in self.texts]
        yield paint("title", _GAP.join(parts).rstrip())


def table(rows: Iterable[RunListed], width: int, when: Callable[[datetime], str]) -> Iterator[Line]:
    """Yields the head and the lines of the table as rows come; the first rows tell how wide columns are."""
    texts = (row.cells(when) for row in rows)
    first = list(islice(texts, _MEASURED))
    if not first:
        return
    widths = fitted(first, width)
    yield Head(_texts({name: name for name in widths}, widths))
    for each in chain(first, texts):
        yield Line(_texts(each, widths))


def fitted(rows: Sequence[dict[str, str]], width: int) -> dict[str, int]:
    """Returns the columns that are shown, in order, with the width of each."""
    wanted = {
        name: max(cells(name), *(cells(row[name]) for row in rows))
        for name in _TABLE
        if name in ("run", "status", "call") or any(row[name] for row in rows)
    }

    def good(name: str) -> int:
        return min(wanted[name], _TABLE[name].good or wanted[name])

    def least(name: str) -> int:
        return min(wanted[name], _TABLE[name].least or wanted[name])

    for enough, core in ((good, _CORE), (least, 3)):
        while sum(map(enough, wanted)) + len(_GAP) * (len(wanted) - 1) > width:
            last = max(wanted, key=lambda name: _TABLE[name].rank)
            if len(wanted) <= 3 or _TABLE[last].rank < core:
                break
            del wanted[last]
    room = width - len(_GAP) * (len(wanted) - 1) - sum(map(least, wanted))
    widths = {name: least(name) for name in wanted}
    for name in sorted(wanted, key=lambda name: wanted[name]):  # the narrowest take what they need, the others share the rest
        open_ = [each for each in wanted if widths[each] < wanted[each] and wanted[each] >= wanted[name]]
        if name in open_:
            more = min(wanted[name] - widths[name], max(room, 0) // len(open_))
            widths[name] += more
            room -= more
    return widths


def _texts(row: dict[str, str], widths: dict[str, int]) -> list[tuple[str, str, str]]:
    texts = []
    for name, width in widths.items():
        text = cut(row[name], width)
        texts.append((name, text, pad(text, width)[len(text) :]))
    return texts


def ago(now: datetime) -> Callable[[datetime], str]:
    """Returns what writes times as people say them: `3 min ago`."""

    def said(time: datetime) -> str:
        seconds = (now - time).total_seconds()
        if seconds < 0:
            return units.local(time)
        for unit, size, many in (("s", 1, 100), ("min", 60, 100), ("h", 3600, 48), ("days", 86_400, 60)):
            if seconds < size * many:
                return f"{int(seconds // size)} {unit} ago"
        return units.local(time)[:10]

    return said
