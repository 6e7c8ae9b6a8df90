"""What checks of runs came to, for CI.

run/1  write('otters')   passes: 2 recorded calls answered, 1 body executed
run/2  write('bears')   fails: ask(prompt='Sing of bears') is asked with other arguments
       nearest on record is call 0: prompt '[-Tell-] {+Sing+} of bears'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.call_line import called, ending
from gvstore.cli.execution import program_speaks
from gvstore.cli.loading import load_recorded
from gvstore.cli.output import HIDDEN
from gvstore.cli.stored_code import running_code
from gvstore.cli.style import Paint
from gvstore.cli.subject import run_name
from gvstore.errors import GvError
from gvstore.journal.address import format_path
from gvstore.journal.check import CODE, Check
from gvstore.journal.code_root import modules_apart
from gvstore.journal.mismatch import difference_text
from gvstore.journal.mode import component_names

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.cli.subject import RunOf
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.repository import Repository

_CALL, _PATHS = 48, 3


@dataclass(frozen=True, slots=True)
class StaleRow:
    """A call whose code changed, under `--json`."""

    path: str
    component: str
    reason: str


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """A call that is not on record, under `--json`; `nearest` is the path of the recorded call most like it."""

    component: str
    called: str
    why: str
    nearest: str | None
    difference: str


@dataclass(frozen=True, slots=True)
class CheckedRun:
    """One run that was checked; `was` and `now` tell how the root call ended, where that differs."""

    run: str
    ok: bool
    answered: int
    executed: int
    stale: list[StaleRow]
    question: QuestionRow | None
    was: str | None
    now: str | None
    unasked: list[str]
    fault: str
    root: Invocation | None = field(metadata=HIDDEN)
    changed: str = field(metadata=HIDDEN)
    kind: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields the line of the run, and what there is to say of it."""
        root = f"  {called(self.root, paint, _CALL, names=False)}" if self.root is not None else ""
        indent = " " * (len(self.run) + 2)
        word = paint("good", "passes") if self.ok else paint("bad", "fails")
        yield f"{paint('run', self.run)}{root}   {word}: {self._why()}"
        if self.question is not None and self.question.nearest is not None:
            yield f"{indent}nearest on record is call {self.question.nearest}: {self.question.difference}"
        if self.changed:
            yield f"{indent}{self.changed}"
        if self.kind == CODE:
            for reason in dict.fromkeys(each.reason for each in self.stale):
                paths = [each.path or "the root call" for each in self.stale if each.reason == reason]
                more = f" and {len(paths) - _PATHS:,} more" if len(paths) > _PATHS else ""
                yield f"{indent}{reason}: {', '.join(paths[:_PATHS])}{more}"

    def _why(self) -> str:
        if self.fault:
            return self.fault
        if self.question is not None:
            return f"{self.question.called}: {self.question.why}"
        if self.was is not None:
            left = f", of which {len(self.unasked):,} are not asked for any more" if self.unasked else ""
            return f"its calls are on record{left}, and it ends otherwise"
        if self.kind == CODE:
            return f"{units.count(len(self.stale), 'call')} stale" if self.stale else "nothing is stale"
        if not self.answered and not self.executed:
            return "nothing changed"
        parts = [f"{units.count(self.answered, 'recorded call')} answered"]
        parts += [f"{self.executed:,} {'body' if self.executed == 1 else 'bodies'} executed"] if self.executed else []
        parts += [f"{len(self.unasked):,} not asked for any more"] if self.unasked else []
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Checked:
    """All runs that were checked; `kind` is calls or code."""

    kind: str
    ok: bool
    runs: list[CheckedRun]

    def lines(self, paint: Paint) -> Iterator[str]:
        for run in self.runs:
            yield from run.lines(paint)
        if len(self.runs) > 1:
            failed = sum(not run.ok for run in self.runs)
            yield f"{len(self.runs):,} runs checked: {f'{failed:,} of them failed' if failed else 'all pass'}"


def check_runs(
    cx: CommandContext, repo: Repository, runs: list[RunOf], kind: str, code: str | None, alias: Mapping[str, str]
) -> bool:
    """Checks runs, and writes what came of it; returns whether all pass.

    Raises:
        GvError: of a single run, what kept it from being checked.
    """
    rows = []
    with running_code(cx, repo, code):
        for run in runs:
            with modules_apart(repo):  # another's module may have the name of one of this run's
                try:
                    with program_speaks(cx):
                        mine = alias if len(runs) == 1 else _of_run(run, alias)
                        load_recorded(cx, repo, run, mine)
                        check = run.check("code" if kind == CODE else "calls", alias=mine)
                except GvError as e:
                    if len(runs) == 1:
                        raise
                    check = Check(run, kind, False, fault=one_line(repo.told(str(e))))
                rows.append(_row(check))
            _tell_stale(cx, check, several=len(runs) > 1)
    result = Checked(kind, all(row.ok for row in rows), rows)
    cx.output.result(result)
    return result.ok


def _of_run(run: RunOf, alias: Mapping[str, str]) -> dict[str, str]:
    """Returns the aliases of components that a run calls."""
    called = component_names(run.invocation) if alias else set()
    return {old: new for old, new in alias.items() if old in called}


def one_line(text: str) -> str:
    """Returns an error's message on one line: of a traceback the beginning and the end."""
    first, *more = text.splitlines() or [""]
    return f"{first.removesuffix('; nothing was recorded')}: {more[-1].strip()}" if more else first


def _tell_stale(cx: CommandContext, check: Check, *, several: bool) -> None:
    """Says which calls were answered although their code changed: each reason once."""
    where = f" in {run_name(check.run)}" if several else ""
    for reason in dict.fromkeys(each.reason for each in check.stale) if check.kind != CODE else ():
        cx.output.status(f"stale{where}, and answered as recorded: {reason}")


def _row(check: Check) -> CheckedRun:
    question, plain = check.question, Paint(False)
    was, now = check.was, check.now
    return CheckedRun(
        run=run_name(check.run),
        ok=check.ok,
        answered=check.answered,
        executed=check.executed,
        stale=[StaleRow(format_path(each.path), each.component, each.reason) for each in check.stale],
        question=None
        if question is None
        else QuestionRow(
            question.component, question.called, question.why,
            None if question.nearest is None else format_path(question.nearest), question.difference,
        ),
        was=None if was is None else ending(was, plain).strip(),
        now=None if now is None else ending(now, plain).strip(),
        unasked=[format_path(path) for path in check.unasked],
        fault=check.fault,
        root=None if check.run.record.root is None else check.run.invocation,
        changed="" if was is None or now is None else _change(was, now),
        kind=check.kind,
    )  # fmt: skip


def _change(was: Invocation, now: Invocation) -> str:
    """Returns how two ends of a call differ."""
    if was.status == now.status == "ok":
        return f"output {difference_text(was.output, now.output)}"
    plain = Paint(False)
    return f"{ending(was, plain).strip()} → {ending(now, plain).strip()}"
