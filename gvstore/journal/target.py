"""Targets of `gv run`: from what a user types to a live component.

    file.py:function      package.module:function

The file is loaded as the module its path from the project root names, or its
path from `src/` where that is no package, after the packages that it lies in:
as Python imports it.  A component has one name, by its path from the root,
however the program is started.  Loading runs the user's code: only here, and
only because they asked for it.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.machinery
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from pathlib import Path, PurePath
from types import CodeType, ModuleType
from typing import Any

from gvstore.code.identity import module_name
from gvstore.code.module import SOURCES, import_base
from gvstore.errors import GvError, UsageFault
from gvstore.journal.fault import BadTarget, TargetRaised
from gvstore.journal.perform import live_component
from gvstore.journal.register import OBJECTS, live_of
from gvstore.journal.trace import trace_of
from gvstore.objects.component import Component


@dataclass(frozen=True, slots=True)
class Target:
    """A loaded target: how it is written in a run, and what is called."""

    text: str
    subject: Any


def load_target(text: str, *, root: Path, folder: Path) -> Target:
    """Returns the component that `text` names; files are looked for in `folder`, then in `root`.

    Raises:
        BadTarget: no such file, module or function; tells what is near.
        TargetRaised: the program raised while it was loaded.
    """
    place, _, name = text.rpartition(":")
    if not place:
        place, name = text, ""
    module, shown = load_place(place, root=root, folder=folder)
    if not name:
        raise BadTarget(f"{text} names no function", hint=_choices(module, shown))
    subject: Any = module
    for part in name.split("."):
        subject = getattr(subject, part, None)
    if subject is None:
        near = _near(name, module)
        hint = f"Did you mean {', '.join(f'{shown}:{n}' for n in near)}?" if near else _choices(module, shown)
        raise BadTarget(f"{shown} has no function {name}", hint=hint)
    if isinstance(subject, ModuleType) or not (callable(subject) or live_of(subject) is not None):
        raise BadTarget(f"{shown}:{name} is no function", hint=_choices(module, shown))
    live_component(subject)
    return Target(f"{shown}:{name}", subject)


def load_place(place: str, *, root: Path, folder: Path) -> tuple[ModuleType, str]:
    """Returns the module that a file or a dotted name stands for, and how it is written in a run.

    Raises:
        BadTarget: there is none; tells what is near.
        TargetRaised: the program raised while it was loaded.
    """
    if not place.endswith(".py"):
        return _load_module(place, root, folder), place
    path = _find_file(place, root, folder)
    return load_file(path, root), path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def load_named(name: str, root: Path, where: str, names: Callable[[], Iterable[str]]) -> Target:
    """Returns the component of a project by its name there; `where` says which project, `names` gives its components.

    Raises:
        BadTarget: there is none; tells what is near.
        TargetRaised: the program raised while it was loaded.
    """
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        base = "/".join(parts[:end])
        for file in (f"{base}.py", f"{base}/__init__.py"):
            if all(parts) and (root / file).is_file():
                try:
                    return load_target(f"{file}:{'.'.join(parts[end:])}", root=root, folder=root)
                except BadTarget as e:
                    raise no_component(name, where, names()) from e
    raise no_component(name, where, names())


def no_component(name: str, where: str, names: Iterable[str]) -> BadTarget:
    """Returns the error that a project has no component of a name; tells what is near."""
    known = sorted(names)
    near = [each for each in known if name and each.endswith(f".{name}")] or difflib.get_close_matches(name, known, 3, 0.5)
    if near:
        hint = f"Did you mean {' or '.join(f'{where}::{each}' for each in near)}?"
    else:
        hint = f"It has {', '.join(known[:8])}{', ...' if len(known) > 8 else ''}." if known else "It has no component."
    return BadTarget(f"{where} has no component {name}" if name else f"{where}:: names no component", hint=hint)


def load_file(path: Path, root: Path) -> ModuleType:
    """Returns the module of a source file, loaded once a process under the name it is imported by, after its packages.

    Raises:
        TargetRaised: it raised while it was loaded, or a package did that it lies in.
    """
    name = import_name(path.relative_to(root), root) if path.is_relative_to(root) else path.stem
    if (known := _loaded(name, path)) is not None:
        return known
    package = _package_of(name, path)
    if package:
        _open_project(root, *_sources(root))
        try:
            _import_package(package)
        except BaseException as e:
            if isinstance(e, KeyboardInterrupt):
                raise
            raise told_of(e, path.name) from e
        if (known := _loaded(name, path)) is not None:
            return known
    _open_project(root, *(_sources(root) if path.is_relative_to(root / SOURCES) else ()), path.parent)
    spec = importlib.util.spec_from_file_location(name, path, loader=FreshLoader(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException as e:
        sys.modules.pop(name, None)
        if isinstance(e, KeyboardInterrupt):
            raise
        raise told_of(e, path.name) from e
    if package in sys.modules:
        setattr(sys.modules[package], name.rpartition(".")[2], module)
    return module


def _loaded(name: str, path: Path) -> ModuleType | None:
    known = sys.modules.get(name)
    return known if known is not None and getattr(known, "__file__", None) == str(path) else None


def _package_of(name: str, path: Path) -> str:
    """Returns the package that a module is to be imported after; "" if none of the folders it lies in has an `__init__.py`."""
    folder = path.parent.parent if path.name == "__init__.py" else path.parent
    parts = name.split(".")[:-1]
    above = [folder, *folder.parents][: len(parts)]
    return ".".join(parts) if any((each / "__init__.py").is_file() for each in above) else ""


def _import_package(name: str) -> None:
    """Imports a package; if another of its name is found first, or a folder's is none, nothing comes of it."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name is None or not (name == e.name or name.startswith(f"{e.name}.")):
            raise


class FreshLoader(SourceFileLoader):
    """Compiles the source that is there: bytecode of a cache is told from newer source by second and size only."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Returns the code of the file as it is now."""
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _ProjectFinder(MetaPathFinder):
    """Finds the project's own modules where Python would, and has them loaded from source."""

    def __init__(self, root: Path) -> None:
        self.root = str(root) + "/"

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Returns the spec of a module of the project, else None: somebody else finds it."""
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if not spec.origin.startswith(self.root) or "site-packages" in spec.origin:
            return None
        spec.loader = FreshLoader(fullname, spec.origin)
        return spec


def _sources(root: Path) -> tuple[Path, ...]:
    """Returns the folder `src` of a project whose modules are imported by their names below it."""
    folder = root / SOURCES
    return (folder,) if folder.is_dir() and import_base("src/", (folder / "__init__.py").is_file()) else ()


def import_name(path: PurePath, root: Path) -> str:
    """Returns the name that a file is imported by, by its path from the root: `src/agent/core.py` is `agent.core`, if `src` is no package."""
    inner = path.as_posix()
    return module_name(inner.removeprefix(import_base(inner, (root / SOURCES / "__init__.py").is_file())))


def _open_project(*folders: Path) -> None:
    """Lets the project's modules be imported, the first folder being its root, the last the one looked into first."""
    for folder in map(str, folders):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    if not any(isinstance(each, _ProjectFinder) and each.root == f"{folders[0]}/" for each in sys.meta_path):
        sys.meta_path.insert(0, _ProjectFinder(folders[0]))


def load_component(component: Component, root: Path) -> None:
    """Loads the module that a recorded component was defined in, if it can be found from its name.

    Raises:
        TargetRaised: the program raised while it was loaded.
    """
    parts = component.name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        base = root.joinpath(*parts[:end])
        for path in (base.with_suffix(".py"), base / "__init__.py"):
            if path.is_file() and not component.library:
                load_file(path, root)
                return
        if component.library and importlib.util.find_spec(parts[0]) is not None:
            try:
                importlib.import_module(".".join(parts[:end]))
            except ModuleNotFoundError:
                continue
            return


def _load_module(name: str, root: Path, folder: Path) -> ModuleType:
    _open_project(root, folder)
    for each in map(str, _sources(root)):
        if each not in sys.path:
            sys.path.insert(sys.path.index(str(root)) + 1, each)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as e:
        if e.name is None or not (name == e.name or name.startswith(e.name + ".")):
            raise told_of(e, name) from e
        files = sorted(path.name for path in folder.glob("*.py"))
        near = difflib.get_close_matches(name + ".py", files, 3, 0.4)
        hint = f"Did you mean {', '.join(near)}?" if near else "Give FILE.py:FUNCTION or package.module:FUNCTION."
        raise BadTarget(f"there is no module {name}", hint=hint) from e
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt):
            raise
        raise told_of(e, name) from e


def _find_file(text: str, root: Path, folder: Path) -> Path:
    for base in (folder, root):
        path = (base / text).resolve()
        if path.is_file():
            return path
    beside = (folder / text).parent
    names = [os.path.relpath(each, folder) for each in sorted(beside.glob("*.py"))]
    near = difflib.get_close_matches(text, names, 3, 0.4)
    found = f"In {beside}: {', '.join(names[:5]) or 'no .py file'}." if beside.is_dir() else f"There is no folder {beside}."
    hint = f"Did you mean {', '.join(near)}?" if near else found
    raise BadTarget(f"there is no file {text}", hint=hint)


def told_of(error: BaseException, name: str, when: str = "while it was loaded") -> GvError:
    """Returns what to say of what the program `name` raised while it was loaded, or made what is run."""
    if isinstance(error, UsageFault):  # what it asked of gvstore cannot be: a machine without an end, say
        frames = traceback.extract_tb(error.__traceback__)
        line = next((each.lineno for each in frames if Path(each.filename).name == Path(name).name), None)
        return UsageFault(f"{name}:{line}: {error}" if line else f"{name}: {error}", hint=error.hint)
    text = trace_of(error).rstrip()
    return TargetRaised(
        f"{name} raised {when}; nothing was recorded\n{text}", hint="Mend it and run again."
    )


def _callables(module: ModuleType) -> list[str]:
    """Returns the names of a module's machines, then those of its own functions and classes."""
    public = [n for n in vars(module) if not n.startswith("_")]
    machines = [n for n in public if _flavor(module, n) in OBJECTS]
    own = [n for n in public if callable(getattr(module, n)) and getattr(getattr(module, n), "__module__", None) == module.__name__]
    return machines + [n for n in own if n not in machines]


def _near(name: str, module: ModuleType) -> list[str]:
    """Returns the names of a module that are like one that it has not, machines first."""
    found = difflib.get_close_matches(name, _callables(module), 3, 0.4)
    return sorted(found, key=lambda each: _flavor(module, each) not in OBJECTS)


def _flavor(module: ModuleType, name: str) -> str:
    live = live_of(getattr(module, name))
    return "" if live is None else live.flavor


def _choices(module: ModuleType, shown: str) -> str:
    names = [n for n in _callables(module) if live_of(getattr(module, n)) is not None] or _callables(module)
    return f"It has {', '.join(f'{shown}:{n}' for n in names[:6])}." if names else "It defines no function."
