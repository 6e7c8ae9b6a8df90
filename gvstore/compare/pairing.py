"""Which children of a call belong to which of its counterpart's.

In this order:
1. Equal subtrees at the beginning and at the end, by digest.
2. Between them the alignment that pairs most calls of the same component and
   arguments, and among those one that pairs most equal subtrees.  Short
   middles get the best there is; long ones are aligned by digest, or by
   component and arguments where that leaves less over.
3. In each gap, calls of the same component: asked something else.
4. What is left over on both sides and is the same call: moved.

Only digests are looked at where subtrees are equal, so that calls nobody
changed need not be loaded: 100,000 children with 10 edits take milliseconds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING

from gvstore.compare.align import Match, align, best_pairs, common_ends, gaps

if TYPE_CHECKING:
    from gvstore.compare.calls import CallNode

_BEST_UP_TO_CELLS = 4096
_FEW_LEFT = 8
_DIGEST = attrgetter("digest")


@dataclass(frozen=True, slots=True)
class PairOfCalls:
    """Indexes of two children that belong together; None on the side where there is none."""

    old: int | None
    new: int | None
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Pairing:
    """All pairs but the equal subtrees in their places, of which there are `same`.

    In the order of both sides: removed calls stand where they had been, before
    what came in their place, and moved ones where they first are missed or met.
    """

    same: int
    others: list[PairOfCalls]


def pair_calls(old: Sequence[CallNode], new: Sequence[CallNode], *, ordered: bool = True) -> Pairing:
    """Returns which children belong together; every child of either side is in exactly one pair.

    Without `ordered` the children are sets: only moves are not told of then.
    """
    sides = _Sides(old, new)
    if not ordered:
        return sides.paired_as_sets()
    head, tail = common_ends(sides.old_digests, sides.new_digests)
    before, after = range(head, len(old) - tail), range(head, len(new) - tail)
    if len(before) * len(after) <= _BEST_UP_TO_CELLS:
        middle = sides.best(before, after, _call, sides.is_same_subtree)
        ends = Match(0, 0, head), Match(len(old) - tail, len(new) - tail, tail)
        return sides.paired([ends[0], *(Match(i, j, 1) for i, j in middle), ends[1]], set(ends))
    equal = align(sides.old_digests, sides.new_digests)
    found = sides.with_same_calls(equal)
    if sides.left_in_common(found) > _FEW_LEFT + min(len(before), len(after)) // 100:
        by_call = align(list(map(_call, old)), list(map(_call, new)))
        found = max(found, by_call, key=_size)
    return sides.paired(found, set(equal))


class _Sides:
    """The children of both calls; digests are at hand, all else is asked for where it is needed."""

    def __init__(self, old: Sequence[CallNode], new: Sequence[CallNode]) -> None:
        self.old, self.new = old, new
        self.old_digests, self.new_digests = _digests(old), _digests(new)

    def is_same_subtree(self, i: int, j: int) -> bool:
        return self.old_digests[i] == self.new_digests[j]

    def is_same_outcome(self, i: int, j: int) -> bool:
        return self.old[i].outcome == self.new[j].outcome

    def best(
        self, old: range, new: range, needed: Callable[[CallNode], Hashable], liked: Callable[[int, int], bool]
    ) -> list[tuple[int, int]]:
        """Returns the best pairs of two short stretches: more pairs before pairs that are `liked`, none without what is `needed`."""
        if not old or not new:
            return []
        before, after = [needed(self.old[i]) for i in old], [needed(self.new[j]) for j in new]

        def weight(x: int, y: int) -> int:
            return _BEST_UP_TO_CELLS + liked(old[x], new[y]) if before[x] == after[y] else 0

        return [(old[x], new[y]) for x, y in best_pairs(len(old), len(new), weight)]

    def with_same_calls(self, matches: list[Match]) -> list[Match]:
        """Returns the matches, and what in their gaps is the same call with something else below it."""
        found = list(matches)
        for gap in gaps(matches, len(self.old), len(self.new)):
            old = list(map(_call, self.old[gap.old_from : gap.old_to]))
            new = list(map(_call, self.new[gap.new_from : gap.new_to]))
            found += [
                Match(gap.old_from + match.old, gap.new_from + match.new, match.size) for match in align(old, new)
            ]
        return sorted(found, key=lambda match: match.old)

    def left_in_common(self, matches: list[Match]) -> int:
        """Returns how many calls are left over on both sides though they are the same: many tell of a bad alignment."""
        old: Counter[Hashable] = Counter()
        new: Counter[Hashable] = Counter()
        for gap in gaps(matches, len(self.old), len(self.new)):
            old.update(map(_call, self.old[gap.old_from : gap.old_to]))
            new.update(map(_call, self.new[gap.new_from : gap.new_to]))
        return (old & new).total()

    def paired(self, matches: list[Match], equal: set[Match]) -> Pairing:
        """Returns the pairing that these stretches of same calls lead to; those that are `equal` are known to have equal digests."""
        same = 0
        others: list[PairOfCalls] = []
        i = j = 0
        for match in [*matches, Match(len(self.old), len(self.new), 0)]:
            others += self._gap(i, match.old, j, match.new)
            i, j = match.old + match.size, match.new + match.size
            if match in equal or self.old_digests[match.old : i] == self.new_digests[match.new : j]:
                same += match.size
                continue
            for x, y in zip(range(match.old, i), range(match.new, j), strict=True):
                if self.is_same_subtree(x, y):
                    same += 1
                else:
                    others.append(PairOfCalls(x, y))
        return Pairing(same, self._with_moves(others))

    def _gap(self, i: int, i_end: int, j: int, j_end: int) -> Iterator[PairOfCalls]:
        """Yields the pairs of a gap: calls of one component, which were asked something else, then what is alone."""
        if (i_end - i) * (j_end - j) <= _BEST_UP_TO_CELLS:
            pairs = self.best(range(i, i_end), range(j, j_end), _component, self.is_same_outcome)
        else:
            matches = align(list(map(_component, self.old[i:i_end])), list(map(_component, self.new[j:j_end])))
            pairs = [(i + match.old + n, j + match.new + n) for match in matches for n in range(match.size)]
        for x, y in [*pairs, (i_end, j_end)]:
            yield from (PairOfCalls(n, None) for n in range(i, x))
            yield from (PairOfCalls(None, n) for n in range(j, y))
            if x < i_end:
                yield PairOfCalls(x, y)
            i, j = x + 1, y + 1

    def _with_moves(self, others: list[PairOfCalls]) -> list[PairOfCalls]:
        """Returns the pairs with removed and added calls joined that are the same: the same subtree, or else the same call."""
        removed = [pair.old for pair in others if pair.new is None and pair.old is not None]
        added = [pair.new for pair in others if pair.old is None and pair.new is not None]
        if not removed or not added:
            return others
        moves: dict[PairOfCalls, PairOfCalls] = {}  # either half, to the whole
        for key in (_digest, _call):
            for i, j in _joined(((i, key(self.old[i])) for i in removed), ((j, key(self.new[j])) for j in added)):
                moves[PairOfCalls(i, None)] = moves[PairOfCalls(None, j)] = PairOfCalls(i, j, moved=True)
            removed = [i for i in removed if PairOfCalls(i, None) not in moves]
            added = [j for j in added if PairOfCalls(None, j) not in moves]
        return list(dict.fromkeys(moves.get(pair, pair) for pair in others))

    def paired_as_sets(self) -> Pairing:
        """Returns the pairing of calls that ran at the same time: the same subtree, the same call, the same component."""
        removed, added = list(range(len(self.old))), list(range(len(self.new)))
        pairs: list[PairOfCalls] = []
        same = 0
        for key in (_digest, _call, _component):
            joined = _joined(((i, key(self.old[i])) for i in removed), ((j, key(self.new[j])) for j in added))
            if key is _digest:
                same = len(joined)
            else:
                pairs += [PairOfCalls(i, j) for i, j in joined]
            gone, came = {i for i, _ in joined}, {j for _, j in joined}
            removed = [i for i in removed if i not in gone]
            added = [j for j in added if j not in came]
        pairs += [PairOfCalls(None, j) for j in added]
        pairs.sort(key=lambda pair: pair.new if pair.new is not None else -1)
        return Pairing(same, [*pairs, *(PairOfCalls(i, None) for i in removed)])


def _digests(calls: Sequence[CallNode]) -> list[Hashable]:
    """Returns the digests of calls; a sequence that knows them without making its calls has them as `digests`."""
    known: list[Hashable] | None = getattr(calls, "digests", None)
    return list(map(_DIGEST, calls)) if known is None else known


def _digest(call: CallNode) -> Hashable:
    return call.digest


def _call(call: CallNode) -> Hashable:
    """What a call asks: the same whatever came of it."""
    return call.component, call.args


def _component(call: CallNode) -> Hashable:
    return call.component


def _size(matches: list[Match]) -> int:
    return sum(match.size for match in matches)


def _joined(old: Iterable[tuple[int, Hashable]], new: Iterable[tuple[int, Hashable]]) -> list[tuple[int, int]]:
    """Returns the indexes whose keys are equal, the first here with the first there."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for i, key in old:
        places[key].append(i)
    for waiting in places.values():
        waiting.reverse()
    return [(places[key].pop(), j) for j, key in new if places.get(key)]
