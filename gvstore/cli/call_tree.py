"""The tree of calls, as lines and as rows.

    roll_sum(num_rolls=2) = 7
    ├─ 0  roll_die(sides=6) = 2
    └─ 1  roll_die(sides=6) = 5

The tree is walked as it is printed: of a run of a million calls the first
page shows at once.  What a call cost stands quietly behind it: its tokens,
its time from 10 ms on, or that it was reused.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from typing import NamedTuple

from gvstore.cli import units
from gvstore.cli.call_line import call_line, raised_parts
from gvstore.cli.style import Paint
from gvstore.cli.value_text import MARK, WHOLE
from gvstore.journal.address import calls_of, format_path
from gvstore.journal.invocation import Invocation
from gvstore.journal.mode import matches
from gvstore.journal.timing import Timing, timing_below
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.protocol import ObjectReader

_BRANCH, _LAST, _PASS, _BLANK = "├─ ", "└─ ", "│  ", "   "
_LEAST_US = 10_000  # shorter calls do not tell how long they took
_TOKENS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
_DEEP = 40  # levels that are indented; what is deeper shows with --depth or --full
_NARROW = 40  # a line is never cut shorter
MANY, FIRST, LATEST = 40, 24, 8  # of more calls than `MANY` in a row the first and the latest are shown


@dataclass(frozen=True, slots=True)
class CallRow:
    """One call of a list under `--json`: where it stands, what went in, what came out."""

    path: str
    component: str
    status: str
    arguments: dict[str, object]
    state: object
    output: object
    raised: object
    oid: ObjectId
    started_us: int | None
    duration_us: int | None
    reused: bool


class Walk(NamedTuple):
    """How much of a tree is shown: `depth` levels, None for all; `calls` of components that a pattern matches.

    Without `full` the middle of long rows is left out, and lines end where the terminal does.
    """

    depth: int | None = None
    full: bool = False
    calls: tuple[str, ...] = ()


class _Row(NamedTuple):
    """One line: a call with its number and time, or where `call` is None, `number` calls that are left out."""

    number: int
    call: Invocation | None
    timing: Timing | None
    is_last: bool = False


def root_line(root: Invocation, paint: Paint, timing: Timing | None, walk: Walk) -> str:
    """Returns the line above a tree."""
    return _line("", root, paint, timing, walk)


def _line(before: str, call: Invocation, paint: Paint, timing: Timing | None, walk: Walk) -> str:
    """Returns a call on a line, with what stands before it and what it cost."""
    cost = call_cost(call, timing)
    width = WHOLE if walk.full else max(paint.width - len(before) - len(cost), _NARROW)
    return call_line(call, paint, width=width) + paint("quiet", cost)


def tree_lines(root: Invocation, paint: Paint, timing: Timing | None, walk: Walk) -> Iterator[str]:
    """Yields the calls below `root`, with their numbers; those that `walk.calls` matches as a list, by their paths."""
    if walk.depth is None and not walk.full and root.component.flavor == "pipeline":
        walk = walk._replace(depth=1)  # a line a step
    if walk.calls:
        yield from _matching_lines(root, paint, timing, walk)
        return
    stack = [("", _rows(root, timing, walk), timing)]
    levels = sys.maxsize if walk.depth is None else walk.depth
    folds = walk.depth is None and not walk.full
    while stack:
        indent, rows, above = stack.pop()
        if len(stack) >= levels:
            continue
        row = next(rows, None)
        if row is None:
            continue
        stack.append((indent, rows, above))
        if row.call is None:
            more = f"{MARK}  {units.count(row.number, 'more call')}; --full shows all"
            yield paint("quiet", f"{indent}{_BRANCH}{more}")
            continue
        branch = indent + (_LAST if row.is_last else _BRANCH)
        told = row.timing if above is None or not above.reused else None
        line = _line(f"{branch}{row.number}  ", row.call, paint, told, walk)
        yield f"{paint('quiet', branch)}{row.number}  {line}"
        if len(row.call) and folds and len(stack) >= _DEEP:
            below = indent + (_BLANK if row.is_last else _PASS) + _LAST
            yield paint("quiet", f"{below}{MARK}  {_levels_below(row.call)}; --depth {2 * _DEEP} shows more, --full all")
        elif len(row.call):
            stack.append((indent + (_BLANK if row.is_last else _PASS), _rows(row.call, row.timing, walk), row.timing))


def _levels_below(call: Invocation) -> str:
    """Returns `460 more levels`: along the first call of each."""
    levels = 0
    while len(call):
        call = call.get_child(0)
        levels += 1
    return f"at least {units.count(levels, 'more level')} of calls"


def _matching_lines(root: Invocation, paint: Paint, timing: Timing | None, walk: Walk) -> Iterator[str]:
    for path, call in matching_calls(root, walk):
        timed = timing_below(timing, path, call.store.objects) if timing is not None else None
        number = format_path(path)
        yield f"{paint('run', number)}  {_line(f'{number}  ', call, paint, timed, walk)}"


def matching_calls(root: Invocation, walk: Walk) -> Iterator[tuple[tuple[int, ...], Invocation]]:
    """Yields (path, call) of the calls below `root` whose components a pattern of `walk.calls` matches, depth first."""
    levels = sys.maxsize if walk.depth is None else walk.depth
    for path, call in calls_of(root, lambda name: any(matches(name, pattern) for pattern in walk.calls)):
        if 0 < len(path) <= levels:
            yield path, call


def _rows(call: Invocation, timing: Timing | None, walk: Walk) -> Iterator[_Row]:
    """Yields the calls that `call` made, in order."""
    reader, count = call.store.objects, len(call)
    head = count if walk.full or count <= MANY else FIRST
    times = iter(timing.below(reader)) if timing is not None and not timing.reused else None
    for number, child in zip(range(head), call.get_children(), strict=False):
        yield _Row(number, child, next(times, None) if times is not None else timing, number + 1 == count)
    if head < count:
        yield _Row(count - head - LATEST, None, None)
        for number in range(count - LATEST, count):
            timed = timing.child(number, reader) if timing is not None else None
            yield _Row(number, call.get_child(number), timed, number + 1 == count)


def call_cost(call: Invocation, timing: Timing | None) -> str:
    """Returns what a call cost, behind its line: its tokens, its time, or that it was reused."""
    if timing is None:
        return ""
    if timing.reused:
        return "   reused"
    if call.component.flavor == "step":
        return _step_cost(call, timing)
    is_step = call.component.flavor == "action"
    tokens = 0 if is_step else _tokens(call.get_output())
    parts = [units.count(tokens, "token")] if tokens else []
    parts += [units.duration(timing.duration_us)] if is_step or timing.duration_us >= _LEAST_US else []
    return "   " + ", ".join(parts) if parts else ""


def _step_cost(call: Invocation, timing: Timing) -> str:
    """Returns which models a step of a pipeline asked, their tokens, its time."""
    from gvstore.cli.pipeline_line import models_of

    models = models_of(call)
    tokens = sum(models.values())
    parts = [*models, *([units.count(tokens, "token")] if tokens else []), units.duration(timing.duration_us)]
    return "   " + ", ".join(parts)


def _tokens(output: object) -> int:
    """Returns the tokens that a completion counts, or its `usage`, as the clients of OpenAI and Anthropic do; else 0."""
    for told in (output, _part(output, "usage")):
        counts = [_part(told, name) for name in _TOKENS]
        if any(type(count) is int for count in counts):
            return sum(count for count in counts if type(count) is int)
    return 0


def _part(value: object, name: str) -> object:
    if isinstance(value, Unresolved):
        return value.fields.get(name)
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, name, None) if is_dataclass(value) or hasattr(type(value), "model_fields") else None


def call_rows(
    root: Invocation, reader: ObjectReader, timing: Timing | None, walk: Walk, path: Sequence[int] = ()
) -> list[CallRow]:
    """Returns `root` and all calls below it, or those that are looked for, depth first; their paths go on from `path`."""
    if walk.calls:
        found = matching_calls(root, walk)
        return [_row((*path, *at), call, timing and timing_below(timing, at, reader)) for at, call in found]
    rows = []
    stack: list[tuple[tuple[int, ...], Invocation, Timing | None]] = [(tuple(path), root, timing)]
    while stack:
        at, call, timed = stack.pop()
        rows.append(_row(at, call, timed))
        if walk.depth is not None and len(at) - len(path) >= walk.depth:
            continue
        children = list(call.get_children())
        times = _times_below(timed, reader, len(children))
        stack += reversed([((*at, i), child, times[i]) for i, child in enumerate(children)])
    return rows


def _times_below(timed: Timing | None, reader: ObjectReader, count: int) -> list[Timing | None]:
    if timed is None or timed.reused:
        return [timed] * count
    below: list[Timing | None] = list(timed.below(reader))
    return below + [None] * (count - len(below))


def _row(path: tuple[int, ...], call: Invocation, timed: Timing | None) -> CallRow:
    executed = timed is not None and not timed.reused
    error = call.get_raised()
    kind, message = raised_parts(error)
    return CallRow(
        path=".".join(map(str, path)),
        component=call.component.name,
        status=call.status,
        arguments=call.args,
        state=call.state,
        output=call.get_output(),
        raised=None if error is None else {"type": kind, "message": message},
        oid=call.oid,
        started_us=timed.started_us if timed is not None and executed else None,
        duration_us=timed.duration_us if timed is not None and executed else None,
        reused=timed is not None and timed.reused,
    )
