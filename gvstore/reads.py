"""Which files this process opens to read, and on whose behalf, seen by an audit hook (PEP 578).

A call's answer depends on more than code: on prompts, tables, settings.  The
hook tells apart

    a call        opens a file while it runs: the file is one of the call's own reads
    a module      opens it while it is imported: all that reaches the module depends on it
    others        imports, gvstore, libraries on their own account, a script outside of any call

It imports next to nothing, for it has to watch before the program's own
modules are imported.  It notes and reads, nothing else; it cannot be taken out again, and costs a
comparison per audited event.  Not seen: what C code opens by itself (tell it
with `gv.read`), listings of folders, and what a call gets from another call's
cache.
"""

from __future__ import annotations

import os
import stat
import sys
from _thread import get_ident
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

_LIMIT: Final = 20_000
_KEPT_BYTES: Final = 1 << 20  # of one file that a module reads, as it was then
_KEPT_IN_ALL: Final = 32 << 20
_OWN: Final = f"{os.sep}.gv{os.sep}"  # a process that lives long opens packs without end
_CODE: Final = f"{_OWN}code{os.sep}"  # but this is code out of the store, which runs there
_WRITING: Final = os.O_WRONLY | os.O_RDWR
_INSTALLED: Final = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_STANDARD: Final = os.path.dirname(os.__file__) + os.sep  # noqa: PTH120
_PACKAGE: Final = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120
_ELSEWHERE: Final = ("/proc/", "/dev/", "/sys/", _STANDARD, _PACKAGE)
_IMPORTLIB: Final = "<frozen importlib"
_LOADING: Final = (_IMPORTLIB, f"{_STANDARD}linecache.py", f"{_STANDARD}tokenize.py", f"{_STANDARD}importlib")
_PROMPTS: Final = ("<ipython-input", "<python-input", "<stdin")
_KERNEL: Final = f"{os.sep}ipykernel_"
Stamp = tuple[int, int, int]


# What a module read while it was imported: in which line, and what the file held, if it was not large.
ImportRead = tuple[int, "Stamp | None", "bytes | None"]

_read: dict[str, None] = {}
_imported: dict[tuple[str, str, int], ImportRead] = {}  # (the module's file, the file read, the line that the module is at)
_written: set[str] = set()
_loaded: dict[str, Stamp | None] = {}  # source files, as they were when Python loaded them
_watching: list[bool] = []
_takers: list[Callable[[str, bool], None]] = []
loads = 0  # how often a module's source was loaded that is no library's; whoever keeps what follows from sources looks at it
cells = 0  # how many of these were a notebook's
_busy: set[int] = set()  # threads that read on our behalf
_kept_bytes = 0


def watch() -> None:
    """Begins to note what is opened, once a process."""
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_hook)


def give_to(taker: Callable[[str, bool], None]) -> None:
    """From now on `taker` is told the absolute path of each file that is opened outside of an import, before it is, and whether to write."""
    _takers[:] = [taker]


def forget_writes() -> None:
    """Lets files count again that were written before now: a run's own products are those it writes itself."""
    _written.clear()


def forget_reads(prefix: str) -> None:
    """Forgets what was opened below a folder, which is gone."""
    for path in read_below(prefix):
        _read.pop(path, None)
    for key in [key for key in list(_imported) if key[0].startswith(prefix)]:
        _imported.pop(key, None)


def read_below(prefix: str) -> list[str]:
    """Returns the files below a folder that were opened to read and not written before, in the order of opening."""
    return [path for path in list(_read) if path.startswith(prefix)]


def imported_below(prefix: str) -> list[tuple[str, str, ImportRead]]:
    """Returns (module's file, file, how) of what modules below a folder read there while they were imported."""
    found = list(_imported.items())
    return [(module, path, read) for (module, path, _), read in found if module.startswith(prefix) and path.startswith(prefix)]


def is_edited(path: str) -> bool:
    """Returns whether a source file is known to have changed since Python loaded it."""
    return path in _loaded and _loaded[path] != stamp_of(path)


def stamp_of(path: str) -> Stamp | None:
    """Returns what changes when a file is written; None if there is no plain file."""
    try:
        found = os.stat(path)  # noqa: PTH116  (every file that is opened comes here)
    except (OSError, ValueError):
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino) if stat.S_ISREG(found.st_mode) else None


def note(path: str) -> None:
    """Notes that a file is read by who called the function that calls this one."""
    here = get_ident()
    _busy.add(here)
    try:
        _take(os.path.abspath(path), sys._getframe(2))  # noqa: PTH100
    finally:
        _busy.discard(here)


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or (here := get_ident()) in _busy:
        if event == "exec":
            _executed(args[0])
        return
    _busy.add(here)
    try:
        _opened(*args)
    except Exception:
        pass
    finally:
        _busy.discard(here)


def _executed(code: object) -> None:
    """Notes that a cell of a notebook, or a line at a prompt, is run: what it defines takes the place of what was."""
    global loads, cells
    if isinstance(code, CodeType) and code.co_name == "<module>":
        name = code.co_filename
        if name.startswith(_PROMPTS) or _KERNEL in name:
            loads += 1
            cells += 1


def _opened(path: Any, mode: Any, flags: Any) -> None:
    if type(path) is not str:
        if isinstance(path, int):
            return
        path = os.fsdecode(path)
    if path.endswith(".pyc") or (_OWN in path and _CODE not in path):
        return
    if not path.startswith(os.sep):
        path = os.path.abspath(path)  # noqa: PTH100  (pathlib would open nothing, but is ten times slower)
    if path.startswith(_ELSEWHERE) or any(part in path for part in _INSTALLED):
        return
    if bool(set(mode) & set("wax+")) if isinstance(mode, str) else isinstance(flags, int) and bool(flags & _WRITING):
        _written.add(path)
        for taker in _takers:
            taker(path, True)
    else:
        _take(path, sys._getframe(2))


def _take(path: str, frame: FrameType) -> None:
    source = path.endswith(".py")
    if source and _is_import(frame):
        global loads
        loads += 1
        if len(_loaded) < _LIMIT or path in _loaded:
            _loaded[path] = stamp_of(path)
        for key in [key for key in _imported if key[0] == path]:  # it is imported anew
            del _imported[key]
    found = _reader(frame, source=source)
    if found is None:
        return
    module, line = found
    if module:
        _keep(module, path, line)
    if path in _written:  # a product of the program
        return
    if not source and len(_read) < _LIMIT:
        _read[path] = None
    for taker in () if module else _takers:
        taker(path, False)


def _is_import(frame: FrameType) -> bool:
    """Returns whether a module's source is opened to be executed, not to be shown."""
    above = frame.f_back
    return frame.f_code.co_filename.startswith(_IMPORTLIB) and above is not None and above.f_code.co_name == "get_code"


def _reader(frame: FrameType | None, *, source: bool) -> tuple[str, int] | None:
    """Returns who reads: (a module's file, the line it is at) while it is imported, ("", 0) otherwise; None if it does not count."""
    is_program = False
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        if code.co_name == "<module>":
            if file.startswith(("<", _STANDARD)) or any(part in file for part in _INSTALLED):
                return None  # a library reads what it needs
            return os.path.abspath(file), frame.f_lineno  # noqa: PTH100
        ours = file.startswith(_PACKAGE)
        if is_program and ours:
            return "", 0
        if not is_program:
            if ours or (source and file.startswith(_LOADING)):
                return None  # gvstore's own business; the source of a module is no data
            is_program = not file.startswith(("<frozen", _STANDARD)) and not any(part in file for part in _INSTALLED)
        frame = frame.f_back
    return "", 0


def _keep(module: str, path: str, line: int) -> None:
    global _kept_bytes
    if (module, path, line) in _imported or len(_imported) >= _LIMIT:
        return
    stamp, data = stamp_of(path), None
    if stamp is not None and stamp[1] <= _KEPT_BYTES and _kept_bytes + stamp[1] <= _KEPT_IN_ALL:
        with open(path, "rb") as file:
            data = file.read(_KEPT_BYTES + 1)
        _kept_bytes += len(data)
    _imported[module, path, line] = line, stamp, data
