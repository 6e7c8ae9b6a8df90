"""Three versions of a value made one: what either side changed since the base, part by part.

Dicts and records go by key and field, sets by member, lists and tuples by
alignment, texts of several lines by lines.  Equal means equal as stored, as in
`compare.values`.  Where both sides changed the same part differently, ours
stays and the part is told; so does what is nested deeper than 200.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gvstore.compare.merge3 import Favour, Take, merge_texts, three_way
from gvstore.compare.values import ABSENT, Field, Index, Key, Numbers, Step, format_path, record_fields, record_head
from gvstore.objects.placeholder import Unresolved

_MAX_DEPTH: Final = 200


@dataclass(frozen=True, slots=True)
class MergedValue:
    """The merged value, and where both sides changed it: paths as in Python, "" for all of it."""

    value: Any
    conflicts: tuple[str, ...]


def merge_values(base: Any, ours: Any, theirs: Any, *, favour: Favour | None = None) -> MergedValue:
    """Returns `ours` with what `theirs` changed since `base`; with a favoured side there are no conflicts."""
    merging = _Merging(favour)
    value = merging.merge((), base, ours, theirs)
    return MergedValue(value, tuple(format_path(path) for path in merging.conflicts))


class _Merging:
    """One merge under way."""

    def __init__(self, favour: Favour | None) -> None:
        self._numbers, self._favour = Numbers(), favour
        self.conflicts: list[tuple[Step, ...]] = []

    def merge(self, path: tuple[Step, ...], base: Any, ours: Any, theirs: Any) -> Any:
        """Returns one part of three versions; ABSENT stands where a side lacks it, and for what is to go."""
        b, o, t = (None if each is ABSENT else self._numbers.of(each) for each in (base, ours, theirs))
        if t in (o, b):
            return ours
        if o == b:
            return theirs
        if type(base) is type(ours) is type(theirs) and len(path) < _MAX_DEPTH:
            merged = self._parts(path, base, ours, theirs)
            if merged is not ABSENT:
                return merged
        return self._conflict(path, ours, theirs)

    def _conflict(self, path: tuple[Step, ...], ours: Any, theirs: Any) -> Any:
        if self._favour is None:
            self.conflicts.append(path)
            return theirs if ours is ABSENT else ours
        return theirs if self._favour is Favour.THEIRS else ours

    def _parts(self, path: tuple[Step, ...], base: Any, ours: Any, theirs: Any) -> Any:
        """Returns three values of a type merged by their parts; ABSENT where they have none to be merged by."""
        fields = [record_fields(each) for each in (base, ours, theirs)]
        if fields[0] is not None:
            heads = {record_head(each) for each in (base, ours, theirs)}
            names = {tuple(each or ()) for each in fields}
            if len(heads) > 1 or len(names) > 1 or isinstance(ours, BaseException):
                return ABSENT
            b, o, t = (each or {} for each in fields)
            merged = {name: self.merge((*path, Field(name)), b[name], o[name], t[name]) for name in o}
            return _with_fields(ours, merged)
        kind = type(ours)
        if kind is dict:
            return self._dicts(path, base, ours, theirs)
        if kind in (list, tuple):
            return kind(self._items(path, list(base), list(ours), list(theirs)))
        if kind in (set, frozenset):
            return kind(self._members(base, ours, theirs))
        if kind is str and "\n" in base:
            return self._texts(base, ours, theirs)
        return ABSENT

    def _dicts(self, path: tuple[Step, ...], base: Any, ours: Any, theirs: Any) -> dict[Any, Any]:
        """Returns the keys of ours in their order, then those that theirs added."""
        sides = [{self._numbers.of(key): (key, value) for key, value in each.items()} for each in (base, ours, theirs)]
        found: dict[Any, Any] = {}
        for number in dict.fromkeys((*sides[1], *sides[2], *sides[0])):
            b, o, t = (side.get(number, (None, ABSENT))[1] for side in sides)
            key = next(side[number][0] for side in (sides[1], sides[2], sides[0]) if number in side)
            value = self.merge((*path, Key(key)), b, o, t)
            if value is not ABSENT:
                found[key] = value
        return found

    def _members(self, base: Any, ours: Any, theirs: Any) -> list[Any]:
        old, our, their = ({self._numbers.of(item): item for item in side} for side in (base, ours, theirs))
        kept = [item for number, item in our.items() if number not in old or number in their]
        return kept + [item for number, item in their.items() if number not in old and number not in our]

    def _items(self, path: tuple[Step, ...], base: list[Any], ours: list[Any], theirs: list[Any]) -> list[Any]:
        """Returns items merged by alignment; a stretch that both changed, item by item where it is equally long."""
        found, at = list[Any](), 0
        numbers = [[self._numbers.of(item) for item in side] for side in (base, ours, theirs)]
        for piece in three_way(*numbers):
            found += ours[at : piece.ours]
            old, our = base[piece.base : piece.base_end], ours[piece.ours : piece.ours_end]
            their = theirs[piece.theirs : piece.theirs_end]
            if piece.take is Take.THEIRS:
                found += their
            elif piece.take is not Take.CONFLICT:
                found += our
            elif len(old) == len(our) == len(their):
                for n, (b, o, t) in enumerate(zip(old, our, their, strict=True), piece.ours):
                    found.append(self.merge((*path, Index(n, n)), b, o, t))
            else:
                found += self._conflict((*path, Index(piece.base, piece.ours)), our, their)
            at = piece.ours_end
        return found + ours[at:]

    def _texts(self, base: str, ours: str, theirs: str) -> Any:
        sides = [each.encode("utf-8", "surrogatepass") for each in (base, ours, theirs)]
        merged = merge_texts(*sides, favour=self._favour)
        return ABSENT if merged.conflicts else merged.data.decode("utf-8", "surrogatepass")


def _with_fields(value: Any, fields: dict[str, Any]) -> Any:
    """Returns a record like `value` with these fields; no code of its class runs."""
    if isinstance(value, Unresolved):
        parts: Sequence[Any] = [part for pair in fields.items() for part in pair]
        return Unresolved(value.number, value.type_name, tuple(parts))
    if isinstance(value, tuple):
        return tuple.__new__(type(value), fields.values())
    if not dataclasses.is_dataclass(value):
        return ABSENT
    made = object.__new__(type(value))
    for name, each in (getattr(value, "__dict__", {}) | fields).items():
        object.__setattr__(made, name, each)
    return made
