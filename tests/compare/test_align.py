"""align: what is paired is equal and in order; for short sequences nothing longer can be paired."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from gvstore.compare import align as module
from gvstore.compare.align import Match, align, best_pairs, gaps

letters = st.lists(st.sampled_from("abc"), max_size=30)
numbers = st.lists(st.integers(0, 40), max_size=60)


def longest(a: list[object], b: list[object]) -> int:
    """Returns the length of the longest common subsequence, by the textbook."""
    rows = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            rows[i + 1][j + 1] = rows[i][j] + 1 if x == y else max(rows[i][j + 1], rows[i + 1][j])
    return rows[-1][-1]


def check(a: list[object], b: list[object], matches: list[Match]) -> None:
    """Fails unless the matches are equal stretches in order, with something between any two."""
    i = j = 0
    for n, match in enumerate(matches):
        assert match.size > 0
        assert a[match.old : match.old + match.size] == b[match.new : match.new + match.size]
        assert match.old >= i
        assert match.new >= j
        assert n == 0 or (match.old, match.new) != (i, j)
        i, j = match.old + match.size, match.new + match.size


@given(st.one_of(st.tuples(letters, letters), st.tuples(numbers, numbers)))
def test_the_longest_common_subsequence(pair: tuple[list[object], list[object]]) -> None:
    """Of short sequences no more items can be paired."""
    a, b = pair
    matches = align(a, b)

    check(a, b, matches)
    assert longest(a, b) == sum(match.size for match in matches)


@given(st.integers(0, 10**6), st.integers(2, 2000), st.integers(0, 200))
def test_long_sequences(seed: int, alphabet: int, edits: int) -> None:
    """Long sequences with any number of edits: still equal stretches in order, and no fewer than edits leave."""
    rng = random.Random(seed)
    a: list[object] = [rng.randrange(alphabet) for _ in range(700)]
    b = list(a)
    for _ in range(edits):
        at = rng.randrange(len(b))
        b[at : at + rng.choice((0, 1))] = [rng.randrange(alphabet) for _ in range(rng.choice((0, 1, 2)))] or [0]
    matches = align(a, b)

    check(a, b, matches)
    if edits <= 20:
        assert sum(match.size for match in matches) >= 700 - edits


def test_without_anything_unique() -> None:
    """Where nothing occurs once, the k-th occurrences belong together."""
    rng = random.Random(1)
    a: list[object] = [rng.randrange(3) for _ in range(900)]
    b: list[object] = [rng.randrange(3) for _ in range(900)]
    matches = align(a, b)

    check(a, b, matches)
    assert sum(match.size for match in matches) > 25
    assert len(a) + len(b) > module._SHORT


@given(letters, letters)
def test_gaps_are_what_is_left(a: list[str], b: list[str]) -> None:
    """Matches and gaps together cover both sides once."""
    matches = align(a, b)
    rest = list(gaps(matches, len(a), len(b)))
    covered_a = [i for m in matches for i in range(m.old, m.old + m.size)] + [
        i for g in rest for i in range(g.old_from, g.old_to)
    ]
    covered_b = [j for m in matches for j in range(m.new, m.new + m.size)] + [
        j for g in rest for j in range(g.new_from, g.new_to)
    ]

    assert list(range(len(a))) == sorted(covered_a)
    assert list(range(len(b))) == sorted(covered_b)


@given(letters, letters)
def test_best_pairs_with_equal_weights(a: list[str], b: list[str]) -> None:
    """With weight 1 for equal items it is the longest common subsequence."""
    pairs = best_pairs(len(a), len(b), lambda i, j: int(a[i] == b[j]))

    assert longest(list(a), list(b)) == len(pairs)
    assert all(a[i] == b[j] for i, j in pairs)
    assert pairs == sorted(set(pairs))


def test_best_pairs_prefers_the_heavier() -> None:
    """One heavy pair outweighs several light ones that it crosses."""

    assert [(2, 0)] == best_pairs(3, 3, lambda i, j: 5 if (i, j) == (2, 0) else int(i == j) * 1)
