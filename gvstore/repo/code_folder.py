"""Code out of the store as files, for a process to run: a private folder below `.gv/code`.

    .gv/code/lock              held while folders are made and cleared away
    .gv/code/4be1902cd5a0/     named by the tree, so that paths which a program passes on repeat
        lock                   held by the process that uses it, and so dies with it
        files/                 the tree
        tmp/                   files being written

Trees come from anywhere: names are checked as at a checkout, and a symlink
that leads out of the folder is left out.  What the program wrote there is kept
in `.gv/written`; all else goes with the folder.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gvstore import fs
from gvstore.objects.blob import iter_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode
from gvstore.odb.database import ObjectDatabase
from gvstore.odb.fault import Forgotten
from gvstore.repo import layout
from gvstore.repo.checkout import content_of
from gvstore.repo.fault import BadPath, CannotWrite, WorktreeBusy
from gvstore.repo.files import read_files
from gvstore.repo.path import path_fault
from gvstore.repo.place import Place
from gvstore.repo.stat_cache import Look

_LOCK: Final = "lock"
_FILES: Final = "files"
_WAIT_S: Final = 60.0
_OID_DIGITS: Final = 12
_PASSED_OVER: Final = frozenset({"__pycache__"})  # what Python writes, and others like it


@dataclass(slots=True)
class CodeFolder:
    """A tree laid out as files in `path`; `left_out` tells by path, in words, why a file of it is not there."""

    path: Path
    tree: ObjectId
    left_out: Mapping[str, str]
    _lock: int
    _looks: dict[str, Look] = field(default_factory=dict)

    def written(self) -> list[str]:
        """Returns the files that somebody has written here since it was laid out, sorted."""
        found = []
        for base, folders, names in os.walk(self.path):
            folders[:] = [each for each in folders if each not in _PASSED_OVER]
            for name in names:
                path = Path(base) / name
                inner = path.relative_to(self.path).as_posix()
                with suppress(OSError):
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode) and self._looks.get(inner) != Look.of(status):
                        found.append(inner)
        return sorted(found)

    def discard(self) -> None:
        """Removes the folder with all that was written there."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        os.close(self._lock)

    def remove(self, keep: Path) -> tuple[tuple[str, ...], Path | None]:
        """Removes the folder; returns what was written there, and the new folder in `keep` that it is moved to."""
        kept = None
        try:
            written = self.written()
            kept = _numbered(keep) if written else None
            for inner in written:
                target = (kept or keep) / inner
                target.parent.mkdir(parents=True, exist_ok=True)
                (self.path / inner).replace(target)
        except OSError as e:
            raise CannotWrite(str(keep), e.strerror or str(e)) from e
        finally:
            self.discard()
        return tuple(written), kept


def lay_out(objects: ObjectDatabase, gv: Path, tree: ObjectId) -> CodeFolder:
    """Returns a folder with the files of a tree, which is this process's own until it is removed.

    Raises:
        BadPath: a name in it is none for a file of a work tree.
        CannotWrite: the system refuses.
        WorktreeBusy: other processes kept the folders to themselves.
    """
    files = read_files(objects, tree)
    for path in files:
        if fault := path_fault(path):
            raise BadPath(path, fault)
    base, lock = _claim(gv, tree)
    left_out: dict[str, str] = {}
    folder = CodeFolder((base / _FILES).resolve(), tree, left_out, lock)
    path = ""
    try:
        place = Place(folder.path, base)
        for path, entry in files.items():
            if entry.mode == Mode.SYMLINK and _leads_out(path, b"".join(iter_blob(objects, entry.oid))):
                left_out[path] = "is a link that leads out of the project"
                continue
            try:
                place.write(path, entry.mode, content_of(objects, path, entry))
            except Forgotten as e:
                left_out[path] = e.told
                continue
            folder._looks[path] = Look.of((folder.path / path).lstat())
    except BaseException as e:
        shutil.rmtree(base, ignore_errors=True)
        os.close(lock)
        if isinstance(e, OSError):
            raise CannotWrite(path, e.strerror or str(e)) from e
        raise
    return folder


def sweep_code(gv: Path, *, written_before_s: float | None = None) -> int:
    """Removes code folders whose processes are dead, and what programs wrote before a time (seconds since 1970); returns how many."""
    removed = 0
    if (gv / layout.CODE).is_dir():
        with _alone(gv / layout.CODE):
            removed += sum(_clear(gv / layout.CODE / name) for name in fs.list_folder(gv / layout.CODE) if name != _LOCK)
    for name in fs.list_folder(gv / layout.WRITTEN) if written_before_s is not None else ():
        path = gv / layout.WRITTEN / name
        with suppress(OSError):
            if written_before_s is not None and path.lstat().st_mtime < written_before_s:
                shutil.rmtree(path, ignore_errors=True)
                removed += 1
    return removed


def _numbered(folder: Path) -> Path:
    """Returns a new folder in a folder, named by the next number."""
    folder.mkdir(exist_ok=True)
    numbers = [int(name) for name in fs.list_folder(folder) if name.isdecimal()]
    number = max(numbers, default=0) + 1
    while True:
        try:
            (folder / str(number)).mkdir()
            return folder / str(number)
        except FileExistsError:  # another process was faster
            number += 1


def _claim(gv: Path, tree: ObjectId) -> tuple[Path, int]:
    """Returns a new folder for the files of a tree, and the lock on it, held; folders that the dead left are cleared away."""
    try:
        (gv / layout.CODE).mkdir(exist_ok=True)
    except OSError as e:
        raise CannotWrite(str(gv / layout.CODE), e.strerror or str(e)) from e
    sweep_code(gv)
    with _alone(gv / layout.CODE):
        name, number = tree.hex()[:_OID_DIGITS], 1
        base = gv / layout.CODE / name
        while base.exists():  # another process runs the same code
            number += 1
            base = base.with_name(f"{name}-{number}")
        try:
            (base / _FILES).mkdir(parents=True)
            lock = fs.open_lock(base / _LOCK)
        except OSError as e:
            raise CannotWrite(str(base), e.strerror or str(e)) from e
        fs.try_lock(lock)
    return base, lock


def _clear(base: Path) -> bool:
    """Removes a code folder if nobody uses it; returns whether it did."""
    try:
        lock = fs.open_update(base / _LOCK)
    except OSError:
        lock = -1
    try:
        if lock >= 0 and not fs.try_lock(lock):
            return False
        shutil.rmtree(base, ignore_errors=True)
    finally:
        if lock >= 0:
            os.close(lock)
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lets one process at a time make and clear folders."""
    try:
        fd = fs.open_lock(folder / _LOCK)
    except OSError as e:
        raise CannotWrite(str(folder), e.strerror or str(e)) from e
    try:
        until = time.monotonic() + _WAIT_S
        while not fs.try_lock(fd):
            if time.monotonic() > until:
                raise WorktreeBusy(str(folder))
            time.sleep(0.01)
        yield
    finally:
        os.close(fd)


def _leads_out(path: str, target: bytes) -> bool:
    """Returns whether a symlink may lead out of the folder that its tree is laid out in.

    The folders above a link are real.  So it stays within if it climbs no
    higher than the root, and climbs only at its beginning: whatever links it
    then passes stay within by the same rule.
    """
    names = os.fsdecode(target).split("/")
    climbs = 0
    while climbs < len(names) and names[climbs] in ("..", "."):
        climbs += 1
    up = names[:climbs].count("..")
    return target.startswith(b"/") or b"\\" in target or ".." in names[climbs:] or up > path.count("/")
