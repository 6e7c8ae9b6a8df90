"""One run as a row of named columns: what queries, tables and data frames read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from gvstore.journal.run_facts import Facts
from gvstore.objects.oid import ObjectId
from gvstore.repo.remark import Remarks, read_remarks, remarked

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo import RunRow

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NONE = Remarks()
_FEW = 50  # runs whose remarks are looked up one by one


class Beside:
    """What stands in refs beside the runs, read once: their tags, what is said of them, the numbers of those they came from."""

    def __init__(self, repo: Repository, now: int) -> None:
        self.repo, self.now = repo, now
        self._tags: dict[ObjectId, tuple[str, ...]] | None = None
        self._remarked: dict[int, ObjectId] | None = None
        self._asked = 0
        self._numbers: dict[str, int | None] = {}

    def tags(self, oid: ObjectId | None) -> tuple[str, ...]:
        """Returns the names of the tags of a run."""
        if self._tags is None:
            from gvstore.repo.tag import names_by_target

            self._tags = names_by_target(self.repo)
        return self._tags.get(oid, ()) if oid is not None else ()

    def remarks(self, number: int) -> Remarks:
        """Returns what is said of a run."""
        self._asked += 1
        if self._remarked is None and self._asked <= _FEW:
            return read_remarks(self.repo, number)
        if self._remarked is None:
            self._remarked = remarked(self.repo)
        oid = self._remarked.get(number)
        return Remarks.get(self.repo.objects, oid) if oid is not None else _NONE

    def number(self, parent: str) -> int | None:
        """Returns the number of the run whose oid is `parent`, None where it has none here."""
        if not parent:
            return None
        if parent not in self._numbers:
            self._numbers[parent] = self.repo.refs.run_number(ObjectId.from_hex(parent))
        return self._numbers[parent]


class QueryRow:
    """A run as refs.db lists it, with its facts, which `read` gives if they are not there when they are asked for."""

    __slots__ = ("_facts", "_read", "beside", "row")

    def __init__(
        self, row: RunRow, beside: Beside, read: Callable[[RunRow], Facts | None] | None = None, facts: Facts | None = None
    ) -> None:
        self.row, self.beside, self._read, self._facts = row, beside, read, facts

    @property
    def facts(self) -> Facts | None:
        """What follows from its objects; None of a damaged one."""
        if self._facts is None and self._read is not None:
            self._facts, self._read = self._read(self.row), None
        return self._facts

    @property
    def name(self) -> str:
        """What users type: `run/7`."""
        return f"run/{self.row.number}"

    @property
    def remarks(self) -> Remarks:
        """What is said of it."""
        return self.beside.remarks(self.row.number)

    def __getitem__(self, name: str) -> Any:
        """Returns the value of a column; KeyError where there is none of this name."""
        return COLUMNS[name](self)

    def value(self, path: str) -> Any:
        """Returns the value of a column, or, behind dots, of a part of it: `args.topic`; None where there is no such part."""
        name, *rest = path.split(".")
        value = self[name]
        for index, part in enumerate(rest):
            if isinstance(value, dict):
                joined = ".".join(rest[index:])
                if joined in value:
                    return value[joined]
                value = value.get(part)
            else:
                return None
        return value


def moment(us: int) -> str:
    """Returns a time as queries compare it: RFC 3339 in UTC."""
    return (_EPOCH + timedelta(microseconds=us)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _fact(name: str, default: Any = None) -> Callable[[QueryRow], Any]:
    return lambda row: default if row.facts is None else getattr(row.facts, name)


def _count(name: str) -> Callable[[QueryRow], Any]:
    return lambda row: None if row.facts is None else row.facts.counts.get(name)


def _label(name: str) -> Callable[[QueryRow], Any]:
    return lambda row: None if row.facts is None else row.facts.labels.get(name)


def _tokens(row: QueryRow) -> int | None:
    counts = row.facts.counts if row.facts is not None else {}
    told = [counts[name] for name in ("prompt_tokens", "completion_tokens") if name in counts]
    return sum(told) if told else None


def _cost(row: QueryRow) -> float | None:
    cost = row.facts.counts.get("cost_microusd") if row.facts is not None else None
    return None if cost is None else cost / 1e6


def _seconds(row: QueryRow) -> float | None:
    return None if row.facts is None else (row.facts.ended_at - row.facts.started_at) / 1e6


def _ended(row: QueryRow) -> str | None:
    ended = row.facts.ended_at if row.facts is not None else row.row.ended_at
    return None if ended is None else moment(ended)


COLUMNS: dict[str, Callable[[QueryRow], Any]] = {
    "number": lambda row: row.row.number,
    "run": lambda row: row.name,
    "status": lambda row: "damaged" if row.facts is None else row.facts.status,
    "target": lambda row: row.row.target,
    "component": _fact("component", ""),
    "args": _fact("args", {}),
    "output": _fact("output"),
    "raised": _fact("raised"),
    "calls": _count("calls"),
    "executed": _count("executed"),
    "reused": _count("reused"),
    "tokens": _tokens,
    "prompt_tokens": _count("prompt_tokens"),
    "completion_tokens": _count("completion_tokens"),
    "cost": _cost,
    "seconds": _seconds,
    "started": lambda row: moment(row.row.started_at),
    "ended": _ended,
    "age": lambda row: (row.beside.now - row.row.started_at) / 1e6,
    "group": _fact("group", ""),
    "message": _fact("message", ""),
    "author": _fact("author", ""),
    "branch": _fact("branch", ""),
    "parent": lambda row: None if row.facts is None else row.beside.number(row.facts.parent),
    "by": _fact("by"),
    "tags": lambda row: list(row.beside.tags(row.row.oid)),
    "note": lambda row: row.remarks.text or None,
    "score": lambda row: row.remarks.score,
    "scores": lambda row: row.remarks.values,
    "app": _label("app"),
    "partition": _label("partition"),
    "labels": _fact("labels", {}),
}

# What is known of a run without its objects, and what `Facts` holds as it stands: a text that these must
# equal, or hold, stands in the index too.
OF_ROW = frozenset({"number", "run", "target", "started", "age"})
OF_FACTS = frozenset({"status", "component", "args", "output", "raised", "group", "message", "author", "branch", "by", "app", "partition", "labels"})
BESIDE = frozenset({"tags", "note", "score", "scores"})
