"""Values: equal means equal as stored, and the differences make the one of the other."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.compare.text import sides
from gvstore.compare.values import (
    ABSENT,
    Field,
    Index,
    Key,
    Path,
    ValueChange,
    ValueDiff,
    diff_values,
    format_path,
    same_value,
)
from tests.strategies import Message, Pair, Point, identical, values

plain = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from([0.0, -0.0, 1.0, "a", "b", b"a"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        st.sets(st.integers(0, 5), max_size=4),
        st.builds(Point, inner, inner),
        st.builds(Pair, inner, inner),
    ),
    max_leaves=12,
)


@given(values(), values())
def test_equal_means_identical(one: Any, other: Any) -> None:
    """Type, bits and order count, for every type that can be stored."""

    assert identical(one, other) == same_value(one, other)
    assert same_value(one, other) == (diff_values(one, other) == ())


@given(values())
def test_a_value_does_not_differ_from_its_copy(value: Any) -> None:
    """Whatever it is made of, another object of the same content is the same."""

    assert same_value([value], [value])
    assert () == diff_values({"a": value}, {"a": value})


def patched(value: Any, diffs: list[tuple[Path, ValueDiff]]) -> Any:
    """Returns the new value, made of the old one and what is told to differ."""
    if not diffs:
        return value
    here = [diff for path, diff in diffs if not path]
    if any(diff.change is not ValueChange.ORDER for diff in here):
        return here[0].new
    inner: dict[Any, list[tuple[Path, ValueDiff]]] = {}
    for path, diff in diffs:
        if path:
            inner.setdefault(path[0], []).append((path[1:], diff))
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(patched_items(list(value), inner))
    if isinstance(value, set):
        return (value | {k.key for k, d in inner.items() if d[0][1].change is ValueChange.ADDED}) - {
            k.key for k, d in inner.items() if d[0][1].change is ValueChange.REMOVED
        }
    fields: dict[Any, Any] = dict(value) if isinstance(value, dict) else vars_of(value)
    for step, below in inner.items():
        name: Any = step.key if isinstance(step, Key) else step.name
        made = patched(fields.get(name), below)
        if made is ABSENT:
            del fields[name]
        else:
            fields[name] = made
    if isinstance(value, dict):
        order: Any = next((diff.new for diff in here), list(fields))
        return {key: fields[key] for key in sorted(fields, key=order.index)}
    return type(value)(**fields)


def vars_of(value: Any) -> dict[str, Any]:
    if isinstance(value, Pair):
        return dict(value._asdict())
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def patched_items(old: list[Any], inner: dict[Any, list[tuple[Path, ValueDiff]]]) -> list[Any]:
    removed = {step.old for step in inner if step.new is None}
    changed = {step.old: below for step, below in inner.items() if None not in (step.old, step.new)}
    items = [patched(item, changed[i]) if i in changed else item for i, item in enumerate(old) if i not in removed]
    for step in sorted((step for step in inner if step.old is None), key=lambda step: step.new):
        items.insert(step.new, inner[step][0][1].new)
    return items


def same_but_for_new_keys(one: Any, other: Any) -> bool:
    """Compares with dicts' order left aside: where an added key stands is not told."""
    return identical(unordered(one), unordered(other))


def unordered(value: Any) -> Any:
    if type(value) is dict:
        return {key: unordered(value[key]) for key in sorted(value)}
    if type(value) in (list, tuple):
        return type(value)(unordered(item) for item in value)
    if isinstance(value, Pair):
        return Pair(*map(unordered, value))
    return Point(unordered(value.x), unordered(value.y)) if isinstance(value, Point) else value


@given(plain, plain)
def test_differences_make_the_new_of_the_old(old: Any, new: Any) -> None:
    """Put where their paths say, the differences turn the old value into the new one."""
    diffs = diff_values(old, new)

    assert same_but_for_new_keys(new, patched(copy.deepcopy(old), [(diff.path, diff) for diff in diffs]))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (True, 1),
        (1, 1.0),
        (0.0, -0.0),
        ((1,), [1]),
        ("a", b"a"),
        ({1}, frozenset({1})),
        ("\u00e9", "e\u0301"),
        ({1: 2}, {True: 2}),
    ],
)
def test_what_python_takes_for_equal(old: Any, new: Any) -> None:
    """Types and bits are told apart, also as items and keys."""

    assert not same_value(old, new)
    assert diff_values([old], [new])


def test_a_nan_is_itself() -> None:
    """Bits are compared, not numbers."""

    assert same_value(float("nan"), float("nan"))


def test_paths_and_sides() -> None:
    """Each difference says where it is, and what stands there."""
    old = {"title": "otters", "messages": [{"role": "user", "content": "hi"}, Message("bot", "ho")], "n": 1}
    new = {"title": "otters", "messages": [{"role": "user", "content": "hey"}, Message("bot", "ho", ["x"])], "m": 1}

    assert [
        ("changed", "['messages'][0]['content']", "hi", "hey"),
        ("added", "['messages'][1].tags[0]", ABSENT, "x"),
        ("removed", "['n']", 1, ABSENT),
        ("added", "['m']", ABSENT, 1),
    ] == [(diff.change.value, format_path(diff.path), diff.old, diff.new) for diff in diff_values(old, new)]


def test_lists_are_aligned() -> None:
    """An item put in front leaves the others alone; an edited record is compared with the one it was."""
    old = [{"role": "user", "text": "a"}, {"role": "bot", "text": "b"}, 3]
    new = [0, {"role": "user", "text": "a"}, {"role": "user", "text": "x"}, {"role": "bot", "text": "c"}, 3]

    assert [
        ValueDiff(ValueChange.ADDED, (Index(None, 0),), ABSENT, 0),
        ValueDiff(ValueChange.ADDED, (Index(None, 2),), ABSENT, {"role": "user", "text": "x"}),
        ValueDiff(ValueChange.CHANGED, (Index(1, 3), Key("text")), "b", "c"),
    ] == list(diff_values(old, new))


def test_the_order_of_keys() -> None:
    """A dict in another order is another value; the two orders are told."""

    assert (ValueDiff(ValueChange.ORDER, (), ["a", "b"], ["b", "a"]),) == diff_values(
        {"a": 1, "b": 2}, {"b": 2, "a": 1}
    )


def test_long_texts_by_words() -> None:
    """A long text shows which words changed; a short one stands as it is."""
    old, new = "The otter swims in the cold river.", "The otter sleeps in the cold river."
    (long,) = diff_values(Point(old), Point(new))
    (short,) = diff_values("cat", "dog")

    assert long.words is not None
    assert ((old, new), (Field("x"),)) == (sides(long.words), long.path)
    assert short.words is None


def test_depth_and_cycles() -> None:
    """30,000 levels are compared without recursion; a value that holds itself ends."""
    deep: list[Any] = []
    other: list[Any] = [1]
    for _ in range(30_000):
        deep, other = [deep], [other]
    (diff,) = diff_values(deep, other)
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)

    assert (30_001, ValueChange.ADDED) == (len(diff.path), diff.change)
    assert same_value(cyclic, cyclic)
    assert not same_value(cyclic, [1, [1]])


def test_large_lists() -> None:
    """A hundred thousand numbers with an edit, an insertion and a deletion."""
    old = list(range(100_000))
    new = list(old)
    new[500] = -1
    del new[70_000]
    new.insert(90_000, -2)

    assert [("changed", "[500]"), ("removed", "[70000]"), ("added", "[90000]")] == [
        (diff.change.value, format_path(diff.path)) for diff in diff_values(old, new)
    ]
