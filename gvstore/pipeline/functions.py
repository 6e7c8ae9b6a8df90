"""What a Python file defines, found by reading it: nothing is imported before a pipeline runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from gvstore.pipeline.fault import Faults
from gvstore.pipeline.place import Place


@dataclass(frozen=True, slots=True)
class Signature:
    """A name at the top of a file; of what is no `def` (imported, assigned) only the name is known."""

    name: str
    place: Place
    known: bool = False
    required: tuple[str, ...] = ()  # parameters without a default
    optional: tuple[str, ...] = ()
    more: bool = False  # takes *args or **kwargs

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters, in order, those with a default last."""
        return (*self.required, *self.optional)


def parse_functions(text: str, path: str, faults: Faults) -> dict[str, Signature]:
    """Returns the names that the text binds at its top; what is no Python is a fault."""
    try:
        tree = ast.parse(text)
    except SyntaxError as e:
        faults.add(Place(path, e.lineno or 1, max(e.offset or 1, 1)), f"this is no Python: {e.msg}")
        return {}
    except (ValueError, RecursionError, MemoryError) as e:
        faults.add(Place(path), f"this is no Python: {e}")
        return {}
    found: dict[str, Signature] = {}
    for node in _statements(tree.body):
        place = Place(path, node.lineno, node.col_offset + 1)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found[node.name] = _signature(node, place)
            case ast.ClassDef():
                found[node.name] = Signature(node.name, place)
            case ast.ImportFrom():
                for alias in node.names:
                    found[alias.asname or alias.name] = Signature(alias.asname or alias.name, place)
            case ast.Assign() | ast.AnnAssign():
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        found[target.id] = Signature(target.id, place)
    return found


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """The statements of a module, those in `if` and `try` included."""
    found: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.If():
                found += _statements([*node.body, *node.orelse])
            case ast.Try():
                found += _statements([*node.body, *(each for handler in node.handlers for each in handler.body), *node.orelse, *node.finalbody])
            case _:
                found.append(node)
    return found


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef, place: Place) -> Signature:
    given = node.args
    positional = [each.arg for each in (*given.posonlyargs, *given.args)]
    without = len(positional) - len(given.defaults)
    keywords = [(each.arg, default is None) for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return Signature(
        node.name,
        place,
        known=not node.decorator_list,  # a decorator may change what it takes
        required=(*positional[:without], *(name for name, needed in keywords if needed)),
        optional=(*positional[without:], *(name for name, needed in keywords if not needed)),
        more=given.vararg is not None or given.kwarg is not None,
    )
