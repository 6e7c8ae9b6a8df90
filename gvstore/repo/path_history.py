"""The history of paths: which commits changed a file or folder, and by what name it went before.

    o--o--A--M--B      B changed agent.py, M merged a line that did not touch it:
        \\---o-/       B and A are given, the other line is not gone into

A commit counts where the path is another than in each parent that was gone to.  Of a merge that has it from one
parent unchanged, only that parent is gone to: as git simplifies histories.
Per commit the trees on the way to the path are read, and of these only what
no commit before had; whole trees only where the path appears, to find what it was renamed from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gvstore.compare.similar import TOO_LARGE_BYTES, find_similar
from gvstore.compare.trees import FileChange, FileDiff, diff_trees
from gvstore.errors import Corrupt
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import EntryFinder, Mode, TreeEntry
from gvstore.repo.history import Commits
from gvstore.repo.path import under

_Found = tuple[TreeEntry | None, ...]


class PathHistory:
    """What `history.log` asks which parents to go to (`parents`), and its reader which commits count (`changed`).

    With `follow`, a single path is followed to the names that it had before.  `commits` are shared with the walk.
    """

    def __init__(
        self, reader: ObjectReader, paths: Sequence[str], *, follow: bool = True, first_parent: bool = False, commits: Commits | None = None
    ) -> None:
        self._reader, self._paths = reader, tuple(paths)
        self._follow, self._first_parent = follow and len(self._paths) == 1 and self._paths != ("",), first_parent
        self._names: dict[ObjectId, tuple[str, ...]] = {}
        self._changed: dict[ObjectId, bool] = {}
        self._commits = commits if commits is not None else Commits(reader)
        self._finder = EntryFinder(reader)

    def parents(self, oid: ObjectId, commit: Commit) -> tuple[ObjectId, ...]:
        """Returns the parents that have part in the paths' history."""
        names = self.names(oid)
        now = self._at(commit.tree, names)
        if not commit.parents:
            self._changed[oid] = any(entry is not None for entry in now)
            return ()
        wanted = commit.parents[:1] if self._first_parent else commit.parents
        for parent in wanted:
            if self._at(self._tree(parent), names) == now:
                self._changed[oid] = False
                self._names.setdefault(parent, names)
                return (parent,)
        self._changed[oid] = True
        for parent in wanted:
            self._names.setdefault(parent, self._before(commit.tree, self._tree(parent), names, now))
        return wanted

    def names(self, oid: ObjectId) -> tuple[str, ...]:
        """Returns what the paths are called in a commit that was met."""
        return self._names.get(oid, self._paths)

    def changed(self, oid: ObjectId) -> bool:
        """Returns whether a commit that was met changed one of the paths."""
        return self._changed[oid]

    def _before(self, tree: ObjectId, parent: ObjectId, names: tuple[str, ...], now: _Found) -> tuple[str, ...]:
        """Returns the names in a parent: another where the path came there by a rename."""
        if not self._follow or now[0] is None or self._at(parent, names)[0] is not None:
            return names
        old = renamed_from(self._reader, parent, tree, names[0], folder=now[0].mode == Mode.FOLDER)
        return names if old is None else (old,)

    def _tree(self, oid: ObjectId) -> ObjectId:
        return self._commits[oid].tree

    def _at(self, tree: ObjectId, paths: tuple[str, ...]) -> _Found:
        return tuple(self._finder.find(tree, path) for path in paths)


def renamed_from(reader: ObjectReader, old: ObjectId, new: ObjectId, path: str, *, folder: bool) -> str | None:
    """Returns what was `path` in the tree `old`, where it came to `new` by a rename; of a folder, where most of its files were."""
    found = find_similar(diff_trees(reader, old, new), lambda diff: _content(reader, diff))
    moves = [diff for diff in found if diff.change is FileChange.RENAMED and under(diff.path, [path])]
    if not folder:
        return next((diff.old_path for diff in moves), None)
    votes: Counter[str] = Counter()
    for diff in moves:
        rest = diff.path[len(path) :]
        if diff.old_path.endswith(rest):
            votes[diff.old_path[: -len(rest)]] += 1
    return min(votes, key=lambda each: (-votes[each], each), default=None)


def _content(reader: ObjectReader, diff: FileDiff) -> bytes | None:
    entry = diff.old or diff.new
    try:
        return None if entry is None or blob_size(reader, entry.oid) > TOO_LARGE_BYTES else get_blob(reader, entry.oid)
    except Corrupt:
        return None
