"""Runs as Python sees them, and the list of a repository's runs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, Unpack, overload

from gvstore import host
from gvstore.errors import BadRev
from gvstore.journal.address import call_path
from gvstore.journal.invocation import Invocation
from gvstore.journal.mode import ReplayWords
from gvstore.journal.overlay import Overlay
from gvstore.journal.recovery import run_of_journal
from gvstore.journal.rewind import last_calls
from gvstore.objects import run as stored
from gvstore.objects.commit import Commit
from gvstore.objects.decode import decode
from gvstore.objects.oid import ObjectId, short
from gvstore.odb.wal import is_held
from gvstore.repo import layout
from gvstore.repo.remark import SCORE, Remarks, change_remarks, read_remarks
from gvstore.store.store import Store

if TYPE_CHECKING:
    from gvstore.journal.blame import Blame
    from gvstore.journal.check import Check
    from gvstore.journal.inbox import OpenQuestion
    from gvstore.journal.plan import Plan
    from gvstore.journal.repository import Repository
    from gvstore.journal.run_query import RunQuery
    from gvstore.repo import RunRow

T = TypeVar("T")


class NoSuchRun(BadRev):
    """No run has this number."""


class Run(Generic[T]):
    """One run of a repository.

    `record` is what is stored of it.  A run that is still being recorded, or
    whose process died, is put together from its journal.
    """

    def __init__(self, repo: Repository, number: int, oid: ObjectId | None, record: stored.Run, store: Store) -> None:
        self.repo, self.number, self.oid, self.record, self._store = repo, number, oid, record, store

    @property
    def name(self) -> str:
        """What users type: `run/7`."""
        return f"run/{self.number}"

    @property
    def status(self) -> str:
        """ok, raised, interrupted, rewound, waiting, or running."""
        return self.record.status

    @property
    def store(self) -> Store:
        """Where its invocations are read from."""
        return self._store

    @property
    def invocation(self) -> Invocation:
        """The root call.

        Raises:
            NoSuchRun: the run was killed before its first call began.
        """
        if self.record.root is None:
            raise NoSuchRun(f"{self.name} was interrupted before its first call began: there is nothing to show")
        return Invocation.of_oid(self._store, self.record.root)

    @property
    def output(self) -> T:
        """What the root call returned.

        Raises:
            InvocationError: it did not return.
        """
        value: T = self.invocation.output
        return value

    @property
    def calls(self) -> int:
        """How many calls the run holds, the root included."""
        return self.record.counts.get("calls", 0)

    @property
    def parent(self) -> Run[Any] | None:
        """The run it was derived from, if it is still here."""
        if self.record.parent is None:
            return None
        number = self.repo.refs.run_number(self.record.parent)
        return None if number is None else self.repo.runs[number]

    @property
    def labels(self) -> Mapping[str, Any]:
        """What the run of a state machine is found by: `app`, `sequence`, `partition`; of other runs nothing."""
        labels: dict[str, Any] | None = decode(self.record.labels, self._store.objects)
        return labels or {}

    def code_name(self) -> str:
        """Returns which code it used: a commit's abbreviated oid, `run/1's code`, or `work tree` where it is no commit's.

        A run's it is where the command named one whose code this is (`--code run/1`), or was derived from one.
        """
        base = self.record.base
        if base is not None and self.repo.objects.has(base) and Commit.get(self.repo.objects, base).tree == self.record.code:
            return short(base)
        return self._stored_code_name() or "work tree"

    def _stored_code_name(self) -> str:
        """Returns whose code the command took out of the store; nothing where it took none."""
        rev = _code_word(self.record.argv)
        if not rev or self.record.code is None:
            return ""
        named = re.fullmatch(r"(?:run/)?(\d+)", rev)
        row = self.repo.refs.run(int(named[1])) if named else None
        run = self.repo.runs[row.number] if row is not None and not row.removed else self.parent
        while run is not None:
            if run.record.code == self.record.code:
                return f"{run.name}'s code"
            run = run.parent
        return f"the code of {rev}"

    @property
    def remarks(self) -> Remarks:
        """What people say of it: all notes and scores, with their authors and times."""
        return read_remarks(self.repo, self._numbered())

    @property
    def notes(self) -> list[str]:
        """The notes that people wrote on it, the oldest first."""
        return [note.text for note in self.remarks.notes]

    @property
    def scores(self) -> dict[str, int | float]:
        """The scores that it was given, by name; one given without a name is called `score`."""
        return self.remarks.values

    def note(self, text: str, *, author: str | None = None) -> None:
        """Writes a note on it, also while it is recorded; those that are there stay.

        Raises:
            ValueError: there is no text.
        """
        if not text.strip():
            raise ValueError("a note has a text")
        who, now = self.repo.author(author), host.now_us()
        change_remarks(
            self.repo, [self._numbered()], lambda before: before.noted(text, who, now), f"note {self.name}", author=who, now=now
        )

    def score(self, value: float | None = None, *, author: str | None = None, **named: float) -> None:
        """Gives it scores: `run.score(0.8)`, `run.score(accuracy=0.9, tone=0.2)`; the last one of a name counts.

        Raises:
            BadScore: one of them is no number.
        """
        values = {**({} if value is None else {SCORE: value}), **named}
        if not values:
            raise TypeError("score() takes a number, or numbers by name")
        who, now = self.repo.author(author), host.now_us()
        change_remarks(
            self.repo, [self._numbered()], lambda before: before.scored(values, who, now), f"score {self.name}", author=who, now=now
        )

    def _numbered(self) -> int:
        if not self.number:
            raise NoSuchRun(f"{short(self.oid)} has no number here, and what is said of runs is kept by their numbers")
        return self.number

    def rewind(self, num_calls: int = 1) -> Run[T]:
        """Returns a new run without the outcome and the last `num_calls` top-level calls."""
        run = self.repo.settled(self)
        return self.repo.keep_rewound(run, last_calls(run.invocation, num_calls))

    def rewind_before(self, call: str | tuple[int, ...] | Callable[[Invocation], bool]) -> Run[T]:
        """Returns a new run as this one was just before a call, at any depth.

        The call is named as behind `run/7:`, by its path, or it is the first,
        depth first, that a function is true of.
        """
        run = self.repo.settled(self)
        return self.repo.keep_rewound(run, call_path(run.invocation, call))

    def replay(self, *, strict: Any = False, exception_override: Any = None, **words: Unpack[ReplayWords]) -> Run[T]:
        """Returns a new run: what this one recorded and still holds is answered, the rest runs.

        For the further words see `ReplayWords`: `live="llm.*"`, `set={"0.2": "calm"}`, ...

        Raises:
            ReplayError: a strict replay left the record.
            CallLimitReached: `max_calls` calls were executed; the run is kept.
            whatever the component raises; the run is kept.
        """
        from gvstore.journal.repository import run_of

        return run_of(self.repo.perform_replay(self, strict=strict, exception_override=exception_override, words=words))

    def plan(self, *, strict: bool = False, **words: Unpack[ReplayWords]) -> Plan:
        """Returns what such a replay would reuse and what it would run, and why; nothing is executed."""
        from gvstore.journal.plan import plan_replay

        record, mode = self.repo.prepared(self, words, strict=strict)
        return plan_replay(record, mode, self.record.times)

    def blame(self, text: str | None = None, *, of: str = "") -> Blame:
        """Returns which call first brought a text into being, or without one all of an output, and how it came.

        It is looked for in the root's output, or in what `of` names as behind
        `run/7:`: `"0.2"`, `"0.2/args/topic"`.

        Raises:
            NotInRun: the text does not stand there.
            NoSuchCall, BadRev: `of` names nothing, or several arguments.
            InvocationError: the call did not return.
        """
        from gvstore.journal.address import find_call, part_of
        from gvstore.journal.blame import blame
        from gvstore.repo.rev import parse_call

        named = parse_call(of)
        path, call = find_call(self.invocation, named)
        part = named.part or ("output",)
        return blame(self.invocation, path, part, part_of(call, part), text, self.record.code, self.name)

    def check(self, kind: Literal["calls", "code"] = "calls", *, alias: Mapping[str, str] | None = None) -> Check:
        """Returns whether today's code asks what this run asked, and comes to the same; with "code", whether anything is stale.

        Recorded calls that made no calls are answered, stale or not; nothing new is asked, and nothing is stored.
        `alias` tells which recorded components have another name today.

        Raises:
            InvocationError: the run has not ended, or its arguments do not fit any more.
            NoSuchComponent: its root component is not registered.
        """
        from gvstore.journal.check import check_run

        return check_run(self.repo, self, kind, alias or {})

    @property
    def questions(self) -> list[OpenQuestion]:
        """What it waits for, in the order of its calls; none if it waits for nothing."""
        from gvstore.journal.inbox import questions_of

        return questions_of(self)

    def answer(self, value: Any, *, at: tuple[int, ...] | None = None) -> Run[T]:
        """Returns a new run: this one replayed with an answer to its question, or to the one at or below the call `at`.

        Raises:
            NotOpen: it asks nothing there, or several questions.
            InvokableTypeError: the answer is not of the requested type.
            whatever the component raises; the run is kept.
        """
        from gvstore.journal.inbox import answer_run, question_at
        from gvstore.journal.repository import run_of

        return run_of(answer_run(self.repo, self, {question_at(self, at or ()).path: value}))

    def _repr_html_(self) -> str:
        from gvstore.journal.html import run_html

        return run_html(self)

    def __repr__(self) -> str:
        return f"<Run {self.name} {self.status}>"


def _code_word(argv: tuple[str, ...]) -> str:
    """Returns the REV of `--code REV` or of `REV::name` in what was typed; nothing where it has neither."""
    words = argv[: argv.index("--")] if "--" in argv else argv
    for at, word in enumerate(words[1:], 1):
        if word.startswith("--code="):
            return word.removeprefix("--code=")
        if word == "--code" and at + 1 < len(words):
            return words[at + 1]
    target = next((word for word in words[2:] if not word.startswith("-")), "") if words[1:2] == ("run",) else ""
    return target.partition("::")[0] if "::" in target else ""


class Runs:
    """The runs of a repository, by number."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo

    @overload
    def __getitem__(self, number: int) -> Run[Any]: ...

    @overload
    def __getitem__(self, number: slice) -> list[Run[Any]]: ...

    def __getitem__(self, number: int | slice) -> Run[Any] | list[Run[Any]]:
        """Returns the run of a number, or the runs of a range of numbers, the oldest first; -1 is the newest.

        Raises:
            NoSuchRun: there is none.
        """
        if isinstance(number, slice):
            return self._slice(number)
        if not isinstance(number, int):
            raise TypeError(f"runs are named by their numbers, as in repo.runs[7], not by {number!r:.100}")
        if number < 0:
            number = self._bound(number, sorted(row.number for row in self._repo.refs.runs())) or number
        row = self._repo.refs.run(number)
        if row is None or row.removed:
            raise self._missing(number)
        return self._load(row)

    def _slice(self, part: slice) -> list[Run[Any]]:
        rows = {row.number: row for row in self._repo.refs.runs()}
        numbers = sorted(rows)
        low, high = (self._bound(each, numbers) for each in (part.start, part.stop))
        wanted = [n for n in numbers if (low is None or n >= low) and (high is None or n < high)]
        return [self._load(rows[n]) for n in wanted[:: part.step]]

    @staticmethod
    def _bound(number: int | None, numbers: list[int]) -> int | None:
        if number is None or number >= 0:
            return number
        return numbers[number] if -number <= len(numbers) else 0

    def of(self, number: int | None, oid: ObjectId | None) -> Run[Any]:
        """Returns the run of this number; of one that has none here, the run stored as `oid`, numbered 0."""
        if number is not None:
            return self[number]
        assert oid is not None
        return Run(self._repo, 0, oid, stored.Run.get(self._repo.objects, oid), self._repo.store)

    def __iter__(self) -> Iterator[Run[Any]]:
        """Yields all runs, the newest first."""
        for row in self._repo.refs.runs():
            yield self._load(row)

    def __len__(self) -> int:
        return len(self._repo.refs.runs())

    def latest(self, limit: int) -> Iterator[Run[Any]]:
        """Yields the newest runs, the newest first."""
        for row in self._repo.refs.runs(limit=limit):
            yield self._load(row)

    def query(self) -> RunQuery:
        """Returns all runs as a query, of which `where`, `since`, `limit` and `sort` make narrower ones."""
        from gvstore.journal.run_query import RunQuery

        return RunQuery(self._repo)

    def where(self, query: str | None = None, /, **columns: Any) -> RunQuery:
        """Returns the runs of which a query is true, `'args.topic == "otters" and tokens > 500'`, or whose columns have these values.

        Raises:
            QueryRefused, UsageFault: it cannot be meant; says where.
        """
        return self.query().where(query, **columns)

    def since(self, time: str | datetime) -> RunQuery:
        """Returns the runs that began at this time or later: "yesterday", "2 hours ago", "2026-11-20", or a datetime."""
        return self.query().since(time)

    def until(self, time: str | datetime) -> RunQuery:
        """Returns the runs that began at this time or earlier."""
        return self.query().until(time)

    def sort(self, key: str, *, reverse: bool = False) -> RunQuery:
        """Returns the runs by a column, the least first; with - before it, the greatest."""
        return self.query().sort(key, reverse=reverse)

    def limit(self, count: int | None) -> RunQuery:
        """Returns the newest so many."""
        return self.query().limit(count)

    def to_dicts(self, columns: Sequence[str] = ()) -> list[dict[str, Any]]:
        """Returns a dict a run, its columns by name."""
        return self.query().to_dicts(columns)

    def to_pandas(self, columns: Sequence[str] = ()) -> Any:
        """Returns the runs as a pandas DataFrame."""
        return self.query().to_pandas(columns)

    def to_polars(self, columns: Sequence[str] = ()) -> Any:
        """Returns the runs as a polars DataFrame."""
        return self.query().to_polars(columns)

    def to_arrow(self, columns: Sequence[str] = ()) -> Any:
        """Returns the runs as a pyarrow Table."""
        return self.query().to_arrow(columns)

    @property
    def last(self) -> Run[Any] | None:
        """The newest run."""
        return next(self.latest(1), None)

    def _load(self, row: RunRow) -> Run[Any]:
        repo = self._repo
        if row.oid is not None:
            return Run(repo, row.number, row.oid, stored.Run.get(repo.objects, row.oid), repo.store)
        path = layout.journal_folder(repo.gv) / row.journal
        overlay = Overlay(repo.objects)
        record = run_of_journal(path, row, overlay, running=_is_running(path))
        fresh = repo.refs.run(row.number)
        if fresh is not None and fresh.oid is not None:  # it ended while its journal was read
            return self._load(fresh)
        return Run(repo, row.number, None, record, overlay.store(repo.root, lambda: self._settled_store(row.number)))

    def _settled_store(self, number: int) -> Store:
        """Returns the repository's store, once the run of a dead process is in it."""
        repo = self._repo
        return repo.settled(self[number]).store

    def _missing(self, number: int) -> NoSuchRun:
        known = [row.number for row in self._repo.refs.runs(limit=1000)]
        if not known:
            return NoSuchRun(
                f"there is no run/{number}: nothing has been recorded yet", hint="Record one with `gv run TARGET`."
            )
        near = difflib.get_close_matches(str(number), map(str, known), 3, 0.4) or [str(known[0])]
        return NoSuchRun(
            f"there is no run/{number}", hint=f"There is {', '.join('run/' + n for n in near)}; `gv runs` lists all."
        )


def _is_running(path: Path) -> bool:
    try:
        return is_held(path)
    except OSError:
        return False
