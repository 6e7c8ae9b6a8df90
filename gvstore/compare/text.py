"""How two texts differ: by lines in hunks, by words within a line; bytes that are no text by their size.

The results are data.  Joining the sides of a diff gives back the texts, to the
character: that is the law that the tests hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gvstore.compare.align import Match, align, gaps

TOO_LARGE_BYTES: Final = 8 << 20
"""Above this a file is told by its size: nobody reads such a diff."""

_PROBED_BYTES = 8000
_BLANKS = re.compile(r"\s+")
_WORDS = re.compile(r"\w+|[^\S\n]+|\n|[^\w\s]")


class Side(StrEnum):
    """To which text a piece belongs."""

    BOTH = "both"
    OLD = "old"
    NEW = "new"


class Blanks(StrEnum):
    """Whether blanks make lines differ."""

    COUNT = "count"
    AMOUNT = "amount"
    """How many there are does not count, nor any at the end: diff's -b."""
    NONE = "none"
    """No blank counts: diff's -w."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end; `ended` is False for a last line that lacks it."""

    side: Side
    text: str
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that changed, with their surroundings; numbers count from 1, as in a unified diff."""

    old_line: int
    old_count: int
    new_line: int
    new_count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class TextDiff:
    """How two texts differ; without hunks, not at all."""

    hunks: tuple[Hunk, ...]
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class SizeDiff:
    """What can be said of bytes that are no text, or too many."""

    old_bytes: int
    new_bytes: int
    binary: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text that only one side has, or both."""

    side: Side
    text: str


def diff_lines(old: str, new: str, *, context: int = 3, blanks: Blanks = Blanks.COUNT) -> TextDiff:
    """Returns the lines that differ, in hunks with `context` equal lines around them.

    Where blanks do not count, lines that differ in nothing else are shown as the new text has them.
    """
    a, b = _lines(old), _lines(new)
    matches = align(a, b) if blanks is Blanks.COUNT else align(*([_without_blanks(line, blanks) for line in each] for each in (a, b)))
    changes = list(gaps(matches, len(a), len(b)))
    groups: list[list[int]] = []
    for n, gap in enumerate(changes):
        if n and gap.old_from - changes[n - 1].old_to <= 2 * context:
            groups[-1].append(n)
        else:
            groups.append([n])
    hunks = []
    for group in groups:
        first, last = changes[group[0]], changes[group[-1]]
        lead = min(context, first.old_from)
        tail = min(context, len(a) - last.old_to)
        lines = [_line(Side.BOTH, text) for text in b[first.new_from - lead : first.new_from]]
        for n in group:
            gap = changes[n]
            if n != group[0]:
                lines += [_line(Side.BOTH, text) for text in b[changes[n - 1].new_to : gap.new_from]]
            lines += [_line(Side.OLD, text) for text in a[gap.old_from : gap.old_to]]
            lines += [_line(Side.NEW, text) for text in b[gap.new_from : gap.new_to]]
        lines += [_line(Side.BOTH, text) for text in b[last.new_to : last.new_to + tail]]
        old_count, new_count = last.old_to + tail - first.old_from + lead, last.new_to + tail - first.new_from + lead
        hunks.append(
            Hunk(
                first.old_from - lead + bool(old_count),
                old_count,
                first.new_from - lead + bool(new_count),
                new_count,
                tuple(lines),
            )
        )
    return TextDiff(
        tuple(hunks),
        sum(gap.new_to - gap.new_from for gap in changes),
        sum(gap.old_to - gap.old_from for gap in changes),
    )


def diff_words(old: str, new: str) -> tuple[Span, ...]:
    """Returns the pieces of two texts by words: old and new pieces are neighbours where one stands for the other.

    A blank between two changed words is taken as changed with them: so a new sentence is one piece, not a comb.
    """
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    matches = [m for m in align(a, b) if not _is_comb(m, a, b)]
    spans: list[Span] = []
    i = j = 0
    for gap in gaps(matches, len(a), len(b)):
        _add(spans, Side.BOTH, a[i : gap.old_from])
        _add(spans, Side.OLD, a[gap.old_from : gap.old_to])
        _add(spans, Side.NEW, b[gap.new_from : gap.new_to])
        i, j = gap.old_to, gap.new_to
    _add(spans, Side.BOTH, b[j:])
    return tuple(spans)


def diff_bytes(old: bytes, new: bytes, *, context: int = 3, blanks: Blanks = Blanks.COUNT) -> TextDiff | SizeDiff:
    """Returns how two files' contents differ: by lines when both are text."""
    binary = is_binary(old) or is_binary(new)
    if binary or len(old) > TOO_LARGE_BYTES or len(new) > TOO_LARGE_BYTES:
        return SizeDiff(len(old), len(new), binary)
    texts = (each.decode("utf-8", "surrogateescape") for each in (old, new))
    return diff_lines(*texts, context=context, blanks=blanks)


def is_binary(data: bytes) -> bool:
    """Returns whether a file is no text: a NUL near its beginning (git's rule), or much that is no UTF-8."""
    probe = data[:_PROBED_BYTES]
    if b"\0" in probe:
        return True
    strange = sum(0xDC80 <= ord(character) <= 0xDCFF for character in probe.decode("utf-8", "surrogateescape"))
    return strange > 4 and strange * 10 > len(probe)


def sides(spans: tuple[Span, ...]) -> tuple[str, str]:
    """Returns the two texts that a diff by words was made of."""
    old = "".join(span.text for span in spans if span.side is not Side.NEW)
    new = "".join(span.text for span in spans if span.side is not Side.OLD)
    return old, new


def _lines(text: str) -> list[str]:
    """Returns the lines with their ends; only "\\n" ends one, so that "\\r" and form feeds are content."""
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]


def _line(side: Side, text: str) -> Line:
    return Line(side, text[:-1], True) if text.endswith("\n") else Line(side, text, False)


def _without_blanks(line: str, blanks: Blanks) -> str:
    return "".join(line.split()) if blanks is Blanks.NONE else _BLANKS.sub(" ", line.rstrip())


def _is_comb(match: Match, a: list[str], b: list[str]) -> bool:
    """Returns whether two changed words have but a blank in common between them."""
    at_start = match.old == match.new == 0
    at_end = match.old + match.size == len(a) and match.new + match.size == len(b)
    return not (at_start or at_end or match.size > 1 or a[match.old] == "\n" or a[match.old].strip())


def _add(spans: list[Span], side: Side, words: list[str]) -> None:
    if words:
        spans.append(Span(side, "".join(words)))


def replaced_lines(hunk: Hunk) -> Iterator[tuple[str, str]]:
    """Yields (old, new) line pairs of a hunk where one line was put in another's place: what is worth a diff by words."""
    removed: list[str] = []
    added: list[str] = []
    for line in [*hunk.lines, Line(Side.BOTH, "")]:
        if line.side is Side.OLD:
            removed.append(line.text)
        elif line.side is Side.NEW:
            added.append(line.text)
        else:
            if len(removed) == len(added):
                yield from zip(removed, added, strict=True)
            removed, added = [], []
