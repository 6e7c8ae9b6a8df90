"""Which code a live function or class is: its name in the project, and the hashes of what was loaded for it.

    identify(f, root=folder).name     "agent.roll_sum", however the program was started

The name is the path from the project root to the definition.  Cells of a
notebook are `<notebook>`; what lies outside the root keeps its module's name.
An identity is kept as long as the object lives and no other source is loaded.
"""

from __future__ import annotations

import inspect
import os
import sys
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING

from gvstore import reads
from gvstore.code.definition import Definition, read_definition
from gvstore.code.mark import is_ours
from gvstore.code.module import ModuleText
from gvstore.code.source import Origin, Source, find_source, originating, whereabouts

if TYPE_CHECKING:
    from gvstore.code.facts import FactStore
    from gvstore.code.reach import Reached

NOTEBOOK = "<notebook>"


@dataclass(frozen=True, slots=True)
class CodeIdentity:
    """One version of a component's code.

    `text` and `own` are 32 bytes, or empty where no source was found: nothing is known then, and nothing is guessed.
    `reach` is empty, too, where a definition reaches nothing of its project.
    """

    name: str
    flavor: str
    signature: str
    parameters: tuple[str, ...]
    doc: str
    source: str
    text: bytes
    own: bytes
    reach: bytes = b""

    @property
    def is_hashed(self) -> bool:
        """Whether the code could be read at all."""
        return bool(self.own)


_stores: dict[str, FactStore] = {}
_known: weakref.WeakKeyDictionary[object, dict[str, tuple[int, CodeIdentity]]] = weakref.WeakKeyDictionary()


def keep_facts(root: Path, store: FactStore) -> None:
    """Lets what is learnt of the project at `root` be kept in `store` from now on, for other processes."""
    _stores[str(root)] = store


def forget() -> None:
    """Forgets all identities: they are found anew when they are asked for, from texts that have been read."""
    from gvstore.code.loaded import forget_projects

    _known.clear()
    forget_projects()


def identify(obj: object, root: Path | None = None) -> CodeIdentity:
    """Returns the identity of a function or class; of a method, partial or wrapper that of the function written; of any other object its class's."""
    origin = originating(obj)
    place = str(root) if root is not None else ""
    try:
        kept = _known.setdefault(origin, {})
    except TypeError:  # a builtin: nothing to keep
        kept = {}
    known = kept.get(place)
    if known is None or known[0] != reads.loads:  # a helper may have been loaded anew
        known = kept[place] = reads.loads, _identify(origin, place)
    return known[1]


def module_name(path: PurePath | str) -> str:
    """Returns the dotted name of a module by its path from the project root: `tools/search.py` is `tools.search`."""
    parts = list(PurePosixPath(str(path).replace(os.sep, "/")).with_suffix("").parts)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts)


def identity_of(definition: Definition, module: str, reach: bytes = b"") -> CodeIdentity:
    """Returns the identity of a definition that was read, and that reaches what has the hash `reach`."""
    return CodeIdentity(
        name=f"{module}.{definition.qualname}" if module else definition.qualname,
        flavor=definition.flavor,
        signature=definition.signature,
        parameters=definition.parameters,
        doc=definition.doc,
        source=definition.source,
        text=bytes(definition.text),
        own=bytes(definition.own),
        reach=reach,
    )


def _identify(origin: object, root: str) -> CodeIdentity:
    source = find_source(origin)
    module = _module_of(origin, source, root)
    if source.module is None or source.site is None:
        return _unread(origin, module)
    text = source.module
    if source.origin in (Origin.CELL, Origin.EXEC):
        text = _with_names_of(text, origin)
    found = _reached(text, source, root, whereabouts(origin)[1])
    return identity_of(read_definition(text, source.site), module, b"" if found is None else found.hash)


def reached(obj: object, root: Path) -> Reached | None:
    """Returns what a live function or class of the project at `root` reaches; None where its source or project is not known."""
    origin = originating(obj)
    source = find_source(origin)
    if source.module is None:
        return None
    text = _with_names_of(source.module, origin) if source.origin is Origin.CELL else source.module
    return _reached(text, source, str(root), whereabouts(origin)[1])


def _reached(text: ModuleText, source: Source, root: str, namespace: dict[str, object]) -> Reached | None:
    from gvstore.code.loaded import loaded_project
    from gvstore.code.reach import trace

    if not root or source.site is None:
        return None
    project = loaded_project(root)
    project.use(_stores.get(root))
    path = project.modules.path_of(source.filename)
    if source.origin is Origin.CELL:
        module = project.cell(text, namespace, NOTEBOOK)
    elif source.origin is Origin.EXEC:
        module = project.executed(text, namespace)
    else:
        module = None if path is None else project.of_text(module_name(path), text)
    if module is None:
        return None
    found = trace(project, module, source.site)
    project.keep()
    return found


def _unread(origin: object, module: str) -> CodeIdentity:
    """Returns what can be said without a source: names, and no hash."""
    qualname = str(getattr(origin, "__qualname__", type(origin).__qualname__))
    try:
        signature = inspect.signature(origin) if callable(origin) else None
    except (ValueError, TypeError):
        signature = None
    return CodeIdentity(
        name=f"{module}.{qualname.replace('<listcomp>.<locals>.', '')}" if module else qualname,
        flavor=_live_flavor(origin),
        signature="(...)" if signature is None else _plain(signature),
        parameters=tuple(signature.parameters) if signature is not None else (),
        doc=inspect.getdoc(origin) or "",
        source="",
        text=b"",
        own=b"",
    )


def _plain(signature: inspect.Signature) -> str:
    """Returns a signature without its defaults' values, whose repr may hold an address or a secret."""
    parameters = [
        p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else ...)
        for p in signature.parameters.values()
    ]
    return str(inspect.Signature(parameters)).replace("Ellipsis", "...")


def _live_flavor(origin: object) -> str:
    if isinstance(origin, type):
        return "class"
    tests: list[tuple[Callable[[object], bool], str]] = [
        (inspect.isasyncgenfunction, "async generator"),
        (inspect.iscoroutinefunction, "async function"),
        (inspect.isgeneratorfunction, "generator"),
    ]
    return next((flavor for test, flavor in tests if test(origin)), "function")


def _module_of(origin: object, source: Source, root: str) -> str:
    """Returns the module part of a component's name."""
    module = str(getattr(origin, "__module__", "") or "")
    if source.origin is Origin.CELL:
        return NOTEBOOK if module == "__main__" else module
    filename = source.filename
    if source.origin is Origin.EXEC or not filename or filename.startswith("<"):
        loaded = sys.modules.get(module)
        filename = str(getattr(loaded, "__file__", None) or "")
    if root and filename:
        path, folder = os.path.realpath(filename), os.path.realpath(root)
        if path.startswith(folder + os.sep) and "site-packages" not in PurePath(path).parts:
            return module_name(path[len(folder) + 1 :])
    if module == "__main__":
        return PurePath(filename).stem if filename else "__main__"
    return module


def _with_names_of(text: ModuleText, origin: object) -> ModuleText:
    """Returns the text of a cell, its imports completed by what live globals show: another cell imported it."""
    return text.with_names(live_names(whereabouts(origin)[1]))


def live_names(namespace: dict[str, object]) -> dict[str, str]:
    """Returns what of gvstore live globals hold, name to dotted origin."""
    live: dict[str, str] = {}
    for name, value in list(namespace.items()):
        if isinstance(value, ModuleType) and is_ours(value.__name__):
            live[name] = value.__name__
        elif isinstance(value, FunctionType | type) and is_ours(str(value.__module__)):
            live[name] = f"{value.__module__}.{value.__name__}"
    return live
