"""Expressions of text, `epochs > 100 and len(history) < 5`, evaluated over their syntax tree.

Never by `eval`: a machine may be loaded from a file that somebody else wrote.
The whole tree is checked when the expression is built: nodes, names called,
methods, depth.  What only values can show (sizes, types) is held by the bounds
of `bound` while it is evaluated.  There is no attribute that is not a
method called, no call of anything but the functions of `call`, no lambda,
no assignment, no format specification, and no name with two underscores.

A name is a key of the state, unless it is the loop variable of a comprehension
or the function of a call: which keys an expression reads is known from its tree.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from gvstore.expression.bound import (
    MAX_BITS,
    MAX_DEPTH,
    MAX_SOURCE,
    ExpressionFault,
    ExpressionRefused,
    ExpressionStopped,
    OutOfBounds,
)
from gvstore.expression.call import FUNCTIONS, METHOD_NAMES, Functions
from gvstore.expression.evaluation import COMPARISONS, NODES, OPERATORS, UNARY, Evaluation, looking_at

# The calls that take a generator expression, whose items go nowhere else.
TAKES_LAZY = frozenset({"all", "any", "list", "max", "min", "set", "sorted", "sum", "tuple"})
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SMALL = (ast.Load, ast.Store, ast.comprehension, ast.keyword, ast.Slice, ast.And, ast.Or, ast.In, ast.NotIn, ast.Attribute)
KNOWN = (*NODES, *COMPARISONS, *OPERATORS, *UNARY, *SMALL)
MAX_SHOWN = 200  # characters of Python's own words
WORDS = {
    ast.Lambda: "a lambda",
    ast.NamedExpr: "an assignment (:=)",
    ast.Starred: "a * before a value",
    ast.Await: "await",
    ast.Yield: "yield",
    ast.YieldFrom: "yield from",
    ast.MatMult: "the operator @",
}


class Expression:
    """A checked expression: `source` as it was written, `keys` of the state that it reads, in order of their first use."""

    __slots__ = ("_body", "keys", "source")

    def __init__(self, source: str) -> None:
        """Checks the text.

        Raises:
            ExpressionRefused: it is no expression, or asks for what expressions may not do.
            TypeError: it is no text.
        """
        if not isinstance(source, str):
            raise TypeError(f"an expression is text, not {type(source).__name__}")
        self.source = str(source)
        self._body = parsed(self.source)
        self.keys = tuple(dict.fromkeys(Check(self.source).names(self._body, frozenset())))

    def evaluate(self, state: Mapping[str, Any]) -> Any:
        """Returns the value of the expression over a state.

        Raises:
            ExpressionStopped: it came to a bound.
            ExpressionFault: it can't be evaluated: a key is missing, or Python's own error, which is its cause.
        """
        return self._evaluated(state.__getitem__)

    def holds(self, state: Mapping[str, Any]) -> bool:
        """Returns whether the expression is true of a state, which is looked at in place: nothing of it is copied."""
        return bool(self._evaluated(looking_at(state)))

    def _evaluated(self, read: Callable[[str], Any]) -> Any:
        try:
            return Evaluation(read).value(self._body)
        except OutOfBounds as e:
            raise ExpressionStopped(self.source, f"stopped: {e}") from None
        except (RecursionError, MemoryError) as e:
            raise ExpressionStopped(self.source, f"stopped: {type(e).__name__}") from e
        except KeyError as e:
            key = e.args[0] if e.args else None
            raise ExpressionFault(self.source, f"there is no {repr(key)[:MAX_SHOWN] if type(key) in (str, int) else 'such key'}") from e
        except Exception as e:
            raise ExpressionFault(self.source, f"{type(e).__name__}: {str(e)[:MAX_SHOWN]}") from e

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


def parsed(source: str, refused: type[ExpressionRefused] = ExpressionRefused) -> ast.expr:
    """Returns the syntax tree of an expression, whose nodes nobody has looked at.

    Raises:
        ExpressionRefused: it is none, or too large; of the class `refused`.
    """
    if len(source) > MAX_SOURCE:
        raise refused(source, f"it is {len(source):,} characters long: at most {MAX_SOURCE:,}")
    try:
        body = ast.parse(source.strip(), mode="eval").body
    except SyntaxError as e:
        where = f" at column {e.offset}" if e.offset else ""
        raise refused(source, f"it is not an expression: {e.msg}{where}") from None
    except (RecursionError, MemoryError):
        raise refused(source, f"it is nested too deeply: at most {MAX_DEPTH} levels") from None
    except ValueError as e:
        raise refused(source, f"it is not an expression: {e}") from None
    layer: list[ast.AST] = [body]
    for _ in range(MAX_DEPTH):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
        if not layer:
            return body
    raise refused(source, f"it is nested too deeply: at most {MAX_DEPTH} levels")


class Check:
    """Walks the tree once; `names` yields the keys of the state that it reads."""

    functions: ClassVar[Functions] = FUNCTIONS
    refused: ClassVar[type[ExpressionRefused]] = ExpressionRefused

    def __init__(self, source: str) -> None:
        self.source = source

    def refuse(self, node: ast.AST, why: str, hint: str | None = None) -> ExpressionRefused:
        """Returns the error, which says at which column."""
        column = getattr(node, "col_offset", 0) + 1
        return self.refused(self.source, f"{why}, at column {column}", hint=hint)

    def names(self, node: ast.AST, bound: frozenset[str]) -> Iterator[str]:
        """Yields the free names below a node; `bound` are the loop variables around it.

        Raises:
            ExpressionRefused: something there is not allowed.
        """
        if not isinstance(node, KNOWN):
            raise self.refuse(node, f"{WORDS.get(type(node), type(node).__name__)} is not allowed")
        match node:
            case ast.Name():
                self._plain(node, node.id)
                if node.id not in bound:
                    yield node.id
            case ast.Attribute():
                self._plain(node, node.attr)
                raise self.refuse(node, f"attributes are not read: .{node.attr}", f'Parts of a dict are read so: name["{node.attr}"].')
            case ast.GeneratorExp():
                raise self.refuse(node, "a generator stands only in the call that goes through it: any(x > 1 for x in xs)")
            case ast.Call():
                yield from self._call(node, bound)
            case _ if isinstance(node, COMPREHENSIONS):
                yield from self._comprehension(node, bound)
            case _:
                self._single(node)
                for child in ast.iter_child_nodes(node):
                    yield from self.names(child, bound)

    def _plain(self, node: ast.AST, name: str) -> None:
        if name.startswith("__"):
            raise self.refuse(node, f"names that begin with two underscores are not read: {name}")

    def _single(self, node: ast.AST) -> None:
        """Refuses what one node shows."""
        match node:
            case ast.Constant(value=value) if value is ...:
                raise self.refuse(node, "... is not allowed")
            case ast.Constant(value=int() as value) if value.bit_length() > MAX_BITS:
                raise self.refuse(node, f"an integer of {value.bit_length():,} bits: at most {MAX_BITS:,}")
            case ast.FormattedValue() if node.format_spec is not None or node.conversion != -1:
                raise self.refuse(node, "f-strings take no format and no conversion")
            case ast.BinOp(op=ast.Mod(), left=ast.JoinedStr() | ast.Constant(value=str() | bytes())):
                raise self.refuse(node, "text is not formatted with %")
            case ast.Dict() if None in node.keys:
                raise self.refuse(node, "** in a dict is not allowed", "Join dicts with |.")
            case ast.Tuple() | ast.List() if any(isinstance(each, ast.Slice) for each in node.elts):
                raise self.refuse(node, "several slices in one [...] are not allowed")

    def _call(self, node: ast.Call, bound: frozenset[str]) -> Iterator[str]:
        func = node.func
        if isinstance(func, ast.Attribute):
            yield from self.names(func.value, bound)
            self._method(node, func)
            lazy = func.attr == "join"
        elif isinstance(func, ast.Name):
            self._function(node, func, bound)
            lazy = func.id in TAKES_LAZY
        else:
            raise self.refuse(node, "what is called is a function or a method by its name")
        for argument in node.args:
            if lazy and len(node.args) == 1 and isinstance(argument, ast.GeneratorExp):
                yield from self._comprehension(argument, bound)
            else:
                yield from self.names(argument, bound)
        for each in node.keywords:
            yield from self.names(each.value, bound)

    def _method(self, node: ast.Call, func: ast.Attribute) -> None:
        self._plain(func, func.attr)
        if func.attr not in METHOD_NAMES:
            near = difflib.get_close_matches(func.attr, METHOD_NAMES, 1, 0.7)
            hint = f"Did you mean .{near[0]}()?" if near else "May be called: methods of text, dicts, lists and sets that change nothing."
            raise self.refuse(func, f"the method .{func.attr}() may not be called", hint)
        if node.keywords:
            raise self.refuse(node, f".{func.attr}() takes no keywords here")

    def _function(self, node: ast.Call, func: ast.Name, bound: frozenset[str]) -> None:
        self._plain(func, func.id)
        if func.id not in self.functions:
            near = difflib.get_close_matches(func.id, self.functions, 1, 0.7)
            hint = f"Did you mean {near[0]}()?" if near else f"May be called: {', '.join(self.functions)}."
            raise self.refuse(func, f"{func.id}() may not be called", hint)
        if func.id in bound:
            raise self.refuse(func, f"the loop variable {func.id} is called")
        _, least, most, keywords = self.functions[func.id]
        if not least <= len(node.args) <= most:
            takes = f"{least}" if least == most else f"{least} to {most}"
            raise self.refuse(node, f"{func.id}() takes {takes} arguments here, not {len(node.args)}")
        for each in node.keywords:
            if each.arg not in keywords:
                raise self.refuse(node, f"{func.id}() takes no {each.arg or '**'} here")

    def _comprehension(self, node: Any, bound: frozenset[str]) -> Iterator[str]:
        yield from self.names(node.generators[0].iter, bound)
        inner = bound
        for loop in node.generators:
            if loop.is_async:
                raise self.refuse(node, "async is not allowed")
            inner |= frozenset(self._targets(loop.target))
        for number, loop in enumerate(node.generators):
            for each in [*([loop.iter] if number else []), *loop.ifs]:
                yield from self.names(each, inner)
        for each in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            yield from self.names(each, inner)

    def _targets(self, target: ast.AST) -> Iterator[str]:
        match target:
            case ast.Name():
                self._plain(target, target.id)
                yield target.id
            case ast.Tuple() | ast.List():
                for each in target.elts:
                    yield from self._targets(each)
            case _:
                raise self.refuse(target, "loop variables are plain names")
