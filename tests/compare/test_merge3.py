"""Merges of texts, beside git's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvstore.compare.edits import edits
from gvstore.compare.merge3 import Favour, Labels, merge_texts, split_lines

LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"c\n", b"\r\n"]), max_size=8)
ENDS = st.sampled_from([b"", b"a", b"b"])
TEXTS = st.builds(lambda lines, end: b"".join(lines) + end, LINES, ENDS)


@given(old=LINES, new=LINES)
def test_edits_make_the_new_text_of_the_old(old: list[bytes], new: list[bytes]) -> None:
    """What the edits leave out is equal on both sides, and no two of them touch on both."""
    found, i, j = edits(old, new), 0, 0
    for each in found:
        assert old[i : each.old] == new[j : each.new]
        assert each.old_size or each.new_size
        assert (i, j) == (0, 0) or each.old > i or each.new > j
        i, j = each.old_end, each.new_end
    assert old[i:] == new[j:]


@given(base=TEXTS, ours=TEXTS)
def test_a_side_that_changed_nothing_gives_way(base: bytes, ours: bytes) -> None:
    """The other side's text is taken, to the byte; a change that both made, once."""
    assert (ours, ()) == (merge_texts(base, ours, base).data, merge_texts(base, ours, base).conflicts)
    assert (ours, ()) == (merge_texts(base, base, ours).data, merge_texts(base, base, ours).conflicts)
    assert (ours, ()) == (merge_texts(base, ours, ours).data, merge_texts(base, ours, ours).conflicts)


@given(base=TEXTS, ours=TEXTS, theirs=TEXTS)
def test_conflicts_stand_where_they_are_told(base: bytes, ours: bytes, theirs: bytes) -> None:
    """Their lines are the markers; without conflicts there is none; a favoured side leaves none."""
    merged = merge_texts(base, ours, theirs, labels=Labels("OURS", "THEIRS"))
    lines = split_lines(merged.data)

    assert [b"<<<<<<< OURS"] * len(merged.conflicts) == [lines[each.first - 1].rstrip() for each in merged.conflicts]
    assert [b">>>>>>> THEIRS"] * len(merged.conflicts) == [lines[each.last - 1].rstrip() for each in merged.conflicts]
    assert len(merged.conflicts) == sum(line.startswith(b"<<<<<<< ") for line in lines)
    for favour in Favour:
        assert () == merge_texts(base, ours, theirs, favour=favour).conflicts


def git_merge(folder: Path, base: bytes, ours: bytes, theirs: bytes, *options: str) -> tuple[bool, bytes]:
    """Returns whether git finds no conflict, and what it writes."""
    for name, text in (("base", base), ("ours", ours), ("theirs", theirs)):
        (folder / name).write_bytes(text)
    words = ["git", "merge-file", "-p", "-L", "ours", "-L", "base", "-L", "theirs", *options, "ours", "base", "theirs"]
    done = subprocess.run(words, cwd=folder, capture_output=True, check=False)
    return done.returncode == 0, done.stdout


WHOLE = [f"line {n}\n".encode() for n in range(12)]
EDITS = st.lists(
    st.tuples(st.integers(0, 11), st.sampled_from([b"", b"x\n", b"y\n", b"x\ny\n"]), st.booleans()), max_size=4
)


def edited(changes: list[tuple[int, bytes, bool]]) -> bytes:
    """Returns the lines with some replaced, taken out, or put before others."""
    lines = list(WHOLE)
    for at, text, keep in changes:
        lines[at] = text + (WHOLE[at] if keep else b"")
    return b"".join(lines)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ours=EDITS, theirs=EDITS, options=st.sampled_from([(), (), ("--diff3",), ("--ours",), ("--theirs",), ("--union",)])
)
def test_where_lines_can_be_told_apart_the_result_is_gits(
    tmp_path: Path,
    ours: list[tuple[int, bytes, bool]],
    theirs: list[tuple[int, bytes, bool]],
    options: tuple[str, ...],
) -> None:
    """Byte for byte, conflicts too, in every style."""
    one, other = edited(ours), edited(theirs)
    favour = Favour(options[0][2:]) if options and options[0] != "--diff3" else None
    labels = Labels(base="base" if options == ("--diff3",) else None)
    merged = merge_texts(b"".join(WHOLE), one, other, labels=labels, favour=favour)

    assert git_merge(tmp_path, b"".join(WHOLE), one, other, *options) == (not merged.conflicts, merged.data)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(base=TEXTS, ours=TEXTS, theirs=TEXTS)
def test_what_both_resolve_is_the_same(tmp_path: Path, base: bytes, ours: bytes, theirs: bytes) -> None:
    """Of few different lines, where several alignments are as good, git may find a conflict more or less; never another text."""
    merged = merge_texts(base, ours, theirs)
    clean, text = git_merge(tmp_path, base, ours, theirs)
    if clean and not merged.conflicts:
        assert text == merged.data


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "expected"),
    [
        (b"a\r\nb\r\n", b"a\r\nx\r\n", b"a\r\ny\r\n", b"a\r\n<<<<<<< ours\r\nx\r\n=======\r\ny\r\n>>>>>>> theirs\r\n"),
        (b"a", b"b", b"c", b"<<<<<<< ours\nb\n=======\nc\n>>>>>>> theirs\n"),
        (b"", b"a\n", b"b\n", b"<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n"),
        (b"a\nb\n", b"", b"a\nc\n", b"<<<<<<< ours\n=======\na\nc\n>>>>>>> theirs\n"),
        (b"a\nc\nb", b"a\nc\nb\n", b"x\nc\nb", b"x\nc\nb\n"),
    ],
)
def test_ends_of_lines_and_files(base: bytes, ours: bytes, theirs: bytes, expected: bytes) -> None:
    """Markers end as the lines around them; a last line without an end gets one only where a marker follows."""
    assert expected == merge_texts(base, ours, theirs).data
