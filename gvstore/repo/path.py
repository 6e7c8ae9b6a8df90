"""Paths inside a work tree: text with "/" between names, never "." or "..", never from the root.

Bytes of a name that are no UTF-8 are lone surrogates, as Python and the trees
among the objects have them (`surrogateescape`): every name of a POSIX file
system can be committed and comes back to the byte.  Only names that could
reach `.gv` or `.git`, on any file system, are refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from gvstore.repo.fault import NoSuchPath

# Characters that HFS+ leaves out when it compares names: `.g<U+200C>it` is `.git` there.
_UNSEEN = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF], None)
_RESERVED = {".gv", ".git", "gv~1", "git~1"}  # the last two: what DOS calls the others


def name_fault(name: str) -> str | None:
    """Returns why no file of a work tree may be called `name`, or None.

    Source: git, path.c is_ntfs_dotgit, utf8.c is_hfs_dotgit; their CVEs are the reason.
    """
    if name in ("", ".", ".."):
        return f"{name!r} is no name"
    if "/" in name or "\0" in name:
        return "a name has a slash or a NUL byte in it"
    if os.sep != "/" and os.sep in name:
        return f"a name has {os.sep} in it"
    try:
        if name.isascii() or os.fsdecode(os.fsencode(name)) == name:
            plain = name.translate(_UNSEEN).split(":")[0].casefold().rstrip(". ")
            return f"it could reach {plain}" if plain in _RESERVED else None
    except UnicodeEncodeError:
        pass
    return "a name of it stands for no bytes"


def path_fault(path: str) -> str | None:
    """Returns why no file of a work tree may lie at `path`, or None."""
    for name in path.split("/"):
        fault = name_fault(name)
        if fault:
            return fault
    return None


def under(path: str, folders: Iterable[str]) -> bool:
    """Returns whether `path` is one of these, or lies in one of them; "" is the root, above all."""
    return any(not folder or path == folder or path.startswith(folder + "/") for folder in folders)


def parents(path: str) -> list[str]:
    """Returns the folders above `path`, the nearest first, the root left out."""
    found = []
    while "/" in path:
        path = path.rpartition("/")[0]
        found.append(path)
    return found


def inside(root: Path, given: str | PurePath, *, cwd: Path | None = None) -> str:
    """Returns where in the work tree `given` lies, as a user types it in `cwd` (None: from the root).

    Raises:
        NoSuchPath: it lies outside.
    """
    path = PurePath(os.path.normpath(os.path.join(cwd or root, given)))  # noqa: PTH118 - no symlink is followed
    try:
        relative = path.relative_to(root)
    except ValueError as e:
        raise NoSuchPath(str(given), hint=f"Give a path inside {root}.") from e
    return "" if relative == PurePath() else relative.as_posix()


def insides(root: Path, given: Sequence[str | PurePath] | None, *, cwd: Path | None = None) -> tuple[str, ...] | None:
    """Returns where these lie in the work tree; None stays None."""
    return None if given is None else tuple(inside(root, each, cwd=cwd) for each in given)
