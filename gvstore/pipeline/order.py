"""Which step waits for which: an order in which they can run, and cycles, in which they cannot.

Pure, over names: a mapping of each step to those it waits for, in the order of the file.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

Waits = Mapping[str, Sequence[str]]


def in_order(waits: Waits) -> tuple[str, ...]:
    """Returns the names so that each comes after all it waits for; of those that could come next, the first of the file.

    Names that nobody has are not waited for.

    Raises:
        ValueError: there is a cycle.
    """
    numbers = {name: number for number, name in enumerate(waits)}
    names = list(waits)
    left = {name: len({each for each in before if each in numbers}) for name, before in waits.items()}
    after = followers(waits)
    ready = [numbers[name] for name, count in left.items() if count == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for each in after[name]:
            left[each] -= 1
            if left[each] == 0:
                heapq.heappush(ready, numbers[each])
    if len(order) < len(names):
        raise ValueError(f"a cycle among {', '.join(name for name in names if name not in set(order))}")
    return tuple(order)


def followers(waits: Waits) -> dict[str, tuple[str, ...]]:
    """Returns for each name those that wait for it, in the order of the file."""
    after: dict[str, list[str]] = {name: [] for name in waits}
    for name, before in waits.items():
        for each in dict.fromkeys(before):
            if each in after:
                after[each].append(name)
    return {name: tuple(each) for name, each in after.items()}


def cycles(waits: Waits) -> list[tuple[str, ...]]:
    """Returns a cycle of each knot, each name waiting for the next, the last for the first.

    Of names that all wait for each other, directly or not, one shortest way round
    is told: that of the name that comes first in the file.
    """
    found = []
    numbers = {name: number for number, name in enumerate(waits)}
    for knot in knots(waits):
        first = min(knot, key=numbers.__getitem__)
        if len(knot) > 1 or first in waits[first]:
            found.append(_round(first, knot, waits))
    return sorted(found, key=lambda cycle: numbers[cycle[0]])


def _round(first: str, knot: frozenset[str], waits: Waits) -> tuple[str, ...]:
    """The shortest way from a name back to itself, inside of its knot."""
    came: dict[str, str] = {}
    layer = [first]
    while True:
        further = []
        for name in layer:
            for each in waits[name]:
                if each == first:
                    way = [name]
                    while way[-1] != first:
                        way.append(came[way[-1]])
                    return tuple(reversed(way))
                if each in knot and each not in came:
                    came[each] = name
                    further.append(each)
        layer = further


def knots(waits: Waits) -> list[frozenset[str]]:
    """Returns the strongly connected parts (Tarjan), without recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    open_: list[str] = []
    inside: set[str] = set()
    found: list[frozenset[str]] = []
    for root in waits:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        open_.append(root)
        inside.add(root)
        stack = [(root, iter(waits[root]))]
        while stack:
            name, rest = stack[-1]
            for each in rest:
                if each not in waits:
                    continue
                if each not in index:
                    index[each] = low[each] = len(index)
                    open_.append(each)
                    inside.add(each)
                    stack.append((each, iter(waits[each])))
                    break
                if each in inside:
                    low[name] = min(low[name], index[each])
            else:
                stack.pop()
                if stack:
                    low[stack[-1][0]] = min(low[stack[-1][0]], low[name])
                if low[name] == index[name]:
                    part = [open_.pop()]
                    while part[-1] != name:
                        part.append(open_.pop())
                    inside.difference_update(part)
                    found.append(frozenset(part))
    return found


def reached(starts: Iterable[str], ways: Mapping[str, Sequence[str]]) -> set[str]:
    """Returns the names that the ways lead to from `starts`, these included."""
    found: set[str] = set()
    open_ = list(starts)
    while open_:
        name = open_.pop()
        if name not in found:
            found.add(name)
            open_.extend(ways.get(name, ()))
    return found
