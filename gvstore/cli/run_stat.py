"""What two executions took, side by side: calls, tokens by model, time, cost.

            run/1     run/3
calls           5         5
executed        5         1     -4
tokens      1,234     1,310    +76
  gpt-4o    1,000     1,060    +60
time        3.1 s     1.2 s   -1.9 s
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from gvstore.cli import units
from gvstore.cli.output import HIDDEN
from gvstore.cli.shown_code import LibraryChange, libraries_of, library_changes
from gvstore.cli.style import Paint
from gvstore.cli.subject import Subject
from gvstore.errors import Corrupt
from gvstore.journal.counting import count_calls, is_leaf_call
from gvstore.journal.invocation import Invocation
from gvstore.journal.timing import Timing, timing_of
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import PartList, outcome_number, part_body
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import LINK_BYTES, LINK_HEAD, linked, split

_TOKENS = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
_MARK = b"_tokens"
_BEHIND_COMPONENT = 2 + LINK_BYTES  # of a call's array: what stands before is always a link
_UNNAMED = "of no named model"
_LIBRARIES = 8


@dataclass(frozen=True, slots=True)
class Took:
    """One side: `tokens` by model are those of all its calls, answered ones too; time and cost are null where none is told.

    `executed` counts the calls that its run executed; null for a part of a run.
    """

    calls: int
    executed: int | None
    tokens: dict[str, int]
    duration_us: int | None
    cost_microusd: int | None


@dataclass(frozen=True, slots=True)
class StatsDiffer:
    """What two executions took, and how many of their calls differ in which way; `libraries` are those of another version."""

    old: str
    new: str
    same: bool
    counts: dict[str, int]
    took: tuple[Took, Took]
    libraries: list[LibraryChange]
    rows: tuple[tuple[str, str, str, str], ...] = field(metadata=HIDDEN)

    @property
    def differ(self) -> bool:
        """Whether there is a difference in what was called and what came of it."""
        return not self.same

    def lines(self, paint: Paint) -> Iterator[str]:
        rows = [("", self.old, self.new, ""), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for name, old, new, change in rows:
            line = f"{name.ljust(widths[0])}  {old.rjust(widths[1])}  {new.rjust(widths[2])}  {change.rjust(widths[3])}"
            yield paint("title", line.rstrip()) if not name else line.rstrip()
        told = ", ".join(f"{count:,} {change.replace('_', ' ')}" for change, count in self.counts.items())
        yield f"calls: {told}" if told else "the same calls with the same outcomes"
        yield from (paint("quiet", f"library {each.line()}") for each in self.libraries[:_LIBRARIES])
        if len(self.libraries) > _LIBRARIES:
            yield paint("quiet", f"… and {units.count(len(self.libraries) - _LIBRARIES, 'more library', 'more libraries')}")


def stats_differ(old: Subject, new: Subject, roots: tuple[Invocation, Invocation], counts: dict[str, int], *, same: bool) -> StatsDiffer:
    """Returns what two runs, or calls of runs, took."""
    before, after = _took(old, roots[0]), _took(new, roots[1])
    return StatsDiffer(
        old.name, new.name, same, counts, (before, after), _libraries(old, new), tuple(_rows(before, after))
    )


def _rows(old: Took, new: Took) -> Iterator[tuple[str, str, str, str]]:
    yield _counted("calls", old.calls, new.calls)
    if old.executed is not None and new.executed is not None:
        yield _counted("executed", old.executed, new.executed)
    if old.tokens or new.tokens:
        yield _counted("tokens", sum(old.tokens.values()), sum(new.tokens.values()))
        models = sorted({*old.tokens, *new.tokens})
        if models != [_UNNAMED]:
            for model in models:
                yield _counted(f"  {model}", old.tokens.get(model, 0), new.tokens.get(model, 0))
    if old.duration_us is not None and new.duration_us is not None:
        less = new.duration_us < old.duration_us
        change = f"{'-' if less else '+'}{units.duration(abs(new.duration_us - old.duration_us))}"
        same = units.duration(old.duration_us) == units.duration(new.duration_us)
        yield "time", units.duration(old.duration_us), units.duration(new.duration_us), "" if same else change
    if old.cost_microusd or new.cost_microusd:
        one, other = (old.cost_microusd or 0) / 1e6, (new.cost_microusd or 0) / 1e6
        yield "cost", f"${one:.4f}", f"${other:.4f}", f"{'-' if other < one else '+'}${abs(other - one):.4f}" if one != other else ""


def _counted(name: str, old: int, new: int) -> tuple[str, str, str, str]:
    return name, f"{old:,}", f"{new:,}", f"{new - old:+,}" if new != old else ""


def _took(subject: Subject, root: Invocation) -> Took:
    run, objects = subject.run, root.store.objects
    whole = run is not None and not subject.path
    counts = run.record.counts if run is not None and whole else {}
    duration = None
    if run is not None and run.record.times != NIL:
        timing: Timing = timing_of(run.record.times, subject.path, objects)
        duration = None if timing.reused else timing.duration_us
    return Took(
        calls=counts["calls"] if "calls" in counts else count_calls(root.part, objects),
        executed=counts.get("executed") if whole else None,
        tokens=dict(tokens_by_model(root.part, objects)),
        duration_us=duration,
        cost_microusd=counts.get("cost_microusd"),
    )


def tokens_by_model(part: bytes, reader: ObjectReader) -> Counter[str]:
    """Returns the tokens that the completions below a call count, and its own, by the model that they name.

    A call that made calls repeats theirs, if it counts any: it is passed over.
    """
    found: Counter[str] = Counter()
    seen: dict[bytes, Counter[str]] = {}
    stack = [part]
    while stack:
        part = stack.pop()
        if is_leaf_call(part) and _MARK not in part and part.find(LINK_HEAD, _BEHIND_COMPONENT) < 0:
            continue
        elements = split(part_body(part, reader))
        if len(elements) > 4 and elements[4] != NIL and len(PartList(elements[4], reader)):
            for parts in PartList(elements[4], reader).leaves():
                stack += parts
            continue
        outcome = elements[3] if len(elements) > 3 else NIL
        if outcome_number(outcome) != number.RETURNED:
            continue
        if outcome not in seen:
            seen[outcome] = _counted_in(outcome, reader)
        found.update(seen[outcome])
    return found


def _counted_in(outcome: bytes, reader: ObjectReader) -> Counter[str]:
    value = split(outcome)[1]
    oid: ObjectId | None = linked(value)
    try:
        if _MARK not in (value if oid is None else reader.read(oid)):
            return Counter()
        output = decode(value, reader)
    except Corrupt:
        return Counter()
    for told in (output, _part(output, "usage")):
        counts = [_part(told, name) for name in _TOKENS]
        total = sum(count for count in counts if type(count) is int)
        if total:
            model = _part(output, "model") or _part(told, "model")
            return Counter({model if isinstance(model, str) else _UNNAMED: total})
    return Counter()


def _part(value: Any, name: str) -> object:
    if isinstance(value, Unresolved):
        return value.fields.get(name)
    if isinstance(value, dict):
        return value.get(name)
    return getattr(value, name, None) if hasattr(value, "__dataclass_fields__") or hasattr(value, "model_fields") else None


def _libraries(old: Subject, new: Subject) -> list[LibraryChange]:
    if old.run is None or new.run is None:
        return []
    before, after = (libraries_of(run.repo, run) for run in (old.run, new.run))
    return [] if before is None or after is None else library_changes(before, after)
