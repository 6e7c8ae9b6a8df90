"""The laws of what an action sees: with random declarations and random work on the state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvstore.machine.action_fault import ActionFault, MissingWrites, UndeclaredRead, UndeclaredWrite
from gvstore.machine.action_function import action
from gvstore.machine.cycle import execute
from gvstore.machine.delta import AppendFields, DeleteField, IncrementFields, SetFields
from gvstore.machine.state import State

KEYS = ("a", "b", "c")
key = st.sampled_from(KEYS)
keys = st.lists(key, unique=True)
Work = tuple[str, str, Any]
WORK = st.one_of(
    st.tuples(st.just("read"), key, st.none()),
    st.tuples(st.just("update"), key, st.integers(0, 2)),
    st.tuples(st.just("set"), key, st.integers(0, 2)),
    st.tuples(st.just("increment"), key, st.integers(0, 2)),
    st.tuples(st.just("add"), key, st.integers(0, 2)),
    st.tuples(st.just("merge"), key, st.integers(0, 2)),
    st.tuples(st.just("wipe"), key, st.none()),
    st.tuples(st.just("delete"), key, st.none()),
    st.tuples(st.just("branch"), key, st.integers(0, 2)),
)


def work(state: State[Any], kind: str, name: str, value: Any) -> State[Any]:
    """Does one thing to a state."""
    if kind == "read":
        state.get(name)
        return state
    if kind == "branch":  # a change that is thrown away
        state.update(**{name: value})
        return state
    ways: dict[str, Any] = {
        "update": lambda: state.update(**{name: value}),
        "set": lambda: state.apply_operation(SetFields({name: value})),
        "increment": lambda: state.increment(**{name: value}),
        "add": lambda: state.apply_operation(IncrementFields({name: value})),
        "merge": lambda: state.merge({name: value}),
        "wipe": lambda: state.wipe(delete=[name]),
        "delete": lambda: state.apply_operation(DeleteField([name])),
    }
    made: State[Any] = ways[kind]()
    return made


def expected(before: dict[str, int], reads: list[str], writes: list[str], works: list[Work]) -> Any:
    """Returns the fields afterwards, or the error that comes, as plainly as can be."""
    fields, written, wiped = dict(before), set[str](), set[str]()
    for kind, name, value in works:
        if kind == "read":
            if name not in reads and name not in written:
                return UndeclaredRead
            continue
        if name not in writes:
            return UndeclaredWrite
        if kind == "branch":
            continue
        if kind in ("wipe", "delete"):
            fields.pop(name, None)
            written.discard(name)
            wiped.add(name)
            continue
        fields[name] = fields.get(name, 0) + value if kind in ("increment", "add") else value
        written.add(name)
        wiped.discard(name)
    if any(name not in fields and name not in wiped for name in writes):
        return MissingWrites
    return fields


@settings(deadline=None)
@given(st.dictionaries(key, st.integers(0, 2)), keys, keys, st.lists(WORK, max_size=6))
def test_an_action_does_what_it_declares_or_is_told(before: dict[str, int], reads: list[str], writes: list[str], works: list[Work]) -> None:
    """The whole state is as if the work had been done on it, or the first undeclared thing is an error; the old state stays."""

    @action(reads=reads, writes=writes)
    def does(state: State[Any]) -> State[Any]:
        for each in works:
            state = work(state, *each)
        return state

    state: State[Any] = State({**before, "other": [1]})
    wanted = expected(before, reads, writes, works)
    if isinstance(wanted, dict):
        assert {**wanted, "other": [1]} == execute(does.action_function, state).state
    else:
        with pytest.raises(ActionFault) as found:
            execute(does.action_function, state)
        assert type(found.value) is wanted
    assert {**before, "other": [1]} == state


def test_append_goes_on_from_what_is_not_seen() -> None:
    """A list that is only written can be appended to, by itself or as a change."""

    @action(reads=[], writes=["log"])
    def note(state: State[Any]) -> State[Any]:
        return state.append(log=2).apply_operation(AppendFields({"log": 3})).extend(log=[4])

    assert {"log": [1, 2, 3, 4]} == execute(note.action_function, State({"log": [1]})).state


def test_fields_are_not_attributes() -> None:
    """And an error says how they are read."""

    @action(reads=["a"], writes=[])
    def looks(state: Any) -> State[Any]:
        made: State[Any] = state.a
        return made

    with pytest.raises(AttributeError, match=r"its fields are read as state\['a'\]"):
        execute(looks.action_function, State({"a": 1}))
