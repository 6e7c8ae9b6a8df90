"""Counts what a process changes on disk, and strikes at the k-th change.

Every call of `os` that changes a file or a name is wrapped, in this process
only: it is meant for a fork that ends soon.  SQLite writes in C; its default
file system lets its system calls be replaced one by one, which `ctypes` does,
where the library can be reached.  What SQLite shares through mapped memory (the index of its
write-ahead log) and its syncs are not seen: kills at random moments meet the first, and
a sync changes nothing that a process which dies could leave behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from gvstore import fs
from gvstore.odb.dictionary import Codec

CHANGING: Final = (
    "write", "pwrite", "fsync", "fdatasync", "rename", "replace", "unlink", "remove", "ftruncate", "mkdir", "rmdir", "symlink",
    "link",
)  # fmt: skip
WRITING: Final = ("write", "pwrite")
OPENING: Final = "open"
REAL: Final = {name: getattr(os, name) for name in (*CHANGING, OPENING)}

Strike = Callable[[str, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]
"""(name, the real call, its arguments) -> what the caller gets, if the process still lives."""


class Shim:
    """Wraps the calls of this process; `strike` is given the one whose number `at` says, or all from there on."""

    def __init__(self, strike: Strike, at: int, *, sticky: bool = False, opens: bool = False, codecs: bool = False) -> None:
        """`opens` counts what opens a file, and nothing else; `codecs` compressing and inflating as well."""
        self.strike, self.at, self.sticky, self.opens, self.codecs = strike, at, sticky, opens, codecs
        self.count = 0
        self._sqlite: _Sqlite | None = None

    def install(self) -> None:
        """Wraps everything, for good."""
        for name in CHANGING:
            setattr(os, name, self._counted(name, REAL[name]))
        os.open = self._counted_open
        setattr(fs, "_pwrite", os.pwrite)  # noqa: B010 - bound when the module was imported
        if self.codecs:
            self._count_codecs()
        self._sqlite = _Sqlite.find()
        if self._sqlite is not None:
            self._sqlite.wrap(self)

    def _count_codecs(self) -> None:
        compressor = Codec.compressor
        inflate = self._counted("inflate", Codec.inflate)
        setattr(Codec, "compressor", lambda codec, **options: self._counted("compress", compressor(codec, **options)))  # noqa: B010
        setattr(Codec, "inflate", lambda codec, frame: inflate(codec, frame))  # noqa: B010

    def remove(self) -> None:
        """Puts SQLite's own calls back: at the interpreter's end ours would be gone before it."""
        if self._sqlite is not None:
            self._sqlite.restore()

    def hit(self, name: str) -> bool:
        """Counts one call; returns whether it is to be struck."""
        if self.opens and name != OPENING:
            return False
        self.count += 1
        return self.count == self.at or (self.sticky and self.count > self.at)

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            return self.strike(name, real, args, options) if self.hit(name) else real(*args, **options)

        return call

    def _counted_open(self, path: Any, flags: int, *args: Any, **options: Any) -> Any:
        if (self.opens or flags & os.O_CREAT) and self.hit(OPENING):
            return self.strike(OPENING, REAL[OPENING], (path, flags, *args), options)
        return REAL[OPENING](path, flags, *args, **options)


def kill(moment: str, chance: float) -> Strike:
    """Returns a strike that ends the process by SIGKILL: `before` the call, `after` it, or with a write `torn` in it."""

    def strike(name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if moment == "after":
            with contextlib.suppress(OSError):
                real(*args, **options)
        elif moment == "torn" and name in WRITING:
            fd, data, *rest = args
            real(fd, bytes(data)[: int(len(data) * chance)], *rest)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("alive after SIGKILL")

    return strike


def refuse(code: int) -> Strike:
    """Returns a strike that fails as the system would, with this errno."""

    def strike(name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        raise OSError(code, os.strerror(code))

    return strike


def starve(name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A strike that finds no memory."""
    raise MemoryError


def shorten(name: str, real: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A strike that writes only a part, as the system may; other calls go through."""
    if name in WRITING and len(args[1]) > 1:
        fd, data, *rest = args
        args = (fd, bytes(data)[: len(data) // 2], *rest)
    return real(*args, **options)


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""


_POINTER = ctypes.c_void_p
_SET = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Vfs), ctypes.c_char_p, _POINTER)
_GET = ctypes.CFUNCTYPE(_POINTER, ctypes.POINTER(_Vfs), ctypes.c_char_p)
_METHODS = (
    "xOpen", "xDelete", "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness", "xSleep",
    "xCurrentTime", "xGetLastError", "xCurrentTimeInt64",
)  # fmt: skip
_Vfs._fields_ = [
    *((name, ctypes.c_int) for name in ("iVersion", "szOsFile", "mxPathname")),
    *((name, _POINTER) for name in ("pNext", "zName", "pAppData", *_METHODS)),
    ("xSetSystemCall", _SET),
    ("xGetSystemCall", _GET),
    ("xNextSystemCall", _POINTER),
]

_BUFFER = ctypes.c_void_p
_SYSTEM_CALLS: dict[str, tuple[str, Any]] = {
    "write": ("write", ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, _BUFFER, ctypes.c_size_t, use_errno=True)),
    **{
        name: ("pwrite", ctypes.CFUNCTYPE(
            ctypes.c_ssize_t, ctypes.c_int, _BUFFER, ctypes.c_size_t, ctypes.c_int64, use_errno=True
        ))
        for name in ("pwrite", "pwrite64")
    },
    "ftruncate": ("ftruncate", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_int64, use_errno=True)),
    "unlink": ("unlink", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, use_errno=True)),
    "open": (OPENING, ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_int, use_errno=True)),
}  # fmt: skip


class _Sqlite:
    """SQLite's default file system, its system calls replaced."""

    def __init__(self, vfs: Any) -> None:
        self._vfs = vfs
        self._kept: list[Any] = []  # callbacks that C holds
        self._real: dict[str, int] = {}

    @classmethod
    def find(cls) -> _Sqlite | None:
        """Returns it, or None where the library is out of reach or has no such door."""
        try:
            library = ctypes.CDLL(import_module("_sqlite3").__file__)
            library.sqlite3_vfs_find.restype = ctypes.POINTER(_Vfs)
            vfs = library.sqlite3_vfs_find(None)
        except (ImportError, OSError, AttributeError, TypeError):
            return None
        return cls(vfs) if vfs and vfs.contents.iVersion >= 3 else None

    def wrap(self, shim: Shim) -> None:
        """Lets the shim count SQLite's changes of files."""
        for name, (what, signature) in _SYSTEM_CALLS.items():
            place = self._vfs.contents.xGetSystemCall(self._vfs, name.encode())
            if place:
                self._real[name] = place
                self._set(name, _callback(shim, what, signature, signature(place)))

    def restore(self) -> None:
        """Puts the library's own calls back."""
        for name, place in self._real.items():
            self._vfs.contents.xSetSystemCall(self._vfs, name.encode(), place)

    def _set(self, name: str, callback: Any) -> None:
        self._kept.append(callback)
        self._vfs.contents.xSetSystemCall(self._vfs, name.encode(), ctypes.cast(callback, _POINTER))


def _callback(shim: Shim, what: str, signature: Any, real: Any) -> Any:
    """Returns what SQLite calls instead of `real`."""

    def through(*args: Any) -> Any:
        if what in WRITING:  # what was torn or shortened is bytes by now
            fd, data, *rest = args
            return real(fd, data, len(data), *rest)
        return real(*args)

    def call(*args: Any) -> int:
        counted = what != OPENING or shim.opens or args[1] & os.O_CREAT
        if not counted or not shim.hit(what):
            return int(real(*args))
        if what in WRITING:
            fd, place, size, *rest = args
            args = (fd, ctypes.string_at(place, size), *rest)
        try:
            return int(shim.strike(what, through, args, {}))
        except MemoryError:
            ctypes.set_errno(errno.ENOMEM)
            return -1
        except OSError as e:
            ctypes.set_errno(e.errno or errno.EIO)
            return -1

    return signature(call)
