"""One open folder, and what lies directly in it: the step that a walk repeats, no symlink followed.

Every function takes the descriptor of a folder and a name there (never a path).
What a name turns out to be is told as `PathsRefused` for the whole `path` that
is walked.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat

from gvstore import fs
from gvstore.pipeline.refusal import PathsRefused, Refusal

MAX_FILE_BYTES = 64_000_000
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def can_open_below() -> bool:
    """Returns whether this system opens a file relative to an open folder, without following symlinks."""
    return os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")


def names_in(fd: int) -> list[str]:
    """Returns the names in an open folder, sorted."""
    return [name for name, _, _ in entries_in(fd)]


def entries_in(fd: int) -> list[tuple[str, bool, bool]]:
    """Returns (name, is a folder, is a plain file) of what lies in an open folder, sorted."""
    with os.scandir(fd) as entries:
        return sorted((each.name, each.is_dir(follow_symlinks=False), each.is_file(follow_symlinks=False)) for each in entries)


def step(fd: int, name: str, path: str, *, make: bool) -> tuple[int, bool]:
    """Returns the open folder `name` of an open folder, and whether it was made."""
    new = False
    if make:
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=fd)
            new = True
    try:
        return os.open(name, FOLDER, dir_fd=fd), new
    except OSError as e:
        if e.errno not in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
            raise
        if _is_symlink(fd, name):
            raise PathsRefused([Refusal(path, "symlink", f"{name} on its way is a symlink")]) from e
        raise PathsRefused([Refusal(path, "not_a_folder", f"{name} on its way is no folder")]) from e


def look(fd: int, name: str, path: str) -> None:
    """Raises PathsRefused if what is there may not be replaced."""
    status = os.stat(name, dir_fd=fd, follow_symlinks=False)
    if stat.S_ISLNK(status.st_mode):
        raise PathsRefused([Refusal(path, "symlink", "it is a symlink")])
    if not stat.S_ISREG(status.st_mode):
        raise PathsRefused([Refusal(path, "not_a_file", "a folder, a device or the like is there")])
    if status.st_size > MAX_FILE_BYTES:
        raise PathsRefused([Refusal(path, "too_large", f"the file there has more than {MAX_FILE_BYTES:,} bytes")])


def read(fd: int, name: str, path: str) -> tuple[bytes | None, int | None]:
    """Returns what the plain file holds, and its mode; None, None if there is none."""
    try:
        look(fd, name, path)
        with open_plain(fd, name) as file:
            content = file.read(MAX_FILE_BYTES + 1)
            mode = os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        return None, None
    except fs.NotAFile as e:  # it was a plain file when it was looked at
        raise PathsRefused([Refusal(path, "symlink", "it became something else while it was looked at")]) from e
    if len(content) > MAX_FILE_BYTES:
        raise PathsRefused([Refusal(path, "too_large", "it grows while it is read")])
    return content, mode


def open_plain(fd: int, name: str) -> io.BufferedReader:
    """Returns the plain file `name` of an open folder, to read; raises `fs.NotAFile` for anything else."""
    try:
        file = os.open(name, _READ, dir_fd=fd)
    except OSError as e:
        if e.errno in (errno.ELOOP, errno.EMLINK, errno.ENXIO):
            raise fs.NotAFile(e.errno, "not a plain file", name) from e
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise fs.NotAFile(errno.EINVAL, "not a plain file", name)
    return os.fdopen(file, "rb")


def _is_symlink(fd: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        return stat.S_ISLNK(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)
    return False


def exists(fd: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        os.stat(name, dir_fd=fd, follow_symlinks=False)
        return True
    return False
