"""The lines of history beside a log, drawn with the characters that git uses.

    *   merge          a commit stands in the column where the line that leads to it comes down
    |\\
    | * side           lines end at the commit that they lead to; a new one begins on the right
    * | main
    |/                 lines to the same commit join on the left; one that must cross others
    * root             goes over them: | | |/   or, over several,   | |_|/
                                       | |/|                       |/| |

A line never splits but at a commit, and where one ends nothing stands right below, so every edge can be followed with a finger.  Each column is two
characters wide: its line at an even place, what goes from one column to the next at the odd one between.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple


class GraphRows(NamedTuple):
    """The rows of one commit: `before` it, its own, those `after` it, and what stands beside further lines of its text."""

    before: list[str]
    commit: str
    after: list[str]
    padding: str


class Graph:
    """The columns between the commits drawn so far and those to come; commits come before their parents."""

    def __init__(self) -> None:
        self._columns: list[Hashable] = []
        self._ended: int | None = None  # the last column, if the commit before was the first of its line, and stood there

    def rows(self, commit: Hashable, parents: Sequence[Hashable]) -> GraphRows:
        """Returns the rows of the next commit, which has these parents."""
        columns = self._columns
        if commit not in columns:
            columns.append(commit)
        at = columns.index(commit)
        count = len(parents)
        spread = max(0, count - 2)
        right = len(columns) - at - 1
        before = _pushed(at, right, spread) if right else []
        if at == self._ended:  # it must not look like the parent of what stands above it
            before.insert(0, ("| " * at).rstrip())
        self._ended = at if not count and not right else None
        cells = ["|"] * at + ["*"] + ["|"] * right
        own = " ".join(cells[: at + 1]) + ("-" * (2 * spread - 1) + "." if spread else "")
        own += "".join(f" {cell}" for cell in cells[at + 1 :])
        slots = [*columns[:at], *parents, *columns[at + 1 :]]
        after = [_parting(at, count, right)] if count > 1 else []
        self._columns = list(dict.fromkeys(slots))
        # A commit without parents leaves its column empty.
        places = [n if n < at or count else n + 1 for n in range(len(slots))]
        after += _joining([(place, self._columns.index(slot)) for place, slot in zip(places, slots, strict=True)])
        width = 2 * max(len(columns) + spread, len(slots))
        return GraphRows(before, own.ljust(width), after, "| " * len(self._columns))


def _pushed(at: int, right: int, spread: int) -> list[str]:
    """Returns the rows that make room for `spread` more columns on the right of column `at`."""
    rows = []
    for step in range(spread):
        cells = dict.fromkeys(range(0, 2 * at + 1, 2), "|")
        cells.update((2 * (at + 1 + each + step) + 1, "\\") for each in range(right))
        rows.append(_row(cells))
    return rows


def _parting(at: int, count: int, right: int) -> str:
    """Returns the row below a merge: its lines part, and those on the right make room for one more."""
    row = "| " * at + "|" + "\\ " * (count - 1)
    return (row + "\\ " * right).rstrip()


def _joining(edges: list[tuple[int, int]]) -> list[str]:
    """Returns the rows in which lines at places go left to the columns that are theirs, joining those that are there."""
    rows = []
    lines = dict(edges)  # place -> column: lines that stand
    moving = {place: lines.pop(place) for place, column in edges if place != column}
    while moving:
        if len(moving) == 1 and (far := _over(lines, *next(iter(moving.items())))):
            rows += far
            return rows
        cells = dict.fromkeys((2 * place for place in lines), "|")
        cells.update(dict.fromkeys((2 * place - 1 for place in moving), "/"))
        rows.append(_row(cells))
        moved: dict[int, int] = {}
        for place, column in moving.items():
            if place - 1 == column:
                lines[column] = column
            else:
                moved[place - 1] = column
        moving = moved
    return rows


def _over(lines: dict[int, int], place: int, column: int) -> list[str]:
    """Returns the two rows of a line that goes over two others or more at once; none where it crosses fewer."""
    if place - column < 3 or any(between not in lines for between in range(column, place)):
        return []
    first = dict.fromkeys((2 * each for each in lines), "|")
    second = dict(first)
    first[2 * place - 1] = "/"
    first.update(dict.fromkeys((2 * between - 1 for between in range(column + 2, place)), "_"))
    second[2 * column + 1] = "/"
    return [_row(first), _row(second)]


def _row(cells: dict[int, str]) -> str:
    return "".join(cells.get(place, " ") for place in range(max(cells) + 1))
