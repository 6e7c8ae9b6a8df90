"""The code that a run used: the base commit's tree, overlaid with the project files that were loaded or read.

A file is stored as it was when it was opened, not as an editor has left it
since; what a module read while it was imported as it was then.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Final

from gvstore import fs
from gvstore.code.source import module_text
from gvstore.journal.project_files import MAX_SOURCE_BYTES, Imports, ProjectFiles, holds_keys
from gvstore.journal.redact import Redactor
from gvstore.objects.blob import blob_oid, put_blob
from gvstore.objects.commit import Commit
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.tree import Mode, Tree, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.reads import forget_writes, is_edited, read_below, watch
from gvstore.repo.secrets import key_in

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository

_MAX_FILES: Final = 2_000

watch()


class CodeSnapshot:
    """Collects the project files of the modules that are loaded, and those that the process has opened to read.

    `take` can be called again for what came since.  A file is read once, when
    it is first seen: what was loaded counts, not what an editor writes while
    the program runs.  `imported` is what the project's modules had read by
    then while they were imported.
    """

    def __init__(self, repo: Repository, redactor: Redactor) -> None:
        self._repo, self._redactor = repo, redactor
        self._project = ProjectFiles(repo.root)
        self._files: dict[str, TreeEntry] = {}
        self._seen: set[str] = set()
        self._lock = threading.Lock()
        self.imported: Imports = {}
        forget_writes()
        self.notes: tuple[str, ...] = ()

    def take(self, base: ObjectId | None) -> bytes | None:
        """Returns the oid of the tree, or None where neither a commit nor a project file is there."""
        for module in list(sys.modules.values()):
            file = getattr(module, "__file__", None)
            if type(file) is str and file.endswith(".py") and file.startswith(self._project.prefixes):
                self._add(file, module)
        with self._lock:
            self.imported = self._project.imports(self._put)
        for prefix in self._project.prefixes:
            for file in read_below(prefix):
                if len(self._files) < _MAX_FILES:
                    self._add(file)
        return self._tree(base)

    def relative(self, path: str) -> str | None:
        """Returns a file's path in the project, None if it is none of it."""
        return self._project.relative(path)

    def read(self, path: str) -> tuple[str, bytes | None] | None:
        """Returns (path in the project, oid of what is in it, None if there is nothing) of a file that a call is about to open.

        None if it is no file of the project.  What is in it becomes part of the snapshot.
        """
        relative = self._project.relative(path)
        if relative is None or holds_keys(relative) or Path(path).is_dir():
            return None
        with self._lock:
            self._seen.add(path)
            return relative, self._project.oid(relative, self._put)

    def _add(self, file: str, module: ModuleType | None = None) -> None:
        """Adds a file that was loaded as a module, or read, if it is the project's and of a size for a prompt."""
        if file in self._seen:
            return
        self._seen.add(file)
        relative = self._project.relative(file)
        path = Path(file)
        if relative is None or relative in self._files or path.is_symlink():
            return
        try:
            data = fs.read_bytes(path, limit=MAX_SOURCE_BYTES)
        except OSError:
            return
        if module is not None and is_edited(file) and (text := module_text(module)) is not None:
            data = text.text.encode("utf-8", "surrogatepass")
        self._put(relative, data)

    def _put(self, relative: str, data: bytes) -> ObjectId:
        if (what := key_in(relative, data) or self._redactor.key_in(data)) is not None:
            self._note(f"{relative} holds {what} and was left out of the code snapshot")
            return blob_oid(data)
        try:
            oid = put_blob(self._repo.objects, data)
        except Forgotten as e:
            self._note(f"{relative} was left out of the code snapshot: it {e.told}")
            return blob_oid(data)
        self._files[relative] = TreeEntry(self._mode(relative), oid)
        return oid

    def _mode(self, relative: str) -> Mode:
        try:
            return Mode.EXECUTABLE if (self._project.root / relative).stat().st_mode & 0o100 else Mode.FILE
        except OSError:  # gone since it was read
            return Mode.FILE

    def _note(self, text: str) -> None:
        if text not in self.notes:
            self.notes += (text,)

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
