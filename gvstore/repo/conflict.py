"""What a merge could not decide: by file, and by part of a named value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import TreeEntry


class ConflictKind(StrEnum):
    """What happened on the two sides; git's words, as `git status` has them."""

    BOTH_MODIFIED = "both modified"
    BOTH_ADDED = "both added"
    DELETED_BY_US = "deleted by us"
    DELETED_BY_THEM = "deleted by them"
    BOTH_RENAMED = "both renamed"
    """Each side gave the file another name."""
    OTHER_KIND = "other kind"
    """A file on one side is a symlink on the other."""
    FILE_AND_FOLDER = "file and folder"
    """A file on one side is a folder on the other: the file has another name now."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that the merge could not make; the three are what base, ours and theirs have, None where a side lacks it.

    `regions` are the lines (from 1) of the first and last marker of each conflict in the text that was written;
    without them the file was left whole, as `note` says.  `also` are other files that the decision is about.
    """

    kind: ConflictKind
    path: str
    base: TreeEntry | None = None
    ours: TreeEntry | None = None
    theirs: TreeEntry | None = None
    regions: tuple[tuple[int, int], ...] = ()
    note: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueConflict:
    """A named value that both sides changed, with the paths within it; ours was kept there."""

    name: str
    paths: tuple[str, ...]
    base: ObjectId | None
    ours: ObjectId | None
    theirs: ObjectId | None
