"""Which names a piece of code takes from outside itself, and what it asks of them.

    def f(x): return tools.clean(x) + LIMIT      tools.clean, LIMIT

What a scope binds is its own: parameters, assignments, loops, captures of
patterns, definitions.  A name that a function imports for itself is told by
its origin.  Annotations of functions do not count, as in the normal form;
those of class bodies do: they make fields.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gvstore.code.mark import absolute_module

Chain = tuple[str, ...]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
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


def outside(node: ast.AST, *, package: str = "", bases: bool = True) -> Outside:
    """Returns what the code of `node` (a definition, a statement, an expression) takes from outside.

    `package` is where relative imports start.  Without `bases` those of a class are left out.
    """
    reader = _Reader(package)
    if isinstance(node, ast.ClassDef) and not bases:
        for part in [*node.decorator_list, *[k.value for k in node.keywords]]:
            reader.read(part)
        reader.read_class_body(node)
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
        self.scopes: list[_Scope] = []

    def read(self, node: ast.AST) -> None:
        """Reads one node in the scope that is open."""
        if isinstance(node, ast.Attribute | ast.Name):
            self.read_chain(node)
        elif isinstance(node, _FUNCTIONS):
            self.read_function(node)
        elif isinstance(node, ast.ClassDef):
            for part in [*node.decorator_list, *node.bases, *[k.value for k in node.keywords]]:
                self.read(part)
            self.read_class_body(node)
        elif isinstance(node, _COMPREHENSIONS):
            self.read_comprehension(node)
        elif isinstance(node, ast.AnnAssign):
            in_class = bool(self.scopes) and self.scopes[-1].is_class
            self.read_all([node.target, *([node.annotation] if in_class else [])])
            if node.value is not None:
                self.read(node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and self.scopes and self.scopes[-1].is_class:
            return
        else:
            self.read_all(ast.iter_child_nodes(node))

    def read_all(self, nodes: Iterable[ast.AST]) -> None:
        """Reads nodes one after the other."""
        for node in nodes:
            self.read(node)

    def read_chain(self, node: ast.Attribute | ast.Name) -> None:
        """Reads `a`, or `a.b.c`."""
        chain: list[str] = []
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            chain.append(base.attr)
            base = base.value
        if not isinstance(base, ast.Name):
            self.read(base)
            return
        if isinstance(base.ctx, ast.Load) or chain:
            self.use(base.id, tuple(reversed(chain)))

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
        defaults = [*arguments.defaults, *[each for each in arguments.kw_defaults if each is not None]]
        if isinstance(node, ast.Lambda):
            body: list[ast.AST] = [node.body]
        else:
            self.read_all(node.decorator_list)
            body = list(node.body)
        self.read_all(defaults)
        scope = self.scope_of(body)
        scope.bound |= _parameters(arguments)
        self.scopes.append(scope)
        self.read_all(body)
        self.scopes.pop()

    def read_class_body(self, node: ast.ClassDef) -> None:
        """Reads what a class body does; names that it binds later than it uses them are rare, and count as its own."""
        scope = self.scope_of(list(node.body))
        scope.is_class = True
        self.scopes.append(scope)
        self.read_all(node.body)
        self.scopes.pop()

    def read_comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        """Reads a comprehension: its first source outside, the rest in a scope of its own."""
        first, *others = node.generators
        self.read(first.iter)
        targets: list[ast.AST] = [each.target for each in node.generators]
        scope = self.scope_of(targets)
        self.scopes.append(scope)
        self.read_all(first.ifs)
        for each in others:
            self.read_all([each.iter, *each.ifs])
        self.read_all([node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt])
        self.scopes.pop()

    def scope_of(self, body: list[ast.AST]) -> _Scope:
        """Returns what these statements bind where they stand, without the scopes inside them."""
        scope = _Scope(set())
        todo = list(body)
        while todo:
            node = todo.pop()
            if isinstance(node, ast.Global | ast.Nonlocal):
                scope.globals.update(node.names)
            else:
                _bind(node, scope, self.package)
            todo += _same_scope(node)
        scope.bound -= scope.globals
        return scope


def _bind(node: ast.AST, scope: _Scope, package: str) -> None:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        scope.bound.add(node.id)
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


def _same_scope(node: ast.AST) -> list[ast.AST]:
    """Returns what stands below a node in the same scope; of a comprehension only what `:=` may bind."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
        return []
    if isinstance(node, _COMPREHENSIONS):
        return [each.target for each in ast.walk(node) if isinstance(each, ast.NamedExpr)]
    return list(ast.iter_child_nodes(node))
