"""Trees as whole folders: from a path to its entry, and back.

`Files` is what checkout, status and commit reckon with: every file of a tree,
by its path.  Trees that differ in one place are compared without reading the
rest: equal oids are equal folders.  Trees that are read whole one after the other, as by
a checkout, are read once where they are equal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from weakref import WeakKeyDictionary

from gvstore.objects.fault import CorruptObject
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectStore, ObjectWriter
from gvstore.objects.tree import EntryFinder, Mode, Tree, TreeEntry

Files = dict[str, TreeEntry]
NO_FILES: Files = {}

MAX_DEPTH = 2000  # deeper than any path that a system takes: such a tree is an attack
MAX_FILES = 5_000_000
REMEMBERED = 300_000  # entries of folders that were read, some 200 bytes each

Level = Mapping[str, TreeEntry]


class _Read(dict[ObjectId, Level]):
    """The folders that were read from one database."""

    entries = 0


_read: WeakKeyDictionary[ObjectReader, _Read] = WeakKeyDictionary()


def read_files(reader: ObjectReader, tree: ObjectId | None, *, prefix: str = "") -> Files:
    """Returns every file of the tree, sorted by folder; `prefix` goes before each path.

    Raises:
        CorruptObject: a name has a slash or is empty, or the tree is without measure.
    """
    files: Files = {}
    for path, entry in _walk(partial(_remembered, reader), tree, prefix):
        files[path] = entry
        if len(files) > MAX_FILES:
            raise CorruptObject(tree, f"a tree of more than {MAX_FILES} files")
    return files


def iter_files(reader: ObjectReader, tree: ObjectId | None, *, prefix: str = "") -> Iterator[tuple[str, TreeEntry]]:
    """Yields (path, entry) of every file of the tree; None has none."""
    return _walk(partial(read_level, reader), tree, prefix)


def _walk(
    level: Callable[[ObjectId], Level], tree: ObjectId | None, prefix: str
) -> Iterator[tuple[str, TreeEntry]]:
    stack = [] if tree is None else [(prefix, tree, 0)]
    while stack:
        base, oid, depth = stack.pop()
        folders = []
        for name, entry in level(oid).items():
            if entry.mode == Mode.FOLDER:
                folders.append((f"{base}{name}/", entry.oid, depth + 1))
            else:
                yield base + name, entry
        if depth > MAX_DEPTH:
            raise CorruptObject(oid, f"folders more than {MAX_DEPTH} deep")
        stack.extend(reversed(folders))


def _remembered(reader: ObjectReader, tree: ObjectId) -> Level:
    """Returns one folder of a tree, perhaps as it was read before: what has this name never changes."""
    known = _read.setdefault(reader, _Read())
    level = known.get(tree)
    if level is None:
        level = read_level(reader, tree)
        if known.entries > REMEMBERED:
            known.clear()
            known.entries = 0
        known[tree] = level
        known.entries += len(level)
    return level


def read_level(reader: ObjectReader, tree: ObjectId) -> dict[str, TreeEntry]:
    """Returns one folder of a tree.

    Raises:
        CorruptObject: a name has a slash or is empty: it would be another path.
    """
    entries = Tree.get(reader, tree).entries
    for name in entries:
        if not name or "/" in name or "\0" in name:
            raise CorruptObject(tree, f"a tree names something {name!r}")
    return entries


def find(reader: ObjectReader, tree: ObjectId | None, path: str) -> TreeEntry | None:
    """Returns the file or folder at `path`, or None; "" is the tree itself."""
    return None if tree is None else EntryFinder(reader).find(tree, path)


def write_tree(writer: ObjectWriter, files: Mapping[str, TreeEntry]) -> ObjectId:
    """Returns the oid of the tree that holds these files, stored."""
    root: dict[str, dict[str, TreeEntry]] = {"": {}}
    for path, entry in files.items():
        folder, _, name = path.rpartition("/")
        level = root.get(folder)
        if level is None:
            level = root[folder] = {}
        level[name] = entry
    # Folders that hold only folders.
    for folder in list(root):
        while folder:
            folder = folder.rpartition("/")[0]
            if folder in root:
                break
            root[folder] = {}
    for folder in sorted(root, key=lambda each: each.count("/"), reverse=True):
        if folder:
            above, _, name = folder.rpartition("/")
            root[above][name] = TreeEntry(Mode.FOLDER, Tree(root.pop(folder)).put(writer))
    return Tree(root[""]).put(writer)


def differing(
    reader: ObjectReader, old: ObjectId | None, new: ObjectId | None
) -> dict[str, tuple[TreeEntry | None, TreeEntry | None]]:
    """Returns the paths whose files differ between two trees, sorted, with both entries; reads only what differs."""
    found: dict[str, tuple[TreeEntry | None, TreeEntry | None]] = {}
    stack: list[tuple[str, ObjectId | None, ObjectId | None]] = [("", old, new)]
    while stack:
        base, left_oid, right_oid = stack.pop()
        if left_oid == right_oid:
            continue
        left = read_level(reader, left_oid) if left_oid else {}
        right = read_level(reader, right_oid) if right_oid else {}
        for name in left.keys() | right.keys():
            before, after = left.get(name), right.get(name)
            if before == after:
                continue
            files = tuple(None if e is None or e.mode == Mode.FOLDER else e for e in (before, after))
            folders = tuple(e.oid if e is not None and e.mode == Mode.FOLDER else None for e in (before, after))
            if files != (None, None):
                found[base + name] = (files[0], files[1])
            if folders != (None, None):
                stack.append((f"{base}{name}/", folders[0], folders[1]))
    return dict(sorted(found.items()))


def patched(store: ObjectStore, tree: ObjectId | None, changes: Mapping[str, TreeEntry | None]) -> ObjectId:
    """Returns the tree with these files changed, or with None taken out, stored; reads and writes only what lies on their way.

    A folder that is left empty goes; a file takes the place of a folder, and a
    folder that of a file.
    """
    levels: dict[str, dict[str, TreeEntry | None]] = {"": {}}
    for path, entry in changes.items():
        folder, _, name = path.rpartition("/")
        levels.setdefault(folder, {})[name] = entry
        while folder:  # every folder on the way is written anew
            folder = folder.rpartition("/")[0]
            levels.setdefault(folder, {})
    old: dict[str, dict[str, TreeEntry]] = {}
    for folder in sorted(levels, key=lambda each: each.count("/") if each else -1):
        above, _, name = folder.rpartition("/")
        found = (TreeEntry(Mode.FOLDER, tree) if tree is not None else None) if not folder else old[above].get(name)
        old[folder] = read_level(store, found.oid) if found is not None and found.mode == Mode.FOLDER else {}
    for folder in sorted(levels, key=lambda each: each.count("/") if each else -1, reverse=True):
        wanted = levels[folder]
        left = {name: entry for name, entry in (old[folder] | wanted).items() if entry is not None}
        if not folder:
            return Tree(left).put(store)
        above, _, name = folder.rpartition("/")
        if left:
            levels[above][name] = TreeEntry(Mode.FOLDER, Tree(left).put(store))
        elif old[folder]:
            levels[above].setdefault(name, None)
    raise AssertionError
