"""Files that differ, as a unified diff: what `patch` and every reader of diffs understands.

Source: POSIX, diff -u; GNU diffutils for the line "\\ No newline at end of file".
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from gvstore import fs
from gvstore.cli import units
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.compare.text import TOO_LARGE_BYTES, Hunk, Side, SizeDiff, TextDiff, diff_bytes
from gvstore.compare.trees import FileChange, FileDiff, find_renames
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo.fault import printable

_LETTER = {"added": "A", "deleted": "D", "modified": "M", "mode": "M", "renamed": "R"}
_ROLE = {"added": "added", "deleted": "removed", "modified": "changed", "mode": "changed", "renamed": "changed"}
_SIGN = {Side.BOTH: " ", Side.OLD: "-", Side.NEW: "+"}
_SIDE_ROLE = {Side.OLD: "removed", Side.NEW: "added"}


class Content(Protocol):
    """Where the files of one side of a diff lie."""

    def size_bytes(self, path: str, entry: TreeEntry) -> int:
        """Returns how many bytes the file has."""
        ...

    def read(self, path: str, entry: TreeEntry) -> bytes:
        """Returns the file's bytes."""
        ...


class Stored:
    """Files among the objects."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    def size_bytes(self, path: str, entry: TreeEntry) -> int:
        """Returns how many bytes the file has."""
        return blob_size(self._reader, entry.oid)

    def read(self, path: str, entry: TreeEntry) -> bytes:
        """Returns the file's bytes."""
        return get_blob(self._reader, entry.oid)


class Lying:
    """Files that lie in the work tree."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def size_bytes(self, path: str, entry: TreeEntry) -> int:
        """Returns how many bytes the file has."""
        return (self._root / path).lstat().st_size

    def read(self, path: str, entry: TreeEntry) -> bytes:
        """Returns the file's bytes; of a symlink its target."""
        if entry.mode is Mode.SYMLINK:
            return os.fsencode((self._root / path).readlink())
        return fs.read_bytes(self._root / path)


@dataclass(frozen=True, slots=True)
class Gap:
    """Instead of a difference: the content of one side was forgotten, as `told` says."""

    told: str


def differing_files(old: Mapping[str, TreeEntry], new: Mapping[str, TreeEntry]) -> tuple[FileDiff, ...]:
    """Returns how two lists of files differ, sorted by path."""
    found = []
    for path in sorted(old.keys() | new.keys()):
        before, after = old.get(path), new.get(path)
        if before == after:
            continue
        if before is None or after is None:
            change = FileChange.ADDED if before is None else FileChange.DELETED
        else:
            change = FileChange.MODE if before.oid == after.oid else FileChange.MODIFIED
        found.append(FileDiff(change, path, path, before, after))
    return find_renames(found)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file that differs; `added_lines`, `removed_lines` and `hunks` are null for what is no text, or was `forgotten`, which then says when and by whom."""

    change: str
    path: str
    old_path: str | None
    old_oid: ObjectId | None
    new_oid: ObjectId | None
    old_mode: str | None
    new_mode: str | None
    added_lines: int | None
    removed_lines: int | None
    hunks: tuple[Hunk, ...] | None
    forgotten: str | None
    diff: TextDiff | SizeDiff | Gap = field(metadata=HIDDEN)

    @property
    def name(self) -> str:
        """The path, of a renamed file both."""
        moved = f"{printable(self.old_path)} → " if self.old_path and self.old_path != self.path else ""
        return moved + printable(self.path)

    def patch(self, paint: Paint) -> Iterator[str]:
        """Yields the unified diff."""
        old = "/dev/null" if self.old_oid is None else f"a/{printable(self.old_path or self.path)}"
        new = "/dev/null" if self.new_oid is None else f"b/{printable(self.path)}"
        if self.change in ("mode", "renamed") or (self.old_mode != self.new_mode and self.old_oid and self.new_oid):
            modes = f"  {self.old_mode} → {self.new_mode}" if self.old_mode != self.new_mode else ""
            yield paint("title", f"{self.change} {self.name}{modes}")
        if isinstance(self.diff, Gap):
            yield paint("warning", f"{self.change} {printable(self.path)}: it {self.diff.told}")
        elif isinstance(self.diff, SizeDiff):
            kind = "binary" if self.diff.binary else "large"
            sizes = f"{units.size(self.diff.old_bytes)} → {units.size(self.diff.new_bytes)}"
            yield paint("title", f"{kind} file {printable(self.path)} differs: {sizes}")
        elif self.diff.hunks:
            yield paint("title", f"--- {old}")
            yield paint("title", f"+++ {new}")
            for hunk in self.diff.hunks:
                yield from hunk_lines(hunk, paint)
        elif self.change in ("added", "deleted"):
            yield paint("title", f"{self.change} empty file {printable(self.path)}")

    def letter(self, paint: Paint) -> str:
        """Returns `M path`."""
        return f"{paint(_ROLE[self.change], _LETTER[self.change])} {self.name}"

    def stat(self, paint: Paint, width: int) -> str:
        """Returns ` path | +3 -1`, the path padded to `width`."""
        if isinstance(self.diff, Gap):
            what = paint("warning", self.diff.told)
        elif isinstance(self.diff, SizeDiff):
            what = f"{units.size(self.diff.old_bytes)} → {units.size(self.diff.new_bytes)}"
        else:
            what = paint("added", f"+{self.added_lines}") + " " + paint("removed", f"-{self.removed_lines}")
        return f" {self.name.ljust(width)} | {what}"


def changed_file(found: FileDiff, old: Content, new: Content) -> ChangedFile:
    """Returns the file with its contents compared."""
    diff = _diff(found, old, new)
    lines = (diff.added, diff.removed) if isinstance(diff, TextDiff) else (None, None)
    renamed = found.change is FileChange.RENAMED
    return ChangedFile(
        change=found.change.value,
        path=found.path,
        old_path=found.old_path if renamed else None,
        old_oid=found.old.oid if found.old else None,
        new_oid=found.new.oid if found.new else None,
        old_mode=_mode_word(found.old.mode) if found.old else None,
        new_mode=_mode_word(found.new.mode) if found.new else None,
        added_lines=lines[0],
        removed_lines=lines[1],
        hunks=diff.hunks if isinstance(diff, TextDiff) else None,
        forgotten=diff.told if isinstance(diff, Gap) else None,
        diff=diff,
    )


def _diff(found: FileDiff, old: Content, new: Content) -> TextDiff | SizeDiff | Gap:
    try:
        return _compared(found, old, new)
    except Forgotten as e:
        return Gap(e.told)


def _compared(found: FileDiff, old: Content, new: Content) -> TextDiff | SizeDiff:
    sizes = (
        old.size_bytes(found.old_path, found.old) if found.old else 0,
        new.size_bytes(found.path, found.new) if found.new else 0,
    )
    if max(sizes) > TOO_LARGE_BYTES:
        return SizeDiff(sizes[0], sizes[1], False)
    before = old.read(found.old_path, found.old) if found.old else b""
    return diff_bytes(before, new.read(found.path, found.new) if found.new else b"")


def stat_lines(files: tuple[ChangedFile, ...], paint: Paint) -> Iterator[str]:
    """Yields a line a file with how many lines came and went, and their sum."""
    width = max((len(file.name) for file in files), default=0)
    for file in files:
        yield file.stat(paint, width)
    added = sum(file.added_lines or 0 for file in files)
    removed = sum(file.removed_lines or 0 for file in files)
    yield f" {units.count(len(files), 'file')} changed, {added} added, {removed} removed"


def hunk_lines(hunk: Hunk, paint: Paint) -> Iterator[str]:
    """Yields a hunk as a unified diff has it."""
    old = f"{hunk.old_line}" + ("" if hunk.old_count == 1 else f",{hunk.old_count}")
    new = f"{hunk.new_line}" + ("" if hunk.new_count == 1 else f",{hunk.new_count}")
    yield paint("hunk", f"@@ -{old} +{new} @@")
    for line in hunk.lines:
        text = f"{_SIGN[line.side]}{printable_line(line.text)}"
        role = _SIDE_ROLE.get(line.side)
        yield paint(role, text) if role else text
        if not line.ended:
            yield "\\ No newline at end of file"


def printable_line(text: str) -> str:
    """Returns a line of a file without what would move a terminal's cursor; tabs stay."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character if 0xDC80 <= ord(character) <= 0xDCFF else repr(character)[1:-1]


def _mode_word(mode: Mode) -> str:
    return mode.name.lower()
