"""Many runs replayed by one code, each as a new run.

run/1 → run/7  write('sea otters')   4 reused, 2 executed   output changed
               story.write: helper words.clean() changed
               first at 0.1, ask(prompt='...'): its input changed
run/2          write('bears')   nothing to do
2 runs: 1 replayed, 1 with nothing to do
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.call_diff import divergence_line
from gvstore.cli.call_line import called, raised_line
from gvstore.cli.checked import one_line
from gvstore.cli.code_change import CodeChanges
from gvstore.cli.execution import program_speaks
from gvstore.cli.loading import load_recorded
from gvstore.cli.output import HIDDEN
from gvstore.cli.planned import plan_line
from gvstore.cli.style import PLAIN, Paint
from gvstore.cli.subject import run_name
from gvstore.compare.calls import CallChange
from gvstore.errors import GvError
from gvstore.journal.code_root import modules_apart
from gvstore.journal.compare import compare_invocations
from gvstore.journal.fault import BudgetSpent, CallLimitReached
from gvstore.journal.mode import ReplayWords
from gvstore.journal.running import RunOptions

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.subject import RunOf
    from gvstore.journal.budget import Purse
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.plan import Plan
    from gvstore.journal.repository import Repository

NOTHING, WOULD_RUN, REPLAYED, RAISED, WAITING, STOPPED, FAILED, NOT_BEGUN = (
    "nothing", "would_run", "replayed", "raised", "waiting", "stopped", "failed", "not_begun",
)  # fmt: skip
_BAD = (RAISED, STOPPED, FAILED, NOT_BEGUN)
_CALL, _REASONS = 40, 3
_TOLD = {
    WOULD_RUN: "to replay", REPLAYED: "replayed", NOTHING: "with nothing to do", RAISED: "raised", WAITING: "waiting",
    STOPPED: "stopped", FAILED: "failed", NOT_BEGUN: "not begun",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RebasedRun:
    """One run: `state` is replayed, raised, waiting, stopped, would_run, nothing, failed or not_begun.

    `output` is same or changed, null where there is none to compare;
    `first_divergence` tells where the new run first differs, beside what its
    root does.  `stale` are the reasons why calls run.  With --plan `reused` and `executed` are what would be.
    """

    run: str
    new_run: str | None
    state: str
    reused: int
    executed: int
    output: str | None
    first_divergence: str | None
    stale: list[str]
    tokens: int
    duration_us: int
    fault: str
    root: Invocation | None = field(metadata=HIDDEN)
    plan: Plan | None = field(default=None, metadata=HIDDEN)

    def lines(self, paint: Paint, names: int) -> Iterator[str]:
        """Yields the row of the run, and where it first differs; `names` columns are for the runs."""
        made = f" → {self.new_run}" if self.new_run else ""
        head = f"{paint('run', self.run + made)}{' ' * (names - len(self.run + made))}"
        root = "" if self.root is None else f"  {called(self.root, paint, _CALL, names=False)}"
        yield f"{head}{root}   {self._what(paint)}"
        margin = " " * (names + 2)
        yield from (paint("quiet", f"{margin}{why}") for why in self.stale[:_REASONS])
        if len(self.stale) > _REASONS:
            yield paint("quiet", f"{margin}and {units.count(len(self.stale) - _REASONS, 'more reason')}")
        if self.first_divergence is not None:
            yield f"{margin}first at {self.first_divergence}"

    def _what(self, paint: Paint) -> str:
        if self.state == NOTHING:
            return paint("quiet", "nothing to do")
        if self.plan is not None and self.state == WOULD_RUN:
            return plan_line(self.plan)
        counts = f"{self.reused:,} reused, {self.executed:,} executed"
        if self.state == REPLAYED:
            return f"{counts}   output {self.output}"
        told = f"{paint('bad', _TOLD[self.state])}{f': {self.fault}' if self.fault else ''}"
        return told if self.new_run is None else f"{counts}   {told}"


@dataclass(frozen=True, slots=True)
class Rebased:
    """All runs: `code` is the code that they were replayed by, null for the work tree's; counts are of calls below the roots."""

    code: str | None
    only_plan: bool
    reused: int
    executed: int
    tokens: int
    duration_us: int
    runs: list[RebasedRun]

    def lines(self, paint: Paint) -> Iterator[str]:
        names = max((len(row.run + (f" → {row.new_run}" if row.new_run else "")) for row in self.runs), default=0)
        for row in self.runs:
            yield from row.lines(paint, names)
        if len(self.runs) > 1:
            states = [row.state for row in self.runs]
            counts = ", ".join(f"{states.count(state):,} {told}" for state, told in _TOLD.items() if state in states)
            yield f"{len(self.runs):,} runs: {counts}{self._cost()}"

    def _cost(self) -> str:
        if not self.only_plan:
            return f"; {self.reused:,} calls reused, {self.executed:,} executed" if self.reused or self.executed else ""
        plans = [row.plan for row in self.runs if row.plan is not None]
        if not plans:
            return ""
        sums = {name: sum(getattr(plan, name) for plan in plans) for name in ("unsure", "asks")}
        total = replace(
            plans[0], reuse=self.reused, run=self.executed, is_open=any(plan.is_open for plan in plans),
            tokens=self.tokens, duration_us=self.duration_us, **sums,
        )  # fmt: skip
        return f"; {plan_line(total)}"

    @property
    def status(self) -> int:
        """The exit status: 1 where a run was not replayed to its end, else 21 where one waits, else 0."""
        states = {row.state for row in self.runs}
        return 1 if states & {*_BAD} else 21 if WAITING in states else 0


@dataclass(slots=True)
class Rebase:
    """What is asked: the runs stay as they are, each replay is a new one derived from its own."""

    cx: CommandContext
    repo: Repository
    only_plan: bool
    message: str
    max_calls: int | None
    purse: Purse | None
    move_run: bool
    _executed: int = 0

    def carry_out(self, runs: list[RunOf]) -> Rebased:
        """Returns what came of each run; what fails does not keep the others from being replayed.

        Raises:
            KeyboardInterrupt: the user stopped it; what was made until then is kept.
        """
        rows = []
        for run in runs:
            with modules_apart(self.repo):
                rows.append(self._row(run))
            if len(runs) > 1 and self.cx.output.is_watched:
                self.cx.output.status(f"{rows[-1].run}: {_TOLD[rows[-1].state]}")
        return Rebased(
            None if self.repo.code is None else self.repo.code.name, self.only_plan,
            sum(row.reused for row in rows), sum(row.executed for row in rows), sum(row.tokens for row in rows),
            sum(row.duration_us for row in rows), rows,
        )  # fmt: skip

    @property
    def _spent(self) -> str:
        """Why no further run begins, if none does."""
        if self.max_calls is not None and self._executed >= self.max_calls:
            return f"{units.count(self._executed, 'call')} executed, as many as --max-calls allows"
        if self.purse is not None and 0 in (self.purse.left.tokens, self.purse.left.time_us):
            return f"the budget of {self.purse.budget} is spent"
        return ""

    def _row(self, run: RunOf) -> RebasedRun:
        root = None if run.record.root is None else run.invocation
        none = RebasedRun(run_name(run), None, NOTHING, 0, 0, None, None, [], 0, 0, "", root)
        try:
            run = self.repo.settled(run)
            with program_speaks(self.cx):
                load_recorded(self.cx, self.repo, run, {})
            plan = run.plan()
            if plan.complete:
                return none
            planned = replace(none, state=WOULD_RUN, stale=list(plan.reasons), reused=plan.reuse, executed=plan.run)
            if self.only_plan:
                return replace(planned, tokens=plan.tokens, duration_us=plan.duration_us, plan=plan)
            if self._spent:
                return replace(none, state=NOT_BEGUN, fault=self._spent)
            return self._replayed(run, planned)
        except GvError as e:
            return replace(none, state=FAILED, fault=one_line(self.repo.told(str(e))))

    def _replayed(self, run: RunOf, row: RebasedRun) -> RebasedRun:
        options = RunOptions(
            target=run.record.target, message=self.message, group=run.record.group, argv=("gv", *self.cx.arguments),
            parent=run.oid, move_run=self.move_run, command="rebase",
        )  # fmt: skip
        left = None if self.max_calls is None else self.max_calls - self._executed
        with program_speaks(self.cx):
            performed = self.repo.perform_replay(
                run, options=options, words=ReplayWords(max_calls=left, budget=self.purse)
            )
        if isinstance(performed.error, KeyboardInterrupt):
            raise performed.error
        new = performed.run
        assert new is not None
        counts, end = new.record.counts, performed.invocation
        executed = max(0, counts.get("executed", 0) - (end.status != "unfinished"))
        self._executed += executed
        for note in new.record.notes:
            self.cx.output.warning(f"{new.name}: {note}")
        state, fault = _state(performed.error, new)
        output = first = None
        if row.root is not None and state in (REPLAYED, RAISED):
            output = "same" if row.root.call.outcome == end.call.outcome else "changed"
            first = _first_below(row.root, end, CodeChanges(run, new))
        return replace(
            row, new_run=new.name, state=state, reused=counts.get("reused", 0), executed=executed, output=output,
            first_divergence=first, fault=self._spent if state == STOPPED else fault,
            tokens=sum(counts.get(name, 0) for name in ("prompt_tokens", "completion_tokens")),
            duration_us=max(0, new.record.ended_at - new.record.started_at),
        )  # fmt: skip


def _first_below(old: Invocation, new: Invocation, changes: CodeChanges) -> str | None:
    """Returns where the calls of two executions first differ, and why; that the root's code changed is told apart."""
    found = compare_invocations(old, new, changes.differs)
    pairs = [found.first, *found.root.walk()] if found.first is not None else []
    looked = (pair for pair in pairs if pair is not None and (pair.new_path or pair.old_path))
    first = next((pair for pair in looked if pair.change not in (CallChange.SAME, CallChange.BELOW)), None)
    return None if first is None else divergence_line(first, PLAIN, changes)


def _state(error: BaseException | None, new: RunOf) -> tuple[str, str]:
    """Returns how a replay ended, and what there is to say of it."""
    if isinstance(error, CallLimitReached | BudgetSpent):
        return STOPPED, str(error)
    if new.status == "waiting":
        return WAITING, f"`gv inbox` lists what {new.name} asks"
    if new.status == "ok":
        return REPLAYED, ""
    return RAISED, raised_line(error)
