"""The kinds that are made of others: lists, mappings with any keys, mappings with known keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from gvstore.machine.finding import near
from gvstore.pipeline.document import Items, Node, Scalar, Table, is_none
from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.kind import HOLE, WRONG, Json, Kind, refuse
from gvstore.pipeline.place import Place


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of one kind; `least` items."""

    of: Kind
    least: int = 0
    each: str = ""  # what one of them is, for faults

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        if not isinstance(node, Items):
            hint = f": write [{node.raw}]" if isinstance(node, Scalar) and isinstance(node.value, str) and node.raw else ""
            return refuse(node, what, "a list", faults, hint=hint)
        if len(node.items) < self.least:
            faults.add(node.place, f"{what} is an empty list")
            return WRONG
        read = [self.of.read(each, self.each or f"an item of {what}", faults) for each in node.items]
        return WRONG if WRONG in read else tuple(read)

    def schema(self) -> Json:
        return {"type": "array", "items": self.of.schema(), **({"minItems": self.least} if self.least else {})}


@dataclass(frozen=True, slots=True)
class Mapped:
    """Any keys, with values of one kind."""

    of: Kind

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        if not isinstance(node, Table):
            return refuse(node, what, "a mapping (key: value)", faults)
        read = {entry.key: self.of.read(entry.value, f"{what}.{entry.key}", faults) for entry in node.entries}
        return WRONG if WRONG in read.values() else read

    def schema(self) -> Json:
        return {"anyOf": [{"type": "object", "additionalProperties": self.of.schema()}, HOLE]}


@dataclass(frozen=True, slots=True)
class Raw:
    """Any value, as its node: read further where more is known."""

    json: Json | None = None

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        return node

    def schema(self) -> Json:
        return dict(self.json or {})

    __hash__: ClassVar[None] = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several kinds, chosen by the form of the node: scalar, list or mapping."""

    scalar: Kind | None = None
    items: Kind | None = None
    table: Kind | None = None
    takes: str = ""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        kind = {Scalar: self.scalar, Items: self.items, Table: self.table}[type(node)]
        if kind is None or is_none(node):
            return refuse(node, what, self.takes, faults)
        return kind.read(node, what, faults)

    def schema(self) -> Json:
        return {"anyOf": [kind.schema() for kind in (self.scalar, self.items, self.table) if kind is not None]}


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table: what stands there, and what it means, in a sentence for the published schema."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """A mapping with known keys; an unknown one is a fault, with the near names.

    A key without a value (`supplement:` and nothing) counts as not there.
    """

    name: str  # what the mapping is called in faults: "a step"
    keys: tuple[Key, ...]
    elsewhere: Mapping[str, str] | None = None  # keys that stand in another mapping: where
    one_of: tuple[str, ...] = ()  # of these one is needed

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        """Returns a dict of what is there and could be read; WRONG if the node is no mapping."""
        if not isinstance(node, Table):
            return refuse(node, what, f"a mapping ({self.keys[0].name}: ...)", faults)
        known = {key.name: key for key in self.keys}
        read: dict[str, Any] = {}
        missing = dict.fromkeys(key.name for key in self.keys if key.required)
        for entry in node.entries:
            missing.pop(entry.key, None) if not is_none(entry.value) else None
            key = known.get(entry.key)
            if key is None:
                self._unknown(entry.key, entry.place, missing, faults)
            elif not is_none(entry.value):
                value = key.kind.read(entry.value, entry.key, faults)
                if value is not WRONG:
                    read[entry.key] = value
        for name in missing:
            empty = node.entry(name)
            faults.add(empty.place if empty else node.place, f"{self.name} needs {name}: {known[name].meaning}")
        return read

    def _unknown(self, name: str, place: Place, missing: dict[str, None], faults: Faults) -> None:
        if self.elsewhere and name in self.elsewhere:
            faults.add(place, f"unknown key {quoted(name)} in {self.name}: it stands {self.elsewhere[name]}")
            return
        names = [key.name for key in self.keys]
        for each in near(name, names):
            missing.pop(each, None)  # it is told once
        faults.add(place, f"unknown key {quoted(name)} in {self.name}: {or_meant(name, names)}")

    def schema(self) -> Json:
        made: Json = {"type": "object", "additionalProperties": False}
        made["properties"] = {key.name: {"description": key.meaning, **key.kind.schema()} for key in self.keys}
        required = [key.name for key in self.keys if key.required]
        if required:
            made["required"] = required
        if self.one_of:
            made["oneOf"] = [{"required": [name]} for name in self.one_of]
        return made
