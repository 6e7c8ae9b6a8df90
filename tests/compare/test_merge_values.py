"""Merges of values, part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.compare.merge3 import Favour
from gvstore.compare.merge_values import merge_values
from gvstore.compare.values import same_value
from gvstore.objects.decode import get_value
from gvstore.objects.value import put_value
from gvstore.odb.memory import MemoryDatabase

LEAVES = st.sampled_from([None, True, 1, 1.0, "a", "b", b"a"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["x", "y", 1]), inner, max_size=3)
    ),
    max_leaves=8,
)


@dataclass
class Prompt:
    text: str
    tries: int
    tags: list[str]


class Point(NamedTuple):
    x: int
    y: int


@given(base=VALUES, ours=VALUES)
def test_a_side_that_changed_nothing_gives_way(base: Any, ours: Any) -> None:
    """The other's value is taken; what both changed alike, once."""
    for merged in (merge_values(base, ours, base), merge_values(base, base, ours), merge_values(base, ours, ours)):
        assert () == merged.conflicts and same_value(ours, merged.value)


@given(base=VALUES, ours=VALUES, theirs=VALUES)
def test_a_favoured_side_leaves_no_conflict(base: Any, ours: Any, theirs: Any) -> None:
    """And without one the merge ends, whatever the values; it is the same from both sides where nothing is left to decide."""
    for favour in (Favour.OURS, Favour.THEIRS):
        assert () == merge_values(base, ours, theirs, favour=favour).conflicts
    merge_values(base, ours, theirs)


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected", "conflicts"),
    [
        ({"a": 1, "b": 2}, {"a": 9, "b": 2}, {"a": 1, "b": 8, "c": 3}, {"a": 9, "b": 8, "c": 3}, ()),
        ({"a": 1, "b": 2}, {"b": 2}, {"a": 1, "b": 8}, {"b": 8}, ()),
        ({"a": 1}, {}, {"a": 2}, {"a": 2}, ("['a']",)),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": 3}}, {"a": {"b": 2}}, ("['a']['b']",)),
        ([1, 2, 3], [0, 1, 2, 3], [1, 2, 3, 4], [0, 1, 2, 3, 4], ()),
        ([1, 2, 3], [1, 9, 3], [1, 8, 3], [1, 9, 3], ("[1]",)),
        ([{"a": 1, "b": 1}], [{"a": 2, "b": 1}], [{"a": 1, "b": 2}], [{"a": 2, "b": 2}], ()),
        ((1, 2), (0, 2), (1, 3), (0, 3), ()),
        ({1, 2}, {1, 2, 3}, {2, 4}, {2, 3, 4}, ()),
        (True, 1, 1.0, 1, ("",)),
        ("one\ntwo\nthree\n", "ONE\ntwo\nthree\n", "one\ntwo\nTHREE\n", "ONE\ntwo\nTHREE\n", ()),
        ("one", "two", "three", "two", ("",)),
        (Prompt("t", 1, ["a"]), Prompt("u", 1, ["a"]), Prompt("t", 2, ["a", "b"]), Prompt("u", 2, ["a", "b"]), ()),
        (Point(1, 2), Point(0, 2), Point(1, 3), Point(0, 3), ()),
    ],
)
def test_values_are_merged_by_their_parts(
    base: Any, ours: Any, theirs: Any, expected: Any, conflicts: tuple[str, ...]
) -> None:
    """Each kind by what it is made of; a conflict is told by its path, and ours stays."""
    merged = merge_values(base, ours, theirs)
    assert (expected, type(expected), conflicts) == (merged.value, type(merged.value), merged.conflicts)


def test_records_whose_class_is_away_are_merged_too() -> None:
    """By their fields, as they are stored: what is stored then is the same as with the class at hand."""
    store, kept = MemoryDatabase(), MemoryDatabase()
    sides = [Prompt("t", 1, ["a"]), Prompt("u", 1, ["a"]), Prompt("t", 2, ["a"])]
    oids = [put_value(store, side) for side in sides]
    name = Prompt.__qualname__
    del globals()[name]
    try:
        away = [get_value(store, oid) for oid in oids]
        merged = merge_values(*away)
    finally:
        globals()[name] = type(sides[0])
    assert ((), put_value(kept, Prompt("u", 2, ["a"]))) == (merged.conflicts, put_value(store, merged.value))


def test_depth_is_no_matter() -> None:
    """What is nested deeper than 200 is taken whole."""

    def nested(leaf: int) -> list[Any]:
        value: list[Any] = [leaf]
        for _ in range(3000):
            value = [value]
        return value

    assert 1 == len(merge_values(nested(1), nested(2), nested(3)).conflicts)
