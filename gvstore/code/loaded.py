"""The modules of a project as this process has loaded them, which need not be what is on disk now."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath
from types import ModuleType
from typing import Final

from gvstore import reads
from gvstore.code.facts import FactStore
from gvstore.code.identity import live_names, module_name
from gvstore.code.module import SOURCES, ModuleText
from gvstore.code.project import Project
from gvstore.code.source import PLAIN, cell_texts, module_text, originating, whereabouts
from gvstore.code.tree import TreeModules
from gvstore.code.unit import Module

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


class LoadedModules:
    """Finds modules below a folder: those that are loaded by their text as it was, others as they are on disk."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.store: FactStore | None = None
        self._disk = TreeModules(self._read)
        self._paths: dict[str, str | None] = {}
        self._met: dict[str, tuple[ModuleType | None, ModuleText | None]] = {}
        self._loads, self.cells = reads.loads, -1

    def is_current(self) -> bool:
        """Returns whether the modules that were asked for are those that are loaded now, with the text they had: none was loaded anew."""
        if self.cells not in (-1, reads.cells):  # a cell may have taken another's place
            return False
        if any(sys.modules.get(dotted) is not module for dotted, (module, _) in self._met.items()):
            return False
        if self._loads != reads.loads:
            self._loads = reads.loads
            loaded = [(module, text) for module, text in self._met.values() if module is not None and text is not None]
            return all(module_text(module, self.store) is text for module, text in loaded)
        return True

    def __call__(self, dotted: str, beside: str) -> tuple[str, ModuleText] | None:
        """Returns (name in the project, text) of the module that code imports as `dotted`, or None."""
        loaded = sys.modules.get(dotted)
        if loaded is None and beside.startswith(f"{SOURCES}.") and f"{SOURCES}.{dotted}" in sys.modules:
            dotted = f"{SOURCES}.{dotted}"  # a relative import tells the name below src
            loaded = sys.modules[dotted]
        self._met[dotted] = loaded, None
        if loaded is None:
            return None if dotted.partition(".")[0] in sys.stdlib_module_names else self._disk(dotted, beside)
        path = self.path_of(getattr(loaded, "__file__", None))
        if path is None:
            return None
        text = module_text(loaded, self.store)
        self._met[dotted] = loaded, text
        return None if text is None else (module_name(path), text)

    def path_of(self, file: object) -> str | None:
        """Returns a file's path from the root; None if it lies elsewhere, or is an installed package's."""
        if not isinstance(file, str) or not file:
            return None
        if file not in self._paths:
            self._paths[file] = self._path_of(file)
        return self._paths[file]

    def _path_of(self, file: str) -> str | None:
        path = os.path.realpath(file)
        if not path.startswith(self.root + os.sep):
            return None
        inner = path[len(self.root) + 1 :]
        return None if _INSTALLED.intersection(PurePath(inner).parts) else inner

    def _read(self, path: str) -> bytes | None:
        try:
            return (Path(self.root) / path).read_bytes()
        except (OSError, ValueError):
            return None


class LoadedProject(Project):
    """The project below a folder, as this process has loaded it."""

    def __init__(self, root: str) -> None:
        self.modules = LoadedModules(root)
        self._cells: list[ModuleText] | None = None
        super().__init__(self.modules)

    def cell(self, text: ModuleText, namespace: dict[str, object], name: str) -> Module | None:
        """Returns a cell of a notebook as a module, which finds what it does not bind in the other cells; `name` is the notebook's."""
        module = self.of_text(name, text)
        if module is not None and module.elsewhere is None:
            self.modules.cells = reads.cells
            module.elsewhere = lambda bound: self._other_cell(text, namespace, name, bound)
        return module

    def executed(self, text: ModuleText, namespace: dict[str, object]) -> Module | None:
        """Returns a text that `exec` ran as a module, which finds what it does not bind in the module whose globals it was given."""
        name = str(namespace.get("__name__", ""))
        around = sys.modules.get(name)
        module = self.of_text(name, text)
        if module is not None and around is not None and vars(around) is namespace:
            module.elsewhere = lambda bound: self._around(name, bound)
        return module

    def _around(self, name: str, bound: str) -> Module | None:
        module = self.module(name)
        return module if module is not None and bound in module.facts.names else None

    def _other_cell(self, text: ModuleText, namespace: dict[str, object], name: str, bound: str) -> Module | None:
        """Returns the cell that binds a name now: the one that its live value was made in, else the latest."""
        if self._cells is None:
            known = live_names(namespace)
            self._cells = [each.with_names(known) if known else each for each in cell_texts()]
        binding = [each for each in self._cells if bound in each.facts.names and each.filename != text.filename]
        value = namespace.get(bound)
        made_in = whereabouts(originating(value))[0] if isinstance(value, type) or callable(value) else ""
        told = (bound, repr(value)) if type(value) in PLAIN else None
        fitting = [each for each in binding if each.filename == made_in or (told and told in map(tuple, each.facts.constants))]
        found = next(iter(fitting or binding), None)
        return None if found is None else self.cell(found, namespace, name)

    def use(self, store: FactStore | None) -> None:
        """Lets what is learnt be kept in `store`, and looked up there first."""
        self.store = self.modules.store = store


_PROJECTS_KEPT: Final = 4
_projects: dict[str, LoadedProject] = {}


def loaded_project(root: str) -> LoadedProject:
    """Returns the project at `root`; what it has read of it is kept while the same modules are loaded."""
    found = _projects.get(root)
    if found is None or not found.modules.is_current():
        store = None if found is None else found.store
        found = LoadedProject(root)
        found.use(store)
        _projects.pop(root, None)
        while len(_projects) >= _PROJECTS_KEPT:
            del _projects[next(iter(_projects))]
        _projects[root] = found
    return found


def forget_projects() -> None:
    """Lets every project be read anew."""
    _projects.clear()
