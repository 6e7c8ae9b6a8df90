from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvstore.errors import UsageFault
from gvstore.repo.grep import Search

TEXTS = st.lists(st.text("aAb \r.", max_size=4), max_size=8).map("\n".join)
PATTERNS = st.sampled_from(["a", "^a", "b$", "a.b", "[^a]b", r"a\sb", r"\Aa", r"b\Z", "(?!a)b", "a|b", "", "A"])


@given(TEXTS, PATTERNS, st.booleans(), st.booleans(), st.integers(0, 2))
def test_lines_are_searched_one_by_one(text: str, pattern: str, ignore_case: bool, inverted: bool, around: int) -> None:
    """The quick look at the whole text changes no answer: lines that match alone, and those around them, each once and in order."""
    found = Search.of(pattern, ignore_case=ignore_case, inverted=inverted, before=around, after=around).lines(text)
    lines = text.split("\n")[: -1 if text.endswith("\n") or not text else None]
    wanted = [n for n, line in enumerate(lines) if bool(re.search(pattern, line, re.IGNORECASE if ignore_case else 0)) is not inverted]

    assert wanted == [line.number - 1 for line in found if line.matched]
    assert sorted({n for at in wanted for n in range(at - around, at + around + 1) if 0 <= n < len(lines)}) == [line.number - 1 for line in found]
    assert [lines[line.number - 1] for line in found] == [line.text for line in found]


def test_words_fixed_texts_and_faults() -> None:
    """-w wants no letter beside it, -F no meaning; a faulty pattern is told with its place."""

    assert [2] == [line.number for line in Search.of("cat", word=True).lines("concat\ncat.\ncats")]
    assert [1] == [line.number for line in Search.of("a.b", fixed=True).lines("a.b\naxb")]
    with pytest.raises(UsageFault, match="at character 3"):
        Search.of("ab(")
