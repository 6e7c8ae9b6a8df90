"""Finding the call of a run from which on something is otherwise, by looking at as few as can be.

The calls stand in the order in which they ended, so that a call comes after
those that it made.  The first and the last that anything can be said of are
looked at, then halves in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gvstore.errors import GvError
from gvstore.journal.address import CallPath, walk
from gvstore.journal.invocation import Invocation


class NothingFlips(GvError):
    """The first and the last of what was looked at are the same, or nothing can be said of any."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Flip:
    """Where it changes: item `first` is as the last, `before` as the first; those between could not be judged."""

    before: int
    first: int
    became: bool


def find_flip(count: int, test: Callable[[int], bool | None]) -> Flip:
    """Returns where a test's answer changes among items 0 to `count`; each is tested once at most, None is no answer.

    About the binary logarithm of `count` are tested, and two; more where there are no answers.

    Raises:
        NothingFlips: the first and the last answer are the same.
    """
    known: dict[int, bool | None] = {}

    def ask(at: int) -> bool | None:
        if at not in known:
            known[at] = test(at)
        return known[at]

    low = next((at for at in range(count) if ask(at) is not None), None)
    if low is None:
        raise NothingFlips("none of the calls could be judged" if count else "there are no calls to judge")
    high = next(at for at in range(count - 1, low - 1, -1) if ask(at) is not None)
    if low == high or known[low] == known[high]:
        only = "only one call could be judged" if low == high else f"it is {known[low]} of the first call and of the last"
        raise NothingFlips(f"nothing changes: {only}")
    while True:
        open_ones = [at for at in range(low + 1, high) if known.get(at, True) is not None]
        if not open_ones:
            return Flip(low, high, bool(known[high]))
        middle = open_ones[len(open_ones) // 2]
        answer = ask(middle)
        if answer is not None:
            low, high = (middle, high) if answer == known[low] else (low, middle)


def ended_calls(root: Invocation, wanted: Callable[[str], bool]) -> Sequence[tuple[CallPath, Invocation]]:
    """Returns the calls of an execution whose components are wanted, in the order in which they ended; open ones are left out."""
    names: dict[bytes, bool] = {}
    found: list[tuple[CallPath, Invocation]] = []
    open_ones: list[tuple[CallPath, Invocation]] = []
    for path, call in walk(root):
        while open_ones and len(open_ones[-1][0]) >= len(path):
            found.append(open_ones.pop())
        open_ones.append((path, call))
    found += reversed(open_ones)

    def is_wanted(call: Invocation) -> bool:
        component = call.call.component
        if component not in names:
            names[component] = wanted(call.component.name)
        return names[component] and call.status in ("ok", "raised", "cancelled")

    return [(path, call) for path, call in found if is_wanted(call)]
