"""Files written into a work tree without ever leaving it.

A path is walked from the root, one open folder to the next, no symlink
followed: a hostile tree, or a hostile program beside us, cannot lead a write
out of the work tree.  Each file appears whole: it is written under a
temporary name in `.gv/tmp` and renamed.  Where a system has no `openat`
(Windows), the folders on the way are looked at just before instead.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from gvstore.objects.tree import Mode
from gvstore.repo import layout
from gvstore.repo.fault import BadPath
from gvstore.repo.path import parents, path_fault

_TEMPORARY = ".gv-tmp-"
_OPENAT = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY") and hasattr(os, "O_NOFOLLOW")
_FOLDER_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)

Pieces = Callable[[], Iterable[bytes]]  # asked a second time where the first writing is in vain


class Place:
    """A work tree to write into; `gv` holds the temporary files.  One writer at a time: take the lock first."""

    def __init__(self, root: Path, gv: Path) -> None:
        self.root, self._tmp = root, gv / layout.TMP
        self._tmp.mkdir(exist_ok=True)
        for left in self._tmp.iterdir():  # of a process that was killed: we hold the lock, so it is dead
            with contextlib.suppress(OSError):
                left.unlink()

    def write(self, path: str, mode: Mode, pieces: Pieces) -> None:
        """Puts a file or symlink at `path`; folders on the way are made, a file that is there is replaced.

        Raises:
            BadPath: the path is not one of a work tree, or a symlink or file is in its way.
            OSError: what the system says.
        """
        fault = path_fault(path)
        if fault:
            raise BadPath(path, fault)
        with self._folder(path, make=True) as (parent, name):
            temporary = self._temporary(mode, pieces)
            try:
                os.rename(temporary, name, dst_dir_fd=parent)
                return
            except OSError as e:
                if e.errno != errno.EXDEV:
                    temporary.unlink(missing_ok=True)
                    raise
            # `.gv` is on another disk: write beside the file itself.
            temporary.unlink()
            self._write_beside(parent, name, mode, pieces)

    def delete(self, path: str) -> None:
        """Deletes the file or symlink at `path`, if it is there, and then the folders that it leaves empty."""
        if path_fault(path):
            return
        with contextlib.suppress(FileNotFoundError, NotADirectoryError, BadPath):
            with self._folder(path, make=False) as (parent, name):
                os.unlink(name, dir_fd=parent)
            for folder in parents(path):
                if not self.remove_folder(folder):
                    return

    def remove_folder(self, path: str) -> bool:
        """Removes the folder if it is empty; returns whether it is gone."""
        try:
            with self._folder(path, make=False) as (parent, name):
                os.rmdir(name, dir_fd=parent)
        except FileNotFoundError:
            return True
        except (OSError, BadPath):
            return False
        return True

    def clear_folders(self, path: str) -> None:
        """Removes the folder at `path` if it holds nothing but empty folders."""
        base = self.root / path
        if base.is_symlink() or not base.is_dir():
            return
        folders = [path]
        for folder, names, _ in os.walk(base, followlinks=False):
            folders += [(Path(folder).relative_to(self.root) / name).as_posix() for name in names]
        for folder in sorted(folders, key=lambda each: each.count("/"), reverse=True):
            self.remove_folder(folder)

    def _temporary(self, mode: Mode, pieces: Pieces) -> Path:
        path = self._tmp / f"checkout-{os.getpid()}-{os.urandom(6).hex()}"
        _write(str(path), None, mode, pieces)
        return path

    def _write_beside(self, parent: int | None, name: str, mode: Mode, pieces: Pieces) -> None:
        # `name` is a whole path where there is no openat.
        temporary = str(Path(name).with_name(_TEMPORARY + os.urandom(6).hex()))
        try:
            _write(temporary, parent, mode, pieces)
            os.rename(temporary, name, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=parent)
            raise

    @contextlib.contextmanager
    def _folder(self, path: str, *, make: bool) -> Iterator[tuple[int | None, str]]:
        """Gives the open folder that `path` lies in, and its name there; or, without openat, None and the whole path."""
        *folders, name = path.split("/")
        if not _OPENAT:
            yield None, str(self._walk_by_path(folders, make=make) / name)
            return
        fd = os.open(self.root, _FOLDER_FLAGS & ~getattr(os, "O_NOFOLLOW", 0))
        try:
            for folder in folders:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(folder, dir_fd=fd)
                try:
                    below = os.open(folder, _FOLDER_FLAGS, dir_fd=fd)
                except OSError as e:
                    if e.errno in (errno.ELOOP, errno.ENOTDIR):
                        raise BadPath(path, f"{folder} on its way is no folder") from e
                    raise
                os.close(fd)
                fd = below
            yield fd, name
        finally:
            os.close(fd)

    def _walk_by_path(self, folders: list[str], *, make: bool) -> Path:
        at = self.root
        for folder in folders:
            at = at / folder
            if make:
                at.mkdir(exist_ok=True)
            if not stat.S_ISDIR(at.lstat().st_mode):
                raise BadPath(at.as_posix(), f"{folder} on its way is no folder")
        return at


def _write(path: str, parent: int | None, mode: Mode, pieces: Pieces) -> None:
    if mode == Mode.SYMLINK:
        os.symlink(os.fsdecode(b"".join(pieces())), path, dir_fd=parent)
        return
    permissions = 0o777 if mode == Mode.EXECUTABLE else 0o666  # less the umask
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    fd = os.open(path, flags, permissions, dir_fd=parent)
    with os.fdopen(fd, "wb") as file:
        for piece in pieces():
            file.write(piece)
