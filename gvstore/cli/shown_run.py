"""Runs and calls as `gv show` prints them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gvstore.cli import units
from gvstore.cli.call_line import raised_parts
from gvstore.cli.call_tree import CallRow, Walk, call_cost, call_rows, root_line, tree_lines
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.subject import RunOf, Subject, run_name
from gvstore.cli.value_text import WHOLE, question_line, text_line, value_block
from gvstore.journal.invocation import Invocation
from gvstore.journal.timing import Timing, timing_of
from gvstore.objects.oid import ObjectId
from gvstore.objects.record import NIL
from gvstore.repo.remark import Remarks, read_remarks
from gvstore.repo.tag import names_of

_STATUS_ROLE = {"ok": "good", "raised": "bad", "interrupted": "bad", "damaged": "bad"}


def painted_status(status: str, paint: Paint, width: int = 0) -> str:
    """Returns a run's status in its colour, padded to `width`."""
    return paint(_STATUS_ROLE.get(status, "changed"), status) + " " * (width - len(status))


@dataclass(frozen=True, slots=True)
class RemarkShown:
    """What somebody wrote on a run."""

    text: str
    author: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RunShown:
    """A run with all its calls, depth first: `path` says where each stands, the root's is empty.

    `notes` are warnings that were shown when it was recorded, `remarks` what people wrote on it.
    """

    run: str
    number: int
    oid: ObjectId | None
    status: str
    target: str
    argv: tuple[str, ...]
    author: str
    user: str
    host: str
    python: str
    message: str
    group: str
    branch: str
    git: str
    base: ObjectId | None
    code: ObjectId | None
    parent: str | None
    parent_oid: ObjectId | None
    started_at: datetime
    ended_at: datetime
    counts: dict[str, int]
    notes: tuple[str, ...]
    traceback: str
    tags: tuple[str, ...]
    remarks: tuple[RemarkShown, ...]
    scores: dict[str, int | float]
    calls: list[CallRow]
    at: str = field(metadata=HIDDEN)
    root: Invocation | None = field(metadata=HIDDEN)
    timing: Timing | None = field(metadata=HIDDEN)
    walk: Walk = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        began = units.local(self.started_at)
        place = self.target.rpartition(":")[0] or self.target
        parent = f"  from {self.parent}" if self.parent else ""
        group = f"  in {self.group}" if self.group else ""
        head = f"{paint('run', self.run)}  {painted_status(self.status, paint)}  {began}  {place} at {self.at}{parent}{group}"
        yield head
        if self.message:
            yield f"    {text_line(self.message)}"
        if used := usage(self.counts):
            yield paint("quiet", f"    {used}")
        yield from self._said(paint)
        if self.root is not None:
            yield root_line(self.root, paint, self.timing, self.walk)
            yield from tree_lines(self.root, paint, self.timing, self.walk)
        for note in self.notes:
            yield paint("warning", f"note: {note}")
        if self.traceback:
            yield ""
            yield from value_block(self.traceback.rstrip("\n"))

    def _said(self, paint: Paint) -> Iterator[str]:
        """Yields its tags, its scores and what people wrote on it."""
        if self.tags:
            yield f"    tagged {', '.join(paint('ref', tag) for tag in self.tags)}"
        if self.scores:
            yield f"    {', '.join(f'{name} {value:g}' for name, value in self.scores.items())}"
        for each in self.remarks:
            first, *rest = each.text.split("\n")
            yield f"    {paint('quiet', f'{each.author}:')} {text_line(first, WHOLE)}"
            yield from (f"      {text_line(line, WHOLE)}".rstrip() for line in rest)


def show_run(run: RunOf, *, rows: bool, walk: Walk) -> RunShown:
    """Returns the run, ready to print; `rows` lists its calls for `--json`."""
    record = run.record
    root = run.invocation if record.root is not None else None
    objects = run.store.objects
    timing = Timing.parse(record.times, objects) if record.times != NIL else None
    parent = run.parent
    remarks = read_remarks(run.repo, run.number) if run.number else Remarks()
    return RunShown(
        run=run_name(run),
        number=run.number,
        oid=run.oid,
        status=run.status,
        target=record.target,
        argv=record.argv,
        author=record.author,
        user=record.user,
        host=record.host,
        python=record.python,
        message=record.message,
        group=record.group,
        branch=record.branch,
        git=record.git,
        base=record.base,
        code=record.code,
        parent=parent.name if parent is not None else None,
        parent_oid=record.parent,
        started_at=units.moment(record.started_at),
        ended_at=units.moment(record.ended_at),
        counts=record.counts,
        notes=record.notes,
        traceback=record.traceback,
        tags=names_of(run.repo, run.oid) if run.oid is not None else (),
        remarks=tuple(RemarkShown(each.text, each.author, units.moment(each.at)) for each in remarks.notes),
        scores=remarks.values,
        calls=call_rows(root, objects, timing, walk) if rows and root is not None else [],
        at=run.code_name(),
        root=root,
        timing=timing,
        walk=walk,
    )


@dataclass(frozen=True, slots=True)
class CallShown:
    """One call in full, and in `calls` it and all calls below it, depth first."""

    rev: str
    run: str | None
    calls: list[CallRow]
    call: Invocation = field(metadata=HIDDEN)
    timing: Timing | None = field(metadata=HIDDEN)
    walk: Walk = field(metadata=HIDDEN)
    step: dict[str, object] | None = field(default=None, metadata=HIDDEN)  # of a machine's step: what it read and wrote

    def lines(self, paint: Paint) -> Iterator[str]:
        call, full = self.call, self.walk.full
        yield f"{paint('run', self.rev)}  {paint('call', call.component.name)}  {call.status}{call_cost(call, self.timing)}"
        for name, value in (self.step or call.args).items():
            yield from _named_block(name, value, full=full)
        if call.state is not None:
            yield from _named_block("state", call.state, full=full)
        if call.status == "ok" and self.step is None:
            yield from _named_block("output", call.output, full=full)
        elif call.status == "raised":
            kind, message = raised_parts(call.get_raised())
            yield from _named_block("raised", f"{kind}: {message}")
        elif call.status == "waiting":
            yield f"  asks for {question_line(str(call.get_raised()))}; `gv answer {self.rev} VALUE`"
        yield from tree_lines(call, paint, self.timing, self.walk)


def usage(counts: Mapping[str, int]) -> str:
    """Returns what the calls of a run have used: `1,234 tokens (1,000 in, 234 out), $0.0021`; nothing if nothing is told."""
    given, made, cost = (counts.get(name, 0) for name in ("prompt_tokens", "completion_tokens", "cost_microusd"))
    parts = [f"{units.count(given + made, 'token')} ({given:,} in, {made:,} out)"] if given + made else []
    parts += [f"${cost / 1e6:.4f}"] if cost else []
    told = ("calls", "executed", "reused", "prompt_tokens", "completion_tokens", "cost_microusd")
    parts += [f"{number:,} {name}" for name, number in counts.items() if name not in told]
    return ", ".join(parts)


def _named_block(name: str, value: object, *, full: bool = False) -> Iterator[str]:
    """Yields `name = value`; what takes several lines stands below its name."""
    lines = list(value_block(value, full=full))
    if len(lines) == 1 and not isinstance(value, str):
        yield f"  {name} = {lines[0]}"
    elif len(lines) == 1 and len(lines[0]) < 80:
        yield f"  {name} = {lines[0]!r}"
    else:
        yield f"  {name} ="
        yield from (f"    {line}" if line else "" for line in lines)


def show_call(subject: Subject, *, rows: bool, walk: Walk) -> CallShown:
    """Returns the call, ready to print; `rows` lists it and what is below it for `--json`."""
    call, run = subject.call, subject.run
    assert call is not None
    objects, times = call.store.objects, run.record.times if run is not None else NIL
    timing = timing_of(times, subject.path, objects) if times != NIL else None
    listed = call_rows(call, objects, timing, walk, subject.path) if rows else []
    step = None
    if run is not None and call.component.flavor in ("action", "machine"):
        from gvstore.cli.machine_view import told

        step = told(subject)
    return CallShown(subject.name, run_name(run) if run is not None else None, listed, call, timing, walk, step)


@dataclass(frozen=True, slots=True)
class ExecutionShown:
    """An execution that is a value: what a component returned, or what was put."""

    rev: str
    calls: list[CallRow]
    call: Invocation = field(metadata=HIDDEN)
    walk: Walk = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('run', self.rev)}  {self.call.status}"
        yield root_line(self.call, paint, None, self.walk)
        yield from tree_lines(self.call, paint, None, self.walk)


def show_execution(name: str, call: Invocation, *, rows: bool, walk: Walk) -> ExecutionShown:
    """Returns an execution that is a value, ready to print."""
    return ExecutionShown(name, call_rows(call, call.store.objects, None, walk) if rows else [], call, walk)
