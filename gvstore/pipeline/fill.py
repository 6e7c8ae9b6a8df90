"""Fills the parameters of a file in: nodes in, nodes out.

A scalar that is nothing but `${name}` becomes what the parameter is, with its
type, a list or a mapping included; anywhere else in a text the parameter's own
text is put in.  Everything keeps the place where it is used, so that a fault names
the line that asks for the parameter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from gvstore.pipeline.document import Entry, Items, Node, Scalar, Table, is_none, kind_of, size_of
from gvstore.pipeline.fault import Fault, Faults, PipelineFault, or_meant, quoted
from gvstore.pipeline.place import Place
from gvstore.pipeline.template import BadTemplate, Env, Param, Part, Text, made_text, parse_template

MAX_FILLED = 4_000_000  # characters, and values, that filling in may make of one file
Scope = Mapping[str, Node]
ANY: Node = Scalar(Place(""), "item", "item")  # stands for an item that could not be read: has any part


class Filler:
    """Fills in what one file asks for; what is wrong goes to `faults`."""

    def __init__(self, faults: Faults, *, nowhere: str = "add it under params:") -> None:
        """`nowhere` is what to do about a parameter where there are none at all."""
        self.faults, self.nowhere = faults, nowhere
        self.made = 0
        self.used: set[str] = set()  # the names of parameters that something asked for

    def fill(self, node: Node, scope: Scope, *, but: Iterable[str] = ()) -> Node:
        """Returns the node with the parameters of `scope` in it; the keys `but` of a table stay as they are."""
        match node:
            case Scalar():
                return self._scalar(node, scope)
            case Items():
                return replace(node, items=tuple(self.fill(each, scope) for each in node.items))
            case Table():
                kept = set(but)
                entries = [each if each.key in kept else Entry(each.key, each.place, self.fill(each.value, scope)) for each in node.entries]
                return replace(node, entries=tuple(entries))

    def params(self, table: Table, given: Scope) -> dict[str, Node]:
        """Returns the parameters of a table, filled in with `given` and with each other.

        A parameter that needs itself is a fault, told once.
        """
        done: dict[str, Node] = {}
        entries = {entry.key: entry for entry in table.entries}

        def resolve(name: str, open_: tuple[str, ...]) -> Node:
            if name in done:
                return done[name]
            entry = entries[name]
            if name in open_ or len(open_) > 100:
                way = " -> ".join([*open_[open_.index(name) if name in open_ else 0 :], name])
                self.faults.add(entry.place, f"the parameter {quoted(name)} needs itself: {way[:200]}")
                done[name] = Scalar(entry.value.place, "", None)
                return done[name]
            asked = [each for each in names_in(entry.value) if each in entries and (each != name or each not in given)]
            scope = {**given, **{each: resolve(each, (*open_, name)) for each in asked}}
            filled = self.fill(entry.value, scope)
            done.setdefault(name, filled)
            return done[name]

        for name in entries:
            resolve(name, ())
        return {name: done[name] for name in entries}

    def text(self, text: str, place: Place, scope: Scope, *, own: Callable[[str], str]) -> str | Text:
        """Returns a whole file's text filled in; `place` is its first character, `own` is done to its own text only."""
        try:
            parts = parse_template(text)
        except BadTemplate as e:
            self.faults.add(place_at(text, e.offset, place), str(e))
            return text
        pieces: list[str | Env] = []
        for part in parts:
            if isinstance(part, str):
                pieces.append(own(part))
            else:
                pieces += self._piece(part, scope, place_at(text, part.offset, place) if isinstance(part, Param) else place)
        return made_text(pieces)

    def _scalar(self, node: Scalar, scope: Scope) -> Node:
        if node.filled or not isinstance(node.value, str) or "${" not in node.value:
            return node
        try:
            parts = parse_template(node.value)
        except BadTemplate as e:
            self.faults.add(node.place, str(e))
            return node
        match parts:
            case (Param() as only,):
                found = self.look_up(only, scope, node.place)
                if found is None:
                    return replace(node, value=None, filled=True)
                self._charge(node.place, size_of(found))
                return replace(found, place=node.place, filled=True) if isinstance(found, Scalar) else replace(found, place=node.place)
        pieces: list[str | Env] = []
        for part in parts:
            pieces += self._piece(part, scope, node.place)
        value = made_text(pieces)
        return Scalar(node.place, str(value), value, plain=False, filled=True)

    def _piece(self, part: Part, scope: Scope, place: Place) -> list[str | Env]:
        if isinstance(part, str):
            self._charge(place, len(part))
        if not isinstance(part, Param):
            return [part]
        found = self.look_up(part, scope, place)
        if found is None:
            return []
        if not isinstance(found, Scalar) or is_none(found):
            self.faults.add(place, f"${{{part.name}}} is {kind_of(found)}: it cannot stand inside of a text")
            return []
        pieces: list[str | Env] = list(found.value.parts) if isinstance(found.value, Text) else [found.raw]
        self._charge(place, sum(len(piece) for piece in pieces if isinstance(piece, str)))
        return pieces

    def look_up(self, param: Param, scope: Scope, place: Place) -> Node | None:
        """Returns what a parameter names; None, with a fault, if it is not there."""
        first, *rest = param.path
        self.used.add(first)
        if first not in scope:
            remedy = or_meant(first, scope) if scope else self.nowhere
            self.faults.add(place, f"unknown parameter {quoted(param.name)}: {remedy}")
            return None
        node = scope[first]
        for key in rest if node is not ANY else ():
            entry = node.entry(key) if isinstance(node, Table) else None
            if entry is None:
                why = f"there is no {quoted(key)}; {or_meant(key, [each.key for each in node.entries])}" if isinstance(node, Table) else ""
                self.faults.add(place, f"${{{param.name}}}: {why or f'{kind_of(node)} has no parts'}")
                return None
            node = entry.value
        return node

    def _charge(self, place: Place, size: int) -> None:
        self.made += size
        if self.made > MAX_FILLED:
            raise PipelineFault([*self.faults.found, Fault(place, f"the parameters make more than {MAX_FILLED:,} characters of this file")])


def names_in(node: Node) -> list[str]:
    """Returns the names of the parameters that a node asks for; none where it can't be read."""
    found: list[str] = []
    stack = [node]
    while stack:
        each = stack.pop()
        match each:
            case Items():
                stack += each.items
            case Table():
                stack += [entry.value for entry in each.entries]
            case Scalar(value=str() as text) if "${" in text:
                try:
                    found += [part.path[0] for part in parse_template(text) if isinstance(part, Param)]
                except BadTemplate:
                    continue
    return found


def place_at(text: str, offset: int, place: Place) -> Place:
    """Returns where a character of a file's text stands."""
    before = text[:offset].split("\n")
    return Place(place.path, len(before), len(before[-1]) + 1)
