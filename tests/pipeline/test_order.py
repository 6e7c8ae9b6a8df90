"""Orders and cycles of names, held to what a plain look at all of them says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.pipeline.order import cycles, followers, in_order, knots, reached

Waits = dict[str, list[str]]


@st.composite
def graphs(draw: st.DrawFn) -> Waits:
    """Up to eight names that wait for each other anyhow."""
    names = [f"n{number}" for number in range(draw(st.integers(0, 8)))]
    return {name: draw(st.lists(st.sampled_from(names), max_size=3)) for name in names}


@given(graphs())
def test_an_order_or_a_cycle(waits: Waits) -> None:
    """There is an order if and only if there is no cycle; each name comes after those it waits for."""
    found = cycles(waits)
    if found:
        with pytest.raises(ValueError, match="a cycle among"):
            in_order(waits)
    else:
        order = in_order(waits)
        assert sorted(waits) == sorted(order)
        assert all(order.index(each) < order.index(name) for name, before in waits.items() for each in before)
    for cycle in found:
        assert all(after in waits[name] for name, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True))
        assert len(set(cycle)) == len(cycle)


@given(graphs())
def test_knots_are_those_who_wait_for_each_other(waits: Waits) -> None:
    """Two names are in one knot if each leads to the other; every name is in one."""
    ways = {name: reached([name], waits) for name in waits}
    expected = {frozenset(other for other in waits if other in ways[name] and name in ways[other]) for name in waits}

    assert expected == set(knots(waits))
    assert len(expected) == len(knots(waits))


@given(graphs())
def test_followers_are_the_other_way_round(waits: Waits) -> None:
    """Who waits for whom, turned."""

    assert {(name, each) for name, before in waits.items() for each in before} == {
        (each, name) for name, after in followers(waits).items() for each in after
    }


def test_the_order_is_that_of_the_file_where_it_can_be() -> None:
    """Of what is ready the first of the file comes next; a long chain costs no stack."""
    chain = {f"n{number}": [f"n{number - 1}"] if number else [] for number in range(5_000)}

    assert ("b", "c", "a", "d") == in_order({"a": ["c"], "b": [], "c": [], "d": ["a"]})
    assert tuple(chain) == in_order(chain)
    assert [] == cycles(chain)
