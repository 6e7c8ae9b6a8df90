"""Random deterministic programs: a tree that says what calls what, how, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

import gvstore as gv
from tests.journal.bodies import note


@dataclass(frozen=True)
class Step:
    """One call: its payload, the calls it makes, whether it raises at its end, catches, or lets through."""

    payload: Any
    calls: tuple[tuple[str, Step], ...] = ()
    raises: bool = False
    catches: bool = True


def work(step: Step) -> list[Any]:
    """Does what a step says."""
    note(step.payload)
    done: list[Any] = [step.payload]
    for how, below in step.calls:
        try:
            done.append(WAYS[how](below))
        except (ValueError, KeyError) as e:
            if not step.catches:
                raise
            done.append(f"{type(e).__name__} {len(str(e))}")
    if step.raises:
        if len(step.calls) % 2:
            raise KeyError(step.payload)
        raise ValueError(step.payload, len(done)) from KeyError("cause")
    return done


@gv.register
def plain(step: Step) -> list[Any]:
    return work(step)


@gv.register
def keyword(*, step: Step, extra: int = 3) -> list[Any]:
    return [*work(step), extra]


@gv.register
def variadic(first: Step, *rest: Any, **named: Any) -> list[Any]:
    return [*work(first), rest, named]


@gv.register
@dataclass
class Tally(gv.Invokable):
    total: int = 0
    seen: list[Any] = field(default_factory=list)

    def call(self, step: Step) -> int:
        self.total += len(step.calls) + 1
        done = work(step)
        self.seen.append(len(done))
        return self.total


def _tally(step: Step) -> Any:
    tally = Tally()
    first = tally(step)
    return [first, tally(Step(first)), tally.seen]


WAYS = {
    "plain": plain,
    "keyword": lambda step: keyword(step=step, extra=4),
    "default": lambda step: keyword(step=step),
    "variadic": lambda step: variadic(step, 1, [2], more=step.payload),
    "tally": _tally,
}

payloads = st.one_of(
    st.integers(-5, 5),
    st.none(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.text("ab ", min_size=200, max_size=1500),
    st.lists(st.integers(), max_size=300).map(tuple),
)


def _steps(below: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    calls = st.lists(st.tuples(st.sampled_from(sorted(WAYS)), below), max_size=5).map(tuple)
    return st.builds(Step, payloads, calls, st.booleans(), st.booleans())


steps = st.recursive(st.builds(Step, payloads), _steps, max_leaves=25)
