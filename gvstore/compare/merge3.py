"""Three versions of a text made one: what either side changed since the base, line by line.

What only one side changed is taken; what both changed alike, once; what they
changed differently is a conflict, shown in place between markers.  A conflict is
cut down to the lines in which the sides differ, and conflicts with at most three
lines between them are joined.  The text is bytes, a line ends with "\\n", and
"\\r" is a part of it.

Source: git, xdiff/xmerge.c, at the level that `git merge` uses (zealous).
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from gvstore.compare.edits import Edit, edits

MARKER_SIZE: Final = 7
_JOINED_LINES = 3


class Favour(StrEnum):
    """Whose lines are taken where both sides changed them."""

    OURS = "ours"
    THEIRS = "theirs"
    UNION = "union"
    """Both, ours first."""


@dataclass(frozen=True, slots=True)
class Labels:
    """What the markers call the versions; with `base` the base's lines are shown too."""

    ours: str = "ours"
    theirs: str = "theirs"
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """Where a conflict stands in the merged text: the lines of its first and last marker, counted from 1."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class MergedText:
    """The merged text, and the conflicts that it shows."""

    data: bytes
    conflicts: tuple[Region, ...]


class Take(StrEnum):
    """What a stretch that changed becomes."""

    OURS = "ours"
    THEIRS = "theirs"
    SAME = "same"
    BOTH = "both"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch that changed: where in each version, and whose lines it gets."""

    take: Take
    base: int
    base_end: int
    ours: int
    ours_end: int
    theirs: int
    theirs_end: int


def merge_texts(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    *,
    labels: Labels = Labels(),
    favour: Favour | None = None,
    marker_size: int = MARKER_SIZE,
) -> MergedText:
    """Returns `ours` with what `theirs` changed since `base`; where both changed the same lines, as `favour` says, or both between markers."""
    if ours == theirs or base == theirs:
        return MergedText(ours, ())
    if base == ours:
        return MergedText(theirs, ())
    texts = _Texts(*(split_lines(each) for each in (base, ours, theirs)))
    pieces = three_way(texts.base, texts.ours, texts.theirs)
    if labels.base is None:
        pieces = _joined([part for piece in pieces for part in _refined(piece, texts)])
    if favour is not None:
        take = {Favour.OURS: Take.OURS, Favour.THEIRS: Take.THEIRS, Favour.UNION: Take.BOTH}[favour]
        pieces = [replace(piece, take=take) if piece.take is Take.CONFLICT else piece for piece in pieces]
    return _Writing(texts, labels, marker_size).write(pieces)


def three_way(base: Sequence[Hashable], ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> list[Piece]:
    """Returns what changed, in order: each edit of one side, and as one piece those of both that touch."""
    return _pieces(edits(base, ours), edits(base, theirs), ours, theirs)


def split_lines(data: bytes) -> list[bytes]:
    """Returns the lines with their ends; the last may have none."""
    lines = data.split(b"\n")
    last = lines.pop()
    ended = [line + b"\n" for line in lines]
    return [*ended, last] if last else ended


@dataclass(frozen=True, slots=True)
class _Texts:
    base: list[bytes]
    ours: list[bytes]
    theirs: list[bytes]


def _pieces(
    ours: Sequence[Edit], theirs: Sequence[Edit], our: Sequence[Hashable], their: Sequence[Hashable]
) -> list[Piece]:
    found: list[Piece] = []
    x = y = 0
    while x < len(ours) or y < len(theirs):
        one = ours[x] if x < len(ours) else None
        other = theirs[y] if y < len(theirs) else None
        if one is not None and (other is None or one.old_end < other.old):
            shift = theirs[y - 1].new_end - theirs[y - 1].old_end if y else 0
            at, end = one.old + shift, one.old_end + shift
            _add(found, Piece(Take.OURS, one.old, one.old_end, one.new, one.new_end, at, end))
            x += 1
        elif other is not None and (one is None or other.old_end < one.old):
            shift = ours[x - 1].new_end - ours[x - 1].old_end if x else 0
            at, end = other.old + shift, other.old_end + shift
            _add(found, Piece(Take.THEIRS, other.old, other.old_end, at, end, other.new, other.new_end))
            y += 1
        elif one is not None and other is not None:
            if not _alike(one, other, our, their):
                _add(found, _both(one, other))
            one_ends = one.old_end
            if one_ends <= other.old_end:
                x += 1
            if one_ends >= other.old_end:
                y += 1
    return found


def _alike(one: Edit, other: Edit, our: Sequence[Hashable], their: Sequence[Hashable]) -> bool:
    """Returns whether both sides made the same edit."""
    same_place = (one.old, one.old_size) == (other.old, other.old_size)
    return same_place and our[one.new : one.new_end] == their[other.new : other.new_end]


def _both(one: Edit, other: Edit) -> Piece:
    """Returns the stretch that two edits cover together."""
    start, end = min(one.old, other.old), max(one.old_end, other.old_end)
    return Piece(
        Take.CONFLICT,
        start,
        end,
        one.new - (one.old - start),
        one.new_end + (end - one.old_end),
        other.new - (other.old - start),
        other.new_end + (end - other.old_end),
    )


def _add(found: list[Piece], piece: Piece) -> None:
    """Adds a piece; one that touches the last on either side is joined with it."""
    last = found[-1] if found else None
    if last is None or not (piece.ours <= last.ours_end or piece.theirs <= last.theirs_end):
        found.append(piece)
        return
    take = last.take if last.take is piece.take else Take.CONFLICT
    found[-1] = replace(last, take=take, base_end=piece.base_end, ours_end=piece.ours_end, theirs_end=piece.theirs_end)


def _refined(piece: Piece, texts: _Texts) -> list[Piece]:
    """Returns the parts of a conflict in which the sides differ."""
    if piece.take is not Take.CONFLICT or piece.ours == piece.ours_end or piece.theirs == piece.theirs_end:
        return [piece]
    differing = edits(texts.ours[piece.ours : piece.ours_end], texts.theirs[piece.theirs : piece.theirs_end])
    if not differing:
        return [replace(piece, take=Take.SAME)]
    return [
        replace(
            piece,
            ours=piece.ours + each.old,
            ours_end=piece.ours + each.old_end,
            theirs=piece.theirs + each.new,
            theirs_end=piece.theirs + each.new_end,
        )
        for each in differing
    ]


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Returns the pieces, conflicts with few lines between them made one."""
    found: list[Piece] = []
    for piece in pieces:
        last = found[-1] if found else None
        if (
            last is not None
            and last.take is piece.take is Take.CONFLICT
            and piece.ours - last.ours_end <= _JOINED_LINES
        ):
            found[-1] = replace(last, ours_end=piece.ours_end, theirs_end=piece.theirs_end)
        else:
            found.append(piece)
    return found


class _Writing:
    """The merged text being put together."""

    def __init__(self, texts: _Texts, labels: Labels, marker_size: int) -> None:
        self._texts, self._labels, self._size = texts, labels, marker_size
        self._lines: list[bytes] = []
        self._conflicts: list[Region] = []

    def write(self, pieces: Sequence[Piece]) -> MergedText:
        """Returns the text: ours, but for the pieces."""
        at = 0
        ours, theirs = self._texts.ours, self._texts.theirs
        for piece in pieces:
            if piece.take is Take.SAME:
                continue
            self._lines += ours[at : piece.ours]
            if piece.take is Take.CONFLICT:
                self._conflict(piece)
            if piece.take in (Take.OURS, Take.BOTH):
                self._lines += ours[piece.ours : piece.ours_end]
            if piece.take is Take.BOTH:
                self._end_line(self._line_end(piece))
            if piece.take in (Take.THEIRS, Take.BOTH):
                self._lines += theirs[piece.theirs : piece.theirs_end]
            at = piece.ours_end
        self._lines += ours[at:]
        return MergedText(b"".join(self._lines), tuple(self._conflicts))

    def _conflict(self, piece: Piece) -> None:
        end = self._line_end(piece)
        first = len(self._lines) + 1
        texts, labels = self._texts, self._labels
        self._marker(b"<", labels.ours, end)
        self._lines += texts.ours[piece.ours : piece.ours_end]
        if labels.base is not None:
            self._marker(b"|", labels.base, end)
            self._lines += texts.base[piece.base : piece.base_end]
        self._marker(b"=", "", end)
        self._lines += texts.theirs[piece.theirs : piece.theirs_end]
        self._marker(b">", labels.theirs, end)
        self._conflicts.append(Region(first, len(self._lines)))

    def _marker(self, sign: bytes, label: str, end: bytes) -> None:
        self._end_line(end)
        text = f" {label}".encode("utf-8", "surrogateescape") if label else b""
        self._lines.append(sign * self._size + text + end)

    def _end_line(self, end: bytes) -> None:
        """Ends the last line, if it lacks its end."""
        if self._lines and not self._lines[-1].endswith(b"\n"):
            self._lines[-1] += end

    def _line_end(self, piece: Piece) -> bytes:
        """Returns how lines end around a piece: as the line before it, or the first one of either side."""
        ours, theirs = self._texts.ours, self._texts.theirs
        before = ours[piece.ours - 1 : piece.ours] if piece.ours else ours[:1]
        for line in (*before, *theirs[:1]):
            if line.endswith(b"\n"):
                return b"\r\n" if line.endswith(b"\r\n") else b"\n"
        return b"\n"
