"""Which files this process has opened to read, seen by an audit hook (PEP 578).

A run's code is more than its modules: prompts, tables, settings.  The hook
notes paths, nothing else; it cannot be taken out again, and costs a
comparison per audited event.
"""

from __future__ import annotations

import os
import sys
from typing import Any, Final

_LIMIT: Final = 20_000
_OWN: Final = f"{os.sep}.gv{os.sep}"  # a process that lives long opens packs without end
_CODE: Final = f"{_OWN}code{os.sep}"  # but this is code out of the store, which runs there
_WRITING: Final = os.O_WRONLY | os.O_RDWR
_read: dict[str, None] = {}
_written: set[str] = set()
_watching: list[bool] = []


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if event != "open" or len(_read) > _LIMIT:
        return
    path, mode, flags = args
    if type(path) is not str or path.endswith((".py", ".pyc")) or (_OWN in path and _CODE not in path):
        return
    if isinstance(mode, str):
        writes = not _reads_only(mode)
    else:
        writes = isinstance(flags, int) and bool(flags & _WRITING)
    if not path.startswith(os.sep):
        try:
            path = os.path.abspath(path)  # noqa: PTH100  (pathlib would open nothing, but is ten times slower)
        except OSError:  # the working folder is gone
            return
    if writes:
        _written.add(path)
    elif path not in _written:
        _read[path] = None


def _reads_only(mode: str) -> bool:
    return not set(mode) & set("wax+")


def watch() -> None:
    """Begins to note what is opened, once a process."""
    if not _watching:
        _watching.append(True)
        sys.addaudithook(_hook)


def forget_writes() -> None:
    """Lets files count again that were written before now: a run's own products are those it writes itself."""
    _written.clear()


def forget_reads(prefix: str) -> None:
    """Forgets what was opened below a folder, which is gone."""
    for path in read_below(prefix):
        _read.pop(path, None)


def read_below(prefix: str) -> list[str]:
    """Returns the files below a folder that were opened to read and not written before, in the order of opening."""
    return [path for path in list(_read) if path.startswith(prefix)]
