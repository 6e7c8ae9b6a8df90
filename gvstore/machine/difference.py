"""What a step did to the state, as changes that can be shown, written down and made again.

States that came from one another share what they have in common, so that what
did not change is not looked at; nor is it read, if it lies in a store.
"""

from __future__ import annotations

from typing import Any

from gvstore.machine.cell import Cell, GrownCell, ListCell, StoredCell
from gvstore.machine.delta import DeleteField, ExtendFields, SetFields, StateDelta
from gvstore.machine.duplicate import duplicate, is_same
from gvstore.machine.state import State


def difference(before: State[Any], after: State[Any]) -> list[StateDelta]:
    """Returns the changes that make `after`'s fields of `before`'s, in the order to make them: gone, further items, other values.

    A list that begins as before and goes on is extended; any other field that
    is not the same, to the bit, is set.
    """
    gone = [name for name in before if name not in after]
    further: dict[str, list[Any]] = {}
    values: dict[str, Any] = {}
    for name, cell in after.cells():
        old = before.cell(name)
        if old is None:
            values[name] = cell.read()
        elif (items := _further(old, cell)) is None:
            if not _is_same(old, cell):
                values[name] = cell.read()
        elif items:
            further[name] = items
    changes: list[StateDelta] = [DeleteField(gone)] if gone else []
    changes += [ExtendFields(further)] if further else []
    return changes + ([SetFields(values)] if values else [])


def _further(old: Cell, new: Cell) -> list[Any] | None:
    """Returns copies of the items that a list has more than before, or None if it is not that list gone on."""
    if old is new:
        return []
    if isinstance(new, ListCell) and (count := new.grew_from(old)) is not None:
        return new.read_from(count)
    if isinstance(new, GrownCell) and isinstance(old, StoredCell) and (items := new.beyond(old)) is not None:
        return items
    if _is_known_same(old, new):
        return []
    was, now = old.value, new.value
    if type(was) is list and type(now) is list and len(was) <= len(now) and is_same(was, now[: len(was)]):
        rest: list[Any] = duplicate(now[len(was) :])
        return rest
    return None


def _is_same(old: Cell, new: Cell) -> bool:
    return _is_known_same(old, new) or is_same(old.value, new.value)


def _is_known_same(old: Cell, new: Cell) -> bool:
    return old is new or (isinstance(old, StoredCell) and isinstance(new, StoredCell) and old.lies_as(new))
