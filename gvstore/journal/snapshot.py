"""The code that a run used: the base commit's tree, overlaid with the project files that were loaded or read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gvstore import fs
from gvstore.journal.reads import forget_writes, read_below, watch
from gvstore.journal.redact import Redactor
from gvstore.objects.blob import put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo.secrets import key_in

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository

_SKIPPED: Final = frozenset({".gv", ".git", "site-packages", "dist-packages", "__pycache__", "node_modules"})
_MAX_SOURCE_BYTES: Final = 8 << 20
_MAX_FILES: Final = 2_000

watch()


class CodeSnapshot:
    """Collects the project files of the modules that are loaded, and those that the process has opened to read.

    `take` can be called again for what came since.  A file is read once, when
    it is first seen: what was loaded counts, not what an editor writes while
    the program runs.
    """

    def __init__(self, repo: Repository, redactor: Redactor) -> None:
        self._repo, self._redactor = repo, redactor
        self._root = repo.root
        self._files: dict[str, TreeEntry] = {}
        self._seen: set[str] = set()
        forget_writes()
        self.notes: tuple[str, ...] = ()

    def take(self, base: ObjectId | None) -> bytes | None:
        """Returns the oid of the tree, or None where neither a commit nor a project file is there."""
        prefixes = tuple({str(self._root) + os.sep, str(self._root.resolve()) + os.sep})
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if type(file) is not str or file in self._seen or not file.startswith(prefixes):
                continue
            self._seen.add(file)
            relative = self._relative(Path(file))
            if (
                relative is not None
                and relative.suffix == ".py"
                and not _SKIPPED.intersection(relative.parts)
                and not _is_environment(self._root, relative)
            ):
                self._add(relative)
        for prefix in prefixes:
            for file in read_below(prefix):
                if file not in self._seen:
                    self._seen.add(file)
                    self._add_read(Path(file))
        return self._tree(base)

    def _add_read(self, file: Path) -> None:
        """Adds a file that the program read, if it is the project's and no environment's, and of a size for a prompt."""
        relative = self._relative(file)
        if relative is None or _SKIPPED.intersection(relative.parts) or _is_environment(self._root, relative):
            return
        if len(self._files) < _MAX_FILES and not file.is_symlink() and file.is_file():
            self._add(relative)

    def _relative(self, file: Path) -> Path | None:
        """Returns a loaded file's path from the root; a script may have been started as `tools/../agent.py`."""
        for root, path in ((self._root, Path(os.path.normpath(file))), (self._root.resolve(), file.resolve())):
            if path.is_relative_to(root):
                return path.relative_to(root)
        return None

    def _add(self, relative: Path) -> None:
        path = self._root / relative
        try:
            data = fs.read_bytes(path, limit=_MAX_SOURCE_BYTES)
            executable = bool(path.stat().st_mode & 0o100)
        except OSError:
            return
        if (what := key_in(relative.as_posix(), data) or self._redactor.key_in(data)) is not None:
            self.notes += (f"{relative.as_posix()} holds {what} and was left out of the code snapshot",)
            return
        mode = Mode.EXECUTABLE if executable else Mode.FILE
        try:
            oid = put_blob(self._repo.objects, data)
        except Forgotten as e:
            self.notes += (f"{relative.as_posix()} was left out of the code snapshot: it {e.told}",)
            return
        self._files[relative.as_posix()] = TreeEntry(mode, oid)

    def _tree(self, base: ObjectId | None) -> bytes | None:
        objects = self._repo.objects
        below = None if self._repo.code is None else self._repo.code.code.tree
        if below is None and base is not None:
            try:
                below = Commit.get(objects, base).tree
            except ObjectMissing:
                below = None
        if not self._files:
            return None if below is None else bytes(below)
        return bytes(overlay(objects, below, self._files))


def overlay(objects: ObjectStore, below: ObjectId | None, files: dict[str, TreeEntry]) -> ObjectId:
    """Returns the tree `below` (or an empty one) with `files`, by path, in place of what it has there."""
    entries = dict(Tree.get(objects, below).entries) if below is not None else {}
    folders: dict[str, dict[str, TreeEntry]] = {}
    for path, entry in files.items():
        first, _, rest = path.partition("/")
        if rest:
            folders.setdefault(first, {})[rest] = entry
        else:
            entries[first] = entry
    for name, inside in folders.items():
        old = entries.get(name)
        oid = overlay(objects, old.oid if old is not None and old.mode == Mode.FOLDER else None, inside)
        entries[name] = TreeEntry(Mode.FOLDER, oid)
    return Tree(entries).put(objects)


def _is_environment(root: Path, relative: Path) -> bool:
    return any((root / parent / "pyvenv.cfg").exists() for parent in relative.parents if parent != Path())
