"""Which distributions are installed, and which of them a library that code imports is.

    installed()                    {"click": "8.1.7", ...}, by the names of their folders: one listing a place
    distributions_of("sklearn")    ("scikit-learn",)
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from gvstore import fs

_FOLDER: Final = re.compile(r"(?P<name>[^-]+)-(?P<version>[^-]+)(-[^-]+)?\.(dist|egg)-info", re.IGNORECASE)
PYTHON: Final = "python"  # stands for the standard library


def installed() -> dict[str, str]:
    """Returns the version of each distribution that can be imported from, by its normalised name, sorted."""
    return _installed(tuple((place, _changed_at(place)) for place in sys.path))


def _changed_at(place: str) -> int:
    try:
        return Path(place or ".").stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=4)
def _installed(places: tuple[tuple[str, int], ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for place, _ in places:
        try:
            names = fs.list_folder(Path(place or ".").resolve())
        except OSError:  # a zip file, or nothing
            continue
        for name in names:
            match = _FOLDER.fullmatch(name)
            if match is not None:  # the first place on the path wins, as for imports
                found.setdefault(normalised(match["name"]), match["version"])
    return dict(sorted(found.items()))


def normalised(name: str) -> str:
    """Returns the name of a distribution as all spellings of it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distributions_of(library: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Returns the distributions among `known` that a top-level module comes from; `python` for the standard library's."""
    if library in sys.stdlib_module_names:
        return (PYTHON,)
    if (name := normalised(library)) in known:
        return (name,)
    from importlib import metadata

    return tuple(each for each in map(normalised, metadata.packages_distributions().get(library, ())) if each in known)


def differs(then: str, now: str, policy: str) -> bool:
    """Returns whether a library of another version is another: by its major version, exactly, or never."""
    if policy == "ignore" or then == now:
        return False
    return policy == "exact" or then.partition(".")[0] != now.partition(".")[0]
