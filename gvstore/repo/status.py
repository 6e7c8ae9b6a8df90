"""The work tree beside HEAD."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.objects.blob import blob_oid
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.repo.checkout import Mark
from gvstore.repo.files import Files
from gvstore.repo.scan import Skipped

if TYPE_CHECKING:
    from gvstore.repo.conclude import Left
    from gvstore.repo.pending import Pending

_EMPTY = blob_oid(b"")


@dataclass(frozen=True, slots=True)
class Status:
    """How the work tree differs from HEAD; paths are sorted.

    `renamed` holds (old, new) of files that moved with their content
    unchanged; they are in neither `added` nor `deleted`.  `mark` tells of an
    unfinished checkout, or of a run's code laid over the work tree, `pending` of
    an unfinished merge, revert or cherry-pick, whose conflicts are `undecided`.
    """

    branch: str | None
    head: ObjectId | None
    added: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    skipped: tuple[Skipped, ...]
    mark: Mark | None
    pending: Pending | None = None
    undecided: tuple[Left, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the work tree is as HEAD has it."""
        return not (self.added or self.modified or self.deleted or self.renamed)


@dataclass(frozen=True, slots=True)
class FileChanges:
    """How two lists of files differ."""

    added: tuple[str, ...]
    modified: tuple[str, ...]
    deleted: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]


def changes(old: Mapping[str, TreeEntry], new: Files) -> FileChanges:
    """Returns how `new` differs from `old`.

    A file that is gone and one of the same content that has come are a
    rename; of several, the first by name of each.  Empty files and symlinks are too
    much alike to tell.
    """
    added = sorted(new.keys() - old.keys())
    deleted = sorted(old.keys() - new.keys())
    modified = sorted(path for path in new.keys() & old.keys() if new[path] != old[path])
    gone: dict[ObjectId, list[str]] = {}
    for path in reversed(deleted):
        if old[path].oid == _EMPTY or old[path].mode == Mode.SYMLINK:
            continue
        gone.setdefault(old[path].oid, []).append(path)
    renamed = []
    for path in added:
        if gone.get(new[path].oid):
            renamed.append((gone[new[path].oid].pop(), path))
    come, went = {path for _, path in renamed}, {path for path, _ in renamed}
    return FileChanges(
        tuple(path for path in added if path not in come),
        tuple(modified),
        tuple(path for path in deleted if path not in went),
        tuple(renamed),
    )
