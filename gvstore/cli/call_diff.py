"""Executions that differ, as a tree of the calls that do.

    roll_sum(num_rolls=2)   7 → 8
    └─ 1  roll_die(sides=6)   5 → 6   same code, same input: a new sample

What a call was asked, its code and a long outcome stand below it, where they
changed.  Where several calls differ, the first divergence stands on top, and
what only follows from something before it or above it is grey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from gvstore.cli import units
from gvstore.cli.call_line import called, ending, raised_line, raised_parts
from gvstore.cli.call_tree import FIRST, LATEST, MANY
from gvstore.cli.code_change import CodeChanges
from gvstore.cli.file_diff import hunk_lines
from gvstore.cli.output import HIDDEN
from gvstore.cli.run_stat import StatsDiffer, stats_differ
from gvstore.cli.style import PLAIN, Paint
from gvstore.cli.subject import Subject
from gvstore.cli.value_diff import ChangedValue, changed_values
from gvstore.cli.value_text import value_line
from gvstore.compare.calls import CallChange, CallDiff, CallPair
from gvstore.compare.text import diff_lines
from gvstore.errors import BadRev
from gvstore.journal.compare import ComparedCall, compare_invocations
from gvstore.journal.invocation import Invocation

_ON_LINE = 32  # an outcome up to this long stands on the call's line
_BELOW = 96
_MAX_DETAILS = 12
_ARGUMENTS = 48
_COMPLETE = "gvstore.models.completion.complete"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call on one side."""

    status: str
    output: object
    raised: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class ChangedCall:
    """A call that differs; a path, arguments or outcome is null on the side where the call is not.

    `cause` tells what differs of itself, not because of something above or before it, `why` in words what changed.
    """

    change: str
    component: str
    old_path: str | None
    new_path: str | None
    cause: bool
    code_changed: bool
    input_changed: bool
    outcome_changed: bool
    why: str
    same_below: int
    old: Outcome | None
    new: Outcome | None
    inputs: tuple[ChangedValue, ...]


@dataclass(frozen=True, slots=True)
class CallsDiffer:
    """How two executions differ: the calls that do, depth first; `first` is the path of the first divergence.

    `notes` tell what changed for all calls at once: files that were read when modules were imported.
    """

    old: str
    new: str
    same: bool
    first: str | None
    counts: dict[str, int]
    notes: list[str]
    calls: list[ChangedCall]
    root: CallPair = field(metadata=HIDDEN)
    on_top: CallPair | None = field(metadata=HIDDEN)
    changes: CodeChanges = field(metadata=HIDDEN)
    full: bool = field(default=False, metadata=HIDDEN)

    @property
    def differ(self) -> bool:
        """Whether there is a difference."""
        return not self.same

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.same:
            yield "the same calls with the same outcomes"
            return
        shown = _Sources(self.changes)
        yield from (paint("changed", note) for note in self.notes)
        if self.on_top is not None:
            yield f"{paint('title', 'first divergence:')} {_line(self.on_top, paint, self.changes, full_path=True)}"
        yield _line(self.root, paint, self.changes)
        top = _told_below(self.root, full=self.full)
        yield from _details(self.root, "│  " if top else "   ", paint, shown)
        stack = [("", top, 0)]
        while stack:
            indent, pairs, at = stack.pop()
            if at == len(pairs):
                continue
            if not self.full and at == FIRST and len(pairs) > MANY:
                hidden = pairs[FIRST:-LATEST]
                yield paint("quiet", f"{indent}├─ …  {_hidden(hidden)}; --full shows all")
                stack.append((indent, pairs, len(pairs) - LATEST))
                continue
            pair, last = pairs[at], at + 1 == len(pairs)
            yield f"{paint('quiet', indent + ('└─ ' if last else '├─ '))}{_line(pair, paint, self.changes)}"
            below, inner = indent + ("   " if last else "│  "), _told_below(pair, full=self.full)
            yield from _details(pair, below + ("│  " if inner else "   "), paint, shown)
            stack.append((indent, pairs, at + 1))
            stack.append((below, inner, 0))


def _told_below(pair: CallPair, *, full: bool) -> Sequence[CallPair]:
    """Returns the pairs below one that are shown: a step of a pipeline tells of its prompt and answer itself, but with `full`."""
    call = _invocation(pair.node)
    if full or call is None or call.component.flavor != "step":
        return pair.children
    return [each for each in pair.children if each.node.component != _COMPLETE]


def _hidden(pairs: Sequence[CallPair]) -> str:
    """Returns `49,968 more calls that differ (49,968 removed)`: of a long row the first and the latest are shown."""
    counts = Counter(pair.change.value for pair in pairs)
    told = ", ".join(f"{count:,} {change}" for change, count in counts.items())
    return f"{units.count(len(pairs), 'more call')} that differ ({told})"


def stat_calls(old: Subject, new: Subject) -> StatsDiffer:
    """Returns what two runs, or calls of runs, took, and how many of their calls differ.

    Raises:
        BadRev: one of them has no calls.
    """
    roots = _root(old), _root(new)
    found = compare_invocations(*roots, CodeChanges(old.run, new.run).differs)
    return stats_differ(old, new, roots, _counts(found), same=found.is_same)


def _counts(found: CallDiff) -> dict[str, int]:
    return {change.value.replace(" ", "_"): count for change, count in found.counts.items()}


def diff_calls(old: Subject, new: Subject, *, rows: bool, full: bool = False) -> CallsDiffer:
    """Returns how two runs, or calls of runs, differ; `rows` lists the calls for `--json`.

    Raises:
        BadRev: one of them has no calls.
    """
    changes = CodeChanges(old.run, new.run)
    found: CallDiff = compare_invocations(_root(old), _root(new), changes.differs)
    first = found.first
    return CallsDiffer(
        old=old.name,
        new=new.name,
        same=found.is_same,
        first=None if first is None else _path(first.new_path if first.new_path is not None else first.old_path),
        counts=_counts(found),
        notes=changes.of_imports() if old.path == new.path == () else [],
        calls=[_row(pair, changes) for pair in found.root.walk()] if rows and not found.is_same else [],
        root=found.root,
        on_top=_on_top(found),
        changes=changes,
        full=full,
    )


def _on_top(found: CallDiff) -> CallPair | None:
    """Returns the first divergence where it has to be looked for: below the root, and not alone."""
    first = found.first
    if first is None or first is found.root:
        return None
    diverge = (pair for pair in found.root.walk() if pair.change is not CallChange.BELOW)
    return first if len(list(islice(diverge, 2))) > 1 else None


def _root(subject: Subject) -> Invocation:
    if subject.call is not None:
        return subject.call
    if subject.run is None:
        raise BadRev(f"{subject.name} has no calls", hint="`gv runs` lists the runs.")
    return subject.run.invocation


def _invocation(node: object) -> Invocation | None:
    return node.invocation if isinstance(node, ComparedCall) else None


def _path(path: tuple[int, ...] | None) -> str | None:
    return None if path is None else ".".join(map(str, path))


def _follows(pair: CallPair) -> bool:
    """Returns whether a pair differs only because of something above or before it."""
    return not pair.cause and pair.change is not CallChange.BELOW


def _line(pair: CallPair, paint: Paint, changes: CodeChanges, *, full_path: bool = False) -> str:
    """Returns one pair on one line: number, call, outcomes, why; grey where it only follows from something else."""
    if not full_path and _follows(pair):
        return paint("quiet", _plain_line(pair, PLAIN, changes, full_path=False))
    return _plain_line(pair, paint, changes, full_path=full_path)


def _plain_line(pair: CallPair, paint: Paint, changes: CodeChanges, *, full_path: bool) -> str:
    old, new = _invocation(pair.old), _invocation(pair.new)
    call = new or old
    assert call is not None
    path = pair.new_path if pair.new_path is not None else pair.old_path
    number = f"{(_path(path) if full_path else path[-1])}  " if path else ""
    head = f"{number}{called(call, paint, _ARGUMENTS)}"
    if old is None:
        return f"{head}{ending(call, PLAIN)}   {paint('added', 'added')}"
    if new is None:
        return f"{head}{ending(call, PLAIN)}   {paint('removed', 'removed')}"
    why = _why(pair, old, new, changes)
    return f"{head}{_outcomes(old, new, paint)}{'   ' + why if why else ''}"


def divergence_line(pair: CallPair, paint: Paint, changes: CodeChanges) -> str:
    """Returns where two executions first differ, and why: `0.1, ask(prompt='a'): its code changed`."""
    old, new = _invocation(pair.old), _invocation(pair.new)
    call = new or old
    assert call is not None
    where = _path(pair.new_path if pair.new_path is not None else pair.old_path) or "the root call"
    why = "added" if old is None else "removed" if new is None else _why(pair, old, new, changes)
    return f"{where}, {called(call, paint, _ARGUMENTS)}{f': {why}' if why else ''}"


def _outcomes(old: Invocation, new: Invocation, paint: Paint) -> str:
    """Returns `   7 → 8`; long outcomes stand below, equal ones once."""
    before, after = _ending(old), _ending(new)
    if before == after and old.call.outcome == new.call.outcome:
        return ending(new, PLAIN)
    if max(len(before), len(after)) > _ON_LINE:
        return ""
    return f"   {paint('removed', before)} → {paint('added', after)}"


def _ending(call: Invocation, width: int = _ON_LINE + 8) -> str:
    """Returns `7`, `raised ValueError: no`, or what else became of a call."""
    if call.status == "ok":
        return value_line(call.output, width)
    if call.status == "raised":
        return f"raised {raised_line(call.get_raised(), width)}"
    return call.status


def _why(pair: CallPair, old: Invocation, new: Invocation, changes: CodeChanges) -> str:
    if pair.change is CallChange.NEW_SAMPLE:
        return "same code, same input: a new sample"
    if pair.change is CallChange.CODE:
        why = changes.of(old, new).why
        if old.component.name != new.component.name:
            return why
        return f"{why}, and its input" if pair.input_changed else why
    if pair.change is CallChange.MOVED:
        moved = f"it was call {_path(pair.old_path)}"
        return f"{moved}, and its input changed" if pair.input_changed else moved
    return "its input changed" if pair.change is CallChange.INPUT else ""


class _Sources:
    """Which changed components were shown: a hundred calls of one show its code once."""

    def __init__(self, changes: CodeChanges) -> None:
        self._changes = changes
        self._seen: set[tuple[str, str]] = set()

    def new_texts(self, old: Invocation, new: Invocation) -> tuple[str, str] | None:
        """Returns the texts of a change of code, if they can be shown and were not yet."""
        change = self._changes.of(old, new)
        key = (change.old, change.new)
        if change.old == change.new or key in self._seen:
            return None
        self._seen.add(key)
        return key


def _details(pair: CallPair, indent: str, paint: Paint, shown: _Sources) -> Iterator[str]:
    """Yields what stands below a call: the change of its code, of its input, and long outcomes; grey as its line."""
    if paint.colour and _follows(pair):
        yield from (paint("quiet", line) for line in _details(pair, indent, PLAIN, shown))
        return
    old, new = _invocation(pair.old), _invocation(pair.new)
    if old is None or new is None:
        return
    margin = paint("quiet", indent)
    texts = shown.new_texts(old, new) if pair.code_changed else None
    if texts is not None:
        for hunk in diff_lines(*texts, context=1).hunks:
            yield from (f"{margin}{line}" for line in hunk_lines(hunk, paint))
    inputs = _inputs(pair, old, new)
    yield from (f"{margin}{value.line(paint)}" for value in inputs[:_MAX_DETAILS])
    if len(inputs) > _MAX_DETAILS:
        yield f"{margin}… and {len(inputs) - _MAX_DETAILS} more differences of its input"
    if pair.outcome_changed and max(len(_ending(old)), len(_ending(new))) > _ON_LINE:
        yield from (f"{margin}{line}" for line in _long_outcomes(old, new, paint))


def _long_outcomes(old: Invocation, new: Invocation, paint: Paint) -> Iterator[str]:
    if old.status == new.status == "ok":
        changed = changed_values(old.output, new.output)
        for value in changed[:_MAX_DETAILS]:
            yield f"output{'' if value.path else '   '}{value.line(paint)}"
        if len(changed) > _MAX_DETAILS:
            yield f"… and {len(changed) - _MAX_DETAILS} more differences of its output"
    else:
        yield paint("removed", f"- {_ending(old, _BELOW)}")
        yield paint("added", f"+ {_ending(new, _BELOW)}")


def _inputs(pair: CallPair, old: Invocation, new: Invocation) -> tuple[ChangedValue, ...]:
    """Returns how the arguments differ, named as the parameters are."""
    if not pair.input_changed:
        return ()
    changed = changed_values({"self": old.state, **old.args}, {"self": new.state, **new.args})
    return tuple(value.named_by_key() for value in changed)


def _row(pair: CallPair, changes: CodeChanges) -> ChangedCall:
    old, new = _invocation(pair.old), _invocation(pair.new)
    call = new or old
    assert call is not None
    return ChangedCall(
        change=pair.change.value.replace(" ", "_"),
        component=call.component.name,
        old_path=_path(pair.old_path),
        new_path=_path(pair.new_path),
        cause=pair.cause,
        code_changed=pair.code_changed,
        input_changed=pair.input_changed,
        outcome_changed=pair.outcome_changed,
        why=_why(pair, old, new, changes) if old is not None and new is not None else "",
        same_below=pair.same,
        old=_outcome(old),
        new=_outcome(new),
        inputs=_inputs(pair, old, new) if old is not None and new is not None else (),
    )


def _outcome(call: Invocation | None) -> Outcome | None:
    if call is None:
        return None
    kind, message = raised_parts(call.get_raised())
    raised = {"type": kind, "message": message} if call.status == "raised" else None
    return Outcome(call.status, call.get_output(), raised)
