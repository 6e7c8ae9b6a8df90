"""What run and replay share: the program speaks on stderr, the answer is one line, and how it ended is the status.

run/1  roll_sum(2) = 7   3 calls, 2 ms
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.call_line import call_line, raised_parts
from gvstore.cli.context import CommandContext
from gvstore.cli.main import collect_as_usual
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import question_line
from gvstore.errors import ComponentRaised, GvError, GvWarning, Waiting
from gvstore.journal.timing import Timing
from gvstore.models.progress import Progress, listening

if TYPE_CHECKING:
    from gvstore.cli.output import Advance
    from gvstore.cli.subject import RunOf
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.perform import Performed
    from gvstore.journal.recorder import OnCall
    from gvstore.objects.oid import ObjectId
    from gvstore.store.store import Store

SLOW_US = 200_000  # a call shorter than this is not told of while its run goes on


@dataclass(frozen=True, slots=True)
class Executed:
    """A run that was made now; `prompt_tokens` and `completion_tokens` are null where no model told them.

    `duration_us` is the root call's; between `started_at` and `ended_at` lies also what recording it took.
    """

    run: str
    number: int
    oid: ObjectId | None
    status: str
    target: str
    output: object
    raised: object
    calls: int
    executed: int
    reused: int
    prompt_tokens: int | None
    completion_tokens: int | None
    started_at: datetime
    ended_at: datetime
    duration_us: int
    parent: str | None
    root: Invocation = field(metadata=HIDDEN)
    replayed: bool = field(default=False, metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        counts = self._counts()
        width = max(paint.width - len(self.run) - len(counts) - 5, 40)
        yield f"{paint('run', self.run)}  {call_line(self.root, paint, names=False, width=width)}   {counts}"

    def _counts(self) -> str:
        if self.replayed:
            # The root's own execution is what a replay is: only the calls below it tell something.
            below = self.executed - (self.root.status != "unfinished")
            return f"{self.reused} reused, {max(0, below)} executed"
        tokens = (self.prompt_tokens or 0) + (self.completion_tokens or 0)
        parts = [units.count(self.calls, "finished call" if self.status == "interrupted" else "call")]
        parts += [units.count(tokens, "token")] if tokens else []
        parts.append(units.duration(self.duration_us))
        return ", ".join(parts)


def answer(cx: CommandContext, performed: Performed, *, replayed: bool = False) -> int:
    """Writes what came of an execution; returns the status to end with, 1 where a value was to be put in and no call took it.

    Raises:
        ComponentRaised, GvError, Waiting, KeyboardInterrupt: how it ended; the run is kept.
    """
    run = performed.run
    assert run is not None
    record, root = run.record, run.invocation
    kind, message = raised_parts(root.get_raised())
    parent = run.parent
    cx.output.result(
        Executed(
            run=run.name,
            number=run.number,
            oid=run.oid,
            status=run.status,
            target=record.target,
            output=root.get_output(),
            raised={"type": kind, "message": message} if run.status == "raised" else None,
            calls=run.calls,
            executed=record.counts.get("executed", 0),
            reused=record.counts.get("reused", 0),
            prompt_tokens=record.counts.get("prompt_tokens"),
            completion_tokens=record.counts.get("completion_tokens"),
            started_at=units.moment(record.started_at),
            ended_at=units.moment(record.ended_at),
            duration_us=Timing.parse(record.times, run.store.objects).duration_us,
            parent=parent.name if parent is not None else None,
            root=root,
            replayed=replayed,
        )
    )
    for note in record.notes:
        cx.output.warning(note)
    if run.oid is not None and not isinstance(performed.error, KeyboardInterrupt):
        from gvstore.cli import hooked

        hooked.after(cx, cx.journal, "post-run", run.name, GV_RUN=run.name, GV_RUN_OID=run.oid.hex(), GV_RUN_STATUS=run.status)
    if performed.error is None or (isinstance(performed.error, SystemExit) and run.status == "ok"):
        return 1 if performed.unused else 0
    if isinstance(performed.error, KeyboardInterrupt):
        cx.output.hint(f"{run.name} is kept as far as it came; `gv replay {run.name}` goes on from there.")
        raise performed.error
    if run.status == "waiting":
        raise _waits(run)
    kept = f"{run.name} is kept: `gv show {run.name}` shows its calls, `gv replay {run.name}` goes on from there."
    if isinstance(performed.error, GvError):  # ours: a strict replay that left the record, a model that cannot be had
        if isinstance(performed.error, ComponentRaised):  # a model that gave no answer
            performed.error.hint = "\n".join(filter(None, (performed.error.hint, kept)))
        raise performed.error
    cx.output.status(record.traceback.rstrip("\n"))
    raise ComponentRaised(
        f"{root.name} was cancelled" if root.status == "cancelled" else f"{root.name} raised {': '.join(filter(None, (kind, message)))}",
        hint=kept,
    ) from performed.error


def telling(cx: CommandContext, store: Store) -> OnCall | None:
    """Returns what says on a terminal that a call of the root has ended, where calls take their time; else None."""
    if not cx.output.is_watched:
        return None
    from gvstore.journal.invocation import Invocation

    def tell(part: bytes, duration_us: int) -> None:
        if duration_us >= SLOW_US:
            line = call_line(Invocation.of_part(store, part), cx.output.status_paint, names=False)
            cx.output.status(f"  {line}   {units.duration(duration_us)}")

    return tell


def _waits(run: RunOf) -> Waiting:
    """Returns the error that says what a run asks, and how to answer."""
    from gvstore.journal.inbox import questions_of

    asked = questions_of(run)
    first = asked[0]
    about = "" if first.request.context is None else f": {question_line(str(first.request.context))}"
    more = f", and {units.count(len(asked) - 1, 'more question')}" if len(asked) > 1 else ""
    return Waiting(
        f"{first.name} asks for {first.wanted}{about}{more}",
        hint=f"Answer with `gv answer {first.name} VALUE`, now or later; `gv inbox` lists what is open.",
    )


@contextlib.contextmanager
def program_speaks(cx: CommandContext) -> Iterator[None]:
    """Lets the user's program run in the block: what it prints goes to stderr, since stdout is the answer.

    Warnings of the recorder become ours, and a model that is fetched on the way shows a bar.
    """
    collect_as_usual()
    with _stdout_on_stderr(), _our_warnings(cx), _bar_for_models(cx):
        yield


@contextlib.contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """Points stdout at stderr, for Python and for the programs that it starts."""
    sys.stdout.flush()
    try:
        saved = os.dup(1) if sys.stdout.fileno() == 1 else None
    except (OSError, ValueError):  # no file below, as in tests
        saved = None
    with contextlib.redirect_stdout(sys.stderr):
        if saved is None:
            yield
            return
        os.dup2(2, 1)
        try:
            yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)


@contextlib.contextmanager
def _our_warnings(cx: CommandContext) -> Iterator[None]:
    """Shows what gvstore warns of as the command line's own; the program's warnings stay as they are."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", GvWarning)
        others = warnings.showwarning

        def show(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, *rest: object, **more: object
        ) -> None:
            if issubclass(category, GvWarning):
                cx.output.warning(str(message))
            else:
                others(message, category, filename, lineno)

        warnings.showwarning = show
        yield


@contextlib.contextmanager
def _bar_for_models(cx: CommandContext) -> Iterator[None]:
    """Shows a bar while weights are fetched, if they are."""
    with contextlib.ExitStack() as stack:
        advance: list[Advance] = []

        def show(step: Progress) -> None:
            if not advance:
                advance.append(stack.enter_context(cx.output.progress("model weights", size_bytes=True)))
            advance[0](step.done_bytes, step.total_bytes)

        with listening(show):
            yield
