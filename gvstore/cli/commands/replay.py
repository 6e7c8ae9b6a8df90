"""gv replay: runs a program again, with its record for answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class UpToDate:
    """A run that is complete and fresh: there was nothing to do, and no run was made."""

    run: str
    oid: ObjectId | None
    up_to_date: bool
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('run', self.run)}  {self.shown}   complete and fresh, nothing to do"


@click.command("replay", cls=Command)
@click.option("--strict", is_flag=True, help="Stop with status 1 where calls or code are not those of the record")
@click.option("-m", "--message", metavar="WHY", default="", help="Say why")
@click.argument("rev", default="RUN")
@pass_context
def command(cx: CommandContext, strict: bool, message: str, rev: str) -> None:
    """Run a program again, answering from its record what is unchanged

    A recorded call is answered if it ended and its code and that of every call below it are unchanged.  All else is
    executed, and so is what the record does not have.  The result is a new run; an interrupted one is carried on.

    \b
    Example:
      gv replay run/7
    """
    from gvstore.cli.call_line import call_line
    from gvstore.cli.execution import answer, program_speaks
    from gvstore.cli.loading import load_recorded
    from gvstore.cli.style import PLAIN
    from gvstore.cli.subject import named_run, run_name
    from gvstore.journal.replay import plan_replay
    from gvstore.journal.running import RunOptions

    repo = cx.journal
    with repo:
        run = repo.settled(named_run(repo, rev))
        root = run.invocation
        with program_speaks(cx):
            load_recorded(cx, repo, run)
        plan = plan_replay(root if strict else repo.record_of(run))
        if plan.complete and run.status == "ok":
            cx.output.result(UpToDate(run_name(run), run.oid, True, call_line(root, PLAIN, names=False)))
            changed = repo.changed_since(run)
            if changed:
                some = ", ".join(changed[:5]) + (" ..." if len(changed) > 5 else "")
                cx.output.warning(f"changed since, and not followed yet: {some}")
            if not cx.json:
                cx.output.hint(f"`gv rewind {run_name(run)}` takes calls back, so that they run again.")
            return
        for why in plan.reasons.values():
            cx.output.status(f"stale: {why}")
        if not strict:
            below = f"; {plan.open} below what changed, reused if asked the same" if plan.open else ""
            cx.output.status(f"reuse {plan.reuse}, run {plan.run} and what is new{below}")
        options = RunOptions(
            target=run.record.target, message=message, group=run.record.group, argv=("gv", *cx.arguments),
            parent=run.oid, move_run=not strict, command="replay",
        )  # fmt: skip
        with program_speaks(cx):
            performed = repo.perform_replay(run, strict="code" if strict else False, options=options)
        if strict and performed.error is None and performed.run is not None:
            with repo.transaction(f"replay {run.record.target}") as transaction:
                transaction.set_run(performed.run.number)  # one that left the record does not get in the way
        answer(cx, performed, replayed=True)
