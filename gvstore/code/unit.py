"""The pieces that a project's code is followed through, and where following ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from gvstore.code.bindings import Bindings
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


class Module:
    """A module of the project: its dotted name there, its text, what it binds."""

    def __init__(self, name: str, text: ModuleText) -> None:
        self.name, self.text = name, text
        self.bindings = Bindings(text)
        self._sites = {site.qualname: site for site in text.sites}

    def site(self, qualname: str) -> Site | None:
        """Returns where a definition stands; of several of one name the last, as for Python."""
        return self._sites.get(qualname)


@dataclass(frozen=True, slots=True)
class UnitKey:
    """Names a unit by its module and qualified name; the name is empty for a module as a whole."""

    module: Module
    name: str

    def __str__(self) -> str:
        return f"{self.module.name}.{self.name}" if self.name else self.module.name


@dataclass(slots=True)
class Unit:
    """A piece of the project's code: `own` is its hash, `source` its text, `callable` whether it is a function."""

    key: UnitKey
    own: ObjectId
    source: str
    is_callable: bool
    level: int = 0
    links: list[tuple[str, UnitKey | Boundary]] = field(default_factory=list)
