"""Where a text comes back in other texts: to the character, by its words, or in part.

    whole    "Grey sea."    in   "A Grey sea. Calm."
    words    "Grey sea."    in   "a *grey*\\n  SEA"       case, blanks and punctuation aside
    part     "the grey sea at dawn"  in  "the grey sea, at noon"     13 of 20 characters

Looking is left to `in`, which runs at the speed of C: a hundred thousand texts
take milliseconds, and the longest part is found by asking again and again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

# Scripts that write no blanks between words: each character stands for itself.
_UNSPACED = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD: Final = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s+")


def words_of(text: str) -> list[str]:
    """Returns the words of a text, without case."""
    return [word.casefold() for word in _WORD.findall(text)]


def plain(text: str) -> str:
    """Returns a text as its words with a blank before, between and after them: in it a passage is found whole words at a time."""
    return f" {' '.join(words_of(text))} "


@dataclass(frozen=True, slots=True)
class Found:
    """How much of a passage came back: its characters from `start` to `end`; `exact` if to the character."""

    start: int
    end: int
    exact: bool

    @property
    def size(self) -> int:
        """How many characters."""
        return self.end - self.start


@dataclass(frozen=True)
class Passage:
    """A text that is looked for."""

    text: str

    @cached_property
    def _words(self) -> list[re.Match[str]]:
        return list(_WORD.finditer(self.text))

    @cached_property
    def plain(self) -> str:
        """The passage as its words."""
        return plain(self.text)

    @property
    def has_words(self) -> bool:
        """Whether there is a word in it, not punctuation alone."""
        return bool(self._words)

    def whole(self, *, exact: bool) -> Found:
        """Returns what is found of a passage that came back whole."""
        return Found(0, len(self.text), exact)

    def longest_in(self, texts: str) -> Found | None:
        """Returns the longest run of its words that stands in `texts`, which were made `plain`; None if not one does."""
        words = [match.group().casefold() for match in self._words]
        best = (0, 0)
        start, size = 0, 1
        while start + size <= len(words):
            if f" {' '.join(words[start : start + size])} " in texts:
                best = (start, size)
                size += 1
            else:
                start += 1
        if not best[1]:
            return None
        first, last = self._words[best[0]], self._words[best[0] + best[1] - 1]
        return Found(first.start(), last.end(), exact=False)

    def part(self, found: Found) -> Passage:
        """Returns what was found, as a passage of its own."""
        return self if found.size == len(self.text) else Passage(self.text[found.start : found.end])


def lines_of(text: str) -> list[str]:
    """Returns the lines of a text without blanks around them; empty ones are left out."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def sentences_of(line: str) -> list[str]:
    """Returns the sentences of a line."""
    return [sentence for sentence in _SENTENCE.split(line) if sentence]


def excerpt(text: str, passage: Passage, around: int = 24) -> str:
    """Returns the surroundings of a passage in a text on one line, or the text's beginning where it stands otherwise."""
    at = text.find(passage.text)
    if at < 0:
        at = text.casefold().find(passage.text.casefold())
    at = max(at, 0)
    end = min(len(text), at + max(len(passage.text), 1) + around)
    start = max(0, at - around)
    return f"{'…' * (start > 0)}{' '.join(text[start:end].split())}{'…' * (end < len(text))}"
