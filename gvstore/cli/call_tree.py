"""Calls as lines: `roll_sum(num_rolls=2) = 7`, and the tree of them.

    roll_sum(num_rolls=2) = 7
    ├─ 0  roll_die(sides=6) = 2
    └─ 1  roll_die(sides=6) = 5

The tree is walked as it is printed: of a run of a million calls the first
page shows at once.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gvstore.cli.style import Paint
from gvstore.cli.value_text import MARK, arguments_line, text_line, value_line
from gvstore.journal.fault import RecordedError
from gvstore.journal.invocation import Invocation
from gvstore.journal.timing import Timing
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader

_ARGUMENTS_WIDTH = 64
_OUTPUT_WIDTH = 64
_BRANCH, _LAST, _PASS, _BLANK = "├─ ", "└─ ", "│  ", "   "


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


def call_line(call: Invocation, paint: Paint, *, names: bool = True) -> str:
    """Returns one call with its arguments and how it ended; without `names` only the arguments' values."""
    arguments = arguments_line(call.args, _ARGUMENTS_WIDTH, names=names)
    receiver = "" if call.state is None else f" on {value_line(call.state, _ARGUMENTS_WIDTH)}"
    return f"{paint('call', call.name)}({arguments}){receiver}{ending(call, paint)}"


def ending(call: Invocation, paint: Paint) -> str:
    """Returns ` = 7`, ` raised ValueError: no`, or what else became of a call."""
    if call.status == "ok":
        return f" = {value_line(call.output, _OUTPUT_WIDTH)}"
    if call.status == "raised":
        return paint("bad", f" raised {raised_line(call.get_raised())}")
    if call.status == "unfinished":
        return paint("quiet", f" {MARK}")
    return paint("quiet", f" {call.status}")


def raised_line(error: BaseException | None) -> str:
    """Returns `ValueError: no` on one line."""
    kind, message = raised_parts(error)
    return f"{kind}: {text_line(message, _OUTPUT_WIDTH)}" if message else kind


def raised_parts(error: BaseException | None) -> tuple[str, str]:
    """Returns the name of an exception's class and its message; of one whose class is not loaded, as recorded."""
    if isinstance(error, RecordedError):
        kind, _, message = str(error).partition(": ")
        return kind, message
    return type(error).__name__, str(error)


def tree_lines(root: Invocation, paint: Paint, *, depth: int | None = None) -> Iterator[str]:
    """Yields the calls below `root`, with their numbers; `depth` levels of them."""
    stack: list[tuple[str, Iterator[Invocation], int, int]] = [("", root.get_children(), 0, len(root))]
    levels = sys.maxsize if depth is None else depth
    while stack:
        indent, calls, number, count = stack.pop()
        if len(stack) >= levels:
            continue
        call = next(calls, None)
        if call is None:
            continue
        last = number + 1 == count
        yield f"{paint('quiet', indent + (_LAST if last else _BRANCH))}{number}  {call_line(call, paint)}"
        stack.append((indent, calls, number + 1, count))
        if len(call):
            stack.append((indent + (_BLANK if last else _PASS), call.get_children(), 0, len(call)))


def call_rows(root: Invocation, reader: ObjectReader, timing: Timing | None, path: Sequence[int] = ()) -> list[CallRow]:
    """Returns `root` and all calls below it, depth first; their paths go on from `path`."""
    rows = []
    stack: list[tuple[tuple[int, ...], Invocation, Timing | None]] = [(tuple(path), root, timing)]
    while stack:
        at, call, timed = stack.pop()
        rows.append(_row(at, call, timed))
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
