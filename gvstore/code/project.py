"""A project's code as a graph: what its names lead to, from unit to unit, by reading alone."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Final

from gvstore.code.bindings import ACTION, INVOKABLE, MODULE
from gvstore.code.facts import CLASS, FactStore, Link, save
from gvstore.code.mark import is_ours
from gvstore.code.module import UNPARSABLE, ModuleText
from gvstore.code.scope import Chain
from gvstore.code.unit import Boundary, Edge, Module, Unit, UnitKey
from gvstore.objects.oid import ObjectId

_BUILTIN: Final = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__spec__", "__package__", "__class__"}
Finder = Callable[[str, str], "tuple[str, ModuleText] | None"]


class Project:
    """The modules of one project, read as they are asked for.

    `find(dotted, beside)` returns (name in the project, text) of a module as
    code imports it, or None if it is no part of the project; `beside` is the
    name of the module that imports it.  What is learnt of the texts is kept in
    `store`, if there is one, when `keep` is called.
    """

    def __init__(self, find: Finder, store: FactStore | None = None) -> None:
        self._find = find
        self.store = store
        self._modules: dict[int, tuple[ModuleText, Module | None]] = {}  # the text is held: its id is its name here
        self._units: dict[UnitKey, Unit] = {}
        self._marked: dict[tuple[UnitKey, str], bool] = {}

    def module(self, dotted: str, beside: str = "") -> Module | None:
        """Returns a module of the project; None for what is none, or cannot be parsed."""
        found = self._find(dotted, beside)
        return None if found is None else self.of_text(*found)

    def of_text(self, name: str, text: ModuleText) -> Module | None:
        """Returns a text as a module; the same for the same text."""
        if id(text) not in self._modules:
            if self.store is not None:
                text.facts.load(self.store)
            try:
                self._modules[id(text)] = text, Module(name, text)
            except UNPARSABLE:
                self._modules[id(text)] = text, None
        return self._modules[id(text)][1]

    def keep(self) -> None:
        """Stores what has been learnt, for the next process."""
        if self.store is not None:
            save((text for text, module in self._modules.values() if module is not None), self.store)

    # -- what a name leads to

    def resolve(
        self, module: Module, name: str, chain: Chain = (), *, through: bool = False, fills: bool = False,
        seen: frozenset[tuple[Module, str]] = frozenset(),
    ) -> list[UnitKey | Boundary]:  # fmt: skip
        """Returns what `name.chain`, looked up in a module, is; with `through` a component is a definition as any other.

        Who only `fills` a registry is not led to what is in there.
        """
        if (module, name) in seen:
            return []
        seen |= {(module, name)}
        bound = module.facts.names.get(name)
        if bound is None:
            return self._unbound(module, name, chain, through, seen)
        found: list[UnitKey | Boundary] = []
        numbers, is_stated, origins, held = bound
        for number in numbers:
            qualname, kind, *_ = module.facts.sites[number]
            key = UnitKey(module, qualname)
            whole = through or (chain and kind == CLASS)
            found.append(key if whole else self._boundary(module, number, key))
        if is_stated:
            found.append(UnitKey(module, f"={name}"))
        if not (through or fills):
            found += [self._boundary(module, number, UnitKey(module, module.facts.sites[number][0])) for number in held]
        for origin in origins:
            found += self.resolve_dotted(".".join((origin, *chain)), module, through=through, seen=seen)
        return found

    def _unbound(
        self, module: Module, name: str, chain: Chain, through: bool, seen: frozenset[tuple[Module, str]]
    ) -> list[UnitKey | Boundary]:
        cell = None if module.elsewhere is None else module.elsewhere(name)
        if cell is not None:
            return self.resolve(cell, name, chain, through=through, seen=seen)
        for star in module.facts.stars:
            other = None if is_ours(star) else self.module(star, module.name)
            if other is not None:
                found = self.resolve(other, name, chain, through=through, seen=seen)
                if found and not (len(found) == 1 and isinstance(found[0], Boundary) and found[0].edge is Edge.OPAQUE):
                    return found
        if name in _BUILTIN:
            return []
        outer = [star for star in module.facts.stars if self.module(star, module.name) is None]
        if outer:
            return [Boundary(Edge.LIBRARY, each.partition(".")[0]) for each in outer[:1] if not is_ours(each)]
        return [Boundary(Edge.OPAQUE, name)]

    @property
    def unread(self) -> list[ModuleText]:
        """The texts that were asked for and cannot be parsed."""
        return [text for text, module in self._modules.values() if module is None]

    def resolve_dotted(
        self, dotted: str, beside: Module, *, through: bool = False, seen: frozenset[tuple[Module, str]] = frozenset()
    ) -> list[UnitKey | Boundary]:
        """Returns what a dotted origin is: of a module of the project what it binds, else a library."""
        parts = dotted.split(".")
        if is_ours(dotted):  # ours is the same for all
            return []
        for cut in range(len(parts), 0, -1):
            found = self._find(".".join(parts[:cut]), beside.name)
            if found is not None:
                module = self.of_text(*found)
                if module is None:
                    return [Boundary(Edge.OPAQUE, found[0])]
                if cut == len(parts):
                    return [UnitKey(module, MODULE)]
                return self.resolve(module, parts[cut], tuple(parts[cut + 1 :]), through=through, seen=seen)
        return [Boundary(Edge.LIBRARY, parts[0])]

    def is_component(self, module: Module, number: int) -> bool:
        """Returns whether a definition is registered, a machine's action, or a class that inherits Invokable."""
        return bool(module.facts.sites[number][2]) or self.is_invokable(module, number) or self.is_action(module, number)

    def is_action(self, module: Module, number: int) -> bool:
        """Returns whether a definition is a machine's action, a class also through classes of the project; what is registered is none."""
        return module.facts.sites[number][2] in ("", ACTION) and self._is_marked(module, number, ACTION)

    def is_invokable(self, module: Module, number: int) -> bool:
        """Returns whether a definition is a class that inherits Invokable, also through classes of the project."""
        return self._is_marked(module, number, INVOKABLE)

    def _is_marked(self, module: Module, number: int, wanted: str) -> bool:
        """Returns whether a definition has a mark, or is a class that inherits one which has it."""
        qualname, kind, mark, bases, *_ = module.facts.sites[number]
        if kind != CLASS or mark == wanted:
            return bool(mark == wanted)
        key = UnitKey(module, qualname), wanted
        if key not in self._marked:
            self._marked[key] = False  # a class that inherits itself is none
            self._marked[key] = any(self._inherits(module, name, tuple(chain), wanted) for name, chain in bases)
        return self._marked[key]

    def _inherits(self, module: Module, name: str, chain: Chain, wanted: str) -> bool:
        for target in self.resolve(module, name, chain, through=True):
            number = target.module.number(target.name) if isinstance(target, UnitKey) else None
            if isinstance(target, UnitKey) and number is not None and self._is_marked(target.module, number, wanted):
                return True
        return False

    def _boundary(self, module: Module, number: int, key: UnitKey) -> UnitKey | Boundary:
        """Returns a component in place of a definition whose calls are recorded: a class that is only registered makes none."""
        kind, mark = module.facts.sites[number][1:3]
        ends = self.is_invokable(module, number) if kind == CLASS else mark and mark != ACTION
        return Boundary(Edge.COMPONENT, str(key), key) if ends else key

    # -- units

    def unit(self, key: UnitKey) -> Unit:
        """Returns a unit with what it leads to."""
        if key not in self._units:
            self._units[key] = self._read(key.module, key)
        return self._units[key]

    def _read(self, module: Module, key: UnitKey) -> Unit:
        facts, numbers = module.facts, module.numbers.get(key.name)
        if numbers is None:
            own, links = facts.piece(key.name)
            return Unit(key, own, False, links=self.look_up(module, links))
        own = ObjectId.of(b"".join(facts.own(number) for number in numbers))
        unit = Unit(key, own, any(facts.sites[number][1] != CLASS for number in numbers))
        for number in numbers:
            unit.links += self.site_links(module, number)
        return unit

    def asks(self, key: UnitKey) -> bool:
        """Returns whether a unit asks for docstrings."""
        facts, numbers = key.module.facts, key.module.numbers.get(key.name)
        return facts.asks(key.name) if numbers is None else any(map(facts.asks, numbers))

    def docs(self, key: UnitKey) -> str:
        """Returns the hashes of a unit's docstrings, in hex; an empty text if it has none."""
        facts, numbers = key.module.facts, key.module.numbers.get(key.name)
        return facts.docs(key.name) if numbers is None else "".join(map(facts.docs, numbers))

    def site_links(self, module: Module, number: int) -> list[tuple[str, UnitKey | Boundary]]:
        """Returns what a definition leads to, of a method also what it asks of its instance, of an action what its annotations name."""
        return self.look_up(module, module.facts.links(number, signed=self.is_action(module, number)), number)

    def look_up(self, module: Module, links: list[Link], number: int = -1) -> list[tuple[str, UnitKey | Boundary]]:
        """Returns what the links of a piece of code lead to, each with the name by which it does."""
        found: dict[tuple[str, UnitKey | Boundary], None] = {}
        members: list[tuple[str, UnitKey | Boundary]] = []
        for kind, name, *rest in links:
            targets: list[UnitKey | Boundary]
            if kind == "self":
                owner = module.facts.sites[number][0].rpartition(".")[0]
                keys = self._member(UnitKey(module, owner), rest[0], (module, number), set())
                members += [(f"{name}.{rest[0]}", key) for key in keys]
                continue
            if kind == "name":
                targets = self.resolve(module, name, tuple(rest[0]), through=rest[1], fills=rest[2])
            elif kind == "origin":
                targets = self.resolve_dotted(name, module, through=rest[0])
            else:
                local = [(UnitKey(module, unit), at) for unit, at in rest[0]]
                targets = [key if at < 0 else self._boundary(module, at, key) for key, at in local]
            for target in targets:
                found[name, target] = None
        return [*found, *members]

    def _member(self, owner: UnitKey, attribute: str, asking: tuple[Module, int], seen: set[UnitKey]) -> list[UnitKey]:
        """Returns what a class, or the nearest base of the project that has it, defines as an attribute; the asking method aside."""
        module, at = owner.module, owner.module.number(owner.name)
        if owner in seen or at is None:
            return []
        seen.add(owner)
        qualname, kind, _, bases, bound, *_ = module.facts.sites[at]
        if kind != CLASS:
            return []
        name = f"{qualname}.{attribute}"
        found = [UnitKey(module, name) for number in module.numbers.get(name, ()) if (module, number) != asking]
        if attribute in bound:
            found.append(UnitKey(module, f"{qualname}.={attribute}"))
        if found:
            return found
        for base, chain in bases:
            for target in self.resolve(module, base, tuple(chain), through=True):
                if isinstance(target, UnitKey) and (inherited := self._member(target, attribute, asking, seen)):
                    return inherited
        return []
