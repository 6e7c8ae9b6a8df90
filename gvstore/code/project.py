"""A project's code as a graph: what its names lead to, from unit to unit, by reading alone."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Sequence
from typing import Final

from gvstore.code.bindings import MODULE
from gvstore.code.definition import own_hash
from gvstore.code.mark import ROOTS
from gvstore.code.module import UNPARSABLE, ModuleText, Site
from gvstore.code.scope import Chain, Outside, bound_names, local_names, outside
from gvstore.code.unit import Boundary, Edge, Module, Unit, UnitKey
from gvstore.objects.oid import ObjectId

_BUILTIN: Final = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__spec__", "__package__", "__class__"}
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

Finder = Callable[[str, str], "tuple[str, ModuleText] | None"]


class Project:
    """The modules of one project, read as they are asked for.

    `find(dotted, beside)` returns (name in the project, text) of a module as
    code imports it, or None if it is no part of the project; `beside` is the
    name of the module that imports it.
    """

    def __init__(self, find: Finder) -> None:
        self._find = find
        self._modules: dict[int, tuple[ModuleText, Module | None]] = {}  # the text is held: its id is its name here
        self._units: dict[UnitKey, Unit] = {}
        self._component_classes: dict[UnitKey, bool] = {}

    def module(self, dotted: str, beside: str = "") -> Module | None:
        """Returns a module of the project; None for what is none, or cannot be parsed."""
        found = self._find(dotted, beside)
        return None if found is None else self.of_text(*found)

    def of_text(self, name: str, text: ModuleText) -> Module | None:
        """Returns a text as a module; the same for the same text."""
        if id(text) not in self._modules:
            try:
                self._modules[id(text)] = text, Module(name, text)
            except UNPARSABLE:
                self._modules[id(text)] = text, None
        return self._modules[id(text)][1]

    # -- what a name leads to

    def resolve(
        self, module: Module, name: str, chain: Chain = (), *, through: bool = False, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> list[UnitKey | Boundary]:
        """Returns what `name.chain`, looked up in a module, is; with `through` a component is a definition as any other."""
        if (module.name, name) in seen:
            return []
        seen |= {(module.name, name)}
        binding = module.bindings.names.get(name)
        if binding is None:
            return self._unbound(module, name, chain, through, seen)
        found: list[UnitKey | Boundary] = []
        for site in binding.sites:
            key = UnitKey(module, site.qualname)
            whole = through or (chain and site.is_class)
            found.append(key if whole or not self.is_component(module, site) else Boundary(Edge.COMPONENT, str(key)))
        if binding.statements:
            found.append(UnitKey(module, f"={name}"))
        for origin in binding.origins:
            found += self.resolve_dotted(".".join((origin, *chain)), module, through=through, seen=seen)
        return found

    def _unbound(
        self, module: Module, name: str, chain: Chain, through: bool, seen: frozenset[tuple[str, str]]
    ) -> list[UnitKey | Boundary]:
        for star in module.bindings.stars:
            other = None if star in ROOTS else self.module(star, module.name)
            if other is not None:
                found = self.resolve(other, name, chain, through=through, seen=seen)
                if found and not (len(found) == 1 and isinstance(found[0], Boundary) and found[0].edge is Edge.OPAQUE):
                    return found
        if name in _BUILTIN:
            return []
        outer = [star for star in module.bindings.stars if self.module(star, module.name) is None]
        if outer:
            return [Boundary(Edge.LIBRARY, each.partition(".")[0]) for each in outer[:1] if each not in ROOTS]
        return [Boundary(Edge.OPAQUE, name)]

    def resolve_dotted(
        self, dotted: str, beside: Module, *, through: bool = False, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> list[UnitKey | Boundary]:
        """Returns what a dotted origin is: of a module of the project what it binds, else a library."""
        parts = dotted.split(".")
        if parts[0] in ROOTS:  # ours is the same for all
            return []
        for cut in range(len(parts), 0, -1):
            module = self.module(".".join(parts[:cut]), beside.name)
            if module is not None:
                if cut == len(parts):
                    return [UnitKey(module, MODULE)]
                return self.resolve(module, parts[cut], tuple(parts[cut + 1 :]), through=through, seen=seen)
        return [Boundary(Edge.LIBRARY, parts[0])]

    def is_component(self, module: Module, site: Site) -> bool:
        """Returns whether a definition is registered, or inherits Invokable, also through classes of the project."""
        if module.bindings.is_component(site):
            return True
        if not isinstance(site.node, ast.ClassDef):
            return False
        key = UnitKey(module, site.qualname)
        if key not in self._component_classes:
            self._component_classes[key] = False  # a class that inherits itself is none
            self._component_classes[key] = any(self._inherits(module, base) for base in site.node.bases)
        return self._component_classes[key]

    def _inherits(self, module: Module, base: ast.expr) -> bool:
        for name, chain in outside(base).sorted():
            for target in self.resolve(module, name, chain, through=True):
                if isinstance(target, UnitKey) and (found := self.definition(target)) is not None and self.is_component(*found):
                    return True
        return False

    def definition(self, key: UnitKey) -> tuple[Module, Site] | None:
        """Returns where the definition stands that a unit is; None of one that is none."""
        site = key.module.site(key.name)
        return None if site is None else (key.module, site)

    # -- units

    def unit(self, key: UnitKey) -> Unit:
        """Returns a unit with what it leads to."""
        if key not in self._units:
            self._units[key] = self._read(key.module, key)
        return self._units[key]

    def _read(self, module: Module, key: UnitKey) -> Unit:
        if key.name == MODULE:
            own = own_hash(module.text, module.text.tree)
            unit = Unit(key, own, module.text.text, False)
            unit.links = self.links(module, [module.text.tree])
            return unit
        owner, equals, name = key.name.rpartition("=")
        if equals:
            return self._read_statements(module, key, owner, name)
        sites = [site for site in module.text.sites if site.qualname == key.name]
        owns = b"".join(own_hash(module.text, site.node) for site in sites)
        source = "".join(module.text.segment(site) for site in sites)
        unit = Unit(key, ObjectId.of(owns), source, any(isinstance(site.node, _FUNCTIONS) for site in sites))
        for site in sites:
            unit.links += self.site_links(module, site)
        return unit

    def _read_statements(self, module: Module, key: UnitKey, owner: str, name: str) -> Unit:
        """Returns the unit of what binds a name otherwise: in a module, a class (`A.=x`) or a function (`f.<locals>.=x`)."""
        around: list[Site] = []
        statements: list[ast.stmt | ast.expr]
        if not owner:
            statements = module.bindings.names[name].statements
        else:
            site = module.site(owner.removesuffix(".").removesuffix(".<locals>"))
            assert site is not None
            around = [site, *_enclosing(module, site)] if owner.endswith("<locals>.") else _enclosing(module, site)
            statements = list(_binding(site, name))
        owns = b"".join(own_hash(module.text, each) for each in statements)
        unit = Unit(key, ObjectId.of(owns), "".join(_text(module, each) for each in statements), False)
        unit.links = self.links(module, list(statements), around)
        return unit

    def site_links(self, module: Module, site: Site) -> list[tuple[str, UnitKey | Boundary]]:
        """Returns what a definition leads to, of a method also what it asks of its instance."""
        return [*self.links(module, [site.node], _enclosing(module, site)), *_members(self, module, site)]

    def links(
        self, module: Module, nodes: Sequence[ast.AST], around: Sequence[Site] = ()
    ) -> list[tuple[str, UnitKey | Boundary]]:
        """Returns what code inside the functions `around` leads to, with the name by which it does; bases lead through components."""
        found: dict[tuple[str, UnitKey | Boundary], None] = {}
        for node in nodes:
            package = module.text.package
            self._collect(module, outside(node, package=package, bases=False), found, around)
            for base in _bases(node):
                self._collect(module, outside(base, package=package), found, around, through=True)
        return list(found)

    def _collect(
        self,
        module: Module,
        taken: Outside,
        found: dict[tuple[str, UnitKey | Boundary], None],
        around: Sequence[Site],
        *,
        through: bool = False,
    ) -> None:
        for name, chain in taken.sorted():
            owner = next((each for each in around if name in local_names(each.node)), None)
            if owner is not None:
                targets = _locals(module, owner, name)
            else:
                targets = self.resolve(module, name, chain, through=through)
            for target in targets:
                found[name, target] = None
        for origin in sorted(taken.origins):
            for target in self.resolve_dotted(origin, module, through=through):
                found[origin, target] = None


def _bases(node: ast.AST) -> list[ast.expr]:
    return [*node.bases] if isinstance(node, ast.ClassDef) else []


def _text(module: Module, statement: ast.stmt | ast.expr) -> str:
    return "".join(module.text.lines[statement.lineno - 1 : statement.end_lineno])


def _enclosing(module: Module, site: Site) -> list[Site]:
    """Returns the functions around a nested definition."""
    found: list[Site] = []
    prefix = site.qualname
    while "<locals>." in prefix:
        prefix = prefix.rpartition(".<locals>.")[0]
        owner = module.site(prefix)
        if owner is not None and not owner.is_class:
            found.append(owner)
    return found


def _locals(module: Module, owner: Site, name: str) -> list[UnitKey | Boundary]:
    """Returns what binds a local name of a function: definitions in it and other statements; nothing of a parameter."""
    found: list[UnitKey | Boundary] = []
    if (site := module.site(f"{owner.qualname}.<locals>.{name}")) is not None:
        key = UnitKey(module, site.qualname)
        found.append(Boundary(Edge.COMPONENT, str(key)) if module.bindings.is_component(site) else key)
    if _binding(owner, name):
        found.append(UnitKey(module, f"{owner.qualname}.<locals>.={name}"))
    return found


def _binding(owner: Site, name: str) -> list[ast.stmt]:
    """Returns the statements of a function's or class's body, definitions aside, that bind a name in it."""
    if isinstance(owner.node, ast.Lambda):
        return []
    return [each for each in owner.node.body if not isinstance(each, _DEFINITIONS) and name in bound_names(each)]


def _members(project: Project, module: Module, site: Site) -> list[tuple[str, UnitKey | Boundary]]:
    """Returns what a method asks of `self` that its class, or a base of the project, defines."""
    owner = site.qualname.rpartition(".")[0]
    node = site.node
    if not owner or owner.endswith("<locals>") or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    if not node.args.args:
        return []
    me = node.args.args[0].arg
    asked = sorted(
        {
            each.attr
            for each in ast.walk(node)
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id in (me, "cls")
        }
    )
    if any(isinstance(each, ast.Name) and each.id == "super" for each in ast.walk(node)):
        asked.append(node.name)
    found: list[tuple[str, UnitKey | Boundary]] = []
    for attr in asked:
        found += [(f"{me}.{attr}", key) for key in _member(project, UnitKey(module, owner), attr, site, set())]
    return found


def _member(project: Project, owner: UnitKey, attr: str, skip: Site, seen: set[UnitKey]) -> list[UnitKey]:
    if owner in seen:
        return []
    seen.add(owner)
    definition = project.definition(owner)
    if definition is None or not isinstance(definition[1].node, ast.ClassDef):
        return []
    module, site = definition
    node = site.node
    assert isinstance(node, ast.ClassDef)
    found: list[UnitKey] = []
    for each in module.text.sites:
        if each.qualname == f"{site.qualname}.{attr}" and each is not skip:
            found.append(UnitKey(module, each.qualname))
    if _binding(site, attr):
        found.append(UnitKey(module, f"{site.qualname}.={attr}"))
    if found:
        return found
    for base in node.bases:
        for name, chain in outside(base).sorted():
            for target in project.resolve(module, name, chain, through=True):
                if isinstance(target, UnitKey) and (inherited := _member(project, target, attr, skip, seen)):
                    return inherited
    return []
