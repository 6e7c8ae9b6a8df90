"""What fills a module's registries: definitions that are decorated with what changes a name, and calls of it.

    TOOLS = {}
    def tool(fn): TOOLS[fn.__name__] = fn; return fn

    @tool
    def double(x): ...          TOOLS leads to double
    tool(halve)                 TOOLS leads to this statement, and so to halve
    @app.get("/")
    def index(): ...            app, an object that the module makes, leads to index

Told by the text of the one module in which all of it stands.  Code that only
puts something in (`tool` itself, `double` with its decorator) does not lead to
what else is in there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from gvstore.code.scope import local_names

if TYPE_CHECKING:
    from gvstore.code.bindings import Binding
    from gvstore.code.module import ModuleText, Site

_CHANGING: Final = frozenset({
    "add", "append", "appendleft", "extend", "insert", "push", "put", "register", "setdefault", "update", "__setitem__",
})  # fmt: skip
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def registered(text: ModuleText, names: Mapping[str, Binding], changers: Mapping[str, list[str]]) -> dict[str, list[Site]]:
    """Returns the definitions that each name of the module holds because a decorator put them there, `changers` being the `fillers`."""
    found: dict[str, list[Site]] = {}
    for site in text.sites:
        node = site.node
        if isinstance(node, ast.Lambda) or "<locals>" in site.qualname:
            continue
        owner = site.qualname.rpartition(".")[0]
        own = {each.name for each in _around(text, owner) if isinstance(each, _DEFINITIONS)} if owner else set()
        held: list[str] = []
        for decorator in node.decorator_list:
            name = _base(decorator)
            if name is None or name in own:
                continue
            held += changers.get(_name(decorator), ())
            bound = names.get(name)
            is_made = bound is not None and not bound.origins and bool(bound.statements)
            asked = isinstance(decorator.func if isinstance(decorator, ast.Call) else decorator, ast.Attribute)
            if is_made or (asked and bound is not None and bool(bound.sites)):
                held.append(name)
        for base in node.bases if isinstance(node, ast.ClassDef) else ():
            held += changers.get(f"class {_name(base)}", ())
        for name in dict.fromkeys(held):
            if site.qualname != name:
                found.setdefault(name, []).append(site)
    return found


def fillers(text: ModuleText, names: Mapping[str, Binding]) -> dict[str, list[str]]:
    """Returns which names of the module its functions change when they are called, through one another too.

    A class of the module that notes its subclasses stands there as `class Base`.
    """
    found: dict[str, set[str]] = {}
    calls: dict[str, set[str]] = {}
    for site in text.sites:
        node, name = site.node, site.qualname
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if name.endswith(".__init_subclass__") and name.count(".") == 1:
            name = f"class {name.partition('.')[0]}"
        elif "." in name:
            continue
        found.setdefault(name, set()).update(each for each in _changes(node) if each in names and not names[each].origins)
        calls.setdefault(name, set()).update(
            each.func.id for each in ast.walk(node) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)
        )
    changed = any(found.values())
    while changed:
        changed = False
        for name, called in calls.items():
            more = {each for other in called if other in found for each in found[other]} - found[name]
            found[name] |= more
            changed = changed or bool(more)
    return {name: sorted(each) for name, each in found.items() if each}


def called_fillers(statement: ast.stmt, changers: Mapping[str, list[str]]) -> list[str]:
    """Returns the names that a plain statement of the module's level changes by calling a function of the module."""
    if not changers or isinstance(statement, _DEFINITIONS):
        return []
    called = [each.func.id for each in ast.walk(statement) if isinstance(each, ast.Call) and isinstance(each.func, ast.Name)]
    return [name for each in dict.fromkeys(called) for name in changers.get(each, ())]


def only_filled(node: ast.AST) -> frozenset[str]:
    """Returns the names that a definition uses for nothing but to put something in: as its decorators, or to change them."""
    filled = [name for each in ast.walk(node) if (name := _put_into(each)) is not None]
    for decorator in getattr(node, "decorator_list", ()):
        base = _base_node(decorator)
        filled += [base] if base is not None else []
    if not filled:
        return frozenset()
    places = {id(each) for each in filled}
    other = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and id(each) not in places}
    return frozenset(each.id for each in filled) - other


def _changes(node: ast.AST) -> set[str]:
    """Returns the names outside a function that it, or a function in it, changes."""
    found: set[str] = set()
    globals_: set[str] = set()
    todo: list[ast.AST] = list(ast.iter_child_nodes(node))
    while todo:
        each = todo.pop()
        if isinstance(each, _FUNCTIONS):
            found |= _changes(each)
            continue
        if isinstance(each, ast.Global):
            globals_.update(each.names)
        put = _put_into(each)
        if put is not None:
            found.add(put.id)
        todo += ast.iter_child_nodes(each)
    return (found - local_names(node)) | globals_


def _put_into(node: ast.AST) -> ast.Name | None:
    """Returns the name whose value a piece of code changes: by item, by attribute, by a method that is known to."""
    if isinstance(node, ast.Subscript | ast.Attribute) and not isinstance(node.ctx, ast.Load):
        return _base_node(node)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGING:
        return _base_node(node.func)
    return None


def _base_node(node: ast.expr) -> ast.Name | None:
    """Returns the name at the root of `a.b[c](d).e`."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node if isinstance(node, ast.Name) else None


def _base(node: ast.expr) -> str | None:
    found = _base_node(node)
    return None if found is None else found.id


def _name(node: ast.expr) -> str:
    """Returns the name of a decorator or base that is one, called or not."""
    function = node.func if isinstance(node, ast.Call) else node
    return function.id if isinstance(function, ast.Name) else ""


def _around(text: ModuleText, owner: str) -> Iterable[ast.stmt]:
    """Returns the body of the class in which a definition stands."""
    return next((each.node.body for each in reversed(text.sites) if each.qualname == owner and isinstance(each.node, ast.ClassDef)), [])
