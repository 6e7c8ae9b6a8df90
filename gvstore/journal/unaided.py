"""Which functions of a project do without gvstore, as far as their text tells: they ask no model and no person."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from gvstore.code.identity import identify, reached
from gvstore.code.source import originating

_WORD: Final = re.compile(r"[^\W\d]\w*")
_HIDING: Final = frozenset({"globals", "getattr", "eval", "exec", "__import__", "import_module", "importlib"})


def is_unaided(function: Callable[..., Any], root: Path | None, words: Collection[str] = ()) -> bool:
    """Returns whether neither a function nor what it reaches in the project at `root` has to do with gvstore; False where that is not certain.

    Of its own module what it reaches counts, of other modules the whole text; `words` are further names that tell of gvstore.
    """
    origin = originating(function)
    found = None if root is None else reached(origin, root)
    if root is None or found is None or found.opaque or found.components:
        return False
    namespace = getattr(origin, "__globals__", {})
    file = namespace.get("__file__")
    texts = [identify(origin, root).source]
    for unit in found.units:
        module = unit.key.module.text
        texts.append(unit.source if module.filename and module.filename == file else module.text)
    used = {word for text in texts for word in _WORD.findall(text)}
    return used.isdisjoint(_HIDING | {"gvstore", *words}) and not any(_is_ours(namespace[word]) for word in used if word in namespace)


def _is_ours(value: object) -> bool:
    place = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return str(place).partition(".")[0] == "gvstore"
