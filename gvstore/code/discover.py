"""The components that stand in source files, found by reading: nothing is imported, nothing runs.

A component is a function or class under `register`, one given to `register`
by its name in a plain call, a machine's action, or a class that inherits
`Invokable` or `Action`, also through other classes of the project.  What is
found has the very identity that `identify` gives to the same definition when
it is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from gvstore.code.bindings import ACTION
from gvstore.code.facts import CLASS, FactStore
from gvstore.code.identity import CodeIdentity, identity_of, module_name
from gvstore.code.module import UNPARSABLE, ModuleText, decode_source, reading
from gvstore.code.project import Project
from gvstore.code.reach import trace
from gvstore.code.tree import TreeModules
from gvstore.code.unit import Module
from gvstore.objects.component import STEP

_HINTS = ("register", "Invokable", "typed_invokable", "action", "Action")


@dataclass(frozen=True, slots=True)
class Component:
    """A component and where it stands in the project."""

    identity: CodeIdentity
    path: str
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Unparsable:
    """A file that is no Python: passed over, and said."""

    path: str
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, in the order of paths and lines."""

    components: tuple[Component, ...]
    unparsable: tuple[Unparsable, ...]

    def named(self) -> dict[str, Component]:
        """Returns the components by name; of several definitions of one name the last, as for Python."""
        return {component.identity.name: component for component in self.components}


def discover(path: str, source: str | bytes) -> Discovery:
    """Returns the components of one file; `path` is relative to the project root, with slashes."""
    return discover_project([(path, source)])


def discover_project(files: Iterable[tuple[str, str | bytes]], store: FactStore | None = None) -> Discovery:
    """Returns the components of a project's Python files; what is learnt of them is kept in `store`.

    A file without a word that could make a component (`register`, `Invokable`,
    the name of a class that is one) is parsed only if a component reaches it; of others nothing is said.
    """
    with reading():
        return _discovered(files, store)


def _discovered(files: Iterable[tuple[str, str | bytes]], store: FactStore | None) -> Discovery:
    waiting = {path: source for path, source in files if path.endswith((".py", ".pyw"))}
    modules = TreeModules(dict(waiting).get)
    project = Project(modules, store)
    parsed: dict[str, Module] = {}
    unparsable: list[Unparsable] = []
    words, known = set(_HINTS), set(_HINTS)
    while words:
        for path in [path for path, source in waiting.items() if _mentions(source, words)]:
            read = _read(path, waiting.pop(path), modules, project)
            if isinstance(read, Module):
                parsed[path] = read
            else:
                unparsable.append(read)
        words = _inherited(parsed.values(), project) - known
        known |= words
    components = [each for path in sorted(parsed) for each in _components(path, parsed[path], project)]
    project.keep()
    said = {fault.path for fault in unparsable}
    unparsable += [_unread(text) for text in project.unread if text.filename not in said]
    return Discovery(tuple(components), tuple(sorted(unparsable, key=lambda fault: fault.path)))


def _mentions(source: str | bytes, words: set[str]) -> bool:
    if isinstance(source, bytes):
        return any(word.encode() in source for word in words)
    return any(word in source for word in words)


def _read(path: str, source: str | bytes, modules: TreeModules, project: Project) -> Module | Unparsable:
    """Returns a file as a module, or what is wrong with it."""
    try:
        text = modules.text(path) or ModuleText.of(source if isinstance(source, str) else decode_source(source))
        found = project.of_text(module_name(path), text)
        return found or Module("", text)
    except UNPARSABLE as fault:
        return _unparsable(path, fault)


def _unparsable(path: str, fault: Exception) -> Unparsable:
    line = fault.lineno if isinstance(fault, SyntaxError) and fault.lineno is not None else 0
    why = fault.msg if isinstance(fault, SyntaxError) else str(fault) or type(fault).__name__
    return Unparsable(path, line, why)


def _unread(text: ModuleText) -> Unparsable:
    try:
        Module("", text)
    except UNPARSABLE as fault:
        return _unparsable(text.filename, fault)
    return Unparsable(text.filename, 0, "")


def _inherited(modules: Iterable[Module], project: Project) -> set[str]:
    """Returns the plain names of the classes that make a component of whoever inherits them."""
    return {
        module.facts.sites[number][0].rpartition(".")[2]
        for module in modules
        for number in range(len(module.facts.sites))
        if module.facts.sites[number][1] == CLASS and (project.is_invokable(module, number) or project.is_action(module, number))
    }


def _components(path: str, module: Module, project: Project) -> Iterator[Component]:
    for number in range(len(module.facts.sites)):
        if project.is_component(module, number):
            reach = trace(project, module, number).hash
            identity = identity_of(module.facts.definition(number), module.name, reach)
            if project.is_action(module, number):
                identity = replace(identity, flavor=ACTION, parameters=STEP)
            yield Component(identity, path, *module.facts.sites[number][-2:])
