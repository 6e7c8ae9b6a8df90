"""A state is a dict that is deep-copied at every turn: only faster, smaller, and stored."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine.duplicate import duplicate, is_same
from gvstore.machine.state import State
from gvstore.objects.check import check
from gvstore.objects.decode import decode
from gvstore.objects.value import encode_value
from tests.objects.store import Objects
from tests.strategies import identical, values

NAMES = st.sampled_from(["a", "b", "history", "x" * 300, "__n"])
SMALL = st.recursive(
    st.one_of(st.integers(), st.text(max_size=20), st.floats(), st.none(), st.booleans(), st.just("y" * 400)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.text(max_size=3), inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
    ),
    max_leaves=8,
)
Model = dict[str, Any]


def spoil(value: Any) -> None:
    """Changes whatever can be changed in place."""
    if isinstance(value, list):
        for each in value:
            spoil(each)
        value.append("spoilt")
    elif isinstance(value, dict):
        for each in value.values():
            spoil(each)
        value["spoilt"] = True


class Pair:
    """A state, and the dict that it should be; what both are given is spoilt afterwards."""

    def __init__(self, writer: Objects) -> None:
        self.writer = writer
        self.state: State[Any] = State()
        self.model: Model = {}
        self.before: State[Any] | None = None

    def step(self, verb: str, name: str, value: Any) -> None:
        """Makes one change of both."""
        model = copy.deepcopy(self.model)
        if verb == "update":
            model[name] = copy.deepcopy(value)
            state = self.state.update(**{name: value})
        elif verb == "append" and isinstance(model.get(name, []), list):
            model.setdefault(name, []).append(copy.deepcopy(value))
            state = self.state.append(**{name: value})
        elif verb == "extend" and isinstance(model.get(name, []), list):
            model.setdefault(name, []).extend(copy.deepcopy([value, 1, value]))
            state = self.state.extend(**{name: [value, 1, value]})
        elif verb == "read and give back" and isinstance(model.get(name), list):
            read = self.state[name]
            read.append(value)
            model[name].append(copy.deepcopy(value))
            state = self.state.update(**{name: read})
        elif verb == "drop the last" and isinstance(model.get(name), list):
            model[name] = model[name][:-1]
            state = self.state.update(**{name: self.state[name][:-1]})
        elif verb == "delete":
            model.pop(name, None)
            state = self.state.wipe(delete=[name])
        elif verb == "merge":
            model |= copy.deepcopy({name: value, "b": 1})
            state = self.state.merge(State({name: value, "b": 1}))
        else:
            return
        spoil(value)
        self.state, self.model = state, model

    def check(self, verb: str) -> None:
        """Holds the two against each other, perhaps by way of the store."""
        if verb == "store":
            self.state.store(self.writer)
        elif verb in ("store after", "load"):
            oid = self.state.store(self.writer, after=self.before)
            self.before = self.state
            if verb == "load":
                self.state = self.before = State.load(self.writer, oid)
        elif verb == "name":
            oid = self.state.name()

            assert oid == State(self.model).name()
        spoil(self.state.get_all())

        assert identical(self.model, self.state.get_all())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["update", "append", "append", "extend", "read and give back", "drop the last", "delete", "merge"]),
            NAMES,
            SMALL,
            st.sampled_from(["", "", "store", "store after", "store after", "load", "name"]),
        ),
        max_size=30,
    )
)
def test_a_state_is_a_dict_of_deep_copies(steps: list[tuple[str, str, Any, str]]) -> None:
    """Whatever is done in whatever order, stored and loaded in between, and whatever is done to what was given and read."""
    writer = Objects()
    pair = Pair(writer)
    for verb, name, value, way in steps:
        pair.step(verb, name, value)
        pair.check(way)
    loaded = State.load(writer, pair.state.store(writer, after=pair.before))

    assert identical(pair.model, loaded.get_all())
    assert encode_value(pair.model, Objects()) == pair.state.encoded(writer) == loaded.encoded(Objects())
    for data in writer.values():
        check(data)


def nested(levels: int, bottom: Any) -> Any:
    """Returns a list in a list, and so on."""
    return bottom if levels == 0 else [nested(levels - 1, bottom)]


@pytest.mark.parametrize("levels", range(26, 36))
@pytest.mark.parametrize("bottom", [1, "x" * 200, "x" * 300])
def test_tall_values_are_linked_where_the_format_wants_it(levels: int, bottom: Any) -> None:
    """Fields, items and changes of about the height at which containers are linked: all objects are as they must be."""
    writer = Objects()
    value = nested(levels, bottom)
    first: State[Any] = State({"rows": [value], "f": value})
    first.store(writer)
    second = first.append(rows=value).update(g=value)
    oid = second.store(writer, after=first)
    for data in writer.values():
        check(data)

    assert {"rows": [value, value], "f": value, "g": value} == State.load(writer, oid).get_all()
    assert encode_value(second.get_all(), writer) == second.encoded(writer) == State.load(writer, oid).encoded(Objects())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.text(max_size=60)), max_size=60))
def test_versions_of_one_list_do_not_disturb_each_other(steps: list[tuple[int, str]]) -> None:
    """Any version may be the one that goes on, again and again, and each stays what it was, encoded or not."""
    writer = Objects()
    versions: list[tuple[State[Any], list[str]]] = [(State({"rows": []}), [])]
    for at, text in steps:
        state, model = versions[at % len(versions)]
        versions.append((state.append(rows=text), [*model, text]))
        if at % 3 == 0:
            versions[-1][0].store(writer, after=state)
    for state, model in versions:
        assert {"rows": model} == state
        assert encode_value({"rows": model}, Objects()) == state.encoded(writer)
        assert {"rows": model} == State.load(writer, state.store(writer))


@settings(max_examples=200, deadline=None)
@given(values())
def test_a_copy_is_identical_and_so_is_what_is_stored(value: Any) -> None:
    """Every value that has an encoding: as read from a state, as read from the store, as read from JSON."""
    writer = Objects()
    state: State[Any] = State({"v": value})

    assert identical(decode(encode_value({"v": value}, writer), writer)["v"], duplicate(value))
    assert encode_value({"v": value}, writer) == state.encoded(writer)
    assert identical(state["v"], State.load(writer, state.store(writer))["v"])
    assert identical(state["v"], State.deserialize(json.loads(json.dumps(state.serialize())))["v"])


@settings(max_examples=200, deadline=None)
@given(SMALL, SMALL)
def test_what_is_called_the_same_is_stored_as_the_same(a: Any, b: Any) -> None:
    """`is_same` tells no two values that differ in a bit, and knows every copy without a NaN in it."""
    writer = Objects()

    assert not is_same(a, b) or encode_value(a, writer) == encode_value(b, writer)
    assert is_same(a, duplicate(a)) or "nan" in repr(a)
