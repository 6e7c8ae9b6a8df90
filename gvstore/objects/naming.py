"""How types and functions are named in objects, and found again without running anything.

A name is `module:qualname`.  The program's main module has another name in
every process (`__main__`); whoever starts or adopts a program tells its
canonical name with `name_module`.  Resolving looks only into modules that the
program has already imported, and only into the dicts of modules and classes:
no import, no `__getattr__`, no descriptor of the program's own is run.
"""

from __future__ import annotations

import sys
import types
import weakref
from typing import Any, Final

_NAMES_KEPT: Final = 4096

_canonical: dict[str, str] = {}  # module as loaded -> name in objects
_loaded: dict[str, str] = {}  # and back
_names: dict[type, str] = {}
_remembered: weakref.WeakValueDictionary[str, type] = weakref.WeakValueDictionary()


def name_module(loaded: str, canonical: str) -> None:
    """From now on the module `loaded` (`__main__`, say) is `canonical` in objects."""
    if loaded != canonical:
        _canonical[loaded] = canonical
        _loaded[canonical] = loaded
        _names.clear()


def canonical_module(loaded: str) -> str:
    """Returns the name in objects of a module."""
    return _canonical.get(loaded, loaded)


def name_of(thing: Any) -> str:
    """Returns `module:qualname` of a class or function; never fails, whatever the two attributes are."""
    module, qualname = _text_of(thing, "__module__"), _text_of(thing, "__qualname__") or _text_of(thing, "__name__")
    module = module or "builtins"
    return f"{_canonical.get(module, module)}:{qualname or '?'}"


def type_name(type_: type) -> str:
    """Returns `module:qualname` of a class, remembered."""
    name = _names.get(type_)
    if name is None:
        if len(_names) >= _NAMES_KEPT:  # a program that makes classes by the thousand
            _names.clear()
        name = _names[type_] = name_of(type_)
    return name


def _text_of(thing: Any, attribute: str) -> str | None:
    try:
        text = getattr(thing, attribute, None)
    except Exception:  # a descriptor or metaclass of the program's own
        return None
    return str.__str__(text) if isinstance(text, str) else None


def module_of(name: str) -> Any | None:
    """Returns the loaded module of this name in objects, or None."""
    return sys.modules.get(_loaded.get(name, name)) or sys.modules.get(name)


def resolve(name: str) -> Any | None:
    """Returns the class or function of this name if its module is loaded, else None."""
    module, _, path = name.partition(":")
    names = getattr(module_of(module), "__dict__", None)
    if names is None:
        return None
    found = names.get(path)
    if found is None:
        found = _below(names, path) if "." in path else _BUILTIN_TYPES.get(name)
    return found


def remember_type(type_: type) -> None:
    """From now on the class is found by its name even where it stands in no module, as one made in a function."""
    _remembered[type_name(type_)] = type_


def resolve_type(name: str) -> type | None:
    """Returns the class of this name, if it is loaded and still goes by it."""
    found = resolve(name)
    if not isinstance(found, type) or type_name(found) != name:
        module, _, path = name.partition(":")
        found = _remembered.get(name) or _remembered.get(f"{_loaded.get(module)}:{path}")  # before it was named
    return found


def _below(names: Any, path: str) -> Any | None:
    owner: Any = None
    found: Any = None
    for part in path.split("."):
        found = names.get(part) if owner is None else _in_class(owner, part)
        if found is None:
            return None
        owner = found
    return found


def _in_class(owner: Any, name: str) -> Any | None:
    if not isinstance(owner, type):
        return None
    for each in owner.__mro__:
        if name in vars(each):
            found = vars(each)[name]
            if isinstance(found, staticmethod):
                return found.__func__
            return found.__get__(None, owner) if isinstance(found, classmethod) else found
    return None


# Types that live in no module under their own name: `builtins:NoneType`, `builtins:function`, ...
_BUILTIN_TYPES: Final[dict[str, type]] = {
    name_of(each): each for each in vars(types).values() if isinstance(each, type)
}
