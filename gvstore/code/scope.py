"""Which names a piece of code takes from outside itself, and what it asks of them.

    def f(x): return tools.clean(x) + LIMIT      tools.clean, LIMIT

What a scope binds is its own: parameters, assignments, loops, captures of
patterns, definitions.  A name that a function imports for itself is told by
its origin.  Annotations of functions do not count, as in the normal form;
those of class bodies do: they make fields.  So do those of a machine's action:
its state is made into what they name before it runs, and checked by it after.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from gvstore.code.annotation import annotated
from gvstore.code.mark import absolute_module
from gvstore.code.walk import children

Chain = tuple[str, ...]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_STEP_METHODS: Final = frozenset({"run", "update", "run_and_update", "stream_run", "stream_run_and_update"})
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(slots=True)
class Outside:
    """What is taken from outside: names, each with the attributes asked of it, and dotted origins of own imports."""

    names: dict[str, set[Chain]] = field(default_factory=dict)
    origins: set[str] = field(default_factory=set)

    def sorted(self) -> Iterator[tuple[str, Chain]]:
        """Yields each name with each chain of attributes, in an order of its own."""
        for name in sorted(self.names):
            for chain in sorted(self.names[name]):
                yield name, chain


@dataclass(slots=True)
class _Scope:
    bound: set[str]
    is_class: bool = False
    globals: set[str] = field(default_factory=set)
    imports: dict[str, str] = field(default_factory=dict)


def outside(node: ast.AST, *, package: str = "", bases: bool = True, signed: bool = False) -> Outside:
    """Returns what the code of `node` (a definition, a statement, an expression) takes from outside.

    `package` is where relative imports start.  Without `bases` those of a class are left out.
    With `signed` the annotations of a function's own signature count, of a class those of the methods that a machine calls.
    """
    reader = _Reader(package)
    if signed:
        steps = [each for each in node.body if getattr(each, "name", "") in _STEP_METHODS] if isinstance(node, ast.ClassDef) else [node]
        reader.signed = {id(each) for each in steps}
    if isinstance(node, ast.ClassDef) and not bases:
        for part in [*node.decorator_list, *[k.value for k in node.keywords]]:
            reader.read(part)
        reader.read_class_body(node)
        reader.read_rest()
    else:
        reader.read(node)
    return reader.found


def local_names(node: ast.AST) -> set[str]:
    """Returns the names that a function's own scope binds, parameters among them."""
    if not isinstance(node, _FUNCTIONS):
        return set()
    body: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else list(node.body)
    scope = _Reader("").scope_of(body)
    return scope.bound | set(scope.imports) | _parameters(node.args)


def bound_names(statement: ast.stmt) -> set[str]:
    """Returns the names that a statement binds where it stands."""
    scope = _Reader("").scope_of([statement])
    return scope.bound | set(scope.imports)


def _parameters(arguments: ast.arguments) -> set[str]:
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {each.arg for each in every if each is not None}


class _Reader:
    def __init__(self, package: str) -> None:
        self.found = Outside()
        self.package = package
        self.signed: set[int] = set()  # the functions whose annotations count
        self.scopes: list[_Scope] = []
        self.todo: list[ast.AST | _Scope | None] = []  # a scope is to be opened, None closes one

    def read(self, node: ast.AST) -> None:
        """Reads a node and all that stands in it."""
        self.todo.append(node)
        self.read_rest()

    def read_rest(self) -> None:
        """Reads what is waiting; no tree that Python parses is too deep."""
        todo = self.todo
        while todo:
            item = todo.pop()
            if item.__class__ is _Scope:
                self.scopes.append(item)
            elif item is None:
                self.scopes.pop()
            else:
                read = _READ.get(item.__class__)
                if read is None:
                    todo += reversed(children(item))  # type: ignore[arg-type]
                else:
                    read(self, item)

    def inside(self, scope: _Scope, body: Iterable[ast.AST]) -> None:
        """Lets these be read next, in a scope of their own."""
        self.todo.append(None)
        self.todo += body
        self.todo.append(scope)

    def read_name(self, node: ast.Name) -> None:
        """Reads `a`."""
        if isinstance(node.ctx, ast.Load):
            self.use(node.id, ())

    def read_chain(self, node: ast.Attribute) -> None:
        """Reads `a.b.c`."""
        chain: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            chain.append(base.attr)
            base = base.value
        if isinstance(base, ast.Name):
            self.use(base.id, tuple(reversed(chain)))
        else:
            self.todo.append(base)

    def use(self, name: str, chain: Chain) -> None:
        """Notes a name that is looked up here, unless a scope of this code binds it."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue  # a class body is not seen from the functions in it
            if name in scope.globals:
                break
            if name in scope.imports:
                self.found.origins.add(".".join((scope.imports[name], *chain)))
                return
            if name in scope.bound:
                return
        self.found.names.setdefault(name, set()).add(chain)

    def read_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Reads a function: decorators and defaults outside, the body in a scope of its own."""
        arguments = node.args
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
        else:
            body = list(node.body)
        scope = self.scope_of(body)
        scope.bound |= _parameters(arguments)
        self.inside(scope, body)
        self.todo += [each for each in (*arguments.defaults, *arguments.kw_defaults) if each is not None]
        if not isinstance(node, ast.Lambda):
            self.todo += node.decorator_list
            if id(node) in self.signed:
                self.read_signature(node)

    def read_signature(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Reads the annotations of a function, in a scope of their own where it has parameters of type."""
        types: list[Any] = getattr(node, "type_params", [])
        if types:
            self.inside(_Scope({each.name for each in types}), [*types, *annotated(node)])
        else:
            self.todo += annotated(node)

    def read_class(self, node: ast.ClassDef) -> None:
        """Reads a class: decorators, bases and keywords outside, then its body."""
        self.read_class_body(node)
        self.todo += [*node.decorator_list, *node.bases, *[k.value for k in node.keywords]]

    def read_class_body(self, node: ast.ClassDef) -> None:
        """Reads what a class body does; names that it binds later than it uses them are rare, and count as its own."""
        scope = self.scope_of(list(node.body))
        scope.is_class = True
        self.inside(scope, node.body)

    def read_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Reads a comprehension: its first source outside, the rest in a scope of its own."""
        first, *others = node.generators
        targets: list[ast.AST] = [each.target for each in node.generators]
        inner = list(first.ifs)
        for each in others:
            inner += [each.iter, *each.ifs]
        inner += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self.inside(self.scope_of(targets), inner)
        self.todo.append(first.iter)

    def read_annotated(self, node: ast.AnnAssign) -> None:
        """Reads `x: int = 1`; the annotation counts where it makes a field."""
        in_class = bool(self.scopes) and self.scopes[-1].is_class
        self.todo += [each for each in (node.target, node.annotation if in_class else None, node.value) if each is not None]

    def scope_of(self, body: Iterable[ast.AST]) -> _Scope:
        """Returns what these statements bind where they stand, without the scopes inside them."""
        scope = _Scope(set())
        todo = list(body)
        while todo:
            node = todo.pop()
            kind = node.__class__
            if kind is ast.Name:
                if node.ctx.__class__ is not ast.Load:  # type: ignore[attr-defined]
                    scope.bound.add(node.id)  # type: ignore[attr-defined]
                continue
            if kind in _BINDING:
                _bind(node, scope, self.package)
            if kind in _SCOPES:
                if kind in _COMPREHENSIONS:
                    todo += _assigned_inside(node)
            else:
                todo += children(node)
        scope.bound -= scope.globals
        return scope


def _bind(node: ast.AST, scope: _Scope, package: str) -> None:
    """Notes what a node of one of the types in _BINDING binds."""
    if isinstance(node, ast.Global | ast.Nonlocal):
        scope.globals.update(node.names)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope.bound.add(node.name)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            local = alias.asname or alias.name.partition(".")[0]
            scope.imports[local] = alias.name if alias.asname else local
    elif isinstance(node, ast.ImportFrom):
        origin = absolute_module(node, package)
        for alias in node.names:
            scope.imports[alias.asname or alias.name] = f"{origin}.{alias.name}" if origin else alias.name
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        if node.name is not None:
            scope.bound.add(node.name)
    elif isinstance(node, ast.MatchMapping) and node.rest is not None:
        scope.bound.add(node.rest)


def _assigned_inside(node: ast.AST) -> list[ast.AST]:
    """Returns the targets of `:=` in a comprehension: they are bound around it."""
    found: list[ast.AST] = []
    todo = [node]
    while todo:
        each = todo.pop()
        if isinstance(each, ast.NamedExpr):
            found.append(each.target)
        todo += children(each)
    return found


_BINDING: Final = frozenset({
    ast.Global, ast.Nonlocal, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom,
    ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping,
})  # fmt: skip
_SCOPES: Final = frozenset({*_FUNCTIONS, ast.ClassDef, *_COMPREHENSIONS})
_READ: Final[dict[type, Callable[[_Reader, Any], None]]] = {
    ast.Name: _Reader.read_name,
    ast.Attribute: _Reader.read_chain,
    ast.ClassDef: _Reader.read_class,
    ast.AnnAssign: _Reader.read_annotated,
    ast.Constant: lambda _, __: None,
    **dict.fromkeys(_FUNCTIONS, _Reader.read_function),
    **dict.fromkeys(_COMPREHENSIONS, _Reader.read_comprehension),
}
