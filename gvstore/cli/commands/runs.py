"""gv runs: lists the runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import Corrupt

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository
    from gvstore.objects.oid import ObjectId
    from gvstore.repo import RunRow


@dataclass(frozen=True, slots=True)
class RunListed:
    """One run of the list; `calls` counts those that had ended, and `status` is "damaged" where the run cannot be read."""

    run: str
    number: int
    oid: ObjectId | None
    status: str
    target: str
    message: str
    group: str
    branch: str
    parent: str | None
    calls: int
    prompt_tokens: int | None
    completion_tokens: int | None
    started_at: datetime
    ended_at: datetime
    labels: dict[str, object]
    root: str = field(metadata=HIDDEN)
    damage: str = field(default="", metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.shown_run import painted_status

        if self.damage:
            name = paint("run", self.run) + " " * (7 - len(self.run))
            yield f"{name} {painted_status('damaged', paint, 11)} {units.local(self.started_at)}  {self.damage}"
            return
        tokens = (self.prompt_tokens or 0) + (self.completion_tokens or 0)
        word = "finished call" if self.status in ("interrupted", "running") else "call"
        facts = [units.count(self.calls, word)]
        facts += [units.count(tokens, "token")] if tokens else []
        facts += [f"from {self.parent}"] if self.parent else []
        facts += [f"in {self.group}"] if self.group else []
        facts += [self.message.partition("\n")[0]] if self.message else []
        name = paint("run", self.run) + " " * (7 - len(self.run))
        began = units.local(self.started_at)
        yield f"{name} {painted_status(self.status, paint, 11)} {began}  {self.root}   {', '.join(facts)}"


_BESIDE = 64  # columns of what stands beside a root call
_LEAST = 36


@click.command("runs", cls=Command)
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="List the newest N only")
@click.option("--app", metavar="ID", help="List the runs of this state machine's application only")
@click.option("--partition", metavar="KEY", help="List the runs of applications of this partition only")
@pass_context
def command(cx: CommandContext, limit: int | None, app: str | None, partition: str | None) -> None:
    """List the runs, the newest first

    A run is interrupted when the process that recorded it is gone; its finished calls are kept, and `gv replay`
    goes on from there.

    \b
    Example:
      gv runs -n 10
      gv runs --app chat --partition north
    """
    repo = cx.journal
    width = max(cx.output.paint.width - _BESIDE, _LEAST)
    wanted = {name: value for name, value in (("app", app), ("partition", partition)) if value is not None}
    if wanted:
        found = list(islice(_labelled(repo, wanted), limit))
        if not found:
            cx.output.status(f"no runs of {' and '.join(f'{name} {value}' for name, value in wanted.items())}{_near(repo, wanted)}")
        cx.output.stream(_readable(repo, row, width) for row in found)
        return
    rows = repo.refs.runs(limit=limit)
    if not rows:
        cx.output.status("no runs yet: `gv run FILE.py:FUNCTION` makes one")
    cx.output.stream(_readable(repo, row, width) for row in rows)


def _labelled(repo: Repository, wanted: dict[str, str]) -> Iterator[RunRow]:
    """Yields the rows of the runs that have these labels, the newest first; one that cannot be read has none."""
    for row in repo.refs.runs():
        with contextlib.suppress(Corrupt):
            labels = repo.runs[row.number].labels
            if all(labels.get(name) == value for name, value in wanted.items()):
                yield row


def _near(repo: Repository, wanted: dict[str, str]) -> str:
    """Returns what to say of labels that are like those that were looked for."""
    import difflib

    known: dict[str, set[str]] = {name: set() for name in wanted}
    for row in repo.refs.runs():
        with contextlib.suppress(Corrupt):
            labels = repo.runs[row.number].labels
            for name, values in known.items():
                if name in labels:
                    values.add(str(labels[name]))
    near = [each for name, value in wanted.items() for each in difflib.get_close_matches(value, known[name], 2, 0.5) if each != value]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def _readable(repo: Repository, row: RunRow, width: int) -> RunListed:
    """Returns one run, ready to print; of one that is damaged, what is known without it."""
    try:
        return _listed(repo.runs[row.number], width)
    except Corrupt as e:
        return _damaged(row, e)


def _damaged(row: RunRow, why: Corrupt) -> RunListed:
    return RunListed(
        run=f"run/{row.number}",
        number=row.number,
        oid=row.oid,
        status="damaged",
        target=row.target,
        message="",
        group="",
        branch="",
        parent=None,
        calls=0,
        prompt_tokens=None,
        completion_tokens=None,
        started_at=units.moment(row.started_at),
        ended_at=units.moment(row.ended_at or row.started_at),
        labels={},
        root="",
        damage=f"{row.target}: {why}",
    )


def _listed(run: RunOf, width: int) -> RunListed:
    """Returns one run, ready to print; its root call takes `width` columns."""
    from gvstore.cli.call_line import call_line
    from gvstore.cli.style import PLAIN

    record, parent = run.record, run.parent
    root = run.invocation if record.root is not None else None
    return RunListed(
        run=run.name,
        number=run.number,
        oid=run.oid,
        status=run.status,
        target=record.target,
        message=record.message,
        group=record.group,
        branch=record.branch,
        parent=parent.name if parent is not None else None,
        calls=run.calls,
        prompt_tokens=record.counts.get("prompt_tokens"),
        completion_tokens=record.counts.get("completion_tokens"),
        started_at=units.moment(record.started_at),
        ended_at=units.moment(record.ended_at),
        labels=dict(run.labels),
        root=call_line(root, PLAIN, names=False, width=width) if root is not None else record.target,
    )
