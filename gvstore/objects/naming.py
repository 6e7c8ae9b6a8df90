"""How types and functions are named in objects, and found again without importing anything.

A name is `module:qualname`.  The program's main module has another name in
every process (`__main__`); whoever starts or adopts a program tells its
canonical name with `name_main`.  Resolving looks only at modules that the
program has already imported: reading stored data runs no code.
"""

from __future__ import annotations

import sys
from typing import Any

_canonical: dict[str, str] = {}  # module as loaded -> name in objects
_loaded: dict[str, str] = {}  # and back


def name_module(loaded: str, canonical: str) -> None:
    """From now on the module `loaded` (`__main__`, say) is `canonical` in objects."""
    if loaded != canonical:
        _canonical[loaded] = canonical
        _loaded[canonical] = loaded


def canonical_module(loaded: str) -> str:
    """Returns the name in objects of a module."""
    return _canonical.get(loaded, loaded)


def name_of(thing: Any) -> str:
    """Returns `module:qualname` of a class or function."""
    module = getattr(thing, "__module__", None) or "builtins"
    return f"{_canonical.get(module, module)}:{getattr(thing, '__qualname__', None) or thing.__name__}"


def resolve(name: str) -> Any | None:
    """Returns the class or function of this name if its module is loaded, else None."""
    module, _, path = name.partition(":")
    found: Any = sys.modules.get(_loaded.get(module, module))
    if found is None and module in sys.modules:
        found = sys.modules[module]
    for part in path.split("."):
        found = getattr(found, part, None)
        if found is None:
            return None
    return found
