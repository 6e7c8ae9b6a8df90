"""The files of a project as this process meets them: which are its own, and what was in those that were read."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gvstore import fs
from gvstore.code.identity import module_name
from gvstore.code.lines import names_at
from gvstore.code.module import UNPARSABLE
from gvstore.code.source import module_text
from gvstore.objects.blob import blob_oid
from gvstore.objects.oid import ObjectId
from gvstore.reads import ImportRead, Stamp, imported_below, stamp_of

MAX_SOURCE_BYTES: Final = 8 << 20
_SKIPPED: Final = frozenset({".gv", ".git", "site-packages", "dist-packages", "__pycache__", "node_modules"})
_KEPT: Final = 20_000

Imports = dict[str, dict[str, bytes | None]]
Take = Callable[[str, bytes], ObjectId]  # is given a path in the project and what is in the file


class ProjectFiles:
    """The files below a project's root, environments and caches left out; paths in it have slashes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._resolved = root.resolve()
        self.prefixes = tuple({str(root) + os.sep, str(self._resolved) + os.sep})
        self._environments: dict[Path, bool] = {}
        self._relatives: dict[str, str | None] = {}
        self._oids: dict[str, tuple[Stamp, bytes]] = {}

    def relative(self, file: str) -> str | None:
        """Returns a file's path in the project, None if it is none of it: a script may have been started as `tools/../agent.py`."""
        if file not in self._relatives:
            if len(self._relatives) >= _KEPT:
                self._relatives.clear()
            self._relatives[file] = self._below(self.root, Path(os.path.normpath(file))) or self._below(self._resolved, Path(file).resolve())
        return self._relatives[file]

    def _below(self, root: Path, path: Path) -> str | None:
        if not path.is_relative_to(root):
            return None
        relative = path.relative_to(root)
        return None if _SKIPPED.intersection(relative.parts) or self._is_environment(relative.parent) else relative.as_posix()

    def _is_environment(self, folder: Path) -> bool:
        known = self._environments.get(folder)
        if known is None:
            above = folder != folder.parent and self._is_environment(folder.parent)
            known = above or (folder != Path() and (self.root / folder / "pyvenv.cfg").exists())
            self._environments[folder] = known
        return known

    def oid(self, relative: str, take: Take | None = None) -> bytes | None:
        """Returns the oid of what is in a file now, read when it has changed; None if there is none.

        `take` is given what was read.  A large file goes by its size and date.
        """
        path = str(self.root / relative)
        stamp = stamp_of(path)
        if stamp is None:
            return None
        known = self._oids.get(path)
        if known is None or known[0] != stamp:
            try:
                data = fs.read_bytes(Path(path).resolve(), limit=MAX_SOURCE_BYTES)
                oid = blob_oid(data) if take is None or Path(path).is_symlink() else take(relative, data)
            except OSError:
                oid = _of_stamp(stamp)
            known = self._oids[path] = stamp, bytes(oid)
        return known[1]

    def imports(self, take: Take | None = None) -> Imports:
        """Returns what the project's modules read while they were imported, path and oid.

        By `module:name` for each name that the reading statement binds or changes; by `module` where it binds none.
        """
        found: Imports = {}
        seen = [each for prefix in self.prefixes for each in imported_below(prefix)]
        loaded = {getattr(each, "__file__", None): each for each in list(sys.modules.values())} if seen else {}
        for module, path, read in seen:
            inside, relative = self.relative(module), self.relative(path)
            if inside is None or relative is None or holds_keys(relative) or _is_under_guard(module, read[0]):
                continue
            text = module_text(loaded[module]) if module in loaded else None
            names = [] if text is None else names_at(text, read[0])
            oid = self._as_it_was(relative, path, read, take)
            for name in names or [""]:
                key = f"{module_name(inside)}:{name}" if name else module_name(inside)
                found.setdefault(key, {})[relative] = oid
        return {module: dict(sorted(found[module].items())) for module in sorted(found)}

    def _as_it_was(self, relative: str, path: str, read: ImportRead, take: Take | None) -> bytes | None:
        _, stamp, data = read
        if stamp is None:
            return None
        if data is not None:
            return bytes(blob_oid(data) if take is None else take(relative, data))
        same = self.oid(relative, take) if stamp_of(path) == stamp else None
        return bytes(_of_stamp(stamp)) if same is None else same


def holds_keys(relative: str) -> bool:
    """Returns whether a file is the environment's (`.env`), which is no part of the code."""
    name = relative.rpartition("/")[2]
    return name == ".env" or name.startswith(".env.") or name.endswith(".env")


def _of_stamp(stamp: Stamp) -> ObjectId:
    """Returns what stands for the content of a file that is too large to be compared, or has changed since it was read."""
    return ObjectId.of(b"file by size and date\0" + repr(stamp[:2]).encode())


def _is_under_guard(module: str, line: int) -> bool:
    """Returns whether a line of a script stands under `if __name__ == "__main__":`: it is a program then, no import."""
    main = sys.modules.get("__main__")
    if main is None or os.path.abspath(str(getattr(main, "__file__", None) or "")) != module:  # noqa: PTH100
        return False
    text = module_text(main)
    try:
        guards = [each for each in text.tree.body if isinstance(each, ast.If)] if text is not None else []
    except UNPARSABLE:
        return False
    return any(each.lineno <= line <= (each.end_lineno or each.lineno) and "__name__" in ast.dump(each.test) for each in guards)
