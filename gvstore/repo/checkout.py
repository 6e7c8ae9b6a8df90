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
from dataclasses import dataclass, field
from pathlib import Path

from gvstore import fs
from gvstore.objects.blob import blob_size, iter_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo import layout
from gvstore.repo.fault import BadPath, CannotWrite, WouldOverwrite
from gvstore.repo.files import NO_FILES, Files
from gvstore.repo.git import refuse_fight
from gvstore.repo.path import parents, path_fault
from gvstore.repo.place import Place
from gvstore.repo.progress import watched_pieces
from gvstore.repo.scan import status_of
from gvstore.repo.stat_cache import Look
from gvstore.repo.worktree import Worktree

_MAX_LINK_BYTES = 4096
_MAX_MARK_BYTES = 100_000
_BEFORE = "before "


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
    """What a checkout will do: `write` and `delete` by path.

    `seen` is how each of these files looked when it was judged, `present` what it held then, if it was there.
    """

    write: Files
    delete: tuple[str, ...]
    seen: Mapping[str, Look | None]
    present: Mapping[str, TreeEntry] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.write and not self.delete


def plan(
    worktree: Worktree,
    target: Files,
    *,
    known: Known,
    delete: bool,
    every: bool = False,
    force: bool = False,
    lying: Files = NO_FILES,
) -> Plan:
    """Returns what brings the work tree to `target`; with `delete`, what only `known` trees have goes.

    Where the target is as HEAD is, the file is left alone, edited or not, unless `every`
    file is to be as in the target; `lying` is what was found there a moment ago, so that not each has to be looked
    at again.  With `force` unsaved files give way: `move_files` saves them first.

    Raises:
        WouldOverwrite: files whose content is saved nowhere are in the way; names them all.  With `force`, what no tree can hold.
        BadPath: the target has a name that must not be written.
        GitFight: git has staged changes of such a file, or a merge of its own under way.
    """
    planning = _Planning(worktree, target, known, force=force)
    with worktree.caching():
        for path in sorted(target):
            if every and lying.get(path) == target[path]:
                continue
            if every or planning.differs(path, target[path]):
                planning.write(path, target[path])
        if delete:
            for path in sorted({path for files in known.all for path in files} - target.keys()):
                planning.drop(path)
        planning.judge_folders()
    if planning.lost:
        raise WouldOverwrite(sorted(planning.lost))
    refuse_fight(worktree.root, {*planning.writing, *planning.deleting})
    return Plan(planning.writing, tuple(planning.deleting), planning.seen, planning.present)


class _Planning:
    """One checkout being thought through."""

    def __init__(self, worktree: Worktree, target: Files, known: Known, *, force: bool) -> None:
        self.worktree, self.target, self.known, self.force = worktree, target, known, force
        self.present: dict[str, TreeEntry] = {}
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
                        self._give_way(path)

    def _judge_way(self, path: str) -> None:
        """Judges the folders above a file to be written: a file or symlink in their place must be going."""
        for folder in parents(path):
            status = self._status(folder)
            if status is None or stat.S_ISDIR(status.st_mode):
                continue
            if not self._saved(folder, self.worktree.entry(folder)):
                self.lost.add(folder)
            if folder not in self.seen:
                self.deleting.append(folder)
                self.seen[folder] = Look.of(status)

    def _give_way(self, path: str) -> None:
        """Judges a file that no tree speaks of, in a folder that gives way to a file."""
        status = self._status(path) if self.force and not path_fault(path) else None
        if status is None or not self._saved(path, self.worktree.entry(path)):
            self.lost.add(path)
            return
        self.deleting.append(path)
        self.seen[path] = Look.of(status)

    def _saved(self, path: str, present: TreeEntry | None) -> bool:
        """Returns whether what is present may go: it is saved, or, with `force`, can be."""
        if present is None:
            return False
        self.present[path] = present
        return self.force or any(files.get(path) == present for files in self.known.all)

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

    `label` is a rev, or a whole command that begins with "gv ".  `trees` are all whose files may lie about, beside
    HEAD's, what is being brought first; `before` is the work tree as it was, `began` the newest operation then.
    """

    label: str
    done: bool
    trees: tuple[ObjectId, ...]
    before: ObjectId | None = None
    began: int = 0

    @property
    def leads_to(self) -> tuple[ObjectId, ...]:
        """All trees that are named."""
        return self.trees if self.before is None else (*self.trees, self.before)

    @property
    def command(self) -> str:
        """The command that is under way, as it can be typed again."""
        return self.label if self.label.startswith("gv ") else f"gv checkout {self.label}"


def read_mark(gv: Path) -> Mark | None:
    """Returns what an unfinished checkout, or one that laid a run's code over the work tree, left; None: nothing."""
    try:
        lines = fs.read_bytes(gv / layout.CHECKOUT, limit=_MAX_MARK_BYTES).decode("utf-8", "replace").splitlines()
        label, state, *trees = lines
        last = trees.pop().removeprefix(_BEFORE).split() if trees and trees[-1].startswith(_BEFORE) else []
        oids = tuple(ObjectId.from_hex(each) for each in trees)
        before, began = (ObjectId.from_hex(last[0]), int(last[1])) if last else (None, 0)
        return Mark(label, state == "done", oids, before, began)
    except (OSError, ValueError, IndexError):
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
        lines += [f"{_BEFORE}{mark.before.hex()} {mark.began}"] if mark.before is not None else []
        fs.write_atomic(path, ("\n".join(lines) + "\n").encode("utf-8", "replace"), durable=False)
    except OSError as e:
        raise CannotWrite(str(path), e.strerror or str(e)) from e
