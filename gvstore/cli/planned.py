"""What a replay would do, as a tree and as the line that stands before every replay.

roll_sum(num_rolls=2)   run: dice.roll_sum changed
├─ 0  roll_die(sides=6) = 2   reuse
└─ 1  roll_die(sides=6) = 5   run: live
reuse 1, run 1 (~4,100 tokens, 12 s)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.call_line import call_line, called
from gvstore.cli.file_diff import hunk_lines
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import value_line
from gvstore.compare.text import diff_lines
from gvstore.journal.invocation import Invocation
from gvstore.journal.plan import REUSE, RUN, SET, Plan, PlannedCall
from gvstore.store.store import Store

if TYPE_CHECKING:
    from gvstore.journal.drift import Edit

_ARGUMENTS = 48
_EDIT_LINES = 24
_MANY, _ENDS = 8, 2  # of more reused calls than `_MANY` in a row the first and the last ones are shown


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One call under `--json`; `action` is reuse, run, set or ask, `calls` how many it stands for, `unsure` if it may be asked otherwise."""

    path: str
    component: str
    action: str
    reason: str
    unsure: bool
    calls: int
    tokens: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class Planned:
    """What a replay would do: counts of calls below the root, as its result would tell them; nothing was executed."""

    run: str
    reuse: int
    execute: int
    unsure: int
    asks: int
    complete: bool
    stale: list[str]
    trusted: list[str]
    tokens: int
    duration_us: int
    calls: list[PlannedRow]
    plan: Plan = field(metadata=HIDDEN)
    store: Store = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.complete:
            yield f"{paint('run', self.run)}  complete{'' if self.stale or self.trusted else ' and fresh'}, nothing to do"
            return
        yield from _tree(self.plan.calls, self.store, paint)
        for reason, edit in self.plan.edits.items():
            yield from _edit(reason, edit, paint)
        yield plan_line(self.plan)


def planned(run: str, plan: Plan, store: Store) -> Planned:
    """Returns the plan as the answer of a command."""
    rows = [
        PlannedRow(
            ".".join(map(str, each.path)), each.component, each.action, each.reason, each.unsure, each.calls,
            each.tokens, each.duration_us,
        )
        for each in plan.calls
    ]  # fmt: skip
    return Planned(
        run, plan.reuse, plan.run, plan.unsure, plan.asks, plan.complete, sorted(plan.reasons), sorted(plan.trusted),
        plan.tokens, plan.duration_us, rows, plan, store,
    )  # fmt: skip


def plan_line(plan: Plan) -> str:
    """Returns `reuse 41, run 3 (~4,100 tokens, 12 s)`: of the calls below the root, as the result counts them."""
    runs = [f"{plan.run:,}"] if plan.run or not plan.is_open else []
    runs += ["what is new"] if plan.is_open else []
    cost = [units.count(plan.tokens, "token")] if plan.tokens else []
    # How long what is new takes nobody knows; of the rest alone it would look like the time of all.
    told = plan.duration_us >= 1000 and not plan.is_open and (plan.run or plan.unsure)
    cost += [units.duration(plan.duration_us)] if told else []
    most = "up to " if plan.unsure else "~"
    line = f"reuse {plan.reuse:,}, run {' and '.join(runs)}"
    line += f" ({most}{', '.join(cost)})" if cost else ""
    line += f"; {plan.unsure:,} more reused if asked the same" if plan.unsure else ""
    line += f"; {units.count(plan.asks, 'call')} not executed again without --effects" if plan.asks else ""
    return line


def _tree(calls: tuple[PlannedCall, ...], store: Store, paint: Paint) -> Iterator[str]:
    lasts = _last_children(calls)
    for each in calls[:1]:
        yield _line(each, store, paint)
    for (_, folds), group in groupby(calls[1:], key=lambda each: (each.path[:-1], each.action == REUSE)):
        row = list(group)
        hidden = row[_ENDS:-_ENDS] if folds and len(row) > _MANY else []
        for number, each in enumerate(row):
            lead = "".join("   " if each.path[:depth] in lasts else "│  " for depth in range(1, len(each.path)))
            if hidden and number == _ENDS:
                more = units.count(sum(other.calls for other in hidden), "more call")
                yield paint("quiet", f"{lead}├─ …  {more} reused")
            if not hidden or number < _ENDS or number >= len(row) - _ENDS:
                branch = paint("quiet", lead + ("└─ " if each.path in lasts else "├─ "))
                yield f"{branch}{each.path[-1]}  {_line(each, store, paint)}"


def _edit(reason: str, edit: Edit, paint: Paint) -> Iterator[str]:
    """Yields a reason, and how the text differs that it speaks of."""
    lines = [line for hunk in diff_lines(edit.old, edit.new).hunks for line in hunk_lines(hunk, paint)]
    if not lines:  # told by a name alone: it is reached now, or no more
        return
    yield f"--- {reason}"
    yield from lines[:_EDIT_LINES]
    if len(lines) > _EDIT_LINES:
        yield paint("quiet", f"... {len(lines) - _EDIT_LINES} more lines")


def _last_children(calls: tuple[PlannedCall, ...]) -> set[tuple[int, ...]]:
    """Returns the paths of the calls that are the last of their parents."""
    return set({each.path[:-1]: each.path for each in calls if each.path}.values())


def _line(each: PlannedCall, store: Store, paint: Paint) -> str:
    call = Invocation.of_part(store, each.part)
    asked = paint("quiet", " if asked the same") if each.unsure else ""
    if each.action == SET:
        return f"{called(call, paint, _ARGUMENTS)} = {value_line(each.value, _ARGUMENTS)}   {paint('changed', 'set')}{asked}"
    shown = call_line(call, paint)
    if each.action == REUSE:
        amount = "" if each.calls == 1 else f" {each.calls:,} calls"
        return shown + paint("quiet", f"   {each.reason or 'reuse'}{amount}") + asked
    word = "run" if each.action == RUN else 'not again without --effects: effect="once"'
    return f"{shown}   {paint('changed', word)}{f': {each.reason}' if each.action == RUN else f', {each.reason}'}"
