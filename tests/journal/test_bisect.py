"""Searching the calls of a run: where the answer changes, in few looks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gvstore as gv
from gvstore.journal.bisect import NothingFlips, ended_calls, find_flip
from gvstore.journal.repository import Repository


@given(st.integers(2, 300), st.data())
def test_the_flip_is_found_in_a_logarithm_of_looks(count: int, data: st.DataObject) -> None:
    """Each item is looked at once at most; among items that say nothing, the flip lies between two that say something."""
    at = data.draw(st.integers(1, count - 1))
    silent = data.draw(st.sets(st.integers(1, count - 2), max_size=3)) if count > 2 else set()
    asked: list[int] = []

    def test(item: int) -> bool | None:
        asked.append(item)
        return None if item in silent else item < at

    flip = find_flip(count, test)

    assert (flip.before < at <= flip.first, flip.became) == (True, False)
    assert set(range(flip.before + 1, flip.first)) <= silent
    assert len(asked) == len(set(asked)) <= 2 + (count - 1).bit_length() + len(silent)


def test_nothing_flips() -> None:
    """The same at both ends, a single answer, or none."""
    cases: list[list[bool | None]] = [[True, True, True], [None, True, None], [None, None], []]
    for answers in cases:
        with pytest.raises(NothingFlips):
            find_flip(len(answers), answers.__getitem__)


@gv.register
def leaf(n: int) -> int:
    return n


@gv.register
def pair(n: int) -> int:
    return leaf(n) + leaf(n + 1)


@gv.register
def tree() -> int:
    return pair(0) + leaf(5) + pair(8)


def test_calls_stand_in_the_order_in_which_they_ended(repo: Repository) -> None:
    """A call comes after those that it made; components that are not asked for are left out."""
    root = repo.run(tree).invocation
    ended = [(0, 0), (0, 1), (0,), (1,), (2, 0), (2, 1), (2,), ()]

    assert ended == [path for path, _ in ended_calls(root, lambda name: True)]
    assert [(0,), (2,)] == [path for path, _ in ended_calls(root, lambda name: name.endswith(".pair"))]
