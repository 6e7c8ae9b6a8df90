"""The components that stand in source files, found by reading: nothing is imported, nothing runs.

A component is a function or class under `register`, one given to `register`
by its name in a plain call, or a class that inherits `Invokable`, also
through other classes of the project.  What is found has the very identity
that `identify` gives to the same definition when it is recorded.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gvstore.code.bindings import given_to_register
from gvstore.code.definition import read_definition
from gvstore.code.identity import CodeIdentity, identity_of, module_name
from gvstore.code.mark import dotted_origin, is_invokable, is_mark
from gvstore.code.module import UNPARSABLE, ModuleText, decode_source
from gvstore.code.project import Project
from gvstore.code.reach import trace
from gvstore.code.tree import TreeModules

_HINTS = ("register", "Invokable", "typed_invokable", "action")


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


@dataclass(slots=True)
class _File:
    path: str
    text: ModuleText
    classes: dict[str, list[str]] = field(default_factory=dict)
    """Dotted name of each class, to the dotted origins of its bases."""

    @property
    def module(self) -> str:
        return module_name(self.path)


def discover(path: str, source: str | bytes) -> Discovery:
    """Returns the components of one file; `path` is relative to the project root, with slashes."""
    return discover_project([(path, source)])


def discover_project(files: Iterable[tuple[str, str | bytes]]) -> Discovery:
    """Returns the components of a project's Python files.

    A file without a word that could make a component (`register`, `Invokable`,
    the name of a class that is one) is not parsed, so nothing is said of its syntax.
    """
    waiting: dict[str, tuple[str, str | bytes]] = {
        path: (path, source) for path, source in files if path.endswith((".py", ".pyw"))
    }
    texts = {path: source for path, (_, source) in waiting.items()}
    parsed: dict[str, _File] = {}
    unparsable: list[Unparsable] = []
    hints = set(_HINTS)
    invokable: set[str] = set()
    while True:
        chosen = [path for path, (_, source) in waiting.items() if _mentions(source, hints)]
        for path in chosen:
            read = _read(*waiting.pop(path))
            if isinstance(read, _File):
                parsed[path] = read
            else:
                unparsable.append(read)
        grown = _invokable_classes(parsed.values(), invokable)
        if not chosen and grown == invokable:
            break
        invokable = grown
        hints = {name.rpartition(".")[2] for name in invokable}
    project = Project(TreeModules(texts.get, {path: file.text for path, file in parsed.items()}))
    found = [component for path in sorted(parsed) for component in _components(parsed[path], invokable, project)]
    return Discovery(tuple(found), tuple(sorted(unparsable, key=lambda fault: fault.path)))


def _mentions(source: str | bytes, words: set[str]) -> bool:
    if isinstance(source, bytes):
        return any(word.encode() in source for word in words)
    return any(word in source for word in words)


def _read(path: str, source: str | bytes) -> _File | Unparsable:
    """Returns a parsed file, or what is wrong with it."""
    module = module_name(path)
    package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
    try:
        text = ModuleText.of(
            source if isinstance(source, str) else decode_source(source), filename=path, package=package
        )
        file = _File(path, text)
        file.classes = dict(_class_bases(file))
    except UNPARSABLE as fault:
        line = fault.lineno if isinstance(fault, SyntaxError) and fault.lineno is not None else 0
        why = fault.msg if isinstance(fault, SyntaxError) else str(fault) or type(fault).__name__
        return Unparsable(path, line, why)
    return file


def _class_bases(file: _File) -> Iterator[tuple[str, list[str]]]:
    """Yields each class with where its bases come from: `?` stands for Invokable itself."""
    local = {site.qualname for site in file.text.sites if site.is_class}
    for site in file.text.sites:
        if isinstance(site.node, ast.ClassDef):
            bases = [base.value if isinstance(base, ast.Subscript) else base for base in site.node.bases]
            origins = []
            for base in bases:
                written = ast.unparse(base)
                origins.append(f"{file.module}.{written}" if written in local else dotted_origin(base, file.text.names))
            if any(is_invokable(base, file.text.names) for base in bases):
                origins.append("?")
            yield f"{file.module}.{site.qualname}", origins


def _invokable_classes(files: Iterable[_File], known: set[str]) -> set[str]:
    """Returns the dotted names of the classes that inherit Invokable, through however many of the project's own."""
    found = set(known)
    classes = [(name, origins) for file in files for name, origins in file.classes.items()]
    while True:
        more = {name for name, origins in classes if name not in found and any(o == "?" or o in found for o in origins)}
        if not more:
            return found
        found |= more


def _components(file: _File, invokable: set[str], project: Project) -> Iterator[Component]:
    names, module = file.text.names, file.module
    here = project.of_text(module, file.text)
    called = set(given_to_register(file.text))
    for site in file.text.sites:
        decorators = [] if isinstance(site.node, ast.Lambda) else site.node.decorator_list
        if (
            any(is_mark(decorator, names) for decorator in decorators)
            or site.node in called
            or (site.is_class and f"{module}.{site.qualname}" in invokable)
        ):
            reach = b"" if here is None else trace(project, here, site).hash
            identity = identity_of(read_definition(file.text, site), module, reach)
            yield Component(identity, file.path, site.first_line, site.last_line)
