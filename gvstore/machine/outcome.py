"""What a step did, as it is recorded: its result, and what it changed of the state.

    (result, {field: value}, {field: further items}, [fields that are gone])

A plain tuple: a chat's history that gets one message costs that message.  A
replay makes the recorded changes of the state that it has come to.
"""

from __future__ import annotations

import numbers
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gvstore.errors import UsageFault
from gvstore.machine.cell import Cell, ListCell, StoredCell
from gvstore.machine.duplicate import is_same
from gvstore.machine.part import NOWHERE
from gvstore.machine.serde import FIELD_SERDES, unpacked
from gvstore.machine.state import State
from gvstore.machine.state_fault import StateValueError
from gvstore.machine.view import Extent
from gvstore.objects import number
from gvstore.objects.encode import VALUE_BYTE
from gvstore.objects.expand import register_expander
from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.objects.wire import WeakLink, has_link, linked

if TYPE_CHECKING:
    from gvstore.machine.cycle import Outcome

_NOTHING: Final = Extent(frozenset(), frozenset(), frozenset(), frozenset())
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


def step_value(outcome: Outcome, before: State[Any], known: Collection[str]) -> StepValue:
    """Returns what is recorded of a step from a state; its values are the state's own, not to be handed out.

    `known` are the fields that its arguments tell.  Of the others what it did is
    recorded, and not what changed: given what was there already, another time it
    may not be there.

    Raises:
        StateValueError: a field holds what cannot be stored.
    """
    after, extent = outcome.state, outcome.extent or _NOTHING
    values: dict[str, Any] = {}
    further: dict[str, list[Any]] = {}
    for name, cell in after.cells():
        old = before.cell(name)
        free = name in extent.given and name not in known
        if old is cell and not free:
            continue
        if free:
            count = None
        elif old is None and name in extent.grown and name not in known:
            count = 0
        else:
            count = cell.grew_from(old) if isinstance(cell, ListCell) and old is not None else None
        if isinstance(cell, ListCell) and count is not None and _items_stand(name, cell, count):
            if count < cell.count:
                further[name] = cell.row.items[count - cell.row.start : cell.count - cell.row.start]
            continue
        value = cell.value
        if not free and old is not None and old.is_loaded and is_same(old.value, value):
            continue
        values[name] = value if type(value) in _PLAIN and name not in FIELD_SERDES else cell.recorded(name)
    gone = [name for name in before if after.cell(name) is None]
    gone += sorted(name for name in extent.wiped if name not in known and name not in before and after.cell(name) is None)
    return StepValue(outcome.result, values, further, gone, after)


def _items_stand(name: str, cell: ListCell, begin: int) -> bool:
    """Returns whether further items of a list are recorded by themselves: not where a serializer writes them."""
    if name in FIELD_SERDES:
        return False
    try:
        cell.item_parts(name, begin, NOWHERE)
    except StateValueError:
        return False
    return True


def unread(outcome: Outcome, known: Collection[str]) -> list[str]:
    """Returns the fields that a step saw, although its arguments do not tell them: so they cannot answer for it."""
    return [] if outcome.extent is None else sorted(outcome.extent.peeked.difference(known))


def recorded_step(value: Any) -> tuple[Any, dict[str, Any], dict[str, list[Any]], list[str]]:
    """Returns (result, values, further items, fields that are gone) of what a step returned, or was set to by a replay: fields alone.

    Raises:
        CorruptObject: no step returned it.
    """
    if isinstance(value, StepValue):
        return value.result, value.values, value.further, value.gone
    if is_set(value):
        return value, value, {}, []
    if not is_recorded(value):
        raise CorruptObject(None, "what a machine's step did was expected")
    result, values, further, gone = value
    return result, {name: unpacked(each) for name, each in values.items()}, further, gone


def is_set(value: Any) -> bool:
    """Returns whether a value is what a replay may set a step to: what it writes, by field."""
    return type(value) is dict and all(type(name) is str for name in value)


def checked_answer(name: str, writes: Collection[str], value: Any) -> Any:
    """Returns what a record, or a replay's `--set`, answers for a step.

    Raises:
        UsageFault: it was set to what the step cannot have written.
    """
    if isinstance(value, StepValue) or is_recorded(value) or (is_set(value) and set(value) <= set(writes)):
        return value
    other = sorted(set(value).difference(writes)) if is_set(value) else []
    said = f"{', '.join(other)}, which it does not write" if other else f"a value of type {type(value).__name__}"
    example = ", ".join(f'"{each}": ...' for each in writes)
    raise UsageFault(f"the step {name} was set to {said}", hint=f"A step is set to what it writes, by field: '{{{example}}}'.")


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

    The numbers that it writes are given too, and what is no list and yet grows:
    to increment one is to read it.

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
            if cell is not None and _may_be_added_to(cell):
                given[name] = _named(name, cell)
    return given


def _may_be_added_to(cell: Cell) -> bool:
    """Returns whether what is added to a field makes something that depends on what is there, other than a longer list."""
    if isinstance(cell, ListCell) or (isinstance(cell, StoredCell) and not cell.is_loaded and not cell.is_small):
        return False
    value = cell.value
    return isinstance(value, numbers.Number) or (type(value) is not list and hasattr(value, "append") and hasattr(value, "extend"))


def _named(name: str, cell: Cell) -> Any:
    if type(cell) is Cell and type(cell.value) in _PLAIN and name not in FIELD_SERDES:
        return cell.value
    part = cell.part(name, NOWHERE)
    oid = linked(part)
    if oid is None and has_link(part):  # a list in parts
        oid = ObjectId.of(VALUE_BYTE + part)
    return cell.recorded(name) if oid is None else WeakLink(oid)
