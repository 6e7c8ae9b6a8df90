"""A layered layout: where boxes and arrows of a drawing lie, top to bottom (after Sugiyama, Tagawa, Toda, 1981).

1. Arrows that would lead back up are turned round (a depth-first walk in the given order).
2. Boxes stand on even layers, each as high as its longest way from a start.
3. On every layer that an arrow crosses it has a bend; the one in its middle is as
   large as its label, so that labels have room and meet nothing.
4. The order within layers: barycentres, swept up and down, the order with the fewest crossings kept.
5. The places: each layer by turns as near to its neighbours as its order allows,
   which is an isotonic regression, solved exactly.

Units are those of the sizes given.  Deterministic: the same drawing gives the same picture.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

GAP_X, GAP_Y = 28.0, 22.0
MAX_GAP_Y = 48.0  # where arrows go far to the side
BEND = 6.0  # the width of a bend without label
SWEEPS = 24  # of the order
ROUNDS = 100  # of the places
PULL_BENDS = 8.0  # how much more two bends of one arrow pull at each other
Point = tuple[float, float]


@dataclass(slots=True)
class Item:
    """A box, or a bend of an arrow: how far it reaches to the left and right of its middle, its height, then its place."""

    left: float
    right: float
    height: float
    layer: int = 0
    bend: bool = False
    x: float = 0.0
    y: float = 0.0
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Route:
    """Where an arrow goes: its points from source to target, and the middle of its label."""

    points: tuple[Point, ...]
    label: Point


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box, the route of each arrow (by its number), and the size of the whole."""

    boxes: tuple[Point, ...]
    routes: dict[int, Route]
    width: float
    height: float


def layout(
    boxes: Sequence[tuple[float, float, float]], arrows: Sequence[tuple[int, int]], labels: Sequence[tuple[float, float]]
) -> Layout:
    """Returns the places of all; arrows from a box to itself have no route.

    `boxes` are (left, right, height), the reach from the middle of the box (on the
    right with room for a loop); `labels` (width, height) of each arrow.
    """
    items = [Item(*box) for box in boxes]
    turned = _turned(len(boxes), arrows)
    levels = _levels(len(boxes), arrows, turned)
    for item, level in zip(items, levels, strict=True):
        item.layer = 2 * level
    chains: dict[int, list[int]] = {}
    for number, (source, target) in enumerate(arrows):
        if source != target:
            ends = (target, source) if number in turned else (source, target)
            chains[number] = _chain(items, *ends, labels[number])
    layers: list[list[int]] = [[] for _ in range(max((item.layer for item in items), default=0) + 1)]
    for number in _walk(items, levels):
        layers[items[number].layer].append(number)
    _order(items, layers)
    _place(items, layers)
    for chain in (*chains.values(), *chains.values()):
        _straighten(items, layers, chain)
    return _finished(items, layers, len(boxes), chains, turned)


def _turned(count: int, arrows: Sequence[tuple[int, int]]) -> set[int]:
    """The arrows that close a cycle, seen by a depth-first walk."""
    leaving: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (source, target) in enumerate(arrows):
        leaving[source].append((number, target))
    state = [0] * count  # 1 while it is walked from, 2 after
    turned = set()
    for start in range(count):
        if state[start]:
            continue
        state[start], stack = 1, [(start, iter(leaving[start]))]
        while stack:
            here, rest = stack[-1]
            for number, target in rest:
                if state[target] == 1:
                    turned.add(number)
                elif state[target] == 0:
                    state[target] = 1
                    stack.append((target, iter(leaving[target])))
                    break
            else:
                state[here] = 2
                stack.pop()
    return turned


def _levels(count: int, arrows: Sequence[tuple[int, int]], turned: set[int]) -> list[int]:
    """The longest way from a start to each box."""
    down = [(b, a) if number in turned else (a, b) for number, (a, b) in enumerate(arrows) if a != b]
    levels = [0] * count
    for _ in range(count):
        changed = False
        for source, target in down:
            if levels[target] <= levels[source]:
                levels[target] = levels[source] + 1
                changed = True
        if not changed:
            break
    return levels


def _chain(items: list[Item], top: int, bottom: int, label: tuple[float, float]) -> list[int]:
    """Adds the bends of an arrow; returns all it goes through, from the top down."""
    between = range(items[top].layer + 1, items[bottom].layer)
    chain = [top]
    for layer in between:
        middle = layer == between[len(between) // 2]
        width = max(BEND, label[0]) if middle else BEND
        items.append(Item(width / 2, width / 2, label[1] if middle else 0.0, layer, bend=True))
        chain.append(len(items) - 1)
    chain.append(bottom)
    for upper, lower in pairwise(chain):
        items[upper].below.append(lower)
        items[lower].above.append(upper)
    return chain


def _walk(items: list[Item], levels: Sequence[int]) -> list[int]:
    """All items in the order of a walk downwards, which puts what belongs together side by side."""
    seen: dict[int, None] = {}
    for start in sorted(range(len(levels)), key=lambda number: (levels[number], number)):
        stack = [start]
        while stack:
            here = stack.pop()
            if here not in seen:
                seen[here] = None
                stack.extend(reversed(items[here].below))
    return list(seen)


def _order(items: list[Item], layers: list[list[int]]) -> None:
    """Sorts each layer so that few arrows cross."""
    best, fewest = [list(layer) for layer in layers], _crossings(items, layers)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        rank = _ranks(layers)
        for number in range(1, len(layers)) if down else range(len(layers) - 2, -1, -1):
            places: dict[int, float] = {}
            for each in layers[number]:
                near = items[each].above if down else items[each].below
                places[each] = sum(rank[n] for n in near) / len(near) if near else rank[each]
            layers[number].sort(key=lambda each: places[each])
            rank.update({each: place for place, each in enumerate(layers[number])})
        crossings = _crossings(items, layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    layers[:] = best


def _ranks(layers: list[list[int]]) -> dict[int, float]:
    return {each: float(place) for layer in layers for place, each in enumerate(layer)}


def _crossings(items: list[Item], layers: list[list[int]]) -> int:
    rank = _ranks(layers)
    count = 0
    for layer in layers:
        passed: list[float] = []  # where arrows from further left arrive, sorted
        for upper in layer:
            arrivals = [rank[lower] for lower in items[upper].below]
            count += sum(len(passed) - bisect_right(passed, place) for place in arrivals)
            for place in arrivals:
                insort(passed, place)
    return count


def _place(items: list[Item], layers: list[list[int]]) -> None:
    """Gives every item its x: as near to the middle of its neighbours as the order allows; bends in line before all."""
    for layer in layers:
        _spread(items, layer, dict.fromkeys(layer, (0.0, 1.0)))
    for sweep in range(ROUNDS):
        both = sweep >= ROUNDS // 4
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = {}
            for before, each in zip([*layer[:1], *layer], layer, strict=False):
                item = items[each]
                near = [*item.above, *item.below] if both else (item.above if sweep % 2 == 0 else item.below)
                pulls = [(PULL_BENDS if item.bend and items[n].bend else 1.0, items[n].x) for n in near]
                force = sum(pull for pull, _ in pulls)
                wanted[each] = (sum(pull * x for pull, x in pulls) / force, force) if pulls else (items[before].x, 0.001)
            _spread(items, layer, wanted)


def _spread(items: list[Item], layer: list[int], wanted: dict[int, tuple[float, float]]) -> None:
    """Places a layer at the least squared distance from what is wanted (x, weight), in order and apart.

    With the widths taken off it is an isotonic regression: pool adjacent violators.
    """
    offsets, offset = [], 0.0
    for number, each in enumerate(layer):
        if number:
            offset += items[layer[number - 1]].right + GAP_X + items[each].left
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []
    for each, offset in zip(layer, offsets, strict=True):
        mean, weight, size = wanted[each][0] - offset, wanted[each][1], 1
        while pools and pools[-1][0] > mean:
            other, force, count = pools.pop()
            mean = (mean * weight + other * force) / (weight + force)
            weight, size = weight + force, size + count
        pools.append((mean, weight, size))
    means = [mean for mean, _, size in pools for _ in range(size)]
    for each, mean, offset in zip(layer, means, offsets, strict=True):
        items[each].x = mean + offset


def _straighten(items: list[Item], layers: list[list[int]], chain: Sequence[int]) -> None:
    """Puts the bends of an arrow below each other, as far down as there is room, then again."""
    beside = {}
    for each in chain[1:-1]:
        layer, item = layers[items[each].layer], items[each]
        place = layer.index(each)
        before, after = layer[:place][-1:], layer[place + 1 :][:1]
        low = max((items[n].x + items[n].right + GAP_X + item.left for n in before), default=float("-inf"))
        high = min((items[n].x - items[n].left - GAP_X - item.right for n in after), default=float("inf"))
        beside[each] = (min(low, item.x), max(high, item.x))
    run: list[int] = []
    for each in [*chain[1:-1], -1]:
        lows, highs = [beside[n][0] for n in (*run, each) if n >= 0], [beside[n][1] for n in (*run, each) if n >= 0]
        if run and (each < 0 or max(lows) > min(highs)):
            x = sum(items[n].x for n in run) / len(run)
            x = min(max(x, *(beside[n][0] for n in run)), *(beside[n][1] for n in run))
            for n in run:
                items[n].x = x
            run = []
        run.append(each)


def _finished(items: list[Item], layers: list[list[int]], count: int, chains: dict[int, list[int]], turned: set[int]) -> Layout:
    y, heights = 0.0, []
    for layer in layers:
        height = max((items[each].height for each in layer), default=0.0)
        for each in layer:
            items[each].y = y + height / 2
        slant = max((abs(items[each].x - items[below].x) for each in layer for below in items[each].below), default=0.0)
        y += height + max(GAP_Y, min(MAX_GAP_Y, slant / 8))
        heights.append(height)
    left = min((item.x - item.left for item in items), default=0.0)
    right = max((item.x + item.right for item in items), default=0.0)
    for item in items:
        item.x -= left
    ports = _ports(items, count, chains)
    routes = {}
    for number, chain in chains.items():
        # Past the boxes of a layer straight down: a slanting line would cut their corners.
        bends = [
            (items[each].x, items[each].y + side * heights[items[each].layer] / 2) for each in chain[1:-1] for side in (-1, 1)
        ]
        top, bottom = ports[number, True], ports[number, False]
        first, last = items[chain[0]], items[chain[-1]]
        leaving = (top[0], first.y + heights[first.layer] / 2)
        coming = (bottom[0], last.y - heights[last.layer] / 2)
        points = [top, leaving, *bends, coming, bottom]
        middle = items[chain[1 + (len(chain) - 2) // 2]]
        routes[number] = Route(tuple(reversed(points)) if number in turned else tuple(points), (middle.x, middle.y))
    return Layout(tuple((item.x, item.y) for item in items[:count]), routes, right - left, max(0.0, y - GAP_Y))


def _ports(items: list[Item], count: int, chains: dict[int, list[int]]) -> dict[tuple[int, bool], Point]:
    """Where each arrow touches its upper box (True) and its lower one: side by side, in the order in which they come."""
    ports = {}
    for box in range(count):
        for upper in (True, False):
            here = [n for n, chain in chains.items() if (chain[0] if upper else chain[-1]) == box]
            here.sort(key=lambda n: items[chains[n][1] if upper else chains[n][-2]].x)
            item = items[box]
            half = min(item.left, item.right)
            for place, number in enumerate(here, 1):
                share = 2 * place / (len(here) + 1) - 1
                edge = item.y + (item.height / 2 if upper else -item.height / 2)
                ports[number, upper] = (item.x + share * half * 0.8, edge)
    return ports
