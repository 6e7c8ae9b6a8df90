"""The source that was loaded for a live function or class, which need not be what is on disk now.

    snapshot(f)      at decoration, while the module is being imported: keeps the
                     file's lines as they are then.  One stat, no parsing.
    find_source(f)   later, when the source is wanted: looks among the kept texts,
                     then at what `linecache` has now, for one that holds this
                     very definition.

A text is believed when it compiles to the code that is loaded (same bytecode,
constants, names and lines), so an edit after the import is noticed and the
wrong text never handed out.  Where code is rewritten on its way in (pytest's
assertions, type checkers' import hooks) and in notebook cells, name, line and
parameters have to do.  Nothing found is an answer too: `Origin.NONE`, and the
component counts as one whose code cannot be told.
"""

from __future__ import annotations

import functools
import linecache
import os
import sys
import types
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING

from gvstore.code.match import class_site, fingerprint, function_site, written_function
from gvstore.code.module import SOURCES, UNPARSABLE, ModuleText, Site

if TYPE_CHECKING:
    from gvstore.code.facts import FactStore

_VERSIONS_KEPT = 16
_NOTHING = object()
_GENERATED = ("<attrs generated", "<string", "<frozen")
PLAIN = frozenset({type(None), bool, int, float, complex, str, bytes})


class Origin(StrEnum):
    """Where a source was found."""

    FILE = "file"
    CELL = "cell"  # a notebook's, a REPL's, or whatever put its text into linecache
    EXEC = "exec"  # the string given to `exec`, seen from where it was called
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Source:
    """A definition's text and where it stands; `text` is empty and `module` None when there is none."""

    text: str
    filename: str
    first_line: int
    last_line: int
    origin: Origin
    module: ModuleText | None
    site: Site | None


@dataclass(frozen=True, slots=True)
class _Sight:
    """What was seen at decoration: the module's text, the line that decorates, and strings that `exec` may have run."""

    module: ModuleText | None
    line: int
    executed: tuple[ModuleText, ...]


_versions: dict[str, list[ModuleText]] = {}
_module_texts: weakref.WeakKeyDictionary[types.ModuleType, ModuleText] = weakref.WeakKeyDictionary()
_sights: weakref.WeakKeyDictionary[object, _Sight] = weakref.WeakKeyDictionary()


def snapshot(obj: object, frame: FrameType | None = None) -> None:
    """Keeps the text that `obj` is defined in, as it is now; never raises.

    To be called while the defining module is imported.  `frame` is where the
    decorator is applied: it tells which definition a decorator without
    `functools.wraps` hides, and what string an `exec` ran.
    """
    origin = originating(obj)
    if isinstance(origin, type) and origin is not obj:
        return  # an instance: its class is defined elsewhere
    filename, namespace = whereabouts(origin)
    line = 0
    executed: tuple[ModuleText, ...] = ()
    if frame is not None:
        if frame.f_code.co_filename != filename and _is_decorator_line(frame):
            filename, namespace = frame.f_code.co_filename, frame.f_globals
        line = frame.f_lineno if frame.f_code.co_filename == filename else 0
        executed = _executed(frame, origin)
    try:
        _sights[origin] = _Sight(_text_now(filename, namespace) if filename else None, line, executed)
    except TypeError:  # no weak reference can be made to it: a builtin, of which there is nothing to read
        pass


def find_source(obj: object) -> Source:
    """Returns the text from which `obj` was made."""
    origin = originating(obj)
    sight = _sight(origin)
    filename, namespace = whereabouts(origin)
    if not filename and sight is not None and sight.module is not None:
        filename = sight.module.filename
    for module, kind in _candidates(filename, namespace, sight):
        try:
            site = _site(
                origin,
                module,
                sight,
                exact=kind is Origin.EXEC or not (kind is Origin.CELL or _is_rewritten(namespace)),
            )
        except UNPARSABLE:
            continue
        if site is not None:
            return Source(module.segment(site), module.filename, site.first_line, site.last_line, kind, module, site)
    code = getattr(origin, "__code__", None)
    line = code.co_firstlineno if isinstance(code, CodeType) else 0
    return Source("", filename, line, line, Origin.NONE, None, None)


def module_text(module: types.ModuleType, store: FactStore | None = None) -> ModuleText | None:
    """Returns the text of a loaded module: of those that were seen, the one that holds the functions and constants it has."""
    filename = getattr(module, "__file__", None)
    if not isinstance(filename, str):
        return None
    now = _text_now(filename, vars(module))
    known = _module_texts.get(module)
    if now is known:
        return known
    if now is not None and store is not None:
        now.facts.load(store)
    seen = [text for text in (known, now, *reversed(_versions.get(filename, []))) if text is not None]
    first = seen[0] if seen else None
    if any(text is not first for text in seen):  # of one alone nothing need be compiled
        first = next((text for text in seen if _is_loaded(module, text)), first)
    found = first
    if found is not None:
        _module_texts[module] = found
    return found


def _is_loaded(module: types.ModuleType, text: ModuleText) -> bool:
    """Returns whether a module was made from a text, as far as its functions and plain constants tell."""
    try:
        codes, constants = text.facts.codes, text.facts.constants
    except UNPARSABLE:
        return False
    for function in _functions(module):
        code = function.__code__
        if code.co_filename == text.filename:
            known = codes.get(f"{code.co_name}:{code.co_firstlineno}")
            if not known or fingerprint(code) not in known:
                return False
    namespace = vars(module)
    return not any(
        type(namespace.get(name, _NOTHING)) in PLAIN and repr(namespace[name]) != told for name, told in constants
    )


def _functions(module: types.ModuleType) -> Iterator[FunctionType]:
    """Yields the functions that a module and its classes hold, as they were written."""
    for value in list(vars(module).values()):
        members = list(vars(value).values()) if isinstance(value, type) and value.__module__ == module.__name__ else [value]
        for member in members:
            written = originating(member)
            if isinstance(written, FunctionType):
                yield written


def originating(obj: object) -> object:
    """Returns the function or class that was written, behind methods, partials, properties and `functools.wraps`."""
    for _ in range(100):
        if isinstance(obj, type):
            return obj
        if isinstance(obj, staticmethod | classmethod | types.MethodType):
            obj = obj.__func__
        elif isinstance(obj, property) and obj.fget is not None:
            obj = obj.fget
        elif isinstance(obj, functools.partial | functools.partialmethod | functools.cached_property):
            obj = obj.func
        else:
            inner = getattr(obj, "__wrapped__", None)
            if inner is None or inner is obj:
                break
            obj = inner
    if isinstance(getattr(obj, "__code__", None), CodeType) or isinstance(obj, types.BuiltinFunctionType):
        return obj
    return type(obj)


def _site(origin: object, module: ModuleText, sight: _Sight | None, *, exact: bool) -> Site | None:
    """Returns where `origin` stands in a text, or None when the text is another."""
    seen_here = sight is not None and sight.module is module
    line = sight.line if sight is not None and seen_here else 0
    if isinstance(origin, type):
        return class_site(origin, module, line=line, exact=exact, seen=seen_here)
    code = getattr(origin, "__code__", None)
    return function_site(code, module, line=line, exact=exact) if isinstance(code, CodeType) else None


def _candidates(
    filename: str, namespace: dict[str, object], sight: _Sight | None
) -> Iterator[tuple[ModuleText, Origin]]:
    """Yields the texts to look at, the likeliest first."""
    kind = Origin.CELL if _is_cell(filename) else Origin.FILE
    tried: list[ModuleText] = []
    if sight is not None:
        if sight.module is not None:
            tried.append(sight.module)
            yield sight.module, kind
        for module in sight.executed:
            yield module, Origin.EXEC
    if not filename:
        return
    now = _text_now(filename, namespace)
    for module in [*([now] if now is not None else []), *reversed(_versions.get(filename, []))]:
        if not any(module is other for other in tried):
            tried.append(module)
            yield module, kind


def _package(namespace: dict[str, object]) -> str:
    """Returns the package of a module, the same where it was imported by its name below `src` and where by `src.` and that."""
    package = namespace.get("__package__")
    if not isinstance(package, str):
        return ""
    first, _, below = package.partition(".")
    above = sys.modules.get(SOURCES)
    return below if first == SOURCES and getattr(above, "__file__", None) is None else package


def _text_now(filename: str, namespace: dict[str, object]) -> ModuleText | None:
    """Returns the text that `linecache` has under this name, after a look whether the file changed; None without one."""
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, namespace)
    if not lines:
        return None
    versions = _versions.setdefault(filename, [])
    for module in reversed(versions):
        if module.lines is lines or module.lines == lines:
            return module
    module = ModuleText(lines, filename=filename, package=_package(namespace))
    versions.append(module)
    del versions[:-_VERSIONS_KEPT]
    return module


def cell_texts() -> list[ModuleText]:
    """Returns the texts of the notebook's cells, or of what was typed at a prompt, that can be parsed; the latest first."""
    found = []
    for filename in reversed([*linecache.cache]):
        if _is_cell(filename) and not filename.startswith(_GENERATED) and (text := _text_now(filename, {})) is not None:
            try:
                text.facts.names  # noqa: B018 - whether it can be read
            except UNPARSABLE:
                continue
            found.append(text)
    return found


def whereabouts(origin: object) -> tuple[str, dict[str, object]]:
    """Returns the file that a function or class comes from, and the globals of its module; "" where nothing tells."""
    if isinstance(origin, FunctionType):
        return origin.__code__.co_filename, origin.__globals__
    code = getattr(origin, "__code__", None)
    if isinstance(code, CodeType):
        namespace = getattr(origin, "__globals__", None)
        return code.co_filename, namespace if isinstance(namespace, dict) else {}
    if not isinstance(origin, type):
        return "", {}
    namespace = vars(sys.modules[origin.__module__]) if origin.__module__ in sys.modules else {}
    for member in vars(origin).values():
        method = written_function(member)
        if method is not None and method.__qualname__ == f"{origin.__qualname__}.{method.__name__}":
            filename = method.__code__.co_filename
            if method.__module__ == origin.__module__ and filename != "<string>":  # where dataclass makes its methods
                return filename, method.__globals__
    file = namespace.get("__file__")
    return (file if isinstance(file, str) else ""), namespace


def _sight(origin: object) -> _Sight | None:
    try:
        return _sights.get(origin)
    except TypeError:
        return None


def _is_cell(filename: str) -> bool:
    """Returns whether a text is known to `linecache` alone, as a notebook's cells are: it never changes under its name."""
    entry = linecache.cache.get(filename)
    if entry is None or len(entry) != 4 or entry[1] is not None:
        return False
    return not Path(filename).is_absolute() or f"{os.sep}ipykernel_" in filename


def _is_rewritten(namespace: dict[str, object]) -> bool:
    """Returns whether a module's code came through a loader of somebody's own, which may have changed it."""
    loader = namespace.get("__loader__")
    if loader is None or isinstance(loader, type):
        return False
    return type(loader).__module__ not in ("_frozen_importlib_external", "importlib._bootstrap_external", "zipimport")


def _is_decorator_line(frame: FrameType) -> bool:
    """Returns whether a decorator is being applied there: it may have hidden the function that it wraps."""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno, frame.f_globals)
    return line.lstrip().startswith("@")


def _executed(frame: FrameType, origin: object) -> tuple[ModuleText, ...]:
    """Returns strings at hand where `exec` was called that mention this definition.

    Whether one of them is what ran is decided later, by compiling it.
    """
    filename, name = frame.f_code.co_filename, getattr(origin, "__name__", "")
    if not filename.startswith("<") or filename in linecache.cache or not name:
        return ()
    caller = frame.f_back
    while caller is not None and caller.f_code.co_filename == filename:
        caller = caller.f_back
    if caller is None:
        return ()
    at_hand = [*caller.f_locals.values(), *caller.f_code.co_consts]
    found = [text for text in at_hand if isinstance(text, str) and len(text) < 1 << 20 and name in text]
    return tuple(ModuleText.of(text, filename=filename) for text in dict.fromkeys(found))[:8]
