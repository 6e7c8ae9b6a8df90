"""What may stand after a key: each kind reads a node, and says the same as a JSON Schema.

A kind that cannot read a node notes a fault and returns `WRONG`, so that all the
other keys are still looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from gvstore.pipeline import template
from gvstore.pipeline.document import Node, Scalar, is_none, kind_of
from gvstore.pipeline.fault import Faults, or_meant, quoted


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
        low = "" if self.least == -math.inf else f" {'above' if self.above else 'from'} {self.least:,}"
        if self.most == math.inf:
            return f"{name}{low}{' on' if low and not self.above else ''}"
        return f"{name}{low} {'and at most' if self.above else 'to'} {self.most:,}"

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


def whole(least: int, most: float = math.inf) -> Number:
    """Returns the kind of whole numbers between bounds."""
    return Number(least, most, whole=True)

