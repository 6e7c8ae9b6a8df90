"""What a replay would do with the recorded calls, before it does anything.

The plan asks what the replay itself asks (`Replayer.judge`), so the two agree
on every recorded call that the program makes again.  Whether it makes it
again shows only when it runs: a call after one that is executed may be asked
otherwise, or not at all.  Such calls are *unsure*.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from gvstore.errors import Corrupt
from gvstore.journal.invocation import Invocation
from gvstore.journal.mode import ReplayMode
from gvstore.journal.pick import with_picks
from gvstore.journal.replayer import Replayer, Verdict, Why
from gvstore.journal.timing import Timing
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import PartList, outcome_number, part_body
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split
from gvstore.store.ref import Ref

if TYPE_CHECKING:
    from gvstore.journal.drift import Edit

REUSE: Final = "reuse"
RUN: Final = "run"
SET: Final = "set"
ASK: Final = "ask"
_TOLD: Final = {
    Why.LIVE: "live", Why.REPEAT: 'effect="repeat"', Why.RAISED: "it raised", Why.WAITING: "it waits for an answer",
    Why.CANCELLED: "it was cancelled", Why.UNFINISHED: "unfinished", Why.OPAQUE: "its output could not be stored",
    Why.BELOW: "a call below it runs", Why.SET: "set",
}  # fmt: skip
_TOKENS: Final = ("prompt_tokens", "completion_tokens")
_MARK: Final = b"completion_tokens"
_OPEN: Final = (Why.UNFINISHED, Why.RAISED, Why.CANCELLED, Why.WAITING)


class PlannedCall(NamedTuple):
    """One recorded call: `action` is reuse, run, set or ask; what is reused stands for all `calls` of its subtree.

    `tokens` and `duration_us` are what it cost when it was recorded, without
    the calls below it that have lines of their own.
    """

    path: tuple[int, ...]
    part: bytes
    component: str
    action: str
    reason: str
    unsure: bool
    calls: int
    tokens: int
    duration_us: int
    opens: bool = False  # it will also make calls that the record does not have
    value: object = None  # that it is set to

    def __repr__(self) -> str:
        where = ".".join(map(str, self.path)) or "root"
        return f"<{where} {self.component}: {self.action}{', ' + self.reason if self.reason else ''}>"


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """All of it: counts of calls below the root, as the result tells them.

    `reuse` and `run` are certain as far as anything is; `unsure` calls are
    answered if the program asks the same again.  `is_open` tells that it will
    also make calls that the record does not have.  `reasons` are those of
    stale calls, each once; `edits` holds of some what a text was and what it is;
    `trusted` are those of calls that are answered all the same.  `complete`
    says that there is nothing to do.
    """

    calls: tuple[PlannedCall, ...]
    reuse: int
    run: int
    unsure: int
    asks: int
    is_open: bool
    complete: bool
    reasons: tuple[str, ...]
    edits: dict[str, Edit]
    trusted: tuple[str, ...]
    tokens: int
    duration_us: int

    def __repr__(self) -> str:
        if self.complete:
            return "<Plan: nothing to do>"
        unsure = f", {self.unsure:,} reused if asked the same" if self.unsure else ""
        return f"<Plan: reuse {self.reuse:,}, run {self.run:,}{' and what is new' if self.is_open else ''}{unsure}>"


class _Todo(NamedTuple):
    path: tuple[int, ...]
    part: bytes
    elements: list[bytes]
    verdict: Verdict
    timing: Timing | None
    forced: bool  # it comes at or after the call that the replay begins at
    changed: bool  # it lies below a call whose code changed


def is_complete(invocation: Invocation, mode: ReplayMode | None = None) -> bool:
    """Returns whether a replay has nothing to do: the root call returned, and it and all below it still hold."""
    mode = mode or ReplayMode()
    if mode.start is not None or mode.picks or not invocation.successful():
        return False
    replayer = Replayer(invocation.store.objects, root=invocation.store.root, mode=mode)
    return _root_verdict(invocation, replayer).why is None


def plan_replay(invocation: Invocation, mode: ReplayMode | None = None, times: bytes = NIL) -> Plan:
    """Returns what a replay would do with the calls of an invocation; `times` are those of its run."""
    mode = mode or ReplayMode()
    reader = invocation.store.objects
    replayer = Replayer(reader, root=invocation.store.root, mode=mode)
    invocation = with_picks(invocation, mode.picks)
    verdict = _root_verdict(invocation, replayer)
    complete = verdict.why is None and mode.start is None
    planned = tuple(_walk(invocation, replayer, verdict, None if times == NIL else Timing.parse(times, reader)))
    below = [each for each in planned if each.path] if not complete else []
    sums = {
        action: sum(each.calls for each in below if each.action == action and not each.unsure)
        for action in (REUSE, RUN, SET)
    }
    stale = replayer.stale_below(invocation.part) if not replayer.is_fresh(invocation.part) else iter(())
    reasons = tuple(dict.fromkeys((*(why for _, _, why in stale), *mode.reasons.values())))
    return Plan(
        calls=planned,
        reuse=verdict.calls - 1 if complete else sums[REUSE] + sums[SET],
        run=sums[RUN],
        unsure=sum(each.calls for each in below if each.unsure),
        asks=sum(each.action == ASK for each in below),
        is_open=not complete and any(each.opens for each in planned),
        complete=complete,
        reasons=reasons,
        edits={why: replayer.drift.edits[why] for why in reasons if why in replayer.drift.edits},
        trusted=tuple(dict.fromkeys(replayer.trusted.values())),
        tokens=sum(each.tokens for each in below),
        duration_us=sum(each.duration_us for each in planned),
    )


def _root_verdict(invocation: Invocation, replayer: Replayer) -> Verdict:
    elements = split(part_body(invocation.part, replayer.reader))
    return replayer.judge((), invocation.part, elements, (), is_root=True)


def _walk(root: Invocation, replayer: Replayer, verdict: Verdict, timing: Timing | None) -> Iterator[PlannedCall]:
    """Yields the root and the recorded calls below it, depth first, as far as they are not reused as a whole."""
    reader, mode = replayer.reader, replayer.mode
    elements = split(part_body(root.part, reader))
    stack = [_Todo((), root.part, elements, verdict, timing, False, False)]
    ran = False  # something before this call is executed or set, and what follows may be another
    while stack:
        todo = stack.pop()
        name = replayer.component(todo.elements[1]).name
        children = todo.elements[4] if len(todo.elements) > 4 else NIL
        above = mode.start is not None and mode.start[: len(todo.path)] == todo.path and todo.path != mode.start
        if todo.verdict.why is Why.SET:
            value = mode.sets[todo.path]
            value = value.checkout() if isinstance(value, Ref) else value
            yield PlannedCall(todo.path, todo.part, name, SET, _TOLD[Why.SET], ran or todo.changed, 1, 0, 0, value=value)
            ran = True
            continue
        undefined = todo.verdict.why is Why.STALE and bool(todo.path) and replayer.is_undefined(todo.elements[1])
        if (todo.verdict.why is None or undefined) and not todo.forced and not above:
            unsure = ran or todo.changed or undefined
            cost = _cost_below(todo, reader) if unsure else (0, 0)
            picked = "picked" if todo.path in mode.picks else ""
            yield PlannedCall(todo.path, todo.part, name, REUSE, picked, unsure, todo.verdict.calls, *cost)
            ran = ran or picked != ""
            continue
        again = todo.forced and replayer.standing(todo.elements[1]).effect == "once" and not mode.effects
        action = ASK if again or todo.verdict.held else RUN
        below = _children(todo, children, replayer) if action == RUN else []
        cost = _cost(todo, bool(below), [each.timing for each in below], reader)
        reason = _reason(todo, above=above)
        yield PlannedCall(todo.path, todo.part, name, action, reason, False, 1, *cost, _opens(todo, bool(below)))
        ran = ran or (bool(todo.path) and (not below or todo.verdict.why is Why.STALE))
        stack += reversed(below)


def _opens(todo: _Todo, has_below: bool) -> bool:
    """Returns whether a call that runs may well make calls that it had not made: where it stopped, or was edited."""
    if todo.verdict.why in _OPEN:
        return has_below or not todo.path
    return todo.verdict.stale != "" and (has_below or not todo.path)


def _reason(todo: _Todo, *, above: bool) -> str:
    why = todo.verdict.why
    if above and why is None:
        return _TOLD[Why.BELOW]
    if todo.forced or why is None:
        return "from here on"
    return todo.verdict.stale if why is Why.STALE else _TOLD[why]


def _children(todo: _Todo, children: bytes, replayer: Replayer) -> list[_Todo]:
    """Returns the calls that a call which runs had made, each with what becomes of it."""
    reader, mode = replayer.reader, replayer.mode
    rows = [(part, split(part_body(part, reader))) for part in PartList(children, reader)]
    later: dict[tuple[str, bytes], list[list[bytes]]] = {}
    asked = [_identity(elements, replayer) for _, elements in rows]
    for key, (_, elements) in zip(reversed(asked), reversed(rows), strict=True):
        later.setdefault(key, []).append(elements)
    times = _times(todo.timing, len(rows), reader)
    changed = todo.changed or todo.verdict.why is Why.STALE
    found = []
    for at, (part, elements) in enumerate(rows):
        following = later[asked[at]]
        following.pop()
        path = (*todo.path, at)
        forced = todo.forced or (mode.start is not None and path >= mode.start)
        verdict = replayer.judge(path, part, elements, following)
        found.append(_Todo(path, part, elements, verdict, times[at], forced, changed))
    return found


def _identity(elements: list[bytes], replayer: Replayer) -> tuple[str, bytes]:
    return replayer.component(elements[1]).name, (elements[5] if len(elements) > 5 else NIL) + elements[2]


def _times(timing: Timing | None, count: int, reader: ObjectReader) -> list[Timing | None]:
    if timing is None or timing.reused or timing.children == NIL:
        return [None] * count
    below: list[Timing | None] = [None if each.reused else each for each in timing.below(reader)]
    return (below + [None] * count)[:count]


def _cost(todo: _Todo, has_below: bool, times: list[Timing | None], reader: ObjectReader) -> tuple[int, int]:
    """Returns the tokens and the time that a call took by itself."""
    tokens = 0 if has_below else tokens_of(todo.elements, reader)
    if todo.timing is None:
        return tokens, 0
    return tokens, max(0, todo.timing.duration_us - sum(each.duration_us for each in times if each is not None))


def _cost_below(todo: _Todo, reader: ObjectReader) -> tuple[int, int]:
    """Returns the tokens and the time of a whole subtree that may be executed after all."""
    tokens, stack = 0, [todo.elements]
    while stack:
        elements = stack.pop()
        if len(elements) > 4 and elements[4] != NIL:
            stack += [split(part_body(part, reader)) for part in PartList(elements[4], reader)]
        else:
            tokens += tokens_of(elements, reader)
    return tokens, 0 if todo.timing is None else todo.timing.duration_us


def tokens_of(elements: list[bytes], reader: ObjectReader) -> int:
    """Returns the tokens that a recorded completion counts; of any other call none."""
    outcome = elements[3] if len(elements) > 3 else NIL
    if outcome_number(outcome) != number.RETURNED:
        return 0
    value = outcome[2:]
    oid = linked(value)
    try:
        if _MARK not in (value if oid is None else reader.read(oid)):
            return 0
        output = decode(split(outcome)[1], reader)
    except Corrupt:
        return 0
    counts = [getattr(output, "fields", {}).get(name, getattr(output, name, None)) for name in _TOKENS]
    return sum(count for count in counts if type(count) is int)
