"""Which items of two sequences belong together: the alignment under every comparison.

Equal beginnings and ends are taken off, then what is left is aligned by the
longest common subsequence.  Few differences in long sequences cost what it
takes to walk them once, comparing slices at the speed of C:

    a few edits       Myers' O(ND), its diagonals run along by galloping: exact
    many, short       the same without a limit, over what both sides have: exact
    many, long        items that occur once on both sides are anchors, and each
                      gap starts anew; without anchors the k-th occurrence here
                      belongs to the k-th there, as far as the order allows

Sources: E. Myers, An O(ND) Difference Algorithm, Algorithmica 1986; B. Cohen's
patience diff; T. Peters' timsort for the galloping.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass

_FEW_EDITS = 64
_SHORT = 512


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of `size` equal items, from `old` on in one sequence and from `new` on in the other."""

    old: int
    new: int
    size: int


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between two matches: `old_from <= i < old_to`, `new_from <= j < new_to`; one side may be empty."""

    old_from: int
    old_to: int
    new_from: int
    new_to: int


def align(old: Sequence[Hashable], new: Sequence[Hashable]) -> list[Match]:
    """Returns the stretches that the sequences share, in order, neither crossing nor touching on both sides.

    Items are the same when they are equal and hash alike; whoever tells 1 from
    True hands in keys that do.  The longest common subsequence up to 64 edits
    or 512 items, a good one beyond that.
    """
    a = old if isinstance(old, list) else list(old)
    b = new if isinstance(new, list) else list(new)
    found: list[Match] = []
    todo = [Gap(0, len(a), 0, len(b))]
    while todo:
        gap = todo.pop()
        i, i_end, j, j_end = gap.old_from, gap.old_to, gap.new_from, gap.new_to
        head = _head(a, i, b, j, min(i_end - i, j_end - j))
        found.append(Match(i, j, head))
        i, j = i + head, j + head
        tail = _tail(a, i_end, b, j_end, min(i_end - i, j_end - j))
        i_end, j_end = i_end - tail, j_end - tail
        found.append(Match(i_end, j_end, tail))
        if i < i_end and j < j_end:
            matches, rest = _split(a, b, Gap(i, i_end, j, j_end))
            found += matches
            todo += rest
    return _joined(found)


def common_ends(old: list[Hashable], new: list[Hashable]) -> tuple[int, int]:
    """Returns how many items are equal at the beginning, and how many of the rest at the end."""
    head = _head(old, 0, new, 0, min(len(old), len(new)))
    return head, _tail(old, len(old), new, len(new), min(len(old), len(new)) - head)


def gaps(matches: Sequence[Match], old_size: int, new_size: int) -> Iterator[Gap]:
    """Yields what the matches leave over, in order; gaps with something in them only."""
    return _gaps_within(matches, Gap(0, old_size, 0, new_size))


def _gaps_within(matches: Sequence[Match], whole: Gap) -> Iterator[Gap]:
    i, j = whole.old_from, whole.new_from
    for match in [*matches, Match(whole.old_to, whole.new_to, 0)]:
        if i < match.old or j < match.new:
            yield Gap(i, match.old, j, match.new)
        i, j = match.old + match.size, match.new + match.size


def best_pairs(old_size: int, new_size: int, weight: Callable[[int, int], int]) -> list[tuple[int, int]]:
    """Returns the pairs, rising on both sides, whose weights add up to most; weight 0 means "not these two".

    Takes `old_size * new_size` steps: for short sequences.  Among equally good
    ones the earliest items are paired.
    """
    best = [[0] * (new_size + 1) for _ in range(old_size + 1)]
    weights = [[weight(i, j) for j in range(new_size)] for i in range(old_size)]
    for i in range(old_size - 1, -1, -1):
        row, below, own = best[i], best[i + 1], weights[i]
        for j in range(new_size - 1, -1, -1):
            both = own[j] + below[j + 1] if own[j] else 0
            row[j] = max(both, below[j], row[j + 1])
    pairs = []
    i = j = 0
    while i < old_size and j < new_size:
        if weights[i][j] and best[i][j] == weights[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _split(a: list[Hashable], b: list[Hashable], middle: Gap) -> tuple[list[Match], list[Gap]]:
    """Returns the matches of a middle, and the gaps that are to be looked at anew."""
    matches = _myers(a, b, middle, _FEW_EDITS)
    if matches is not None:
        return matches, []
    shared = set(a[middle.old_from : middle.old_to]).intersection(b[middle.new_from : middle.new_to])
    kept_a = [i for i in range(middle.old_from, middle.old_to) if a[i] in shared]
    kept_b = [j for j in range(middle.new_from, middle.new_to) if b[j] in shared]
    rest_a, rest_b = [a[i] for i in kept_a], [b[j] for j in kept_b]
    short = len(rest_a) + len(rest_b) <= _SHORT
    anchors = [] if short else _rising(_once_on_both_sides(rest_a, rest_b))
    if short:
        found = _myers(rest_a, rest_b, Gap(0, len(rest_a), 0, len(rest_b)), _SHORT) or []
        pairs = [(match.old + n, match.new + n) for match in found for n in range(match.size)]
    else:
        pairs = anchors or _rising(_by_occurrence(rest_a, rest_b))
    matches = [Match(kept_a[i], kept_b[j], 1) for i, j in pairs]
    return matches, list(_gaps_within(matches, middle)) if anchors else []


def _head(a: list[Hashable], i: int, b: list[Hashable], j: int, limit: int) -> int:
    """Returns how many items from `i` and `j` on are equal, at most `limit`."""
    return _gallop(limit, lambda done, size: a[i + done : i + done + size] == b[j + done : j + done + size])


def _tail(a: list[Hashable], i: int, b: list[Hashable], j: int, limit: int) -> int:
    """Returns how many items just before `i` and `j` are equal, at most `limit`."""
    return _gallop(limit, lambda done, size: a[i - done - size : i - done] == b[j - done - size : j - done])


def _gallop(limit: int, same: Callable[[int, int], bool]) -> int:
    """Returns how many items agree, at most `limit`: strides that double while they do, then halves."""
    done, stride = 0, 1
    while done < limit:
        stride = min(stride, limit - done)
        if not same(done, stride):
            break
        done += stride
        stride *= 4
    else:
        return limit
    while stride > 1:
        half = stride // 2
        if same(done, half):
            done += half
            stride -= half
        else:
            stride = half
    return done


def _myers(a: list[Hashable], b: list[Hashable], middle: Gap, cap: int) -> list[Match] | None:
    """Returns the longest common subsequence of a middle in stretches, or None when it takes more than `cap` edits."""
    i, j = middle.old_from, middle.new_from
    n, m = middle.old_to - i, middle.new_to - j
    furthest = [0] * (2 * min(cap, n + m) + 3)
    centre = len(furthest) // 2
    history: list[list[int]] = []
    for edits in range(min(cap, n + m) + 1):
        history.append(furthest[centre - edits - 1 : centre + edits + 2])
        for k in range(-edits + 2 * max(0, edits - m), edits - 2 * max(0, edits - n) + 1, 2):
            down = k == -edits or (k != edits and furthest[centre + k - 1] < furthest[centre + k + 1])
            x = furthest[centre + k + 1] if down else furthest[centre + k - 1] + 1
            y = x - k
            if x < n and y < m and a[x + i] == b[y + j]:
                run = _head(a, x + i, b, y + j, min(n - x, m - y))
                x, y = x + run, y + run
            furthest[centre + k] = x
            if x >= n and y >= m:
                return [Match(match.old + i, match.new + j, match.size) for match in _walked_back(history, n, m)]
    return None


def _walked_back(history: list[list[int]], x: int, y: int) -> list[Match]:
    """Returns the diagonals of the path that ended at (x, y), from the first to the last."""
    found: list[Match] = []
    for edits in range(len(history) - 1, -1, -1):
        furthest, middle = history[edits], edits + 1
        k = x - y
        if edits == 0:
            found.append(Match(0, 0, x))
            break
        down = k == -edits or (k != edits and furthest[middle + k - 1] < furthest[middle + k + 1])
        before = k + 1 if down else k - 1
        from_x = furthest[middle + before]
        from_y = from_x - before
        start = from_x if down else from_x + 1
        found.append(Match(start, start - k, x - start))
        x, y = from_x, from_y
    return found[::-1]


def _once_on_both_sides(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    times_a, times_b = Counter(a), Counter(b)
    place = {item: j for j, item in enumerate(b) if times_b[item] == 1}
    return [(i, place[item]) for i, item in enumerate(a) if times_a[item] == 1 and item in place]


def _by_occurrence(a: Sequence[Hashable], b: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Returns where the k-th occurrence of each item stands on either side."""
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j, item in enumerate(b):
        places[item].append(j)
    seen: Counter[Hashable] = Counter()
    found = []
    for i, item in enumerate(a):
        k = seen[item]
        seen[item] += 1
        if k < len(places.get(item, ())):
            found.append((i, places[item][k]))
    return found


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Returns the longest part of `pairs`, whose first numbers rise, in which the second ones rise too."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for at, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        if length == len(ends):
            ends.append(j)
            last.append(at)
        else:
            ends[length], last[length] = j, at
    chosen = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _joined(matches: list[Match]) -> list[Match]:
    """Returns the matches in order, neighbours made one."""
    joined: list[Match] = []
    for match in sorted((match for match in matches if match.size), key=lambda match: match.old):
        if joined and (joined[-1].old + joined[-1].size, joined[-1].new + joined[-1].size) == (match.old, match.new):
            joined[-1] = Match(joined[-1].old, joined[-1].new, joined[-1].size + match.size)
        else:
            joined.append(match)
    return joined
