"""Moves a work tree from one tree to another, and loses nothing.

First everything is compared and every conflict found; only then is the first
file touched.  A file may be overwritten or deleted only if what it holds is
saved: it is what a `Known` tree has there, or what is to be written.
Files that are the same before and after are not looked at.

While files are written, and after a run's code was laid over the work tree,
`.gv/checkout` names the trees whose files may lie about; their
content counts as saved.  So an interrupted checkout can be repeated, or taken
back.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gvstore import fs
from gvstore.objects.blob import blob_size, iter_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo import layout
from gvstore.repo.fault import BadPath, CannotWrite, WouldOverwrite
from gvstore.repo.files import Files
from gvstore.repo.path import parents, path_fault
from gvstore.repo.place import Place
from gvstore.repo.progress import watched_pieces
from gvstore.repo.scan import status_of
from gvstore.repo.stat_cache import Look
from gvstore.repo.worktree import Worktree

_MAX_LINK_BYTES = 4096
_MAX_MARK_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Known:
    """What is saved, and may lie about: HEAD's files, and those of other trees; `cut_off` if a checkout was."""

    head: Files
    others: tuple[Files, ...] = ()
    cut_off: bool = False

    @property
    def all(self) -> tuple[Files, ...]:
        """All of them."""
        return (self.head, *self.others)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a checkout will do: `write` and `delete` by path; `seen` is how each file looked when it was judged."""

    write: Files
    delete: tuple[str, ...]
    seen: Mapping[str, Look | None]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.write and not self.delete


def plan(worktree: Worktree, target: Files, *, known: Known, delete: bool, every: bool = False) -> Plan:
    """Returns what brings the work tree to `target`; with `delete`, what only `known` trees have goes.

    Where the target is as HEAD is, the file is left alone, edited or not, unless `every`
    file is to be as in the target.

    Raises:
        WouldOverwrite: files whose content is saved nowhere are in the way; names them all.
        BadPath: the target has a name that must not be written.
    """
    planning = _Planning(worktree, target, known)
    with worktree.caching():
        for path in sorted(target):
            if every or planning.differs(path, target[path]):
                planning.write(path, target[path])
        if delete:
            for path in sorted({path for files in known.all for path in files} - target.keys()):
                planning.drop(path)
        planning.judge_folders()
    if planning.lost:
        raise WouldOverwrite(sorted(planning.lost))
    return Plan(planning.writing, tuple(planning.deleting), planning.seen)


class _Planning:
    """One checkout being thought through."""

    def __init__(self, worktree: Worktree, target: Files, known: Known) -> None:
        self.worktree, self.target, self.known = worktree, target, known
        self.writing: Files = {}
        self.deleting: list[str] = []
        self.seen: dict[str, Look | None] = {}
        self.lost: set[str] = set()
        self._folders: list[str] = []
        self._real: dict[str, bool] = {}

    def differs(self, path: str, entry: TreeEntry) -> bool:
        """Returns whether HEAD has something else at `path`, or another tree whose files lie about."""
        if self.known.head.get(path) != entry:
            return True
        # A tree that lacks the file does not say anything, unless its checkout was cut off: it may have deleted the file.
        lacking = None if self.known.cut_off else entry
        return any(files.get(path, lacking) != entry for files in self.known.others)

    def write(self, path: str, entry: TreeEntry) -> None:
        """Judges a file that the target has."""
        fault = path_fault(path)
        if fault:
            raise BadPath(path, fault)
        self._judge_way(path)
        status = self._status(path)
        if status is None:
            self.writing[path], self.seen[path] = entry, None
        elif stat.S_ISDIR(status.st_mode):
            self._folders.append(path)
            self.writing[path], self.seen[path] = entry, None
        else:
            present = self.worktree.entry(path)
            if present == entry:
                return
            if not self._saved(path, present):
                self.lost.add(path)
            self.writing[path], self.seen[path] = entry, Look.of(status)

    def drop(self, path: str) -> None:
        """Judges a file that the target does not have."""
        status = None if path_fault(path) else self._status(path)
        if status is None or stat.S_ISDIR(status.st_mode):
            return  # gone already, or something else took its place
        if not self._saved(path, self.worktree.entry(path)):
            self.lost.add(path)
        self.deleting.append(path)
        self.seen[path] = Look.of(status)

    def judge_folders(self) -> None:
        """Judges what lies in folders that give way to a file: all of it must be going, or gone."""
        going = set(self.deleting)
        for folder in self._folders:
            for base, names, files in os.walk(self.worktree.root / folder, followlinks=False):
                links = [name for name in names if (Path(base) / name).is_symlink()]
                for name in files + links:
                    path = (Path(base) / name).relative_to(self.worktree.root).as_posix()
                    if path not in going:
                        self.lost.add(path)

    def _judge_way(self, path: str) -> None:
        """Judges the folders above a file to be written: a file or symlink in their place must be going."""
        for folder in parents(path):
            status = self._status(folder)
            if status is None or stat.S_ISDIR(status.st_mode):
                continue
            if not self._saved(folder, self.worktree.entry(folder)):
                self.lost.add(folder)
            elif folder not in self.seen:
                self.deleting.append(folder)
                self.seen[folder] = Look.of(status)

    def _saved(self, path: str, present: TreeEntry | None) -> bool:
        return present is not None and any(files.get(path) == present for files in self.known.all)

    def _status(self, path: str) -> os.stat_result | None:
        return status_of(self.worktree.root, path, real=self._real)


def carry_out(worktree: Worktree, objects: ObjectReader, todo: Plan) -> dict[str, str]:
    """Does what was planned; returns what is missing then, for it was forgotten, and how: by path, in words.

    Raises:
        WouldOverwrite: a file changed since it was judged; the checkout stops there, and can be repeated.
        CannotWrite: the system refuses; likewise.
    """
    place = Place(worktree.root, worktree.gv)
    path, missing = "", dict[str, str]()
    try:
        for path in todo.delete:
            _check_unchanged(worktree.root, path, todo.seen)
            place.delete(path)
        for path, entry in todo.write.items():
            if todo.seen[path] is None:
                place.clear_folders(path)
            _check_unchanged(worktree.root, path, todo.seen)
            if told := _forgotten(worktree, entry):
                missing[path] = told
                if todo.seen[path] is not None:
                    place.delete(path)  # it is saved, and not what the target has there
                continue
            place.write(path, entry.mode, content_of(objects, path, entry))
    except OSError as e:
        raise CannotWrite(path, e.strerror or str(e)) from e
    return missing


def _forgotten(worktree: Worktree, entry: TreeEntry) -> str:
    """Returns in which words a file's content is told to be forgotten; nothing, if it is not."""
    if not worktree.objects.has(entry.oid):
        try:
            worktree.objects.read(entry.oid)
        except Forgotten as e:
            return e.told
    return ""


def content_of(objects: ObjectReader, path: str, entry: TreeEntry) -> Callable[[], Iterable[bytes]]:
    """Returns what gives the pieces of a file, from the start each time."""
    if entry.mode == Mode.SYMLINK:
        target = _link_target(objects, path, entry.oid)
        return lambda: [target]
    return lambda: watched_pieces(iter_blob(objects, entry.oid), path, "write", lambda: blob_size(objects, entry.oid))


def _link_target(objects: ObjectReader, path: str, oid: ObjectId) -> bytes:
    target = b""
    for piece in iter_blob(objects, oid):
        target += piece
        if len(target) > _MAX_LINK_BYTES:
            raise BadPath(path, "the symlink's target is too long")
    if not target or b"\0" in target:
        raise BadPath(path, "the symlink has no target")
    return target


def _check_unchanged(root: Path, path: str, seen: Mapping[str, Look | None]) -> None:
    status = status_of(root, path)
    if status is not None and Look.of(status) != seen[path]:
        raise WouldOverwrite([path])


@dataclass(frozen=True, slots=True)
class Mark:
    """What `.gv/checkout` says: a checkout to `label` is under way, or its files lie over the work tree.

    `trees` are all whose files may lie about, beside HEAD's.
    """

    label: str
    done: bool
    trees: tuple[ObjectId, ...]


def read_mark(gv: Path) -> Mark | None:
    """Returns what an unfinished checkout, or one that laid a run's code over the work tree, left; None: nothing."""
    try:
        lines = fs.read_bytes(gv / layout.CHECKOUT, limit=_MAX_MARK_BYTES).decode("utf-8", "replace").splitlines()
        label, state, *trees = lines
        return Mark(label, state == "done", tuple(ObjectId.from_hex(each) for each in trees))
    except (OSError, ValueError):
        return None


def write_mark(gv: Path, mark: Mark | None) -> None:
    """Writes, or with None removes, the mark.

    Raises:
        CannotWrite: the system refuses.
    """
    path = gv / layout.CHECKOUT
    try:
        if mark is None:
            path.unlink(missing_ok=True)
            return
        label = " ".join(mark.label.split())
        lines = [label, "done" if mark.done else "under way", *dict.fromkeys(oid.hex() for oid in mark.trees)]
        fs.write_atomic(path, ("\n".join(lines) + "\n").encode("utf-8", "replace"), durable=False)
    except OSError as e:
        raise CannotWrite(str(path), e.strerror or str(e)) from e
