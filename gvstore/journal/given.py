"""The project's classes and functions that occur in what a call was given or answered: which they are, and how one differs between two codes."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from gvstore.code.facts import CLASS
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.staleness import change_of_reach
from gvstore.errors import Corrupt
from gvstore.objects import number
from gvstore.objects.invocation import PartList, part_body
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.record import NIL
from gvstore.objects.wire import has_link, split, unpack

ARGUMENTS: Final = "arguments"
ANSWERS: Final = "answers"
_TYPES: Final = frozenset({
    number.RECORD, number.ENUM, number.NAMED_TUPLE, number.EXCEPTION, number.TYPE, number.FUNCTION, number.SUBCLASS,
    number.WRAPPED, number.MODEL, number.ATTRS, number.DEFAULT_DICT, number.OPAQUE,
})  # fmt: skip


class Definition(NamedTuple):
    """A definition of the project: its own code, and what it reaches."""

    own: bytes
    source: str
    reached: Reached
    is_class: bool
    is_component: bool


class DefinitionChange(NamedTuple):
    """Why a definition is not what it was, and the text that this is about on either side; empty where it is gone."""

    why: str
    old: str
    new: str


class GivenNames:
    """Finds the names of types and functions in encoded values, as `shapes:Style`; a linked object is read once."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._named: dict[ObjectId, frozenset[str]] = {}

    def of(self, *parts: bytes) -> frozenset[str]:
        """Returns the names in the arguments and the instance of a call."""
        return frozenset().union(*(self._within(part) for part in parts if b":" in part or has_link(part)))  # else no name of a type

    def answered(self, children: bytes) -> frozenset[str]:
        """Returns the names in what the calls of an encoded list came to."""
        if children == NIL:
            return frozenset()
        below = (split(part_body(part, self._reader)) for part in PartList(children, self._reader))
        return self.of(*(each[3] for each in below if len(each) > 3))

    def _within(self, data: bytes) -> frozenset[str]:
        found: set[str] = set()
        raws: list[Any] = [unpack(data)]
        while raws:
            raw = raws.pop()
            if type(raw) is list and raw:
                if raw[0] in _TYPES and len(raw) > 1 and type(raw[1]) is str:
                    found.add(raw[1])
                raws += raw[1:]
        for oid in links(b"v" + data)[0] if has_link(data) else ():
            if oid not in self._named:
                self._named[oid] = frozenset()
                try:
                    object_ = self._reader.read(oid)
                    self._named[oid] = frozenset() if object_[:1] == b"b" else self._within(bytes(memoryview(object_)[1:]))
                except Corrupt:
                    pass
            found |= self._named[oid]
        return frozenset(found)


def definition_change(then_in: Project, now_in: Project, name: str, where: str) -> DefinitionChange | None:
    """Returns how a class or function, named `shapes:Policy`, changed between two codes; `where` a call met it.

    None where it is the same, where the first does not have it, or where it is a component, which stands for itself.
    """
    module, _, qualname = name.partition(":")
    then = _definition(then_in, module, qualname)
    if then is None:
        return None
    shown = f"{'class' if then.is_class else 'function'} {module}.{qualname}, in its {where},"
    now = _definition(now_in, module, qualname)
    if now is None:
        return DefinitionChange(f"{shown} is gone", "", "")
    if then.is_component or now.is_component:
        return None
    if then.own != now.own:
        return DefinitionChange(f"{shown} changed", then.source, now.source)
    if then.reached.hash != now.reached.hash:
        return DefinitionChange(*change_of_reach(shown[:-1], then.reached, now.reached))
    return None


def _definition(project: Project, module: str, qualname: str) -> Definition | None:
    found = project.module(module)
    number = None if found is None else found.number(qualname)
    if found is None or number is None:
        return None
    is_class = found.facts.sites[number][1] == CLASS
    ends = project.is_invokable(found, number) if is_class else project.is_component(found, number)
    source = found.text.segment(found.text.sites[number])
    return Definition(bytes(found.facts.own(number)), source, trace(project, found, number), is_class, ends)
