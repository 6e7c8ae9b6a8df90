"""Runs as tables: dicts, CSV, Parquet, and the data frames of other libraries.

In a table each argument is a column (`args.topic`), and each field of dicts and records that are returned (`output.title`);
scores are `scores.NAME`.  A column holds numbers, texts, truth values or times; where runs differ in that, or hold lists, it holds JSON.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO, Any

from gvstore.errors import UsageFault
from gvstore.journal.run_query import check_column
from gvstore.journal.run_row import COLUMNS, QueryRow

_DEFAULT = tuple(name for name in COLUMNS if name not in ("run", "age", "labels"))
_SPREAD = ("args", "output", "scores")
_TIMES = ("started", "ended")
_MOST_INT = 2**63


class LibraryMissing(UsageFault):
    """A library that is needed for this form of a table is not installed."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"{name} is not installed", hint="Install it with `pip install 'gvstore[tables]'`.")


def dicts(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns a dict a run, its columns by name; times are aware datetimes.

    Raises:
        UsageFault: there is no such column.
    """
    wanted = [check_column(each) for each in columns] or [name for name in COLUMNS if name != "run"]
    return [{name: _native(name, row.value(name)) for name in wanted} for row in rows]


def _native(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in _TIMES and isinstance(value, str) else value


def table(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> dict[str, list[Any]]:
    """Returns the columns of a table, all of one length: `columns`, or all that some run has something in.

    Raises:
        UsageFault: there is no such column.
    """
    listed = list(rows)
    if columns:
        wanted = {check_column(each): [_native(each, row.value(each)) for row in listed] for each in columns}
        return {name: _of_one_kind(values) for name, values in wanted.items()}
    found: dict[str, list[Any]] = {}
    for name in _DEFAULT:
        values = [_native(name, row[name]) for row in listed]
        if name in _SPREAD:
            found.update(_spread(name, values))
        else:
            found[name] = values
    return {name: _of_one_kind(values) for name, values in found.items()}


def _spread(name: str, values: list[Any]) -> dict[str, list[Any]]:
    """Returns a column for each part of dicts, and one for what is none."""
    parts = dict.fromkeys(part for value in values if isinstance(value, dict) for part in value)
    found: dict[str, list[Any]] = {}
    if name == "output":
        found[name] = [None if isinstance(value, dict) and value else value for value in values]
    for part in parts:
        found[f"{name}.{part}"] = [value.get(part) if isinstance(value, dict) else None for value in values]
    return found


def _of_one_kind(values: list[Any]) -> list[Any]:
    """Returns the values of a column so that all are of one kind: what else there is becomes JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in values]
    if len(kinds) <= 1 and not kinds & {list, tuple, dict}:
        if kinds == {int} and any(value is not None and abs(value) >= _MOST_INT for value in values):
            return [None if value is None else str(value) for value in values]
        return values
    if kinds <= {list, tuple} and all(isinstance(item, str) for value in values for item in value or ()):
        return [None if value is None else list(value) for value in values]
    return [None if value is None else _text(value) for value in values]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def csv_lines(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> Iterator[str]:
    """Yields the table as CSV (RFC 4180), line by line without ends: a head, then a line a run; what is None is empty."""
    made = table(rows, columns)
    yield _csv_line(made)
    for values in zip(*made.values(), strict=True):
        yield _csv_line(_csv_cell(value) for value in values)


def _csv_line(cells: Iterable[Any]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()


def _csv_cell(value: Any) -> Any:
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def to_arrow(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> Any:
    """Returns a pyarrow Table.

    Raises:
        LibraryMissing: pyarrow is not installed.
    """
    arrow = _library("pyarrow")
    made = table(rows, columns)
    return arrow.table({name: arrow.array(values, type=_arrow_type(arrow, name, values)) for name, values in made.items()})


def _arrow_type(arrow: Any, name: str, values: list[Any]) -> Any:
    """Returns the type of a column that may hold nothing, or only empty lists: arrow would have none for it."""
    kinds = {type(value) for value in values if value is not None}
    if name in _TIMES:
        return arrow.timestamp("us", tz="UTC")
    if kinds == {list}:
        return arrow.list_(arrow.string())
    return None if kinds else arrow.string()


def to_pandas(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> Any:
    """Returns a pandas DataFrame.

    Raises:
        LibraryMissing: pandas is not installed.
    """
    return _library("pandas").DataFrame(table(rows, columns))


def to_polars(rows: Iterable[QueryRow], columns: Sequence[str] = ()) -> Any:
    """Returns a polars DataFrame.

    Raises:
        LibraryMissing: polars is not installed.
    """
    polars = _library("polars")
    made = table(rows, columns)
    return polars.DataFrame({name: polars.Series(name, values, strict=False) for name, values in made.items()})


def write_parquet(rows: Iterable[QueryRow], file: IO[bytes], columns: Sequence[str] = ()) -> int:
    """Writes the table as a Parquet file and returns how many runs it has.

    Raises:
        LibraryMissing: pyarrow is not installed.
    """
    made = to_arrow(rows, columns)
    importlib.import_module("pyarrow.parquet").write_table(made, file)
    count: int = made.num_rows
    return count


def _library(name: str) -> Any:
    """Returns a module that a user of such tables has installed."""
    try:
        return importlib.import_module(name)
    except ImportError as e:
        raise LibraryMissing(name) from e
