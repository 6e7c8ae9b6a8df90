"""Queries: expressions over rows of named columns, `args.topic == "otters" and tokens > 500`.

The language of `Expression` with three differences.  A name is a column, and one
that is none is refused, with near names.  Parts are read by attributes too:
`output.title` is `output["title"]`.  And nothing that a row holds is an error:
what is missing is None, a comparison that cannot be made does not hold.
"""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, ClassVar

from gvstore.expression.bound import Budget, ExpressionRefused, ExpressionStopped, OutOfBounds
from gvstore.expression.call import FUNCTIONS, Call, Functions
from gvstore.expression.evaluation import NODES, Evaluation
from gvstore.expression.expression import Check, parsed

_FORGIVEN = (TypeError, ValueError, LookupError, ArithmeticError)
_NOTHING: frozenset[str] = frozenset()
_WORDS = {"true": "True", "false": "False", "none": "None", "null": "None", "AND": "and", "OR": "or", "NOT": "not"}
_MAX_PATTERN = 1_000
_ONE_EQUALS = re.compile(r"[^=!<>:]=[^=]")


class QueryRefused(ExpressionRefused):
    """A query that is no expression, names no column, or asks for what queries may not do."""

    form = "query {!r}"
    hint = "Queries are written as in Python: 'status == \"ok\" and args.topic == \"otters\" and tokens > 500'."


class QueryStopped(ExpressionStopped):
    """A query came to one of the bounds of an expression."""

    form = "query {!r}"
    hint = "Ask for less of each run."


def _contains(budget: Budget, whole: Any, part: Any) -> bool:
    budget.walk(whole)
    return part in whole


def _text_call(method: Callable[..., Any]) -> Call:
    def call(budget: Budget, value: Any, *arguments: Any) -> Any:
        budget.walk(value)
        return method(value, *arguments)

    return call


def _text(budget: Budget, value: Any) -> str:
    budget.walk(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _matches(budget: Budget, value: Any, pattern: Any) -> bool:
    budget.walk(value)
    return re.search(pattern, value) is not None


def _seconds(unit: int) -> Call:
    return lambda budget, number: number * unit


_ONE: tuple[int, int, frozenset[str]] = (1, 1, _NOTHING)
_TWO: tuple[int, int, frozenset[str]] = (2, 2, _NOTHING)
QUERY_FUNCTIONS: Functions = {
    **FUNCTIONS,
    "contains": (_contains, *_TWO),
    "startswith": (_text_call(str.startswith), *_TWO),
    "endswith": (_text_call(str.endswith), *_TWO),
    "lower": (_text_call(str.lower), *_ONE),
    "upper": (_text_call(str.upper), *_ONE),
    "matches": (_matches, *_TWO),
    "text": (_text, *_ONE),
    "minutes": (_seconds(60), *_ONE),
    "hours": (_seconds(3_600), *_ONE),
    "days": (_seconds(86_400), *_ONE),
}


class Query:
    """A checked query: `source` as it was written, `keys` the columns that it reads."""

    __slots__ = ("_body", "keys", "source")

    def __init__(self, source: str, columns: Collection[str]) -> None:
        """Checks the text against the names of the columns.

        Raises:
            QueryRefused: it is no expression, names no column, or asks for what queries may not do.
            TypeError: it is no text.
        """
        if not isinstance(source, str):
            raise TypeError(f"a query is text, not {type(source).__name__}")
        self.source = str(source)
        try:
            self._body = parsed(self.source, QueryRefused)
        except QueryRefused as e:
            if _ONE_EQUALS.search(self.source):
                e.hint = "Equal is written with two signs: ==."
            raise
        self.keys = tuple(dict.fromkeys(_QueryCheck(self.source, columns).names(self._body, _NOTHING)))

    def holds(self, read: Callable[[str], Any]) -> bool:
        """Returns whether the query is true of a row, whose columns `read` gives.

        Raises:
            QueryStopped: it came to a bound.
        """
        try:
            return bool(_Forgiving(read).value(self._body))
        except OutOfBounds as e:
            raise QueryStopped(self.source, f"stopped: {e}") from None
        except (RecursionError, MemoryError) as e:
            raise QueryStopped(self.source, f"stopped: {type(e).__name__}") from e

    def texts(self, columns: Collection[str]) -> list[str]:
        """Returns texts that must stand in these columns, or in parts of them, if the query holds: what has none of them need not be read."""
        both = isinstance(self._body, ast.BoolOp) and isinstance(self._body.op, ast.And)
        terms = self._body.values if both and isinstance(self._body, ast.BoolOp) else [self._body]
        found = []
        for each in terms:
            match each:
                case ast.Compare(left=part, ops=[ast.Eq()], comparators=[ast.Constant(value=str() as text)]):
                    pass
                case ast.Compare(left=ast.Constant(value=str() as text), ops=[ast.Eq() | ast.In()], comparators=[part]):
                    pass
                case ast.Call(func=ast.Name(id="contains" | "startswith" | "endswith"), args=[part, ast.Constant(value=str() as text)]):
                    pass
                case _:
                    continue
            if text and _column(part) in columns:
                found.append(text)
        return found

    def __repr__(self) -> str:
        return f"Query({self.source!r})"


def _column(node: ast.expr) -> str:
    """Returns the column that a node is, or is a part of; nothing where it is computed."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


class _QueryCheck(Check):
    """Walks the tree once; every free name is a column."""

    functions: ClassVar[Functions] = QUERY_FUNCTIONS
    refused: ClassVar[type[ExpressionRefused]] = QueryRefused

    def __init__(self, source: str, columns: Collection[str]) -> None:
        super().__init__(source)
        self.columns = columns

    def names(self, node: ast.AST, bound: frozenset[str]) -> Iterator[str]:
        """Yields the columns read below a node; `bound` are the loop variables around it."""
        match node:
            case ast.Attribute():
                self._plain(node, node.attr)
                yield from self.names(node.value, bound)
            case ast.Name() if node.id not in bound and node.id not in self.columns:
                raise self._unknown(node)
            case ast.Call(func=ast.Name(id="matches"), args=[_, ast.Constant(value=str() as pattern)]):
                self._pattern(node, pattern)
                yield from super().names(node, bound)
            case _:
                yield from super().names(node, bound)

    def _unknown(self, node: ast.Name) -> ExpressionRefused:
        near = [_WORDS[node.id]] if node.id in _WORDS else difflib.get_close_matches(node.id, [*self.columns], 3, 0.6)
        if near:
            hint = f"Did you mean {' or '.join(near)}?"
        else:
            hint = f'Text stands in quotes: "{node.id}".  There are {", ".join(self.columns)}.'
        return self.refuse(node, f"there is no column {node.id}", hint)

    def _pattern(self, node: ast.AST, pattern: str) -> None:
        if len(pattern) > _MAX_PATTERN:
            raise self.refuse(node, f"a pattern of {len(pattern):,} characters: at most {_MAX_PATTERN:,}")
        try:
            re.compile(pattern)
        except (re.error, RecursionError, OverflowError) as e:
            raise self.refuse(node, f"{pattern!r} is no regular expression: {e}") from None


class _Forgiving(Evaluation):
    """An evaluation in which what is missing is None."""

    __slots__ = ()
    functions: ClassVar[Functions] = QUERY_FUNCTIONS

    def value(self, node: ast.AST) -> Any:
        """Returns the value of a node; None where Python would raise."""
        self.budget.step()
        try:
            return self.nodes[type(node)](self, node)
        except _FORGIVEN:
            return None

    def _compared(self, op: ast.cmpop, left: Any, right: Any) -> object:
        try:
            return super()._compared(op, left, right)
        except _FORGIVEN:
            return isinstance(op, ast.NotIn)  # nothing is in what is missing

    def _attribute(self, node: ast.Attribute) -> object:
        value = self.value(node.value)
        return value.get(node.attr) if type(value) is dict else None


_Forgiving.nodes = {**NODES, ast.Attribute: _Forgiving._attribute}
