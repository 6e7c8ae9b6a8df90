"""Blocks of writes that are made durable together."""

from __future__ import annotations

from contextvars import ContextVar
from types import TracebackType
from typing import Generic, Protocol, TypeVar


class Syncing(Protocol):
    """What a batch is of."""

    def sync(self) -> None:
        """Makes everything written durable."""
        ...


T = TypeVar("T", bound=Syncing)


class Batch(Generic[T]):
    """A block in which `put` does not wait for the disk; the end of the outermost one does.

    It covers this thread, and the tasks and threads that inherit its context,
    until it ends: what such a task puts later is durable at once again.
    """

    def __init__(self, database: T) -> None:
        self._database = database
        self._outer: Batch[Syncing] | None = None
        self.open = False

    def __enter__(self) -> T:
        self._outer = _batch.get()
        self.open = True
        _batch.set(self)  # type: ignore[arg-type]
        return self._database

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.open = False
        _batch.set(self._outer)
        if not in_batch(self._database):
            self._database.sync()

    def covers(self, database: Syncing) -> bool:
        """Returns whether this block, or one around it, is a batch of `database` that has not ended."""
        if self.open and self._database is database:
            return True
        return self._outer is not None and self._outer.covers(database)


_batch: ContextVar[Batch[Syncing] | None] = ContextVar("gvstore_batch", default=None)


def in_batch(database: Syncing) -> bool:
    """Returns whether a batch of this database is open here."""
    batch = _batch.get()
    return batch is not None and batch.covers(database)
