"""Persisters to be awaited: each works in a thread of its own, so that the event loop goes on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

from gvstore.machine.persister import (
    AsyncBaseStatePersister,
    Lineage,
    PersistedStateData,
    SavedStep,
    Status,
)
from gvstore.machine.persister_memory import MemoryPersister
from gvstore.machine.persister_sqlite import DEFAULT_TABLE, SQLitePersister
from gvstore.machine.pointer import ParentPointer

if TYPE_CHECKING:
    from gvstore.machine.state import State

T = TypeVar("T")


class _Awaited(AsyncBaseStatePersister):
    """A persister whose methods are awaited; `_call` says where they run."""

    def __init__(self, kept: MemoryPersister | SQLitePersister) -> None:
        self._kept = kept

    async def _call(self, method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return method(*args, **kwargs)

    async def initialize(self) -> None:
        """Makes what it needs.  Raises as its twin."""
        await self._call(self._kept.initialize)

    async def is_initialized(self) -> bool:
        """Returns whether it can keep and hand out steps."""
        return await self._call(self._kept.is_initialized)

    async def save(
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
        """Keeps a step.  Raises as its twin."""
        given = {"inputs": inputs, "result": result, "exception": exception, "parent": parent, "writer": writer}
        await self._call(self._kept.save, partition_key, app_id, sequence_id, position, state, status, **given)

    async def load(
        self,
        partition_key: str | None,
        app_id: str | None,
        sequence_id: int | None = None,
        *,
        lineage: int | None = None,
        **kwargs: Any,
    ) -> PersistedStateData | None:
        """Returns a step, or None if there is none.  Raises as its twin."""
        return await self._call(self._kept.load, partition_key, app_id, sequence_id, lineage=lineage, **kwargs)

    async def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last step first."""
        return await self._call(self._kept.list_app_ids, partition_key)

    async def list_partitions(self) -> list[str]:
        """Returns the partitions, sorted."""
        return await self._call(self._kept.list_partitions)

    async def lineages(self, partition_key: str | None, app_id: str) -> list[Lineage]:
        """Returns the lineages of an application, the oldest first."""
        return await self._call(self._kept.lineages, partition_key, app_id)

    async def history(self, partition_key: str | None, app_id: str, *, lineage: int | None = None) -> list[SavedStep]:
        """Returns the steps of a lineage, those before it and before a fork included.  Raises as its twin."""
        return await self._call(self._kept.history, partition_key, app_id, lineage=lineage)


class AsyncMemoryPersister(_Awaited):
    """Keeps steps in this process's memory."""

    def __init__(self) -> None:
        super().__init__(MemoryPersister())


AsyncInMemoryPersister = AsyncMemoryPersister


P = TypeVar("P", bound="AsyncSQLitePersister")


class Opening(Generic[P]):
    """A persister on its way: `await` it, or write `async with` before it, which closes it at the end."""

    def __init__(self, made: P) -> None:
        self._made = made

    def __await__(self) -> Generator[Any, None, P]:
        yield from ()
        return self._made

    async def __aenter__(self) -> P:
        return self._made

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._made.cleanup()


class AsyncSQLitePersister(_Awaited):
    """Keeps steps in a SQLite file, as SQLitePersister does; the two may share one."""

    def __init__(
        self,
        db_path: str | Path,
        table_name: str = DEFAULT_TABLE,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
        *,
        synchronous: Literal["OFF", "NORMAL", "FULL", "EXTRA"] = "NORMAL",
    ) -> None:
        self._sqlite = SQLitePersister(db_path, table_name, serde_kwargs, connect_kwargs, synchronous=synchronous)
        super().__init__(self._sqlite)
        self._thread = ThreadPoolExecutor(1, "gvstore-persister")

    @classmethod
    def from_values(
        cls,
        db_path: str | Path,
        table_name: str = DEFAULT_TABLE,
        serde_kwargs: dict[str, Any] | None = None,
        connect_kwargs: dict[str, Any] | None = None,
    ) -> Opening[Self]:
        """Returns what gives the persister of a file: `await` it, or write `async with` before it."""
        return Opening(cls(db_path, table_name, serde_kwargs, connect_kwargs))

    async def _call(self, method: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(method, *args, **kwargs))

    async def create_table_if_not_exists(self, table_name: str | None = None) -> None:
        """Makes the file and its tables, as its twin."""
        await self._call(self._sqlite.create_table_if_not_exists, table_name)

    create_table = create_table_if_not_exists

    def set_serde_kwargs(self, serde_kwargs: dict[str, Any]) -> None:
        """Says what serializers and deserializers that take keywords are given."""
        self._sqlite.set_serde_kwargs(serde_kwargs)

    async def cleanup(self) -> None:
        """Closes the file; it is opened again when it is needed."""
        await self._call(self._sqlite.cleanup)

    close = cleanup

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cleanup()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._sqlite.db_path!r}, {self._sqlite.table_name!r})"


AsyncSQLLitePersister = AsyncSQLitePersister


class AsyncDevNullPersister(AsyncBaseStatePersister):
    """Keeps nothing."""

    async def load(
        self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any
    ) -> PersistedStateData | None:
        """Returns None."""
        return None

    async def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns none."""
        return []

    async def save(
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
