"""Persisters that outlive nothing: for tests, for sub-applications, and as the plain telling of what a persister is."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from gvstore import host
from gvstore.machine.duplicate import duplicate
from gvstore.machine.persister import (
    BaseStatePersister,
    Lineage,
    PersistedStateData,
    SavedStep,
    Status,
    UnknownApplication,
    checked_step,
    exception_text,
    kept_values,
    partition_of,
    text_of_instant,
)
from gvstore.machine.pointer import ParentPointer

if TYPE_CHECKING:
    from gvstore.machine.state import State

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRITERS: Final = 1000  # whose places are remembered
Key = tuple[str, str]


@dataclass(slots=True)
class _Line:
    """A lineage: its own steps, and the line and step that it goes on from."""

    key: Key
    number: int
    created_us: int
    pointer: ParentPointer | None = None
    parent: _Line | None = None
    parent_sequence: int = 0
    steps: dict[int, PersistedStateData] = field(default_factory=dict)
    last: int = 0

    def seen(self) -> Iterator[tuple[_Line, int]]:
        """Yields its steps and those before them, the newest first.

        A number names one step: those that come later hide all of an ancestor's from their own number on, in whichever line they are.
        """
        line: _Line | None = self
        limit: int | None = None
        while line is not None:
            for sequence in reversed(line.steps):
                if limit is None or sequence <= limit:
                    yield line, sequence
            most = min(line.parent_sequence, next(iter(line.steps)) - 1)
            limit, line = most if limit is None else min(limit, most), line.parent


class MemoryPersister(BaseStatePersister):
    """Keeps steps in this process's memory."""

    def __init__(self) -> None:
        self._lines: dict[Key, list[_Line]] = {}
        self._cursors: dict[tuple[Key, Hashable], tuple[_Line, int]] = {}  # where each writer is, the one that wrote last behind
        self._saved: dict[Key, None] = {}  # in the order of their last steps

    def save(
        self,
        partition_key: str | None,
        app_id: str,
        sequence_id: int,
        position: str,
        state: State[Any],
        status: Status,
        *,
        inputs: dict[str, Any] | None = None,
        result: dict[str, Any] | None = None,
        exception: BaseException | str | None = None,
        parent: ParentPointer | None = None,
        writer: Hashable = None,
        **kwargs: Any,
    ) -> None:
        """Keeps a step.

        Raises:
            PersisterFault: this is no step.
        """
        checked_step(app_id, sequence_id, position, state, status)
        key = partition_of(partition_key), app_id
        now = host.now_us()
        lines = self._lines.setdefault(key, [])
        line, last = self._cursors.pop((key, writer), None) or ((lines[-1], lines[-1].last) if lines else (None, 0))
        if line is None or sequence_id <= last or line.last != last:
            line = self._line(key, line, min(sequence_id - 1, last), now, parent)
            lines.append(line)
        line.steps[sequence_id] = {
            "partition_key": key[0], "app_id": app_id, "sequence_id": sequence_id, "position": position, "state": state,
            "created_at": text_of_instant(now), "status": status, "inputs": duplicate(kept_values(inputs)),
            "result": duplicate(kept_values(result)), "exception": exception_text(exception), "lineage": line.number,
        }  # fmt: skip
        line.last = sequence_id
        self._cursors[key, writer] = line, sequence_id
        if len(self._cursors) > _WRITERS:
            del self._cursors[next(iter(self._cursors))]
        self._saved.pop(key, None)
        self._saved[key] = None

    def _line(self, key: Key, before: _Line | None, most: int, now: int, pointer: ParentPointer | None) -> _Line:
        """Returns a new line of an application, after a step up to `most` of another; the first, after the step of a parent."""
        made = _Line(key, len(self._lines[key]) + 1, now)
        if before is None and pointer is not None:
            made.pointer = pointer
            others = self._lines.get((partition_of(pointer.partition_key), pointer.app_id))
            before, most = (others[-1] if others else None), pointer.sequence_id if pointer.sequence_id is not None else 1 << 63
        if before is not None:
            for line, sequence in before.seen():
                if sequence <= most:
                    made.parent, made.parent_sequence = line, sequence
                    made.pointer = ParentPointer(line.key[1], line.key[0], sequence)
                    break
        return made

    def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        *,
        lineage: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Returns a step of the last lineage, or of the one of this number, or None if there is none."""
        partition = partition_of(partition_key)
        if app_id is None:
            app_id = next((app for part, app in reversed(self._saved) if part == partition), None)
        line = self._lines.get((partition, app_id or ""), [None])[-1] if lineage is None else self._numbered(partition, app_id, lineage)
        if line is None:
            return None
        for each, sequence in line.seen():
            if sequence_id is None or sequence == sequence_id:
                step = each.steps[sequence].copy()
                step["inputs"], step["result"] = duplicate(step["inputs"]), duplicate(step["result"])
                return step
        return None

    def _numbered(self, partition: str, app_id: str | None, number: int) -> _Line | None:
        lines = self._lines.get((partition, app_id or ""), [])
        return lines[number - 1] if 1 <= number <= len(lines) else None

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last step first."""
        partition = partition_of(partition_key)
        return [app for part, app in reversed(self._saved) if part == partition]

    def list_partitions(self) -> list[str]:
        """Returns the partitions, sorted."""
        return sorted({part for part, _ in self._saved})

    def lineages(self, partition_key: str | None, app_id: str) -> list[Lineage]:
        """Returns the lineages of an application, the oldest first; none if there is no such application."""
        return [
            Lineage(
                line.number,
                next(iter(line.steps)),
                line.last,
                _EPOCH + timedelta(microseconds=line.created_us),
                line.pointer,
                line.parent.number if line.parent else None,
            )
            for line in self._lines.get((partition_of(partition_key), app_id), [])
        ]

    def history(self, partition_key: str | None, app_id: str, *, lineage: int | None = None) -> list[SavedStep]:
        """Returns the steps of a lineage, by default the last, those before it and before a fork included, the oldest first.

        Raises:
            UnknownApplication: there is no such application, or lineage.
        """
        partition = partition_of(partition_key)
        lines = self._lines.get((partition, app_id), [])
        line = lines[-1] if lines and lineage is None else self._numbered(partition, app_id, lineage or 0)
        if line is None:
            raise UnknownApplication.named(app_id, partition, self.list_app_ids(partition), lineage if lines else None)
        steps = [each.steps[sequence] for each, sequence in line.seen()]
        return [
            SavedStep(
                each["partition_key"],
                each["app_id"],
                each["lineage"],
                each["sequence_id"],
                each["position"],
                each["status"],
                datetime.fromisoformat(each["created_at"]),
                each["exception"],
            )
            for each in reversed(steps)
        ]


InMemoryPersister = MemoryPersister


class DevNullPersister(BaseStatePersister):
    """Keeps nothing."""

    def load(self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any) -> PersistedStateData | None:
        """Returns None."""
        return None

    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns none."""
        return []

    def save(
        self,
        partition_key: str | None,
        app_id: str,
        sequence_id: int,
        position: str,
        state: State[Any],
        status: Status,
        **kwargs: Any,
    ) -> None:
        """Does nothing."""
