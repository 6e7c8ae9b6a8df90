"""THE WORKING FOLDER: where an answer's files are written, and nowhere else.

A path is looked at first (`working_path`), then walked from the folder down, one
open folder to the next, no symlink followed: neither a hostile answer nor a
program of an earlier step, which may swap a folder for a symlink between check
and write, leads a write outside.  A file appears whole: it is written under a
temporary name in the folder's top and renamed.  All files of an answer are
written, or none: what cannot be is told before the first write, and what fails
later takes back what went before.

`write` hands back what was there before; `take_back` undoes.  Who calls keeps it
in the store.

Linux and macOS; elsewhere `SystemLacks`.  Who may write to the folder by other
means (another process of the same user) can of course move the folder itself.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from gvstore import fs
from gvstore.pipeline.open_folder import (
    FOLDER,
    MAX_FILE_BYTES,
    can_open_below,
    entries_in,
    exists,
    look,
    names_in,
    open_plain,
    read,
    step,
)
from gvstore.pipeline.refusal import ChangedSince, PathsRefused, Refusal, SystemLacks
from gvstore.pipeline.working_path import TEMPORARY, clashes, composed, folded, path_refusal

MAX_FILES = 10_000
MAX_TOTAL_BYTES = 256_000_000
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_NOT_LISTED = frozenset({".git", ".gv", "__pycache__", ".venv", ".mypy_cache", ".pytest_cache", "node_modules"})


@dataclass(frozen=True, slots=True)
class Change:
    """One file that was written: what it held before (None: it was not there, or is gone after), and holds now."""

    path: str
    before: bytes | None
    after: bytes | None


class WorkingFolder:
    """The folder at `base`/`name`, made if it is not there; `base` is the user's, what lies below may be anybody's.

    Holds a descriptor: `close`, or `with`.

    Raises:
        PathsRefused: `name` leads out of `base`, or a symlink or file is in its way.
        SystemLacks: the system cannot open a file relative to a folder.
    """

    def __init__(self, base: Path, name: str) -> None:
        if not can_open_below():
            raise SystemLacks("openat, which keeps writes inside a folder")
        if refusal := path_refusal(name):
            raise PathsRefused([refusal])
        self.path = (base / name).absolute()
        self._fd = os.open(base, FOLDER & ~os.O_NOFOLLOW)
        try:
            for part in name.split("/"):
                below, _ = step(self._fd, part, name, make=True)
                os.close(self._fd)
                self._fd = below
            self._sweep()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the folder."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def check(self, files: Sequence[tuple[str, bytes]]) -> tuple[Refusal, ...]:
        """Returns why some of these (path, content) cannot be written, in their order; nothing is written."""
        found = {refusal.path: refusal for path, _ in files if (refusal := path_refusal(path))}
        for refusal in clashes([path for path, _ in files if path not in found]):
            found.setdefault(refusal.path, refusal)
        names: dict[str, dict[str, set[str]]] = {}
        for path, content in files:
            if path in found:
                continue
            if len(content) > MAX_FILE_BYTES:
                found[path] = Refusal(path, "too_large", f"it has more than {MAX_FILE_BYTES:,} bytes")
            elif refusal := self._on_disk(path, names):
                found[path] = refusal
        return tuple(found[path] for path in dict.fromkeys(path for path, _ in files) if path in found)

    def write(self, files: Sequence[tuple[str, bytes]]) -> tuple[Change, ...]:
        """Writes these (path, content), of a path given twice the last; returns what changed, in order, equal files left out.

        Raises:
            PathsRefused: some may not be written; none was.
            OSError: what the system says; what was written before it was taken back.
        """
        if refusals := self.check(files):
            raise PathsRefused(refusals)
        return self._apply([Change(path, None, content) for path, content in dict(files).items()])

    def take_back(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Puts back what was there before these changes; returns what that changed.

        Folders that are empty then are removed.

        Raises:
            ChangedSince: some of the files hold something else now; nothing was taken back.
        """
        wanted: dict[str, Change] = {}
        for change in changes:  # of several changes of a file the first knows what was, the last what is
            first = wanted.get(change.path, change)
            wanted[change.path] = Change(change.path, first.before, change.after)
        now = {path: self.read(path) for path in wanted}
        moved = [path for path, change in wanted.items() if now[path] not in (change.after, change.before)]
        if moved:
            raise ChangedSince(moved)
        return self._apply([Change(path, None, change.before) for path, change in wanted.items()])

    def read(self, path: str) -> bytes | None:
        """Returns what the file at `path` holds; None if there is none.

        Raises:
            PathsRefused: it is no plain file of this folder, or too large.
        """
        if refusal := path_refusal(path):
            raise PathsRefused([refusal])
        try:
            with self._parent(path, make=False) as (parent, name, _):
                return read(parent, name, path)[0]
        except FileNotFoundError:
            return None

    def files(self, *, limit_bytes: int = 1_000_000) -> dict[str, bytes]:
        """Returns path -> content of the folder's plain files, sorted by path.

        Symlinks, special files, caches, environments, `.git` and names that are
        no text are left out; of a larger file the first `limit_bytes` + 1 bytes
        are returned.

        Raises:
            PathsRefused: more than 10,000 files, or 256 MB.
        """
        found: dict[str, bytes] = {}
        self._walk(self._fd, "", found, limit_bytes)
        return dict(sorted(found.items()))

    def _walk(self, fd: int, prefix: str, found: dict[str, bytes], limit: int) -> int:
        """Adds what lies in an open folder; returns how many bytes that are."""
        total = 0
        for name, is_folder, is_file in entries_in(fd):
            path = prefix + name
            if name in _NOT_LISTED or path_refusal(path):
                continue
            with contextlib.suppress(OSError):  # gone, or something else, since it was listed
                if is_folder:
                    below = os.open(name, FOLDER, dir_fd=fd)
                    try:
                        if not _is_environment(below):
                            total += self._walk(below, path + "/", found, limit)
                    finally:
                        os.close(below)
                elif is_file:
                    with open_plain(fd, name) as file:
                        found[path] = file.read(limit + 1)
                    total += len(found[path])
            if len(found) > MAX_FILES or total > MAX_TOTAL_BYTES:
                most = f"{MAX_FILES:,} files or {MAX_TOTAL_BYTES:,} bytes"
                raise PathsRefused([Refusal(str(self.path), "too_large", f"it holds more than {most}")])
        return total

    def _apply(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Makes each file what `after` says; all, or none."""
        done: list[tuple[Change, int | None, list[str]]] = []  # with the mode that was, and the folders that were made
        try:
            for change in changes:
                self._set(change, done)
        except BaseException:
            for change, mode, folders in reversed(done):
                with contextlib.suppress(OSError, PathsRefused):
                    if change.before == change.after:
                        pass
                    elif change.before is None:
                        self._delete(change.path, folders)
                    else:
                        with self._parent(change.path, make=True) as (parent, name, _):
                            self._replace(parent, name, change.before, mode)
            raise
        return tuple(change for change, _, _ in done if change.before != change.after)

    def _set(self, change: Change, done: list[tuple[Change, int | None, list[str]]]) -> None:
        made: list[str] = []
        place = len(done)
        done.append((Change(change.path, None, None), None, made))
        try:
            with self._parent(change.path, make=change.after is not None, made=made) as (parent, name, _):
                before, mode = read(parent, name, change.path)
                if before != change.after and change.after is not None:
                    self._replace(parent, name, change.after, mode)
                elif before != change.after:
                    os.unlink(name, dir_fd=parent)
        except FileNotFoundError:
            if change.after is not None:
                raise
            return  # to be gone, and its folder is already
        except BaseException:
            self._delete_folders(made)
            raise
        done[place] = (Change(change.path, before, change.after), mode, made)
        if change.after is None:
            self._delete_folders(_folders(change.path))

    def _replace(self, parent: int, name: str, content: bytes, mode: int | None) -> None:
        temporary, fd = self._temporary()
        try:
            fs.write_at(fd, content, 0)
            if mode is not None:
                os.fchmod(fd, mode & 0o777)
            fs.sync_data(fd)
            os.rename(temporary, name, src_dir_fd=self._fd, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=self._fd)
            raise
        finally:
            os.close(fd)

    def _temporary(self) -> tuple[str, int]:
        """Returns the name and descriptor of a new file in the folder's top, locked: `_sweep` leaves it alone."""
        while True:
            name = TEMPORARY + os.urandom(8).hex()
            fd = os.open(name, _NEW, 0o666, dir_fd=self._fd)
            if fs.try_lock(fd) and fs.has_name(fd):
                return name, fd
            os.close(fd)  # a sweep came between: take another name

    def _delete(self, path: str, folders: Sequence[str]) -> None:
        with self._parent(path, make=False) as (parent, name, _):
            os.unlink(name, dir_fd=parent)
        self._delete_folders(folders)

    def _delete_folders(self, folders: Sequence[str]) -> None:
        """Removes these folders, the deepest last in order, where they are empty."""
        for folder in reversed(folders):
            try:
                with self._parent(folder, make=False) as (parent, name, _):
                    os.rmdir(name, dir_fd=parent)
            except (OSError, PathsRefused):
                return

    @contextlib.contextmanager
    def _parent(self, path: str, *, make: bool, made: list[str] | None = None) -> Iterator[tuple[int, str, list[str]]]:
        """Gives the open folder that `path` lies in, its name there, and the folders that were made on the way."""
        *folders, name = path.split("/")
        made = [] if made is None else made
        fd = os.dup(self._fd)
        try:
            for depth, folder in enumerate(folders):
                below, new = step(fd, folder, path, make=make)
                os.close(fd)
                fd = below
                if new:
                    made.append("/".join(folders[: depth + 1]))
            yield fd, name, made
        finally:
            os.close(fd)

    def _on_disk(self, path: str, names: dict[str, dict[str, set[str]]]) -> Refusal | None:
        """Returns why what is in the folder now forbids `path`; `names` remembers folders that were listed."""
        parts = path.split("/")
        fd, at = os.dup(self._fd), ""
        try:
            for depth, part in enumerate(parts):
                if at not in names:
                    listed: dict[str, set[str]] = {}
                    names[at] = listed
                    for each in names_in(fd):
                        listed.setdefault(folded(each), set()).add(each)
                there = names[at].get(folded(part), set())
                if not there:
                    return None
                # Some file systems hand back `é` in other bytes than it was written in: found under both, it is one file.
                if part not in there and not (exists(fd, part) and composed(part) in map(composed, there)):
                    return Refusal(path, "clash", f"{at}{min(there)} is there, which is the same on some file systems")
                if depth == len(parts) - 1:
                    look(fd, part, path)
                    return None
                below, _ = step(fd, part, path, make=False)
                os.close(fd)
                fd, at = below, f"{at}{part}/"
        except PathsRefused as e:
            return e.refusals[0]
        except FileNotFoundError:
            pass  # gone since it was listed
        finally:
            os.close(fd)
        return None

    def _sweep(self) -> None:
        """Deletes temporary files of writers that were killed."""
        for name in names_in(self._fd):
            if name.startswith(TEMPORARY):
                with contextlib.suppress(OSError), open_plain(self._fd, name) as file:
                    if fs.try_lock(file.fileno()):
                        os.unlink(name, dir_fd=self._fd)


def _is_environment(fd: int) -> bool:
    """Returns whether a folder is a virtual environment of Python."""
    return exists(fd, "pyvenv.cfg")


def _folders(path: str) -> list[str]:
    """Returns the folders above a path, the outermost first."""
    names = path.split("/")[:-1]
    return ["/".join(names[: end + 1]) for end in range(len(names))]
