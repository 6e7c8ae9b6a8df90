"""Changes as values do what the methods do, and can be written down."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from gvstore.machine.delta import AppendFields, DeleteField, ExtendFields, IncrementFields, SetFields, StateDelta
from gvstore.machine.state import State

BEFORE = {"n": 1, "rows": [1], "t": (1,)}
DELTAS: list[tuple[StateDelta, dict[str, Any]]] = [
    (SetFields({"n": 2, "m": (3,)}), {"n": 2, "rows": [1], "t": (1,), "m": (3,)}),
    (AppendFields({"rows": [2], "new": 1}), {"n": 1, "rows": [1, [2]], "t": (1,), "new": [1]}),
    (ExtendFields({"rows": [2]}), {"n": 1, "rows": [1, 2], "t": (1,)}),
    (IncrementFields({"n": 2, "m": 1}), {"n": 3, "rows": [1], "t": (1,), "m": 1}),
    (DeleteField(["n", "unknown"]), {"rows": [1], "t": (1,)}),
]


@pytest.mark.parametrize(("delta", "after"), DELTAS, ids=[each.name() for each, _ in DELTAS])
def test_applied(delta: StateDelta, after: dict[str, Any]) -> None:
    """To a state, to a dict in place, and once more from JSON; the state before stays."""
    state: State[Any] = State(BEFORE)
    fields = state.get_all()
    delta.validate(fields)
    delta.apply_mutate(fields)
    again = type(delta).deserialize(json.loads(json.dumps(delta.serialize())))

    assert after == state.apply_operation(delta) == fields == state.apply_operation(again)
    assert BEFORE == state
    assert type(delta).deserialize(delta.base_serialize()) == delta


@pytest.mark.parametrize(
    ("delta", "words"),
    [(AppendFields({"n": 1}), "non-appendable"), (ExtendFields({"n": [1]}), "non-extendable"), (IncrementFields({"t": 1}), "non-integer")],
)
def test_what_does_not_fit_is_told(delta: StateDelta, words: str) -> None:
    """As the methods tell it."""
    with pytest.raises(ValueError, match=words):
        State(BEFORE).apply_operation(delta)
    with pytest.raises(ValueError, match=words):
        delta.validate(BEFORE)


def test_what_they_touch() -> None:
    """Names of fields that are read, written, deleted."""

    assert ([], ["a"], []) == (SetFields({"a": 1}).reads(), SetFields({"a": 1}).writes(), SetFields({"a": 1}).deletes())
    assert (["a"], ["a"]) == (AppendFields({"a": 1}).reads(), AppendFields({"a": 1}).writes())
    assert (["a"], [], ["a"]) == (DeleteField("a").reads(), DeleteField("a").writes(), DeleteField("a").deletes())


@dataclass
class RenameField(StateDelta):
    old: str
    new: str

    def reads(self) -> list[str]:
        return [self.old]

    def writes(self) -> list[str]:
        return [self.new]

    def deletes(self) -> list[str]:
        return [self.old]

    def validate(self, input_state: Any) -> None:
        if self.old not in input_state:
            raise ValueError(f"no field {self.old}")

    def apply_mutate(self, inputs: dict[str, Any]) -> None:
        inputs[self.new] = inputs.pop(self.old)


def test_a_change_of_the_programs_own() -> None:
    """It changes a dict of copies; what it does not touch is shared."""
    state: State[Any] = State(BEFORE)
    delta = RenameField("rows", "lines")

    assert {"n": 1, "t": (1,), "lines": [1]} == state.apply_operation(delta)
    assert BEFORE == state
    assert "rename-field" == delta.name()
    assert delta == RenameField.deserialize(delta.serialize())
    with pytest.raises(ValueError, match="no field"):
        State().apply_operation(delta)
