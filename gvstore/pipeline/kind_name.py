"""The kinds that are texts of a form: names, paths, functions, conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gvstore.expression.bound import ExpressionRefused
from gvstore.expression.expression import Expression
from gvstore.pipeline.document import Node
from gvstore.pipeline.fault import Faults, quoted
from gvstore.pipeline.function_path import FunctionPath, parse_function_path
from gvstore.pipeline.kind import HOLE, WRONG, Json, Words
from gvstore.pipeline.name import NAME_PATTERN, why_no_name, why_no_path


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
