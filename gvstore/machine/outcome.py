"""What a step did, as it is recorded: its result, and what it changed of the state.

    (result, {field: value}, {field: further items}, [fields that are gone])

A plain tuple: a chat's history that gets one message costs that message.  A
replay makes the recorded changes of the state that it has come to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from gvstore.machine.cell import Cell, ListCell
from gvstore.machine.duplicate import is_same
from gvstore.machine.part import NOWHERE
from gvstore.machine.state import State
from gvstore.objects import number
from gvstore.objects.encode import VALUE_BYTE
from gvstore.objects.expand import register_expander
from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import WeakLink, has_link, linked

_ELEMENTS: Final = 4
_PLAIN: Final = frozenset({type(None), bool, int, float})


@dataclass(frozen=True, slots=True)
class StepValue:
    """What a step is recorded to have returned; `state` is the whole state after it, which is not recorded."""

    result: Any
    values: dict[str, Any]
    further: dict[str, list[Any]]
    gone: list[str]
    state: State[Any]


register_expander(StepValue, lambda step: (number.TUPLE, (step.result, step.values, step.further, step.gone)))


def step_value(result: Any, before: State[Any], after: State[Any]) -> StepValue:
    """Returns what is recorded of a step from one state to another; its values are the state's own, not to be handed out.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    values: dict[str, Any] = {}
    further: dict[str, list[Any]] = {}
    for name, cell in after.cells():
        old = before.cell(name)
        if old is cell:
            continue
        if isinstance(cell, ListCell) and old is not None and (count := cell.grew_from(old)) is not None:
            if count < cell.count:
                cell.item_parts(name, count, NOWHERE)
                further[name] = cell.row.items[count - cell.row.start : cell.count - cell.row.start]
            continue
        value = cell.value
        if old is not None and old.is_loaded and is_same(old.value, value):
            continue
        if type(value) not in _PLAIN:
            cell.part(name, NOWHERE)
        values[name] = value
    gone = [name for name in before if after.cell(name) is None]
    return StepValue(result, values, further, gone, after)


def recorded_step(value: Any) -> tuple[Any, dict[str, Any], dict[str, list[Any]], list[str]]:
    """Returns (result, values, further items, fields that are gone) of what a step returned.

    Raises:
        CorruptObject: no step returned it.
    """
    if isinstance(value, StepValue):
        return value.result, value.values, value.further, value.gone
    if not is_recorded(value):
        raise CorruptObject(None, "what a machine's step did was expected")
    recorded: tuple[Any, dict[str, Any], dict[str, list[Any]], list[str]] = value
    return recorded


def is_recorded(value: Any) -> bool:
    """Returns whether a recorded value is what a step returned."""
    return type(value) is tuple and [type(each) for each in value[1:]] == [dict, dict, list]


def apply_step(value: Any, before: State[Any]) -> StepValue:
    """Returns a recorded step as if it had been taken from this state.

    Raises:
        CorruptObject: no step returned it.
    """
    result, values, further, gone = recorded_step(value)
    after = before.update(**values) if values else before
    if further:
        after = after.extend(**further)
    if gone:
        after = after.wipe(delete=gone)
    return StepValue(result, values, further, gone, after)


def given_state(state: State[Any], reads: list[str], writes: list[str]) -> dict[str, Any]:
    """Returns what a step is given of the state, as an argument: small values, and weak links that name large ones.

    The numbers that it writes are given too: to increment one is to read it.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    given: dict[str, Any] = {}
    for name in reads:
        cell = state.cell(name)
        if cell is not None:
            given[name] = _named(name, cell)
    for name in writes:
        if name not in given:
            cell = state.cell(name)
            if cell is not None and type(cell) is Cell and type(cell.value) in (int, float):
                given[name] = cell.value
    return given


def _named(name: str, cell: Cell) -> Any:
    if type(cell) is Cell and type(cell.value) in _PLAIN:
        return cell.value
    part = cell.part(name, NOWHERE)
    oid = linked(part)
    if oid is None and has_link(part):  # a list in parts
        oid = ObjectId.of(VALUE_BYTE + part)
    return cell.value if oid is None else WeakLink(oid)
