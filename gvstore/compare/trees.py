"""How two folders differ, as trees of objects: file by file, equal sub-folders never read.

A file that is gone here and came there with the same content was renamed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, Tree, TreeEntry


class FileChange(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    DELETED = "deleted"
    MODIFIED = "modified"
    MODE = "mode"
    """Only what it is changed: executable or not, a file or a link."""
    RENAMED = "renamed"


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file that differs; `old_path` is `path` but for renames, and a side that is not there is None."""

    change: FileChange
    path: str
    old_path: str
    old: TreeEntry | None
    new: TreeEntry | None


def diff_trees(
    reader: ObjectReader, old: ObjectId | None, new: ObjectId | None, *, renames: bool = True
) -> tuple[FileDiff, ...]:
    """Returns the files that differ between two trees, None being an empty one, sorted by path.

    Paths have slashes.  With `renames`, files of one content that moved are joined.  A folder that became a file is its files deleted and the file added.

    Raises:
        ObjectMissing, CorruptObject: a tree that differs cannot be read.
    """
    found = sorted(_changes(reader, old, new), key=lambda diff: diff.path)
    return find_renames(found) if renames else tuple(found)


def find_renames(diffs: list[FileDiff]) -> tuple[FileDiff, ...]:
    """Returns the differences with deleted and added files of one content and mode joined, the first with the first.

    Empty files are left alone: that two of them are equal says nothing.
    """
    gone: dict[TreeEntry, list[FileDiff]] = defaultdict(list)
    for diff in diffs:
        if diff.change is FileChange.DELETED and diff.old is not None:
            gone[diff.old].append(diff)
    kept: list[FileDiff] = []
    moved: set[str] = set()
    for diff in diffs:
        if diff.change is FileChange.ADDED and diff.new is not None and diff.new.oid != _EMPTY and gone.get(diff.new):
            source = gone[diff.new].pop(0)
            moved.add(source.path)
            kept.append(FileDiff(FileChange.RENAMED, diff.path, source.path, source.old, diff.new))
        else:
            kept.append(diff)
    return tuple(diff for diff in kept if not (diff.change is FileChange.DELETED and diff.path in moved))


_EMPTY = ObjectId.of(b"b")


def _changes(reader: ObjectReader, old: ObjectId | None, new: ObjectId | None) -> Iterator[FileDiff]:
    todo: list[tuple[str, ObjectId | None, ObjectId | None]] = [("", old, new)]
    while todo:
        folder, a, b = todo.pop()
        if a == b:
            continue
        before = Tree.get(reader, a).entries if a is not None else {}
        after = Tree.get(reader, b).entries if b is not None else {}
        for name in before.keys() | after.keys():
            one, other = before.get(name), after.get(name)
            if one == other:
                continue
            path = folder + name
            sub_a = one.oid if one is not None and one.mode is Mode.FOLDER else None
            sub_b = other.oid if other is not None and other.mode is Mode.FOLDER else None
            if sub_a is not None or sub_b is not None:
                todo.append((path + "/", sub_a, sub_b))
            yield from _file(path, None if sub_a is not None else one, None if sub_b is not None else other)


def _file(path: str, old: TreeEntry | None, new: TreeEntry | None) -> Iterator[FileDiff]:
    if old is None and new is not None:
        yield FileDiff(FileChange.ADDED, path, path, None, new)
    elif old is not None and new is None:
        yield FileDiff(FileChange.DELETED, path, path, old, None)
    elif old is not None and new is not None:
        yield FileDiff(FileChange.MODE if old.oid == new.oid else FileChange.MODIFIED, path, path, old, new)
