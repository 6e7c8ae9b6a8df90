"""What changed between two states makes the one of the other, and is no more than it must be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine.delta import DeleteField, ExtendFields, SetFields, StateDelta
from gvstore.machine.difference import difference
from gvstore.machine.state import State
from tests.machine.test_state_model import SMALL
from tests.objects.store import Objects
from tests.strategies import identical

FIELDS = st.dictionaries(st.sampled_from("abc"), st.one_of(SMALL, st.lists(st.integers(0, 2), max_size=4)), max_size=3)


def made(state: State[Any], changes: list[StateDelta]) -> State[Any]:
    for each in changes:
        state = state.apply_operation(each)
    return state


@settings(max_examples=200, deadline=None)
@given(FIELDS, FIELDS)
def test_the_changes_make_the_other(a: dict[str, Any], b: dict[str, Any]) -> None:
    """Any two states, related or not, at hand or stored."""
    before: State[Any] = State(a)
    after: State[Any] = State(b)
    writer = Objects()
    stored = [State.load(writer, each.store(writer)) for each in (before, after)]
    for one, other in ((before, after), (stored[0], stored[1]), (before, stored[1])):
        got = made(one, difference(one, other)).get_all()

        assert got.keys() == b.keys()
        assert all(identical(b[name], got[name]) for name in b)


HISTORY = [{"role": "user", "content": "x" * 400}] * 40


@pytest.mark.parametrize("way", ["at hand", "stored", "loaded one after the other"])
def test_no_more_than_it_must_be(way: str) -> None:
    """What was written, and further items alone of a list; of stored states the rest is not even read."""
    writer = Objects()
    before: State[Any] = State({"history": HISTORY, "n": 1, "old": 2, "same": ["y" * 300]})
    after = before.append(history="hi").increment(n=1).wipe(delete=["old"]).update(new={"a": 1})
    expected = [DeleteField(["old"]), ExtendFields({"history": ["hi"]}), SetFields({"n": 2, "new": {"a": 1}})]
    if way == "stored":
        before, after = (State.load(writer, each.store(writer)) for each in (before, after))
    elif way == "loaded one after the other":
        first = before.store(writer)
        second = after.store(writer, after=before)
        before, after = State.load(writer, first), State.load(writer, second)
        writer.reads = 0

    assert expected == difference(before, after)
    assert [] == difference(after, after)
    assert way != "loaded one after the other" or writer.reads <= 2


def test_copies_are_handed_out() -> None:
    """What is done to a change is done to nothing else."""
    before: State[Any] = State({"rows": []})
    after = before.append(rows=["a"]).update(d=["b"])
    extended, assigned = difference(before, after)
    extended.values["rows"][0].append("spoilt")  # type: ignore[attr-defined]
    assigned.values["d"].append("spoilt")  # type: ignore[attr-defined]

    assert {"rows": [["a"]], "d": ["b"]} == after
