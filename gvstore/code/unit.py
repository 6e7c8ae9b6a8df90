"""The pieces that a project's code is followed through, and where following ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gvstore.code.facts import Facts
from gvstore.code.module import ModuleText, Site
from gvstore.objects.oid import ObjectId


class Edge(StrEnum):
    """What a walk ends at."""

    COMPONENT = "component"
    LIBRARY = "library"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a walk ends: a component by its name in the project, a library by its own, a name that is not explained."""

    edge: Edge
    name: str
    key: UnitKey | None = field(default=None, compare=False)  # of a component


class Module:
    """A module of the project: its dotted name there, its text, and what that says.

    Raises, from its making: one of UNPARSABLE.
    """

    def __init__(self, name: str, text: ModuleText) -> None:
        self.name, self.text = name, text
        self.facts: Facts = text.facts
        self.elsewhere: Callable[[str], Module | None] | None = None  # of a notebook's cell: which other cell binds a name
        self.numbers: dict[str, list[int]] = {}  # of definitions, by qualified name
        for number, site in enumerate(self.facts.sites):
            self.numbers.setdefault(site[0], []).append(number)

    def number(self, qualname: str) -> int | None:
        """Returns which definition a name means; of several the last, as for Python."""
        found = self.numbers.get(qualname)
        return None if found is None else found[-1]

    def site(self, qualname: str) -> Site | None:
        """Returns where a definition stands; the tree is read for it."""
        number = self.number(qualname)
        return None if number is None else self.text.sites[number]


@dataclass(frozen=True, slots=True)
class UnitKey:
    """Names a unit by its module and qualified name; the name is empty for a module as a whole."""

    module: Module
    name: str

    def __str__(self) -> str:
        return f"{self.module.name}.{self.name}" if self.name else self.module.name


@dataclass(slots=True)
class Unit:
    """A piece of the project's code: `own` is its hash, `is_callable` whether it is a function, `docs` the hash of its docstrings in hex."""

    key: UnitKey
    own: ObjectId
    is_callable: bool
    level: int = 0
    links: list[tuple[str, UnitKey | Boundary]] = field(default_factory=list)
    docs: str = ""

    @property
    def source(self) -> str:
        """Its text; the tree is read for it."""
        module, name = self.key.module, self.key.name
        text = module.text
        if not name:
            return text.text
        if name in module.numbers:
            return "".join(text.segment(text.sites[number]) for number in module.numbers[name])
        found = module.facts.statements(name)
        return "".join("".join(text.lines[each.lineno - 1 : each.end_lineno]) for each in found)
