"""What may stand after a key: each kind reads a node, and says the same as a JSON Schema.

A kind that cannot read a node notes a fault and returns `WRONG`, so that all the
other keys are still looked at.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, Protocol

from gvstore.machine.expr_bound import ExpressionRefused
from gvstore.machine.expression import Expression
from gvstore.machine.finding import near
from gvstore.pipeline import template
from gvstore.pipeline.document import Items, Node, Scalar, Table, is_none, kind_of, plain_of
from gvstore.pipeline.fault import Faults, or_meant, quoted
from gvstore.pipeline.function_path import FunctionPath, parse_function_path
from gvstore.pipeline.name import NAME_PATTERN, why_no_name, why_no_path


class Wrong(Enum):
    """Stands for a value that could not be read."""

    WRONG = 0


WRONG = Wrong.WRONG
HOLE = {"type": "string", "pattern": r"\$\{"}  # in the published schema: a parameter may stand for anything
Json = dict[str, Any]


class Kind(Protocol):
    """One kind of value."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        """Returns what the node says, or WRONG; `what` names it in faults."""
        ...

    def schema(self) -> Json:
        """Returns the JSON Schema of what is taken."""
        ...


def refuse(node: Node, what: str, takes: str, faults: Faults, *, hint: str = "") -> Wrong:
    """Notes that a key takes something else than stands there."""
    if not hint and isinstance(node, Scalar) and isinstance(node.value, template.Text):
        faults.add(node.place, f"{what} takes {takes}: a variable of the environment stands in texts for a model only")
        return WRONG
    shown = f": {quoted(node.raw)}" if isinstance(node, Scalar) and not is_none(node) else ""
    faults.add(node.place, f"{what} takes {takes}, not {kind_of(node)}{shown}{hint}")
    return WRONG


@dataclass(frozen=True, slots=True)
class Words:
    """Text, or one of `choices`; `secret`: variables of the environment may stand in it."""

    choices: tuple[str, ...] = ()
    secret: bool = False
    least: int = 0  # characters

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        takes = f"one of {', '.join(self.choices)}" if self.choices else "text"
        if self.secret and isinstance(node, Scalar) and isinstance(node.value, template.Text):
            return node.value
        if isinstance(node, Scalar) and node.filled and not is_none(node) and not isinstance(node.value, template.Text):
            text = node.raw
        elif isinstance(node, Scalar) and isinstance(node.value, str):
            text = node.value
        else:
            scalar = isinstance(node, Scalar) and not is_none(node) and not isinstance(node.value, template.Text)
            return refuse(node, what, takes, faults, hint=": put it in quotes" if scalar and not self.choices else "")
        if self.choices and text not in self.choices:
            faults.add(node.place, f"{what} takes {takes}, not {quoted(text)}: {or_meant(text, self.choices, otherwise='choose one')}")
            return WRONG
        if len(text.strip()) < self.least:
            faults.add(node.place, f"{what} is empty")
            return WRONG
        return text

    def schema(self) -> Json:
        if self.choices:
            return {"anyOf": [{"enum": list(self.choices)}, HOLE]}
        return {"type": "string", **({"minLength": self.least} if self.least else {})}


@dataclass(frozen=True, slots=True)
class Number:
    """A number from `least` to `most`; `above`: `least` itself is too little; `whole`: no fraction."""

    least: float = -math.inf
    most: float = math.inf
    above: bool = False
    whole: bool = False

    @property
    def _takes(self) -> str:
        name = "a whole number" if self.whole else "a number"
        low = "" if self.least == -math.inf else f" above {self.least:g}" if self.above else f" from {self.least:g}"
        if self.most == math.inf:
            return f"{name}{low}{' on' if low and not self.above else ''}"
        return f"{name}{low} {'and at most' if self.above else 'to'} {self.most:g}"

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        value = node.value if isinstance(node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or (self.whole and not isinstance(value, int)):
            return refuse(node, what, self._takes, faults, hint=_meant_number(node))
        low = value > self.least if self.above else value >= self.least
        if not (low and value <= self.most and math.isfinite(value)):
            faults.add(node.place, f"{what} takes {self._takes}, not {quoted(node.raw if isinstance(node, Scalar) else value)}")
            return WRONG
        return value

    def schema(self) -> Json:
        bounds: Json = {"type": "integer" if self.whole else "number"}
        if self.least != -math.inf:
            bounds["exclusiveMinimum" if self.above else "minimum"] = self.least
        if self.most != math.inf:
            bounds["maximum"] = self.most
        return {"anyOf": [bounds, HOLE]}


def _meant_number(node: Node) -> str:
    """Returns what to write where YAML sees text and a person a number: 1e-3."""
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        return ""
    try:
        number = float(node.value)
    except ValueError:
        return ""
    if not node.plain:
        return ": write it without quotes"
    text = f"{number:.15f}".rstrip("0")
    return f": write {text}0" if text.endswith(".") else f": write {text}"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        if isinstance(node, Scalar) and isinstance(node.value, bool):
            return node.value
        return refuse(node, what, "true or false", faults)

    def schema(self) -> Json:
        return {"anyOf": [{"type": "boolean"}, HOLE]}


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a step or module; `address`: with `@item` behind it, as inputs may have."""

    address: bool = False

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        text = Words().read(node, what, faults)
        if text is WRONG:
            return WRONG
        bare = text.partition("@")[0] if self.address else text
        why = why_no_name(bare)
        if why:
            faults.add(node.place, f"{what} {quoted(text)}: {why}")
            return WRONG
        return text

    def schema(self) -> Json:
        return {"type": "string"} if self.address else {"anyOf": [{"type": "string", "pattern": NAME_PATTERN}, HOLE]}


@dataclass(frozen=True, slots=True)
class FilePath:
    """A file of the project, by a path that stays inside of it."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        text = Words(least=1).read(node, what, faults)
        if text is WRONG:
            return WRONG
        why = why_no_path(text)
        if why:
            faults.add(node.place, f"{what} {quoted(text)}: {why}")
            return WRONG
        return text

    def schema(self) -> Json:
        return {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Function:
    """`file.py:function`."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        text = Words(least=1).read(node, what, faults)
        if text is WRONG:
            return WRONG
        try:
            return parse_function_path(text, node.place)
        except ValueError as e:
            faults.add(node.place, f"{what} {quoted(text)}: {e}")
            return WRONG

    def schema(self) -> Json:
        return {"anyOf": [{"type": "string", "pattern": FunctionPath.PATTERN}, HOLE]}


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
class Anything:
    """Any value; plain data."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        return plain_of(node)

    def schema(self) -> Json:
        return {}


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
class Condition:
    """A safe expression over the results and parameters."""

    def read(self, node: Node, what: str, faults: Faults) -> Any:
        text: Any = Words(least=1).read(node, what, faults)
        if text is WRONG:
            return WRONG
        if "${" in text:
            faults.add(node.place, f"{what} is an expression: names stand in it as they are, without ${{ }}")
            return WRONG
        try:
            return Expression(text)
        except ExpressionRefused as e:
            hint = f" {e.hint}" if e.hint and e.hint != ExpressionRefused.hint else ""
            faults.add(node.place, f"{what} {quoted(text)}: {e.why}.{hint}")
            return WRONG

    def schema(self) -> Json:
        return {"type": "string", "minLength": 1}


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

    def _unknown(self, name: str, place: Any, missing: dict[str, None], faults: Faults) -> None:
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


def whole(least: int, most: float = math.inf) -> Number:
    """Returns the kind of whole numbers between bounds."""
    return Number(least, most, whole=True)

