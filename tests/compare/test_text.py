"""Texts: a diff holds both sides to the character."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.compare.text import (
    Hunk,
    Line,
    Side,
    SizeDiff,
    Span,
    TextDiff,
    diff_bytes,
    diff_lines,
    diff_words,
    is_binary,
    replaced_lines,
    sides,
)

texts = st.text(st.sampled_from("ab \n\r\x0cé"), max_size=40)


def side_of(lines: tuple[Line, ...], side: Side) -> str:
    return "".join(line.text + "\n" * line.ended for line in lines if line.side in (Side.BOTH, side))


@given(texts, texts, st.integers(0, 3))
def test_hunks_patch_the_old_into_the_new(old: str, new: str, context: int) -> None:
    """Hunks put in the place that their numbers say make the new text of the old one."""
    diff = diff_lines(old, new, context=context)
    rest = [line + "\n" for line in old.split("\n")]
    rest[-1] = rest[-1][:-1]
    rest = [line for line in rest if line]
    patched, at = "", 0
    for hunk in diff.hunks:
        start = hunk.old_line - bool(hunk.old_count)
        patched += "".join(rest[at:start]) + side_of(hunk.lines, Side.NEW)
        at = start + hunk.old_count

        assert side_of(hunk.lines, Side.OLD) == "".join(rest[start:at])
        assert patched.count("\n") - side_of(hunk.lines, Side.NEW).count("\n") + bool(hunk.new_count) == hunk.new_line
    patched += "".join(rest[at:])

    assert new == patched
    assert (old == new) == (diff.hunks == ())


@given(texts, texts)
def test_words_hold_both_texts(old: str, new: str) -> None:
    """Spans join to the old and to the new text, and no two neighbours are of one side."""
    spans = diff_words(old, new)

    assert (old, new) == sides(spans)
    assert (old == new) == all(span.side is Side.BOTH for span in spans)
    assert all(a.side is not b.side for a, b in pairwise(spans))


def test_a_hunk_as_git_has_it() -> None:
    """Three lines around, lines counted from 1, both counts told."""
    old = "".join(f"{n}\n" for n in range(1, 21))
    diff = diff_lines(old, old.replace("10\n", "ten\n").replace("20\n", "20"))
    first, second = diff.hunks

    assert (7, 7, 7, 7) == (first.old_line, first.old_count, first.new_line, first.new_count)
    assert [" 7", " 8", " 9", "-10", "+ten", " 11", " 12", " 13"] == [marked(line) for line in first.lines]
    assert (17, 4) == (second.old_line, second.old_count)
    assert [Line(Side.OLD, "20"), Line(Side.NEW, "20", False)] == list(second.lines[-2:])
    assert (2, 2) == (diff.added, diff.removed)
    assert [("10", "ten")] == list(replaced_lines(first))


def marked(line: Line) -> str:
    return {Side.BOTH: " ", Side.OLD: "-", Side.NEW: "+"}[line.side] + line.text


def test_from_nothing_and_to_nothing() -> None:
    """An empty side has no lines, and its number is that of the line before."""

    assert TextDiff((), 0, 0) == diff_lines("", "")
    assert (Hunk(0, 0, 1, 1, (Line(Side.NEW, "a"),)),) == diff_lines("", "a\n").hunks
    assert (Hunk(1, 1, 0, 0, (Line(Side.OLD, "a", False),)),) == diff_lines("a", "").hunks


def test_words_that_changed_together_are_one_piece() -> None:
    """A blank between changed words does not comb them; what stays is whole."""

    assert (
        Span(Side.BOTH, "an "),
        Span(Side.OLD, "old grey otter"),
        Span(Side.NEW, "young red fox"),
        Span(Side.BOTH, " swims."),
    ) == diff_words("an old grey otter swims.", "an young red fox swims.")


@pytest.mark.parametrize(
    ("data", "binary"),
    [
        (b"", False),
        (b"abc\n", False),
        (b"a\0b", True),
        ("é".encode() * 50, False),
        (b"\xe9t\xe9", False),
        (bytes(range(128, 256)) * 4, True),
    ],
)
def test_binary(data: bytes, binary: bool) -> None:
    """NUL, or much that is no UTF-8; a word of another encoding is a text still."""

    assert binary is is_binary(data)


def test_bytes_that_are_no_text_are_told_by_size() -> None:
    """Binary and very large contents are summarised; everything else is a diff by lines."""

    assert SizeDiff(3, 1, True) == diff_bytes(b"a\0b", b"a")
    assert SizeDiff(1, 9 << 20, False) == diff_bytes(b"a", b"a" * (9 << 20))
    assert isinstance(diff_bytes(b"\xe9", b"\xe8"), TextDiff)
