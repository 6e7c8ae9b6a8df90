"""Where something stands that a person wrote: a file, a line, a column."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A character of a file; lines and columns are counted from 1, columns in characters.

    `path` is as it is to be shown: relative to where the command was typed, or
    the name of an option (`--set`).
    """

    path: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"
