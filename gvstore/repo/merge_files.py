"""Three trees made one: file by file, what either side changed since the base.

A file is followed through renames on either side; its text is merged by
lines, its mode apart from it.  Binary files, symlinks and files of more than
32 MiB are taken whole, from the side that changed them.  What could not be
decided is in the result all the same, with markers or as one side has it, and
told as a conflict.  Only folders that differ are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from gvstore.compare.merge3 import MARKER_SIZE, Favour, Labels, merge_texts
from gvstore.compare.text import is_binary
from gvstore.objects.blob import blob_size, get_blob, put_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.repo.conflict import Conflict, ConflictKind
from gvstore.repo.files import Files, differing, find, patched
from gvstore.repo.path import parents
from gvstore.repo.rename import find_renames

MAX_TEXT_BYTES = 32 << 20
_LABELS = Labels()


@dataclass(frozen=True, slots=True)
class MergeWords:
    """How to merge: what markers call the sides, whose lines win, how long markers are."""

    labels: Labels = _LABELS
    favour: Favour | None = None
    marker_size: int = MARKER_SIZE


@dataclass(frozen=True, slots=True)
class MergedFiles:
    """The merged tree, stored, and what could not be decided, by path."""

    tree: ObjectId
    conflicts: tuple[Conflict, ...]


def merge_trees(
    objects: ObjectStore,
    base: ObjectId | None,
    ours: ObjectId | None,
    theirs: ObjectId | None,
    words: MergeWords = MergeWords(),
) -> MergedFiles:
    """Returns the tree `ours` with what `theirs` changed since `base`, stored.  None is an empty tree."""
    merging = _Merging(objects, words, differing(objects, base, ours), differing(objects, base, theirs))
    touched = merging.touched()
    made, conflicts = merging.result(lambda path: path not in touched and find(objects, ours, path) is not None)
    return MergedFiles(patched(objects, ours, dict.fromkeys(touched) | made), conflicts)


class _Unit(NamedTuple):
    """One file through the three versions: a path and entry each, None where it is not."""

    base: tuple[str, TreeEntry] | None
    ours: tuple[str, TreeEntry] | None
    theirs: tuple[str, TreeEntry] | None

    @property
    def paths(self) -> set[str]:
        return {side[0] for side in self if side is not None}


@dataclass(slots=True)
class _Made:
    """A file of the result: which sides have a hand in it, and the conflict if it is one."""

    path: str
    entry: TreeEntry
    ours: bool
    theirs: bool
    conflict: Conflict | None = None


Changes = dict[str, tuple[TreeEntry | None, TreeEntry | None]]


@dataclass(slots=True)
class _Merging:
    """One merge under way; `ours` and `theirs` are what each side changed since the base."""

    objects: ObjectStore
    words: MergeWords
    ours: Changes
    theirs: Changes
    units: list[_Unit] = field(init=False)
    apart: dict[str, Conflict] = field(default_factory=dict)
    """Files that are a symlink on one side: theirs gets a name of its own."""

    def __post_init__(self) -> None:
        self.units = list(self._units())

    def touched(self) -> set[str]:
        """Returns every path that the merge decides about."""
        return {path for unit in self.units for path in unit.paths}

    def result(self, stays: Callable[[str], bool]) -> tuple[Files, tuple[Conflict, ...]]:
        """Returns the files at these paths, and the conflicts; `stays` tells whether something else lies at a path and stays there."""
        placed: dict[str, _Made] = {}
        conflicts: list[Conflict] = []
        for unit in self.units:
            for made in self._merge(unit, conflicts):
                standing = placed.get(made.path)
                placed[made.path] = made if standing is None else self._meet(standing, made)
        conflicts += self._lay_apart(placed, stays)
        self._separate(placed, stays)
        conflicts += [made.conflict for made in placed.values() if made.conflict is not None]
        files = {path: made.entry for path, made in placed.items()}
        return files, tuple(sorted(conflicts, key=lambda each: (each.path, each.kind)))

    def _units(self) -> Iterator[_Unit]:
        ours_moved, theirs_moved = self._renames(self.ours, self.theirs), self._renames(self.theirs, self.ours)
        for path in sorted(self.ours.keys() | self.theirs.keys()):
            base = (self.ours.get(path) or self.theirs[path])[0]
            if base is None:
                ours = None if path in ours_moved.values() else self.ours.get(path, (None, None))[1]
                theirs = None if path in theirs_moved.values() else self.theirs.get(path, (None, None))[1]
                if ours is None and theirs is None:
                    continue
                yield _Unit(None, (path, ours) if ours else None, (path, theirs) if theirs else None)
            else:
                yield _Unit(
                    (path, base),
                    _now(path, base, self.ours, ours_moved),
                    _now(path, base, self.theirs, theirs_moved),
                )

    def _renames(self, side: Changes, other: Changes) -> dict[str, str]:
        """Returns the new names of files that `side` renamed, where `other` changed them too."""
        gone = {
            path: old
            for path, (old, new) in side.items()
            if new is None and old is not None and path in other and _is_file(other[path][1])
        }
        come = {path: new for path, (old, new) in side.items() if old is None and new is not None} if gone else {}
        return find_renames(self.objects, gone, come) if come else {}

    def _merge(self, unit: _Unit, conflicts: list[Conflict]) -> Iterator[_Made]:
        """Yields the files that come of one file: none, one, or two where both sides renamed it."""
        base, ours, theirs = unit
        if ours is None and theirs is None:
            return
        if ours is None or theirs is None:
            yield from self._one_sided(unit)
            return
        if base is None or ours[0] == theirs[0] or base[0] in (ours[0], theirs[0]):
            path = ours[0] if base is None or ours[0] != base[0] else theirs[0]
            yield self._content(path, base, ours, theirs)
            return
        both = self._content(ours[0], base, ours, theirs)
        note, also = f"was {base[0]}, theirs called it {theirs[0]}", (theirs[0],)
        conflicts.append(
            Conflict(ConflictKind.BOTH_RENAMED, ours[0], base[1], ours[1], theirs[1], note=note, also=also)
        )
        yield replace(both, theirs=False)
        other = replace(both, path=theirs[0], ours=False)
        if both.conflict is not None:
            other.conflict = replace(both.conflict, path=theirs[0])
            if not both.conflict.regions:
                other.entry, other.conflict = theirs[1], None  # whole files: each has its own
        yield other

    def _one_sided(self, unit: _Unit) -> Iterator[_Made]:
        base, ours, theirs = unit
        left = ours or theirs
        assert left is not None
        made = _Made(left[0], left[1], ours is not None, theirs is not None)
        if base is not None:
            if left == base:
                return  # the other side deleted it
            kind = ConflictKind.DELETED_BY_US if ours is None else ConflictKind.DELETED_BY_THEM
            note = f"was {base[0]}" if left[0] != base[0] else ""
            entries = ours and ours[1], theirs and theirs[1]
            made.conflict = Conflict(kind, left[0], base[1], *entries, note=note)
        yield made

    def _content(
        self, path: str, base: tuple[str, TreeEntry] | None, ours: tuple[str, TreeEntry], theirs: tuple[str, TreeEntry]
    ) -> _Made:
        """Returns one file of three versions, of which two or three are there."""
        b, o, t = base and base[1], ours[1], theirs[1]
        made = _Made(path, o, True, True)
        if o == t or b == t:
            return made
        if b == o:
            made.entry = t
            return made
        kind = ConflictKind.BOTH_MODIFIED if b else ConflictKind.BOTH_ADDED
        if (o.mode == Mode.SYMLINK) != (t.mode == Mode.SYMLINK):
            if self.words.favour is None:
                self.apart[path] = Conflict(ConflictKind.OTHER_KIND, path, b, o, t)
            return self._favoured(made, t)
        mode = t.mode if b is not None and o.mode == b.mode else o.mode
        if o.oid == t.oid or (b is not None and b.oid in (o.oid, t.oid)):
            made.entry = TreeEntry(mode, t.oid if b is not None and b.oid == o.oid else o.oid)
            return made
        if (why := self._whole(o, t, b)) is not None:
            made.conflict = Conflict(kind, path, b, o, t, note=f"{why}, left as ours has it")
            return self._favoured(made, t)
        texts = [get_blob(self.objects, each.oid) if each and each.mode != Mode.SYMLINK else b"" for each in (b, o, t)]
        labels = self.words.labels
        if len({ours[0], theirs[0]}) > 1:
            labels = replace(labels, ours=f"{labels.ours}:{ours[0]}", theirs=f"{labels.theirs}:{theirs[0]}")
        text = merge_texts(*texts, labels=labels, favour=self.words.favour, marker_size=self.words.marker_size)
        made.entry = TreeEntry(mode, put_blob(self.objects, text.data))
        if text.conflicts:
            regions = tuple((each.first, each.last) for each in text.conflicts)
            made.conflict = Conflict(kind, path, b, o, t, regions)
        return made

    def _favoured(self, made: _Made, theirs: TreeEntry) -> _Made:
        """Returns a file that cannot be merged as the favoured side has it, if one is."""
        if self.words.favour in (Favour.OURS, Favour.THEIRS):
            made.conflict = None
            made.entry = theirs if self.words.favour is Favour.THEIRS else made.entry
        return made

    def _whole(self, *entries: TreeEntry | None) -> str | None:
        """Returns why files cannot be merged by lines, or None."""
        there = [entry for entry in entries if entry is not None]
        if there[0].mode == Mode.SYMLINK:
            return "a symlink"
        if any(blob_size(self.objects, entry.oid) > MAX_TEXT_BYTES for entry in there):
            return "too large to merge by lines"
        if any(is_binary(get_blob(self.objects, entry.oid)) for entry in there):
            return "binary"
        return None

    def _meet(self, one: _Made, other: _Made) -> _Made:
        """Returns what stands at a path to which two files have come."""
        first, second = (one, other) if one.ours else (other, one)
        made = self._content(one.path, None, (one.path, first.entry), (one.path, second.entry))
        if made.conflict is None:
            made.conflict = first.conflict or second.conflict
        return made

    def _lay_apart(self, placed: dict[str, _Made], stays: Callable[[str], bool]) -> Iterator[Conflict]:
        """Puts theirs of files that are of another kind there beside ours, and yields the conflicts."""
        for path, conflict in self.apart.items():
            if conflict.theirs is None:
                continue
            name = free_name(path, self.words.labels.theirs, lambda name: name in placed or stays(name))
            placed[name] = _Made(name, conflict.theirs, False, True)
            yield replace(conflict, note=f"theirs is {name}", also=(name,))

    def _separate(self, placed: dict[str, _Made], stays: Callable[[str], bool]) -> None:
        """Gives files that lie where a folder is due another name."""
        folders = {folder for path in placed for folder in parents(path)}
        for path in [path for path in placed if path in folders]:
            made = placed.pop(path)
            side = self.words.labels.ours if made.ours else self.words.labels.theirs
            made.path = free_name(path, side, lambda name: name in placed or stays(name))
            entries = (made.entry, None) if made.ours else (None, made.entry)
            note = f"was {path}, which is a folder on the other side"
            made.conflict = made.conflict or Conflict(ConflictKind.FILE_AND_FOLDER, made.path, None, *entries)
            made.conflict = replace(made.conflict, path=made.path, kind=ConflictKind.FILE_AND_FOLDER, note=note)
            placed[made.path] = made


def free_name(path: str, side: str, taken: Callable[[str], bool]) -> str:
    """Returns `path~side`, with a number behind it if that is taken."""
    word = "".join("_" if c in "/\\:\0" or not c.isprintable() else c for c in side.partition(" ")[0]) or "other"
    name, number = f"{path}~{word}", 0
    while taken(name):
        name, number = f"{path}~{word}_{number}", number + 1
    return name


def _is_file(entry: TreeEntry | None) -> bool:
    return entry is None or entry.mode != Mode.SYMLINK


def _now(path: str, base: TreeEntry, side: Changes, moved: dict[str, str]) -> tuple[str, TreeEntry] | None:
    """Returns where and what a file of the base is on one side."""
    if path not in side:
        return path, base
    entry = side[path][1]
    if entry is None and path in moved:
        path = moved[path]
        entry = side[path][1]
    return None if entry is None else (path, entry)
