"""THE GENERATED CODE of a pipeline: the files that its steps wrote so far, and what has become of them.

    with generated_code(call.folder) as code:
        code.files()              path -> content, sorted by path
        code.put(files)           makes the folder hold just these, of those that steps wrote

A list beside the folder, `<folder>.json`, says which files steps wrote, and how they left them (SHA-256).  Files
that are not on it are left alone: they are somebody's own, or a program made them when it ran.  Where there is no
list yet, all files of the folder are taken for the codebase.

A file that was edited by hand and is to be written, or taken away, is kept in the folder `<folder>.edited` first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gvstore import fs
from gvstore.pipeline.refusal import PathsRefused
from gvstore.pipeline.working_folder import Change, WorkingFolder

_MOST_LIST = 16_000_000  # bytes of the list
Files = Mapping[str, bytes]


class GeneratedCode:
    """The working folder with its list; made by `generated_code`."""

    def __init__(self, folder: WorkingFolder, base: Path, name: str) -> None:
        self.folder, self._base, self._name = folder, base, name

    def files(self) -> dict[str, bytes]:
        """Returns the codebase: path -> content, sorted by path.

        Raises:
            PathsRefused: one of the files has become something else, or too large.
        """
        known = self._known()
        if known is None:
            return self.folder.files()
        return {path: content for path in sorted(known) if (content := self.folder.read(path)) is not None}

    def put(self, files: Files) -> tuple[str, ...]:
        """Makes the folder hold these files of all that steps wrote: they are written where they differ, others are taken away.

        Returns the paths that changed.

        Raises:
            PathsRefused: some may not be written; nothing is changed.
        """
        known = self._known() or {}
        if refusals := self.folder.check(list(files.items())):
            raise PathsRefused(refusals)
        now = {path: content for path in {*known, *files} if (content := self._now(path)) is not None}
        edited = {path: content for path, content in now.items() if known.get(path) != digest(content) and content != files.get(path)}
        if edited:
            with WorkingFolder(self._base, f"{self._name}.edited") as kept:
                kept.write(list(edited.items()))
        gone = self.folder.take_back([Change(path, None, content) for path, content in now.items() if path not in files])
        written = self.folder.write(list(files.items()))
        self._note(files)
        return tuple(each.path for each in (*gone, *written))

    def note(self) -> None:
        """Takes the files as they are now for how steps left them: a program that ran may have written them."""
        self._note(self.files())

    def _note(self, files: Files) -> None:
        data = json.dumps({path: digest(files[path]) for path in sorted(files)}, indent=0, ensure_ascii=False).encode()
        with contextlib.suppress(OSError):
            if fs.read_bytes(self._list, limit=_MOST_LIST) == data:
                return
        fs.write_atomic(self._list, data, durable=False)

    def _now(self, path: str) -> bytes | None:
        try:
            return self.folder.read(path)
        except PathsRefused:  # it became a symlink, or the like: no file of ours
            return None

    @property
    def _list(self) -> Path:
        return self._base / f"{self._name}.json"

    def _known(self) -> dict[str, str] | None:
        """Returns path -> digest of what steps wrote; None where nobody knows."""
        try:
            found = json.loads(fs.read_bytes(self._list, limit=_MOST_LIST))
        except (OSError, ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        return {path: said for path, said in found.items() if isinstance(said, str)}


@contextmanager
def generated_code(folder: Path) -> Iterator[GeneratedCode]:
    """Opens the generated code in `folder`, which is made if it is not there; its two upper names lie in the project's root.

    Raises:
        PathsRefused: a symlink or a file is in its way.
        SystemLacks: the system cannot keep writes inside a folder.
    """
    base, name = folder.parent.parent, f"{folder.parent.name}/{folder.name}"
    with WorkingFolder(base, name) as opened:
        yield GeneratedCode(opened, base, name)


def digest(content: bytes) -> str:
    """Returns what tells a file's content from others."""
    return hashlib.sha256(content).hexdigest()


def codebase_digest(files: Files) -> str:
    """Returns what tells a codebase from others."""
    return digest(json.dumps([[path, digest(files[path])] for path in sorted(files)]).encode())
