"""The modules of a project as this process has loaded them, which need not be what is on disk now."""

from __future__ import annotations

import os
import sys
from pathlib import Path, PurePath
from types import ModuleType
from typing import Final

from gvstore import reads
from gvstore.code.facts import FactStore
from gvstore.code.identity import module_name
from gvstore.code.module import ModuleText
from gvstore.code.project import Project
from gvstore.code.source import module_text
from gvstore.code.tree import TreeModules

_INSTALLED: Final = frozenset({"site-packages", "dist-packages"})


class LoadedModules:
    """Finds modules below a folder: those that are loaded by their text as it was, others as they are on disk."""

    def __init__(self, root: str) -> None:
        self.root = os.path.realpath(root)
        self.store: FactStore | None = None
        self._disk = TreeModules(self._read)
        self._paths: dict[str, str | None] = {}
        self._met: dict[str, tuple[ModuleType | None, ModuleText | None]] = {}
        self._loads = reads.loads

    def is_current(self) -> bool:
        """Returns whether the modules that were asked for are those that are loaded now, with the text they had: none was loaded anew."""
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
        super().__init__(self.modules)

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
