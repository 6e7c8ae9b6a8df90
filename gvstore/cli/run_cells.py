"""Chosen columns of runs, and runs as files: `gv runs --columns a,b`, `--format csv`."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from gvstore.cli import units
from gvstore.cli.cells import cells, cut, pad
from gvstore.cli.style import Paint
from gvstore.cli.value_text import value_line
from gvstore.journal.run_row import QueryRow

_MEASURED = 200
_LEAST = 4


class Cells(dict[str, Any]):
    """The chosen columns of one run, by name."""

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields them on one line."""
        yield "  ".join(shown(value) for value in self.values())


class TextLine:
    """A line of a table."""

    def __init__(self, text: str, role: str = "") -> None:
        self.text, self.role = text, role

    def lines(self, paint: Paint) -> Iterator[str]:
        """Yields the line."""
        yield paint(self.role, self.text) if self.role else self.text


@dataclass(frozen=True, slots=True)
class RunsWritten:
    """A file that was written, of so many runs."""

    path: Path
    format: str
    runs: int
    size_bytes: int

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{self.path}  {units.count(self.runs, 'run')}, {units.size(self.size_bytes)}"


def cells_of(rows: Iterable[QueryRow], columns: Sequence[str]) -> Iterator[Cells]:
    """Returns the chosen columns of each run.

    Raises:
        UsageFault: there is no such column.
    """
    from gvstore.journal.run_query import check_column

    checked = [check_column(each) for each in columns]
    return (Cells({name: row.value(name) for name in checked}) for row in rows)


def shown(value: Any) -> str:
    """Returns a value as it stands in a table: texts without quotes, nothing for None."""
    if value is None:
        return ""
    return value_line(value, 120) if not isinstance(value, str) else " ".join(value.split())


def cells_table(rows: Iterable[Mapping[str, Any]], width: int) -> Iterator[TextLine]:
    """Yields the head and the lines of a table of chosen columns; the first rows tell how wide columns are."""
    given = iter(rows)
    first = list(islice(given, _MEASURED))
    if not first:
        return
    names = list(first[0])
    wanted = [max(cells(name), *(cells(shown(row[name])) for row in first)) for name in names]
    numeric = [all(isinstance(row[name], int | float | None) for row in first) for name in names]
    widths = _shared(wanted, width - 2 * (len(names) - 1))
    yield TextLine(_joined(names, widths, numeric), "title")
    for row in chain(first, given):
        yield TextLine(_joined([shown(row[name]) for name in names], widths, numeric))


def _shared(wanted: list[int], room: int) -> list[int]:
    """Returns the widths of columns that share a line: the narrowest take what they need."""
    widths, left = [0] * len(wanted), len(wanted)
    for at in sorted(range(len(wanted)), key=wanted.__getitem__):
        widths[at] = min(wanted[at], max(room // left, _LEAST))
        room, left = room - widths[at], left - 1
    return widths


def _joined(texts: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    parts = []
    for text, width, right in zip(texts, widths, numeric, strict=True):
        short = cut(text, width)
        blanks = pad(short, width)[len(short) :]
        parts.append(blanks + short if right else short + blanks)
    return "  ".join(parts).rstrip()


def written(rows: Iterable[QueryRow], columns: Sequence[str], form: str) -> tuple[bytes, int]:
    """Returns the runs as the bytes of a file, csv or parquet, and how many they are.

    Raises:
        LibraryMissing: pyarrow is not installed.
        UsageFault: there is no such column.
    """
    from gvstore.journal.run_table import csv_lines, write_parquet

    if form == "parquet":
        out = io.BytesIO()
        count = write_parquet(rows, out, columns)
        return out.getvalue(), count
    lines = list(csv_lines(rows, columns))
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "backslashreplace"), len(lines) - 1
