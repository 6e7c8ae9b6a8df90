"""Docstrings that are used: a prompt that is a function's docstring is code, most others are not.

A definition's docstrings, those inside it among them, count in its own hash if it

    asks        mentions `__doc__` or `getdoc`
    is handed   to a decorator that may read them: none of gvstore or of the standard library, and no plain one of this module
    inherits    from a class that may read them: a pydantic model hands its docstring to whoever asks for its schema

Whoever reaches code that asks counts the docstrings of all that it reaches,
too (`reach`).  What a text says decides; a class of another module may be anything.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from gvstore.code.mark import ROOTS, dotted_origin

if TYPE_CHECKING:
    from gvstore.code.module import ModuleText

_WORDS: Final = ("__doc__", "getdoc")
_ASKING: Final = re.compile("|".join(_WORDS))
_QUIET: Final = ROOTS | {"abc", "collections", "contextlib", "dataclasses", "enum", "functools", "types", "typing", "typing_extensions"}
_QUIET_DECORATORS: Final = frozenset({  # where no import explains the name
    "staticmethod", "classmethod", "property", "wraps", "cache", "lru_cache", "cached_property", "dataclass",
    "contextmanager", "asynccontextmanager", "overload", "override", "final", "abstractmethod",
})  # fmt: skip
_QUIET_BASES: Final = frozenset({
    "object", "dict", "list", "tuple", "set", "frozenset", "str", "bytes", "bytearray", "int", "float", "complex", "type",
    "BaseException", "KeyboardInterrupt", "SystemExit", "GeneratorExit", "StopIteration", "StopAsyncIteration",
})  # fmt: skip
_FAULTS: Final = ("Error", "Exception", "Warning", "ExceptionGroup")
_ACCESSORS: Final = ("setter", "getter", "deleter")
_BODIES: Final = ("body", "handlers", "orelse", "finalbody", "cases")
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


def asks(text: ModuleText, node: ast.AST) -> bool:
    """Returns whether code asks for docstrings."""
    if _ASKING.search(text.text) is None:
        return False
    for each in ast.walk(node):
        if isinstance(each, ast.Attribute):
            name = each.attr
        elif isinstance(each, ast.Name):
            name = each.id if each.id in _WORDS else text.names.get(each.id, "").rpartition(".")[2]
        else:
            name = each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else ""
        if name in _WORDS:
            return True
    return False


def docstrings(node: ast.AST) -> bytes:
    """Returns the docstrings of a definition, a module or a statement, and of what is defined in it; empty if there are none."""
    return b"".join(_written(number, each) for number, (each, _) in enumerate(_documented(node)))


def counted(text: ModuleText, node: ast.AST) -> bytes:
    """Returns the docstrings that count in the hash of a definition, a module or a statement itself; empty if none do."""
    if asks(text, node):
        around = docstring(text.tree) if any(isinstance(each, ast.Name) and each.id == "__doc__" for each in ast.walk(node)) else None
        return docstrings(node) + (b"" if around is None else b"m" + around.encode("utf-8", "surrogatepass"))
    found: list[bytes] = []
    open_: set[int] = set()
    for number, (each, outer) in enumerate(_documented(node)):
        if outer in open_ or _is_read(text, each):
            open_.add(id(each))
            found.append(_written(number, each))
    return b"".join(found)


def docstring(node: _Documented) -> str | None:
    """Returns a docstring as it stands there; layout is a matter of whom it is sent to."""
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value.value
    return None


def _written(number: int, node: _Documented) -> bytes:
    told = docstring(node)
    if told is None:
        return b""
    data = told.encode("utf-8", "surrogatepass")
    return b"d%d:%d:" % (number, len(data)) + data


def _documented(node: ast.AST) -> Iterator[tuple[_Documented, int]]:
    """Yields what may have a docstring, each with the id of the nearest such around it, outer ones first."""
    todo: list[tuple[ast.AST, int]] = [(node, 0)]
    while todo:
        each, outer = todo.pop()
        if isinstance(each, _Documented):
            yield each, outer
            outer = id(each)
        for field in _BODIES:
            below = getattr(each, field, None)
            if isinstance(below, list):
                todo += [(inner, outer) for inner in reversed(below)]


def _is_read(text: ModuleText, node: _Documented) -> bool:
    """Returns whether somebody else may read the docstring of a definition."""
    if isinstance(node, ast.Module):
        return False
    if not all(_is_quiet_decorator(text, each) for each in node.decorator_list):
        return True
    return isinstance(node, ast.ClassDef) and not _is_quiet_class(text, node, set())


def _is_quiet_decorator(text: ModuleText, expression: ast.expr) -> bool:
    called = isinstance(expression, ast.Call)
    function = expression.func if isinstance(expression, ast.Call) else expression
    origin = dotted_origin(function, text.names)
    if origin:
        return origin.partition(".")[0] in _QUIET
    if isinstance(function, ast.Attribute):
        return function.attr in _ACCESSORS
    if not isinstance(function, ast.Name):
        return False
    own = [site.node for site in text.sites if site.qualname == function.id]
    if not own:
        return function.id in _QUIET_DECORATORS
    return all(isinstance(each, _Function) and not _hands_on(text, each, called) for each in own)


def _hands_on(text: ModuleText, decorator: _Function, called: bool) -> bool:
    """Returns whether a decorator gives the function that it got to a library."""
    makers: list[ast.AST] = [each for each in decorator.body if isinstance(each, _Function)] if called else [decorator]
    given = {each.args.args[0].arg for each in makers if isinstance(each, _Function) and each.args.args}
    for node in ast.walk(decorator):
        if not isinstance(node, ast.Call):
            continue
        handed = [*node.args, *[each.value for each in node.keywords]]
        if any(isinstance(each, ast.Name) and each.id in given for each in handed):
            function = node.func.func if isinstance(node.func, ast.Call) else node.func
            origin = dotted_origin(function, text.names)
            if origin and origin.partition(".")[0] not in _QUIET:
                return True
    return False


def _is_quiet_class(text: ModuleText, node: ast.ClassDef, seen: set[int]) -> bool:
    """Returns whether a class, and all that it inherits from, leaves docstrings alone."""
    if id(node) in seen:
        return True
    seen.add(id(node))
    bases = [*node.bases, *[each.value for each in node.keywords if each.arg == "metaclass"]]
    return all(_is_quiet_base(text, each, seen) for each in bases)


def _is_quiet_base(text: ModuleText, base: ast.expr, seen: set[int]) -> bool:
    while isinstance(base, ast.Subscript | ast.Call):
        base = base.value if isinstance(base, ast.Subscript) else base.func
    origin = dotted_origin(base, text.names)
    name = origin.rpartition(".")[2] if origin else base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "")
    if origin.partition(".")[0] in _QUIET or name.endswith(_FAULTS):
        return True
    if origin:
        return False
    own = [site.node for site in text.sites if isinstance(site.node, ast.ClassDef) and site.node.name == name]
    if own:
        return all(_is_quiet_class(text, each, seen) for each in own if isinstance(each, ast.ClassDef))
    return name in _QUIET_BASES
