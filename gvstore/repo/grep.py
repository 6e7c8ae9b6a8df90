"""Lines that match, in texts: what `gv grep` looks for in files, and the journal in what calls hold.

A content is first searched whole, at the speed of C; only where something is found it is gone through line by line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gvstore.compare.text import is_binary
from gvstore.repo.commit_filter import compile_pattern

_ANCHORED = re.compile(r"\\[AZ]|\(\?")  # what means something else in a whole text than in a line of it


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text, counted from 1; `matched` or shown around one that is."""

    number: int
    text: str
    matched: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for, and which lines are wanted: those that match, or with `inverted` the others."""

    pattern: re.Pattern[str]
    inverted: bool = False
    before: int = 0
    after: int = 0
    _whole: re.Pattern[str] | None = field(default=None, repr=False)

    @classmethod
    def of(
        cls, pattern: str, *, ignore_case: bool = False, fixed: bool = False, word: bool = False, inverted: bool = False,
        before: int = 0, after: int = 0,
    ) -> Search:  # fmt: skip
        """Returns the search.

        Raises:
            BadPattern: the pattern is no regular expression; says where.
        """
        found = compile_pattern(pattern, ignore_case=ignore_case, fixed=fixed, word=word)
        quick = not inverted and (fixed or not _ANCHORED.search(pattern))
        return cls(found, inverted, before, after, re.compile(found.pattern, found.flags | re.MULTILINE) if quick else None)

    def lines(self, text: str) -> Sequence[Line]:
        """Returns the wanted lines of a text, with those around them, in order."""
        if not text or (self._whole is not None and not self._whole.search(text)):
            return ()
        lines = text.split("\n")
        if not lines[-1]:
            lines.pop()
        matched = [n for n, line in enumerate(lines) if (self.pattern.search(line) is None) is self.inverted]
        if not self.before and not self.after:
            return [Line(n + 1, lines[n]) for n in matched]
        return list(self._around(lines, matched))

    def _around(self, lines: list[str], matched: list[int]) -> Iterator[Line]:
        wanted, done = set(matched), 0
        for n in matched:
            for at in range(max(done, n - self.before), min(len(lines), n + self.after + 1)):
                yield Line(at + 1, lines[at], at in wanted)
                done = at + 1

    def in_bytes(self, data: bytes) -> tuple[Sequence[Line], bool]:
        """Returns the wanted lines of a file, and whether it is binary: then a single empty one says that there are some."""
        if not is_binary(data):
            return self.lines(data.decode("utf-8", "surrogateescape")), False
        found = self.lines(data.decode("utf-8", "replace"))
        return ([Line(0, "")] if any(line.matched for line in found) else ()), True
