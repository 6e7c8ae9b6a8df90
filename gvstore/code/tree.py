"""The modules of a project as the files of a tree tell them: a commit's, a run's, or those on disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gvstore.code.identity import module_name
from gvstore.code.module import SOURCES, UNPARSABLE, ModuleText, decode_source, import_base

_ROOTS: Final = ("", f"{SOURCES}/")  # where modules of a project are looked for; first beside the one that imports

ReadFile = Callable[[str], "bytes | str | None"]


class TreeModules:
    """Finds modules among files; `read(path)` returns a file's content by its path from the root, or None."""

    def __init__(self, read: ReadFile, texts: Mapping[str, ModuleText] | None = None) -> None:
        self._read = read
        self._texts: dict[str, ModuleText | None] = dict(texts or {})
        self._found: dict[tuple[str, str], tuple[str, ModuleText] | None] = {}

    def __call__(self, dotted: str, beside: str) -> tuple[str, ModuleText] | None:
        """Returns (name in the project, text) of the module that code of the module `beside` imports as `dotted`."""
        place = dotted, beside.rpartition(".")[0]
        if place not in self._found:
            self._found[place] = self._find(*place)
        return self._found[place]

    def _find(self, dotted: str, package: str) -> tuple[str, ModuleText] | None:
        folder, inner = package.replace(".", "/"), dotted.replace(".", "/")
        for root in dict.fromkeys((f"{folder}/" if folder else "", *_ROOTS)):
            for path in (f"{root}{inner}.py", f"{root}{inner}/__init__.py"):
                if (text := self.text(path)) is not None:
                    return module_name(path), text
        return None

    def text(self, path: str) -> ModuleText | None:
        """Returns the text of a file; None if there is none, or no Python."""
        if path not in self._texts:
            self._texts[path] = self._text(path)
        return self._texts[path]

    def _text(self, path: str) -> ModuleText | None:
        data = self._read(path)
        if data is None:
            return None
        below = import_base(path, self._read(f"{SOURCES}/__init__.py") is not None)
        module = module_name(path.removeprefix(below))
        package = module if path.endswith("__init__.py") else module.rpartition(".")[0]
        try:
            return ModuleText.of(data if isinstance(data, str) else decode_source(data), filename=path, package=package)
        except UNPARSABLE:
            return None
