"""gv rewind: a new run without a call and all that came after it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class Rewound:
    """A run that keeps the beginning of another: `kept` of its `of` calls below the root."""

    run: str
    number: int
    oid: ObjectId | None
    parent: str
    kept: int
    of: int
    before: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        kept = f"{self.kept} of {units.count(self.of, 'call')} kept"
        yield f"{paint('run', self.run)}  from {self.parent}, {self.before}: {kept}"


@click.command("rewind", cls=Command)
@click.option(
    "-n", "count", metavar="N", type=click.IntRange(min=0), help="Take back the last N calls of the root call (1)"
)
@click.argument("rev", default="RUN")
@pass_context
def command(cx: CommandContext, count: int | None, rev: str) -> None:
    """Make a new run that stops before a call

    REV is a call (run/7:0.2, run/7:llm.chat.3): the new run has all that came before it, at any depth.  Or it is a run:
    the last N calls that its root call made are taken back.  Nothing is executed, and the old run stays as it is.

    \b
    Example:
      gv rewind run/7:0.2
      gv rewind run/7 -n 2
    """
    from gvstore.cli.subject import open_subject, run_name
    from gvstore.journal.address import format_path
    from gvstore.journal.rewind import last_calls

    repo = cx.journal
    with repo:
        subject = open_subject(repo, rev)
        if subject.run is None or subject.part:
            raise UsageFault(f"{rev} is no run and no call of one", hint="Name a run (run/7) or a call (run/7:0.2).")
        run = repo.settled(subject.run)
        if subject.call is None:
            number = 1 if count is None else count
            path = last_calls(run.invocation, number)
            before = {0: "to its last call", 1: "before its last call"}.get(number, f"before its last {number} calls")
        elif count is not None:
            raise UsageFault(
                "-n counts the calls of a run, and a call was named", hint=f"Leave -n away, or name {run_name(run)}."
            )
        else:
            path = subject.path
            before = f"before call {format_path(path)}" if path else "before its first call"
        new = repo.keep_rewound(run, path, move_run=True)
        cx.output.result(
            Rewound(new.name, new.number, new.oid, run_name(run), max(0, new.calls - 1), max(0, run.calls - 1), before)
        )
