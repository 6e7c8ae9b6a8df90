"""Queries over the runs of a repository, in steps: `repo.runs.where("tokens > 500").since("yesterday").limit(20)`.

Each step returns a new query; nothing is read before it is gone through.  What refs.db knows of a run decides
first, then texts that must stand in the index, then the facts themselves.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from gvstore import host
from gvstore.errors import Corrupt, UsageFault
from gvstore.expression.query import Query, QueryRefused
from gvstore.journal.run_facts import Facts, Known, facts_of
from gvstore.journal.run_row import COLUMNS, OF_FACTS, OF_ROW, Beside, QueryRow
from gvstore.objects import run as stored
from gvstore.objects.oid import ObjectId
from gvstore.repo import layout

if TYPE_CHECKING:

    from gvstore.journal.repository import Repository
    from gvstore.journal.run import Run
    from gvstore.journal.run_index import RunIndex
    from gvstore.repo import RunRow

STATUSES = ("ok", "raised", "interrupted", "rewound", "waiting", "running", "damaged")
_PAGE = 1000  # rows that are looked at together
_FIRST_PAGE = 100  # where few are wanted
_GLOB = frozenset("*?[")
Advance = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class _Filter:
    """What a row must be: `holds` says so; `reads` are the columns that it looks at, `texts` what the facts must hold."""

    holds: Callable[[QueryRow], bool]
    reads: frozenset[str]
    texts: tuple[str, ...] = ()


class RunQuery:
    """The runs that hold to all that was asked for, the newest first unless sorted; goes through the runs anew each time."""

    def __init__(self, repo: Repository, *, now: int | None = None) -> None:
        self._repo = repo
        self._now = host.now_us() if now is None else now
        self._filters: tuple[_Filter, ...] = ()
        self._since: int | None = None
        self._until: int | None = None
        self._limit: int | None = None
        self._key = ""
        self._backwards = False
        self.advance: Advance | None = None  # told how many of how many runs have been read

    def _with(self, **changes: Any) -> RunQuery:
        made = object.__new__(RunQuery)
        made.__dict__.update(self.__dict__, **changes)
        return made

    # -- steps

    def where(self, query: str | None = None, /, **columns: Any) -> RunQuery:
        """Returns those of which the query is true, and whose columns have these values.

        `status` may be several; `component` is a pattern as `--live` takes it; `target`, `output` and `tag` are
        patterns with * and ?, or parts of the text; any other column equals the value.

        Raises:
            QueryRefused: the query cannot be meant; says where.
            UsageFault: there is no such status.
            TypeError: there is no such column.
        """
        filters = [*self._filters, *([_of_query(query)] if query is not None else [])]
        for name, value in columns.items():
            if value is not None:
                filters.append(_of_column(name, value))
        return self._with(_filters=tuple(filters))

    def since(self, time: str | datetime) -> RunQuery:
        """Returns those that began at this time or later: "yesterday", "2 hours ago", "2026-11-20", or a datetime."""
        return self._with(_since=self._moment(time))

    def until(self, time: str | datetime) -> RunQuery:
        """Returns those that began at this time or earlier."""
        return self._with(_until=self._moment(time))

    def limit(self, count: int | None) -> RunQuery:
        """Returns the first so many."""
        if count is not None and count < 0:
            raise ValueError(f"a limit is a number of runs, not {count}")
        return self._with(_limit=count)

    def sort(self, key: str, *, reverse: bool = False) -> RunQuery:
        """Returns them by a column, or a part of one (`args.n`, `scores.accuracy`), the least first; with - before it, the greatest.

        Runs that have none come last.

        Raises:
            UsageFault: there is no such column.
        """
        check_column(key.removeprefix("-"))
        return self._with(_key=key.removeprefix("-"), _backwards=key.startswith("-") is not reverse)

    def reverse(self) -> RunQuery:
        """Returns them the other way round."""
        return self._with(_backwards=not self._backwards)

    # -- what comes of it

    def __iter__(self) -> Iterator[Run[Any]]:
        """Yields the runs."""
        for row in self.rows(lazily=True):
            yield self._repo.runs[row.row.number]

    def __len__(self) -> int:
        return sum(1 for _ in self.rows(lazily=True))

    @property
    def first(self) -> Run[Any] | None:
        """The first of them."""
        return next(iter(self.limit(1)), None)

    @property
    def numbers(self) -> list[int]:
        """Their numbers."""
        return [row.row.number for row in self.rows(lazily=True)]

    def rows(self, *, lazily: bool = False) -> Iterator[QueryRow]:
        """Yields the runs as rows of columns; `lazily`, facts that no filter asks for are read when they are looked at."""
        if not self._key and not self._backwards:
            return islice(self._matching(lazily=lazily), self._limit)
        found = list(self._matching(lazily=lazily and (not self._key or self._key in OF_ROW)))
        if self._key:
            found.sort(key=lambda row: _order(row.value(self._key)), reverse=self._backwards)
            found.sort(key=lambda row: row.value(self._key) is None)
        else:
            found.reverse()
        return iter(found[: self._limit])

    def to_dicts(self, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Returns a dict a run, its columns by name: all, or `columns` and parts of them."""
        from gvstore.journal.run_table import dicts

        return dicts(self.rows(), columns)

    def to_arrow(self, columns: Sequence[str] = ()) -> Any:
        """Returns a pyarrow Table, a column for each argument (`args.topic`) and field of dicts that are returned.

        Raises:
            LibraryMissing: pyarrow is not installed.
        """
        from gvstore.journal.run_table import to_arrow

        return to_arrow(self.rows(), columns)

    def to_pandas(self, columns: Sequence[str] = ()) -> Any:
        """Returns the same as a pandas DataFrame."""
        from gvstore.journal.run_table import to_pandas

        return to_pandas(self.rows(), columns)

    def to_polars(self, columns: Sequence[str] = ()) -> Any:
        """Returns the same as a polars DataFrame."""
        from gvstore.journal.run_table import to_polars

        return to_polars(self.rows(), columns)

    def _repr_html_(self) -> str:
        import html

        shown = self.limit(min(self._limit or 20, 20)).to_dicts(("run", "status", "component", "args", "output", "calls", "tokens"))
        rows = "".join(f"<tr>{''.join(f'<td>{html.escape(str(v))[:200]}</td>' for v in each.values())}</tr>" for each in shown)
        head = "".join(f"<th>{name}</th>" for name in shown[0]) if shown else ""
        return f"<table><tr>{head}</tr>{rows}</table>"

    # -- how

    def _moment(self, time: str | datetime) -> int:
        from gvstore.repo.moment import parse_moment

        text = time.isoformat() if isinstance(time, datetime) else time
        found = parse_moment(text, self._now)
        if found is None:
            raise UsageFault(f"{text!r} is no time", hint="Write yesterday, 2 hours ago, 2026-11-20 or 2026-11-20T10:02:11Z.")
        return found

    def _listed(self) -> Iterator[list[RunRow]]:
        """Yields the runs of refs.db that began within the time asked for, in pages, the newest first."""
        before, size = None, _PAGE
        if self._limit is not None and not self._key and not self._backwards:
            size = _FIRST_PAGE if self._filters else max(min(self._limit, _PAGE), 1)
        while True:
            page = self._repo.refs.runs(limit=size, before=before)
            yield [
                row
                for row in page
                if (self._since is None or row.started_at >= self._since) and (self._until is None or row.started_at <= self._until)
            ]
            if len(page) < size:
                return
            before, size = page[-1].number, _PAGE

    def _matching(self, *, lazily: bool) -> Iterator[QueryRow]:
        from gvstore.journal.run_index import RunIndex

        beside = Beside(self._repo, self._now)
        early = [each for each in self._filters if each.reads <= OF_ROW]
        late = [each for each in self._filters if not each.reads <= OF_ROW]
        texts = [text for each in late for text in each.texts]
        path = layout.run_cache(self._repo.gv)
        with RunIndex(path, read_only=self._repo.read_only) as index:
            reader = _Reader(self._repo, index, texts)
            done, total = 0, 0
            for page in self._listed():
                if self.advance is not None:
                    total = total or max((row.number for row in page), default=0)
                    done += len(page)
                    self.advance(done, max(total, done))
                rows = [row for row in page if all(each.holds(QueryRow(row, beside)) for each in early)]
                if lazily and not late:
                    yield from (QueryRow(row, beside, reader.read) for row in rows)
                    continue
                for row in reader.rows(rows, beside):
                    if all(each.holds(row) for each in late):
                        yield row


class _Reader:
    """Reads the facts of runs: out of the index, else out of the objects, into the index."""

    def __init__(self, repo: Repository, index: RunIndex, texts: list[str]) -> None:
        self.repo, self.index = repo, index
        self.components: Known = {}
        self.indexed: set[bytes] | None = None
        self.candidates: set[bytes] | None = None
        if texts:
            self.indexed, self.candidates = index.known(), index.with_texts(texts)

    def rows(self, rows: Sequence[RunRow], beside: Beside) -> Iterator[QueryRow]:
        """Yields these runs with their facts; those that cannot be what is asked for are left out."""
        wanted = [row for row in rows if self._may_be(row)]
        known = self.index.get(row.oid for row in wanted if row.oid is not None)
        fresh: dict[ObjectId, Facts] = {}
        found: list[QueryRow] = []
        for row in wanted:
            facts = known.get(row.oid) if row.oid is not None else None
            if facts is None:
                facts = self.read(row)
                if facts is not None and row.oid is not None:
                    fresh[row.oid] = facts
            found.append(QueryRow(row, beside, self.read, facts))
        if fresh:
            self.index.add(fresh)
        return iter(found)

    def _may_be(self, row: RunRow) -> bool:
        if self.candidates is None or self.indexed is None or row.oid is None:
            return True
        return bytes(row.oid) in self.candidates or bytes(row.oid) not in self.indexed

    def read(self, row: RunRow) -> Facts | None:
        """Returns the facts of a run, out of its objects; None of one that is damaged."""
        try:
            if row.oid is not None:
                return facts_of(stored.Run.get(self.repo.objects, row.oid), self.repo.store, self.components)
            run = self.repo.runs[row.number]
            return facts_of(run.record, run.store, self.components)
        except Corrupt:
            return None


def check_column(path: str) -> str:
    """Returns the name of a column, or of a part of one.

    Raises:
        UsageFault: there is no such column; tells what is near.
    """
    import difflib

    name = path.partition(".")[0]
    if name not in COLUMNS:
        near = difflib.get_close_matches(name, COLUMNS, 3, 0.6)
        raise UsageFault(
            f"runs have no column {name!r}", hint=f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(COLUMNS)}."
        )
    return path


def _order(value: Any) -> tuple[int, Any]:
    if isinstance(value, bool | int | float):
        return 0, value
    return (1, value) if isinstance(value, str) else (2, json.dumps(value, ensure_ascii=False, default=str))


def _of_query(text: str) -> _Filter:
    query = Query(text, COLUMNS)
    if not query.keys:
        raise QueryRefused(text, "names no column: it says the same of every run")
    texts = tuple(_as_json(each) for each in query.texts(OF_FACTS))
    return _Filter(lambda row: query.holds(row.__getitem__), frozenset(query.keys), texts)


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _of_column(name: str, value: Any) -> _Filter:
    """Returns what holds of the rows whose column is as asked for."""
    if name == "status":
        wanted = frozenset([value] if isinstance(value, str) else value)
        _check_statuses(wanted)
        return _Filter(lambda row: row["status"] in wanted, frozenset({"status"}))
    if name == "component":
        from gvstore.journal.mode import matches

        patterns = [value] if isinstance(value, str) else list(value)
        return _Filter(lambda row: any(matches(row["component"], each) for each in patterns), frozenset({"component"}))
    if name in ("tag", "tags"):
        return _Filter(lambda row: any(fnmatch.fnmatchcase(tag, value) for tag in row["tags"]), frozenset({"tags"}))
    if name in ("target", "output"):
        texts = () if _GLOB.intersection(value) or name == "target" else (_as_json(value),)
        return _Filter(lambda row: _fits(row[name], value), frozenset({name}), texts)
    if name not in COLUMNS:
        raise TypeError(f"runs have no column {name!r}: there are {', '.join(COLUMNS)}")
    texts = (_as_json(value),) if isinstance(value, str) and name in OF_FACTS else ()
    return _Filter(lambda row: bool(row[name] == value), frozenset({name}), texts)


def _fits(value: Any, pattern: str) -> bool:
    """Returns whether a value's text has the pattern in it, or, where it has wildcards, is like it."""
    if value is None:
        return False
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return fnmatch.fnmatchcase(text, pattern) if _GLOB.intersection(pattern) else pattern in text


def _check_statuses(wanted: Iterable[str]) -> None:
    import difflib

    for each in sorted(wanted):
        if each not in STATUSES:
            near = difflib.get_close_matches(each, STATUSES, 1)
            hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(STATUSES)}."
            raise UsageFault(f"no run has the status {each!r}", hint=hint)
