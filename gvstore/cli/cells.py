"""Columns of a terminal: wide characters (CJK, emoji) take two, combining ones none.

Names and messages are cut and padded by these, not by characters.

Source: Unicode Standard Annex 11, East Asian Width; what Python's `unicodedata` has of it.
"""

from __future__ import annotations

from functools import lru_cache

_ZERO = ("Mn", "Me", "Cf")  # general categories of marks and of what is not seen


def cells(text: str) -> int:
    """Returns how many columns a terminal gives to a text without line ends and escapes."""
    return len(text) if text.isascii() else sum(map(_cells_of, text))


def cut(text: str, width: int, mark: str = "…") -> str:
    """Returns a text that takes at most `width` columns; where something is missing, `mark` stands at the end."""
    if len(text) * 2 <= width or cells(text) <= width:
        return text
    room = width - cells(mark)
    for end, c in enumerate(text):
        room -= _cells_of(c)
        if room < 0:
            return text[:end] + mark
    return text


def pad(text: str, width: int) -> str:
    """Returns a text filled up with blanks to `width` columns."""
    return text + " " * max(width - cells(text), 0)


@lru_cache(maxsize=4096)
def _cells_of(c: str) -> int:
    if c.isascii():
        return 1
    import unicodedata

    if unicodedata.category(c) in _ZERO:
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1
