"""What a definition reaches: the code of the project that its names lead to, from definition to definition.

    trace(project, text, node)      the units it reaches, each with its level
    Reached.hash                    one hash of them all

A *unit* is a definition, or the statements that bind another name of a module.
Its `own` hash is that of its normal form.  The hash of a reach numbers the
units in the order in which a walk by sorted names first meets them, so it does
not depend on where a unit stands or in which file, and cycles are no event.
Where any of it asks for docstrings, those of all of it follow (`documented`),
those of the definition itself and of the components at its end among them.
The walk ends at

    component   what is registered: it stands for itself, and its calls are judged by themselves
    library     what is no part of the project, by its top-level name
    opaque      a name that no text explains

Source of the idea: Unison's name-free hashes; annotations and docstrings are
left out as in `normal`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from gvstore.code.module import Site, reading
from gvstore.code.project import Project
from gvstore.code.unit import Boundary, Edge, Module, Unit, UnitKey
from gvstore.objects.oid import ObjectId

_REACH: Final = b"code reach 1\0"


@dataclass(frozen=True, slots=True)
class Reached:
    """What a definition reaches, nearest first; `hash` is empty where it reaches nothing of the project.

    `components` are those that it, or what it reaches, leads to: there the reach ends.
    """

    units: tuple[Unit, ...]
    libraries: tuple[str, ...]
    opaque: tuple[str, ...]
    hash: bytes
    components: tuple[str, ...] = ()
    documented: tuple[Unit, ...] = ()  # the definition itself (level 0), units and components whose docstrings count, as something here asks for some


def trace(project: Project, module: Module, site: Site | int) -> Reached:
    """Returns what the definition at `site` of a module of the project, or its number there, reaches, itself left out."""
    with reading():
        return _trace(project, module, site)


def _trace(project: Project, module: Module, site: Site | int) -> Reached:
    number = site if isinstance(site, int) else module.text.sites.index(site)
    root = UnitKey(module, module.facts.sites[number][0])
    first = project.site_links(module, number)
    order: dict[UnitKey | Boundary, int] = {root: 0}
    units: list[Unit] = []
    ends: dict[Edge, set[str]] = {edge: set() for edge in Edge}
    spelled: list[str] = []
    queue: deque[tuple[list[tuple[str, UnitKey | Boundary]], int, str]] = deque([(first, 1, "")])
    while queue:
        links, level, own = queue.popleft()
        spelled.append(f"({own}")
        for label, target in links:
            known = target in order
            number = order.setdefault(target, len(order))
            if isinstance(target, Boundary):
                spelled.append(f" {label}:{target.edge} {target.name}" if target.edge is not Edge.OPAQUE else f" {label}:?")
                ends[target.edge].add(target.name)
                continue
            spelled.append(f" {label}:{number}")
            if not known:
                unit = project.unit(target)
                unit = Unit(unit.key, unit.own, unit.is_callable, level, unit.links)
                units.append(unit)
                queue.append((unit.links, level + 1, unit.own.hex()))
        spelled.append(")")
    documented: list[Unit] = []
    if any(map(project.asks, [root, *[unit.key for unit in units]])):
        documented = _documented(project, order, {root: 0} | {unit.key: unit.level for unit in units})
        spelled += [f" {number}={each.docs}" for number, each in enumerate(documented)]
    text = "".join(spelled)
    hash_ = bytes(ObjectId.of(_REACH + text.encode("utf-8", "surrogatepass"))) if len(order) > 1 else b""
    libraries, opaque, components = (tuple(sorted(ends[each])) for each in (Edge.LIBRARY, Edge.OPAQUE, Edge.COMPONENT))
    return Reached(tuple(units), libraries, opaque, hash_, components, tuple(documented))


def _documented(project: Project, order: dict[UnitKey | Boundary, int], levels: dict[UnitKey, int]) -> list[Unit]:
    """Returns what was met that has docstrings, in that order."""
    keys = [each.key if isinstance(each, Boundary) else each for each in order]
    found: list[Unit] = []
    for key in dict.fromkeys(keys):
        if key is not None and (docs := project.docs(key)):
            unit = project.unit(key)
            found.append(Unit(key, unit.own, unit.is_callable, levels.get(key, 1), docs=docs))
    return found
