"""How two values differ: where, and what stands there on either side.

Equal means equal as stored: `True` is not `1`, `1` not `1.0`, `0.0` not `-0.0`,
a tuple no list, and a NaN is itself.  Each value is given a number, equal
values the same one; from there on lists are aligned and dicts compared by
numbers.  Nothing here recurses: depth is no matter.
"""

from __future__ import annotations

import dataclasses
import enum
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from gvstore.compare.align import align, best_pairs, gaps
from gvstore.compare.text import Span, diff_words
from gvstore.objects.oid import ObjectId
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.value import put_value

_WORDS_FROM = 24
_WORDS_UP_TO = 1 << 20
_PAIRED_CELLS = 2500


@dataclass(frozen=True, slots=True)
class Field:
    """A step into a record: `.name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Key:
    """A step into a dict, or to a member of a set."""

    key: object


@dataclass(frozen=True, slots=True)
class Index:
    """A step into a list or tuple; None on the side where the item is not."""

    old: int | None
    new: int | None


Step = Field | Key | Index
Path = tuple[Step, ...]


class ValueChange(StrEnum):
    """What happened at a path."""

    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"
    ORDER = "order"
    """A dict has the keys that both sides share in another order."""


class Absent(enum.Enum):
    """What stands on the side where nothing is."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent.ABSENT


@dataclass(frozen=True, slots=True)
class ValueDiff:
    """One difference; `words` are told of texts long enough for it."""

    change: ValueChange
    path: Path
    old: object
    new: object
    words: tuple[Span, ...] | None = None


def same_value(old: object, new: object) -> bool:
    """Returns whether two values are stored as the same."""
    numbers = Numbers()
    return numbers.of(old) == numbers.of(new)


def diff_values(old: object, new: object) -> tuple[ValueDiff, ...]:
    """Returns the differences, in the order of the values; of a part that differs in all, its parts.

    What has no parts that both sides could share is one difference: another
    type, a number, an object that only its stored form can tell apart.
    """
    numbers = Numbers()
    found: list[ValueDiff] = []
    todo: list[_Pair | ValueDiff] = [_Pair(None, old, new)]
    while todo:
        item = todo.pop()
        if isinstance(item, ValueDiff):
            found.append(item)
        elif item.old is ABSENT or item.new is ABSENT:
            found.append(_differs(item))
        elif numbers.of(item.old) != numbers.of(item.new):
            parts = list(_parts(item, numbers))
            if parts:
                todo += reversed(parts)
            else:
                found.append(_differs(item))
    return tuple(found)


def format_path(path: Path) -> str:
    """Returns a path as one would write it in Python: `.messages[2]['content']`."""
    words = []
    for step in path:
        if isinstance(step, Field):
            words.append(f".{step.name}")
        elif isinstance(step, Key):
            words.append(f"[{step.key!r}]")
        else:
            words.append(f"[{step.new if step.new is not None else step.old}]")
    return "".join(words)


@dataclass(frozen=True, slots=True)
class _Trail:
    """A path as its last step and the trail before it: a path a level would be quadratic in depth."""

    before: _Trail | None
    step: Step

    def path(self) -> Path:
        steps = []
        trail: _Trail | None = self
        while trail is not None:
            steps.append(trail.step)
            trail = trail.before
        return tuple(reversed(steps))


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two values that stand in the same place."""

    trail: _Trail | None
    old: Any
    new: Any

    @property
    def path(self) -> Path:
        return self.trail.path() if self.trail is not None else ()

    def at(self, step: Step, old: object, new: object) -> _Pair:
        """Returns the parts of both under `step`."""
        return _Pair(_Trail(self.trail, step), old, new)


def _differs(pair: _Pair) -> ValueDiff:
    if pair.new is ABSENT:
        return ValueDiff(ValueChange.REMOVED, pair.path, pair.old, ABSENT)
    if pair.old is ABSENT:
        return ValueDiff(ValueChange.ADDED, pair.path, ABSENT, pair.new)
    words = None
    if type(pair.old) is type(pair.new) is str and _WORDS_FROM <= max(len(pair.old), len(pair.new)) <= _WORDS_UP_TO:
        words = diff_words(pair.old, pair.new) if pair.old and pair.new else None
    return ValueDiff(ValueChange.CHANGED, pair.path, pair.old, pair.new, words)


def _parts(pair: _Pair, numbers: Numbers) -> Iterator[_Pair | ValueDiff]:
    """Yields the parts in which two different values differ; none, when they have none in common."""
    old, new = pair.old, pair.new
    if type(old) is not type(new):
        return
    fields = record_fields(old)
    if fields is not None:
        others = record_fields(new)
        if others is not None and record_head(old) == record_head(new):
            yield from _mapping_parts(pair, fields, others, numbers, Field)
    elif isinstance(old, list | tuple):
        yield from _list_parts(pair, numbers)
    elif isinstance(old, dict):
        yield from _dict_parts(pair, numbers)
    elif isinstance(old, set | frozenset):
        before, after = ({numbers.of(item): item for item in side} for side in (old, new))
        yield from (pair.at(Key(item), item, ABSENT) for number, item in before.items() if number not in after)
        yield from (pair.at(Key(item), ABSENT, item) for number, item in after.items() if number not in before)


def _mapping_parts(
    pair: _Pair, old: dict[Any, Any], new: dict[Any, Any], numbers: Numbers, step: Callable[[Any], Step]
) -> Iterator[_Pair | ValueDiff]:
    """Yields what differs under each name, those of the old side first."""
    for name, value in old.items():
        if name not in new:
            yield pair.at(step(name), value, ABSENT)
        elif numbers.of(value) != numbers.of(new[name]):
            yield pair.at(step(name), value, new[name])
    yield from (pair.at(step(name), ABSENT, value) for name, value in new.items() if name not in old)


def _dict_parts(pair: _Pair, numbers: Numbers) -> Iterator[_Pair | ValueDiff]:
    """Yields what differs under each key; keys are told apart by their numbers, so that 1 and True are two."""
    old_keys = {numbers.of(key): key for key in pair.old}
    new_keys = {numbers.of(key): key for key in pair.new}
    old = {number: pair.old[key] for number, key in old_keys.items()}
    new = {number: pair.new[key] for number, key in new_keys.items()}
    yield from _mapping_parts(pair, old, new, numbers, lambda number: Key(old_keys.get(number, new_keys.get(number))))
    if [number for number in old if number in new] != [number for number in new if number in old]:
        yield ValueDiff(ValueChange.ORDER, pair.path, list(pair.old), list(pair.new))


def _list_parts(pair: _Pair, numbers: Numbers) -> Iterator[_Pair | ValueDiff]:
    """Yields what differs between two lists, aligned; in a gap, items that have most in common are compared."""
    old, new = pair.old, pair.new
    matches = align([numbers.of(item) for item in old], [numbers.of(item) for item in new])
    for gap in gaps(matches, len(old), len(new)):
        i, j = gap.old_from, gap.new_from
        for x, y in [*_alike(old[i : gap.old_to], new[j : gap.new_to], numbers), (gap.old_to - i, gap.new_to - j)]:
            yield from (pair.at(Index(n, None), old[n], ABSENT) for n in range(i, gap.old_from + x))
            yield from (pair.at(Index(None, n), ABSENT, new[n]) for n in range(j, gap.new_from + y))
            i, j = gap.old_from + x, gap.new_from + y
            if i < gap.old_to and j < gap.new_to:
                yield pair.at(Index(i, j), old[i], new[j])
            i, j = i + 1, j + 1


def _alike(old: Any, new: Any, numbers: Numbers) -> list[tuple[int, int]]:
    """Returns which items of a gap to compare with each other: as many as there can be, the most alike ones."""
    if len(old) * len(new) > _PAIRED_CELLS:
        return [(n, n) for n in range(min(len(old), len(new)))]
    return best_pairs(len(old), len(new), lambda i, j: _likeness(old[i], new[j], numbers))


def _likeness(old: Any, new: Any, numbers: Numbers) -> int:
    """Returns how much two items have in common: 1 for anything, more for the type and for every equal field."""
    if type(old) is not type(new):
        return 1
    one, other = record_fields(old), record_fields(new)
    if isinstance(old, dict) and isinstance(new, dict):
        one, other = old, new
    if one is None or other is None:
        return 4
    return 4 + 3 * sum(name in other and numbers.of(value) == numbers.of(other[name]) for name, value in one.items())


def record_head(value: Any) -> object:
    """Returns what two records must share to be compared field by field."""
    return (value.number, value.type_name) if isinstance(value, Unresolved) else type(value)


def record_fields(value: Any) -> dict[str, Any] | None:
    """Returns the fields of a record: a dataclass, a named tuple, a stored record whose class is away, an exception."""
    if isinstance(value, Unresolved):
        return value.fields if len(value.fields) * 2 == len(value.parts) and value.parts else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value) if hasattr(value, field.name)
        }
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=False))
    if isinstance(value, BaseException):
        return {"args": value.args, **vars(value)}
    return None


class _Scratch:
    """Takes objects in and keeps their names only: to know a value by its stored form."""

    def write(self, data: bytes) -> ObjectId:
        return ObjectId.of(data)

    def flush(self) -> None: ...

    def sync(self) -> None: ...


class Numbers:
    """Numbers for values, the same for equal ones; made once a value, with a stack of its own."""

    def __init__(self) -> None:
        self._table: dict[object, int] = {}
        self._known: dict[int, int] = {}
        self._kept: list[object] = []
        self._open: set[int] = set()

    def of(self, value: object) -> int:
        """Returns the number of a value."""
        simple = self._simple(value)
        if simple is not None:
            return simple
        todo = [value]
        while todo:
            item = todo[-1]
            if id(item) in self._known:
                todo.pop()
                continue
            children = _children(item)
            waiting = [child for child in children or () if self._is_waiting(child)]
            if waiting:
                self._open.add(id(item))
                todo += waiting
                continue
            todo.pop()
            self._open.discard(id(item))
            key = self._stored(item) if children is None else (_shape(item), self._together(item, children))
            self._keep(item, self._table.setdefault(key, len(self._table)))
        return self._known[id(value)]

    def _is_waiting(self, child: object) -> bool:
        return self._simple(child) is None and id(child) not in self._known and id(child) not in self._open

    def _together(self, item: object, children: list[object]) -> object:
        """Returns the children's numbers; -1 stands for one that holds this value itself."""
        numbers = []
        for child in children:
            simple = self._simple(child)
            numbers.append(simple if simple is not None else self._known.get(id(child), -1))
        return frozenset(numbers) if isinstance(item, set | frozenset) else tuple(numbers)

    def _keep(self, item: object, number: int) -> None:
        self._known[id(item)] = number
        self._kept.append(item)  # as long as it lives, no other value has its id

    def _simple(self, value: object) -> int | None:
        kind = type(value)
        if kind is float:
            return self._table.setdefault((kind, struct.pack(">d", value)), len(self._table))
        if kind in _SIMPLE:
            return self._table.setdefault((kind, value), len(self._table))
        return None

    def _stored(self, item: object) -> object:
        """Returns what tells a value apart that has no parts known here: the oid of its stored form."""
        return type(item), put_value(_Scratch(), item)


_SIMPLE = frozenset({type(None), bool, int, str, bytes, type(Ellipsis)})
_PLAIN = frozenset({list, tuple, set, frozenset})
_BUILTINS = (list, tuple, dict, set, frozenset, str, bytes, bytearray, int, float, complex, BaseException)


def _children(value: Any) -> list[Any] | None:
    """Returns what a value is made of, or None when only its stored form can tell."""
    kind = type(value)
    if kind in _PLAIN:
        return list(value)
    if kind is dict:
        return [*value.keys(), *value.values()]
    if kind is Unresolved:
        return list(value.parts)
    if dataclasses.is_dataclass(kind) and not isinstance(value, _BUILTINS):
        fields = record_fields(value) or {}
        if vars(value).keys() <= fields.keys() if hasattr(value, "__dict__") else True:
            return list(fields.values())
    return None


def _shape(value: Any) -> object:
    """Returns what else than its children's numbers tells a value apart."""
    if isinstance(value, Unresolved):
        return record_head(value)
    fields = record_fields(value)
    return (type(value), tuple(fields)) if fields is not None else type(value)
