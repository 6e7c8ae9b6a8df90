"""THE GENERATED CODE of a pipeline: the files that its steps wrote so far, and what has become of them.

    with generated_code(call.folder) as code:
        code.files()              path -> content, sorted by path
        code.put(files)           makes the folder hold just these, of those that steps wrote

A list beside the folder, `<folder>.json`, says which files are the codebase, how steps left them (SHA-256), and which of
them were there before (`yours`): these are never taken away.  Files that are not on it are left alone: they are
somebody's own, or a program made them when it ran.  Where there is no list yet, all files of the folder, but for those
of more than a megabyte, are the codebase, and yours.

A file that was edited by hand and is to be written, or taken away, is kept in the folder `<folder>.edited` first.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.pipeline.refusal import PathsRefused
from gvstore.pipeline.working_folder import Change, WorkingFolder
from gvstore.pipeline.working_path import path_refusal

_MOST_LIST = 16_000_000  # bytes of the list
_MOST = 1_000_000  # bytes of a file that is taken for code where no list says so
Files = Mapping[str, bytes]


class _Known(NamedTuple):
    """What the list says: path -> digest, and the paths that no step made."""

    files: dict[str, str]
    yours: frozenset[str]


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
            return {path: content for path, content in self.folder.files(limit_bytes=_MOST).items() if len(content) <= _MOST}
        return {path: content for path in sorted(known.files) if (content := self.folder.read(path)) is not None}

    def put(self, files: Files) -> tuple[str, ...]:
        """Makes the folder hold these files of all that steps wrote: they are written where they differ, others are taken away.

        Returns the paths that changed.

        Raises:
            PathsRefused: some may not be written; nothing is changed.
        """
        known = self._known() or _Known({}, frozenset(self.files()))
        if refusals := self.folder.check(list(files.items())):
            raise PathsRefused(refusals)
        now = {path: content for path in {*known.files, *files} if (content := self._now(path)) is not None}
        edited = {path: content for path, content in now.items() if known.files.get(path) != digest(content) and content != files.get(path)}
        if edited:
            with WorkingFolder(self._base, f"{self._name}.edited") as kept:
                kept.write(list(edited.items()))
        gone = self.folder.take_back([Change(path, None, content) for path, content in now.items() if path not in files and path not in known.yours])
        written = self.folder.write(list(files.items()))
        self._note(files, known.yours)
        return tuple(each.path for each in (*gone, *written))

    def note(self) -> None:
        """Takes the files as they are now for how steps left them: a program that ran may have written them."""
        known = self._known()
        if known is not None:
            self._note(self.files(), known.yours)

    def _note(self, files: Files, yours: frozenset[str]) -> None:
        said = {"files": {path: digest(files[path]) for path in sorted(files)}, "yours": sorted(yours)}
        data = json.dumps(said, indent=1, ensure_ascii=False).encode()
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

    def _known(self) -> _Known | None:
        """Returns what the list says; None where there is none."""
        try:
            found = json.loads(fs.read_bytes(self._list, limit=_MOST_LIST))
        except (OSError, ValueError, RecursionError):
            return None
        match found:
            case {"files": dict(files), "yours": list(yours)}:
                told = {path: said for path, said in files.items() if isinstance(said, str) and not path_refusal(path)}
                return _Known(told, frozenset(each for each in yours if isinstance(each, str)))
        return None


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
