"""What the annotations of a function name, those in quotes too.

    def draw(state: "State[Talk]", by: Literal["a"]) -> tuple[dict, State["Talk"]]      State, Talk, tuple, dict, Literal
"""

from __future__ import annotations

import ast
import warnings

from gvstore.code.walk import children

_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """Returns the annotations of a function's parameters and result, in the order of the text, each followed by what it holds in quotes."""
    args = node.args
    every = [*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg]
    written = [*[each.annotation for each in every if each is not None], node.returns]
    return [part for each in written if each is not None for part in _spelled(each)]


def _spelled(annotation: ast.expr) -> list[ast.expr]:
    """Returns an annotation and the expressions in quotes in it: texts of `Literal`, and those that `Annotated` adds, are none."""
    found = [annotation]
    todo: list[ast.AST] = [annotation]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            inner = _read(each.value)
            if inner is not None:
                found.append(inner)
                todo.append(inner)
        elif isinstance(each, ast.Subscript) and _last(each.value) == "Annotated":
            todo += each.slice.elts[:1] if isinstance(each.slice, ast.Tuple) else [each.slice]
        elif not (isinstance(each, ast.Subscript) and _last(each.value) == "Literal"):
            todo += reversed(children(each))
    return found


def _read(text: str) -> ast.expr | None:
    """Returns what an annotation in quotes spells, or None for what is no expression."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text.strip(), mode="eval").body
        except _UNREADABLE:
            return None


def _last(expression: ast.expr) -> str:
    """Returns the last part of a dotted name."""
    return expression.attr if isinstance(expression, ast.Attribute) else expression.id if isinstance(expression, ast.Name) else ""
