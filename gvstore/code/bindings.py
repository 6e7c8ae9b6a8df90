"""What the names of a module are bound to, as its text says: definitions, statements, imports.

All statements of the module's own level count, those under `if`, `try`, `with`
and loops too; so do changes of a name's value there (`TABLE["x"] = f`,
`STEPS.append(f)`).  What functions do to globals while the program runs is
state, and is not here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gvstore.code.mark import absolute_module, is_action, is_action_base, is_invokable, is_mark, is_register
from gvstore.code.module import ModuleText, Site
from gvstore.code.registries import called_fillers, fillers, registered
from gvstore.code.walk import children

_GIVEN: Final = re.compile(r"\bregister\b(?![ \t]*(?:#[^\n]*)?\n)")  # anything but the bare mark at the end of its line
_COMPOUND = ast.If | ast.Try | ast.TryStar | ast.With | ast.For | ast.While | ast.Match
MODULE: Final = ""  # the name under which a module as a whole is asked for
REGISTERED, INVOKABLE, ACTION = "registered", "invokable", "action"


@dataclass(slots=True)
class Binding:
    """All that binds one name: definitions, other statements and the conditions they stand under, dotted origins of imports."""

    sites: list[Site] = field(default_factory=list)
    statements: list[ast.stmt | ast.expr] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    held: list[Site] = field(default_factory=list)  # definitions that a decorator put into it (`registries`)


class Bindings:
    """The names of one module."""

    def __init__(self, text: ModuleText) -> None:
        self.text = text
        self.names: dict[str, Binding] = {}
        self.stars: list[str] = []
        self._sites = {id(site.node): site for site in text.sites}
        self.called = {id(node) for node in given_to_register(text)}
        self._read(text.tree.body)
        changers = fillers(text, self.names)
        for statement in _level(text.tree.body) if changers else ():
            for name in called_fillers(statement, changers):
                if statement not in self.names[name].statements:
                    self.names[name].statements.append(statement)
        for name, sites in registered(text, self.names, changers).items():
            self.names[name].held = sites

    def site(self, node: ast.AST) -> Site:
        """Returns where a definition of this module stands."""
        return self._sites[id(node)]

    def mark(self, site: Site) -> str:
        """Returns what marks a definition as a component, or ""; what it inherits from others is for these to say.

        INVOKABLE: its instances are called and recorded; REGISTERED: a function, or a class that is known by its name;
        ACTION: what a machine calls and records, and nobody else.
        """
        names, node = self.text.names, site.node
        if isinstance(node, ast.ClassDef):
            made = any(is_mark(each, names) and not is_register(each, names) for each in node.decorator_list)
            if made or any(is_invokable(base, names) for base in node.bases):
                return INVOKABLE
        decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
        if id(node) in self.called or any(is_mark(each, names) for each in decorators):
            return REGISTERED
        bases = node.bases if isinstance(node, ast.ClassDef) else []
        is_one = any(is_action(each, names) for each in decorators) or any(is_action_base(each, names) for each in bases)
        return ACTION if is_one else ""

    def _of(self, name: str) -> Binding:
        return self.names.setdefault(name, Binding())

    def _read(self, body: list[ast.stmt], conditions: tuple[ast.expr, ...] = ()) -> None:
        for statement in body:
            for name in self._bind(statement):
                binding = self._of(name)
                binding.statements += [each for each in conditions if each not in binding.statements]
            if isinstance(statement, _COMPOUND):
                tested = (statement.test,) if isinstance(statement, ast.If | ast.While) else ()
                self._read(_inner(statement), (*conditions, *tested))

    def _bind(self, statement: ast.stmt) -> list[str]:
        """Notes what a statement binds by itself, and returns the names."""
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._of(statement.name).sites.append(self.site(statement))
            return [statement.name]
        if isinstance(statement, ast.Import):
            locals_ = [alias.asname or alias.name.partition(".")[0] for alias in statement.names]
            for local, alias in zip(locals_, statement.names, strict=True):
                self._of(local).origins.append(alias.name if alias.asname else local)
            return locals_
        if isinstance(statement, ast.ImportFrom):
            origin = absolute_module(statement, self.text.package)
            named = [alias for alias in statement.names if alias.name != "*"]
            self.stars += [origin] * (len(statement.names) - len(named))
            for alias in named:
                self._of(alias.asname or alias.name).origins.append(f"{origin}.{alias.name}".lstrip("."))
            return [alias.asname or alias.name for alias in named]
        if isinstance(statement, _COMPOUND):
            names = list(dict.fromkeys(_stored(_head(statement))))
        else:
            names = list(dict.fromkeys([*_stored([statement]), *_changed(statement)]))
        for name in names:
            self._of(name).statements.append(statement)
        return names


def _level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yields the statements of a module's own level that hold no others; those of a program (`__name__ == "__main__"`) are none of the module."""
    for statement in body:
        if isinstance(statement, ast.If) and any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(statement.test)):
            yield from _level(statement.orelse)
        elif isinstance(statement, _COMPOUND):
            yield from _level(_inner(statement))
        else:
            yield statement


def _head(statement: ast.stmt) -> list[ast.AST]:
    """Returns what a compound statement binds itself: loop variables, `as` names, captures."""
    if isinstance(statement, ast.For):
        return [statement.target, statement.iter]
    if isinstance(statement, ast.With):
        return list(statement.items)
    if isinstance(statement, ast.Match):
        return [statement.subject, *[case.pattern for case in statement.cases]]
    return [statement.test] if isinstance(statement, ast.If | ast.While) else []


def _inner(statement: ast.stmt) -> list[ast.stmt]:
    found: list[ast.stmt] = []
    for name in ("body", "orelse", "finalbody"):
        found += getattr(statement, name, [])
    for handler in getattr(statement, "handlers", []):
        found += handler.body
    for case in getattr(statement, "cases", []):
        found += case.body
    return found


def _stored(nodes: list[ast.AST] | list[ast.stmt]) -> list[str]:
    """Returns the names that are bound there, in the scope where it stands."""
    found: list[str] = []
    todo: list[ast.AST] = list(reversed(nodes))
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.append(node.id)
        elif isinstance(node, ast.MatchAs | ast.MatchStar) and node.name is not None:
            found.append(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest is not None:
            found.append(node.rest)
        if not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            todo += reversed(children(node))
    return found


def _changed(statement: ast.stmt) -> list[str]:
    """Returns the names whose value a statement changes: by item, by attribute, by a method called for nothing else."""
    found: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        found = [each for each in statement.targets if isinstance(each, ast.Subscript | ast.Attribute)]
    elif isinstance(statement, ast.AugAssign | ast.AnnAssign):
        found = [statement.target] if isinstance(statement.target, ast.Subscript | ast.Attribute) else []
    elif isinstance(statement, ast.Delete):
        found = [each for each in statement.targets if isinstance(each, ast.Subscript | ast.Attribute)]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        found = [function] if isinstance(function, ast.Attribute) else []
    names = []
    for each in found:
        base: ast.expr = each
        while isinstance(base, ast.Subscript | ast.Attribute):
            base = base.value
        if isinstance(base, ast.Name):
            names.append(base.id)
    return names


def given_to_register(text: ModuleText) -> list[ast.AST]:
    """Returns the definitions given to `register` in a call that decorates nothing: `roll = gv.register(roll_die)`."""
    found: list[ast.AST] = []
    if not _GIVEN.search(text.text):
        return found
    top = {site.qualname: site for site in text.sites}
    for node in ast.walk(text.tree):
        if isinstance(node, ast.Call) and node.args:
            function = node.func.func if isinstance(node.func, ast.Call) else node.func
            if not is_register(function, text.names):
                continue
            given = node.args[0]
            if isinstance(given, ast.Lambda):
                found.append(given)
            elif isinstance(given, ast.Name | ast.Attribute) and (site := top.get(ast.unparse(given))) is not None:
                found.append(site.node)
    return found
