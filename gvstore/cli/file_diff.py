"""Files that differ, as a unified diff: what `patch` and every reader of diffs understands.

Source: POSIX, diff -u; GNU diffutils for the line "\\ No newline at end of file".
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from gvstore import fs
from gvstore.cli import units
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.compare.similar import TOO_LARGE_BYTES as SIMILAR_BYTES
from gvstore.compare.similar import find_similar, similarity
from gvstore.compare.text import TOO_LARGE_BYTES, Blanks, Hunk, Line, Side, SizeDiff, TextDiff, diff_bytes, diff_words
from gvstore.compare.trees import FileChange, FileDiff, find_renames
from gvstore.objects.blob import blob_size, get_blob
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tree import Mode, TreeEntry
from gvstore.odb.fault import Forgotten
from gvstore.repo.fault import printable

_BITS = {"file": "100644", "executable": "100755", "symlink": "120000", "folder": "040000"}
_LETTER = {"added": "A", "deleted": "D", "modified": "M", "mode": "M", "renamed": "R"}
_ROLE = {"added": "added", "deleted": "removed", "modified": "changed", "mode": "changed", "renamed": "changed"}
_SIGN = {Side.BOTH: " ", Side.OLD: "-", Side.NEW: "+"}
_SIDE_ROLE = {Side.OLD: "removed", Side.NEW: "added"}


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """How files are compared and shown: lines of context, which blanks count, renames, and changes by words within lines."""

    context: int = 3
    blanks: Blanks = Blanks.COUNT
    renames: bool = True
    words: bool = False


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


def differing_files(
    old: Mapping[str, TreeEntry], new: Mapping[str, TreeEntry], *, renames: bool = True
) -> tuple[FileDiff, ...]:
    """Returns how two lists of files differ, sorted by path; with `renames`, files of one content that moved are joined."""
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
    return find_renames(found) if renames else tuple(found)


def changed_files(
    found: Iterable[FileDiff], old: Content, new: Content, options: DiffOptions = DiffOptions()
) -> tuple[ChangedFile, ...]:
    """Returns the files with their contents compared; those that moved and were edited on the way are joined first."""
    diffs = tuple(found)
    if options.renames:
        diffs = find_similar(diffs, lambda diff: _content_of(diff, old, new))
    return tuple(changed_file(each, old, new, options) for each in diffs)


def _content_of(diff: FileDiff, old: Content, new: Content) -> bytes | None:
    side, entry = (old, diff.old) if diff.change is FileChange.DELETED else (new, diff.new)
    try:
        return None if entry is None or side.size_bytes(diff.path, entry) > SIMILAR_BYTES else side.read(diff.path, entry)
    except Forgotten:
        return None


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """One file that differs; `added_lines`, `removed_lines` and `hunks` are null for what is no text, or was `forgotten`, which then says when and by whom.

    `similarity` is how many percent a renamed file kept, null for others.
    """

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
    similarity: int | None = None

    @property
    def name(self) -> str:
        """The path, of a renamed file both."""
        moved = f"{printable(self.old_path)} → " if self.old_path and self.old_path != self.path else ""
        return moved + printable(self.path)

    def patch(self, paint: Paint, *, words: bool = False) -> Iterator[str]:
        """Yields the unified diff, which `git apply` and `patch` take; with `words` one for people, by words."""
        if {self.old_mode, self.new_mode} > {"symlink"} and None not in (self.old_mode, self.new_mode):
            yield from self._halves(paint, words=words)
            return
        a, b = f"a/{self.old_path or self.path}", f"b/{self.path}"
        yield paint("title", f"diff --git {quoted(a)} {quoted(b)}")
        yield from (paint("title", line) for line in self._header())
        if isinstance(self.diff, Gap):
            yield paint("warning", f"{self.change} {printable(self.path)}: it {self.diff.told}")
            return
        old = "/dev/null" if self.old_oid is None else quoted(a, closed=True)
        new = "/dev/null" if self.new_oid is None else quoted(b, closed=True)
        if isinstance(self.diff, SizeDiff):
            sizes = f"{units.size(self.diff.old_bytes)} → {units.size(self.diff.new_bytes)}"
            if self.old_oid != self.new_oid and self.diff.binary:  # git's line: `git apply` knows it
                yield paint("title", f"Binary files {old.rstrip()} and {new.rstrip()} differ")
            elif self.old_oid != self.new_oid:
                yield paint("title", f"Large files {old.rstrip()} and {new.rstrip()} differ: {sizes}")
        elif self.diff.hunks:
            yield paint("title", f"--- {old}")
            yield paint("title", f"+++ {new}")
            for hunk in self.diff.hunks:
                yield from word_lines(hunk, paint) if words else hunk_lines(hunk, paint)

    def _halves(self, paint: Paint, *, words: bool) -> Iterator[str]:
        """A file that became a symlink, or the other way round: one deleted, one added, as git has it."""
        for change, gone in (("deleted", True), ("added", False)):
            side = Side.OLD if gone else Side.NEW
            hunks = self.diff.hunks if isinstance(self.diff, TextDiff) else ()
            lines = tuple(line for hunk in hunks for line in hunk.lines if line.side in (side, Side.BOTH))
            lines = tuple(Line(side, line.text, line.ended) for line in lines)
            old, new = (1, 0) if gone else (0, 1)
            hunk = Hunk(old, len(lines) * old, new, len(lines) * new, lines)
            diff = TextDiff((hunk,) if lines else (), 0, 0) if isinstance(self.diff, TextDiff) else self.diff
            half = replace(self, change=change, old_path=None, diff=diff)
            half = replace(half, new_oid=None, new_mode=None) if gone else replace(half, old_oid=None, old_mode=None)
            yield from half.patch(paint, words=words)

    def _header(self) -> Iterator[str]:
        if self.old_mode is None or self.new_mode is None:
            word, mode = ("new", self.new_mode) if self.old_mode is None else ("deleted", self.old_mode)
            yield f"{word} file mode {_BITS[mode or 'file']}"
        elif self.old_mode != self.new_mode:
            yield f"old mode {_BITS[self.old_mode]}"
            yield f"new mode {_BITS[self.new_mode]}"
        if self.change == "renamed":
            yield f"similarity index {100 if self.similarity is None else self.similarity}%"
            yield f"rename from {quoted(self.old_path or '')}"
            yield f"rename to {quoted(self.path)}"

    @property
    def letter_of_change(self) -> str:
        """What happened to it, as git abbreviates it; T where a file became a symlink."""
        if self.change in ("modified", "mode") and "symlink" in (self.old_mode, self.new_mode) and self.old_mode != self.new_mode:
            return "T"
        return _LETTER[self.change]

    @property
    def role(self) -> str:
        """How that looks."""
        return _ROLE[self.change]


def changed_file(found: FileDiff, old: Content, new: Content, options: DiffOptions = DiffOptions()) -> ChangedFile:
    """Returns the file with its contents compared."""
    try:
        diff, alike = _compared(found, old, new, options)
    except Forgotten as e:
        diff, alike = Gap(e.told), None
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
        similarity=alike,
    )


def _compared(
    found: FileDiff, old: Content, new: Content, options: DiffOptions
) -> tuple[TextDiff | SizeDiff | Gap, int | None]:
    """Returns how the contents differ, and of a renamed file how many percent it kept."""
    renamed = found.change is FileChange.RENAMED
    if found.old is not None and found.new is not None and found.old.oid == found.new.oid:
        return TextDiff((), 0, 0), 100 if renamed else None
    sizes = (
        old.size_bytes(found.old_path, found.old) if found.old else 0,
        new.size_bytes(found.path, found.new) if found.new else 0,
    )
    if max(sizes) > TOO_LARGE_BYTES:
        return SizeDiff(sizes[0], sizes[1], False), None
    before = old.read(found.old_path, found.old) if found.old else b""
    after = new.read(found.path, found.new) if found.new else b""
    diff = diff_bytes(before, after, context=options.context, blanks=options.blanks)
    return diff, similarity(before, after) if renamed else None


def hunk_lines(hunk: Hunk, paint: Paint) -> Iterator[str]:
    """Yields a hunk as a unified diff has it."""
    yield paint("hunk", _head(hunk))
    for line in hunk.lines:
        text = f"{_SIGN[line.side]}{line.text}"
        role = _SIDE_ROLE.get(line.side)
        yield paint(role, text) if role else text
        if not line.ended:
            yield "\\ No newline at end of file"


def _head(hunk: Hunk) -> str:
    old = f"{hunk.old_line}" + ("" if hunk.old_count == 1 else f",{hunk.old_count}")
    new = f"{hunk.new_line}" + ("" if hunk.new_count == 1 else f",{hunk.new_count}")
    return f"@@ -{old} +{new} @@"


def word_lines(hunk: Hunk, paint: Paint) -> Iterator[str]:
    """Yields a hunk with what changed within its lines: `[-old-]{+new+}`."""
    yield paint("hunk", _head(hunk))
    texts: dict[Side, list[str]] = {Side.OLD: [], Side.NEW: []}
    for line in [*hunk.lines, None]:
        if line is not None and line.side is not Side.BOTH:
            texts[line.side].append(line.text)
            continue
        if texts[Side.OLD] or texts[Side.NEW]:
            yield from _by_words("\n".join(texts[Side.OLD]), "\n".join(texts[Side.NEW]), paint)
            texts = {Side.OLD: [], Side.NEW: []}
        if line is not None:
            yield line.text


def _by_words(old: str, new: str, paint: Paint) -> Iterator[str]:
    """Yields the lines of two texts as one; what only one of them has is marked, line by line."""
    marks = {Side.BOTH: ("", ""), Side.OLD: ("[-", "-]"), Side.NEW: ("{+", "+}")}
    text = ""
    for span in diff_words(old, new):
        opening, closing = marks[span.side]
        role = _SIDE_ROLE.get(span.side)
        for number, part in enumerate(span.text.split("\n")):
            if number:
                if text or span.side is Side.BOTH:
                    yield text
                text = ""
            if part:
                text += paint(role, f"{opening}{part}{closing}") if role else part
    if text:
        yield text


def quoted(path: str, *, closed: bool = False) -> str:
    """Returns a path as git writes it in a diff: in quotes with escapes where it has characters that would mislead a reader.

    `closed` is for the lines `---` and `+++`, where a tab ends a name that has blanks.

    Source: git, quote.c, quote_c_style; diff.c, emit_diff_symbol for the tab.
    """
    if any(c < " " or c in '"\\\x7f' or "\udc80" <= c <= "\udcff" for c in path):
        return '"' + "".join(map(_quoted_character, path)) + '"'
    return path + "\t" if closed and " " in path else path


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\v": "\\v", "\f": "\\f"}


def _quoted_character(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if "\udc80" <= c <= "\udcff":
        return f"\\{ord(c) - 0xDC00:03o}"
    return f"\\{ord(c):03o}" if c < " " or c == "\x7f" else c


def _mode_word(mode: Mode) -> str:
    return mode.name.lower()
