"""What keeps an application's steps, so that it can be resumed, forked and looked at: the protocol.

    load          the last step of an application, or one that is named
    save          one more step
    list_app_ids  which applications there are

`partition_key` parts applications, by user for example; None is the partition
"".  `sequence_id` counts an application's steps.  A step is `completed`, with
the state after it, or `failed`, with the state before it.

What is kept is never lost.  A step that is saved again, as after a rewind,
begins a new lineage of the application, of which the steps before it are a
part; so do steps of a fork, and of two processes that go on from the same step.

Those that come with the library, `persister_memory.py` and
`persister_sqlite.py`, keep what each step was given and answered as well, and
say what came before a fork.  Twins that are awaited: `persister_async.py`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, NotRequired, Self, TypedDict

from gvstore.errors import Corrupt, UsageFault
from gvstore.machine.finding import near
from gvstore.machine.pointer import ParentPointer

if TYPE_CHECKING:
    from gvstore.machine.state import State

Status = Literal["completed", "failed"]


class PersistedStateData(TypedDict):
    """A step that was kept.  `created_at` is RFC 3339, UTC.

    The library's own persisters say more: the step's `inputs`, its `result`,
    the text of its `exception`, and the `lineage` that it was kept in.
    """

    partition_key: str
    app_id: str
    sequence_id: int
    position: str
    state: State[Any]
    created_at: str
    status: Status
    inputs: NotRequired[dict[str, Any] | None]
    result: NotRequired[dict[str, Any] | None]
    exception: NotRequired[str | None]
    lineage: NotRequired[int]


@dataclass(frozen=True, slots=True)
class SavedStep:
    """A step in an application's history; `app_id` and `partition_key` are the parent's before a fork."""

    partition_key: str
    app_id: str
    lineage: int
    sequence_id: int
    position: str
    status: Status
    created_at: datetime
    exception: str | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """A line of steps of one application, from `first` to `last`; `parent` is what it goes on from, in `parent_lineage` of it.

    `number` counts from 1; the last is the application's present.
    """

    number: int
    first: int
    last: int
    created_at: datetime
    parent: ParentPointer | None = None
    parent_lineage: int | None = None


class PersisterFault(UsageFault, ValueError):
    """A persister was asked for what it cannot do."""


class NotInitialized(UsageFault, RuntimeError):
    """A persister has not made its tables yet."""

    def __init__(self, persister: object) -> None:
        name = type(persister).__name__
        super().__init__(f"Uninitialized persister: this {name} has no tables yet", hint="Call its `initialize()` first.")


class CorruptPersister(Corrupt):
    """What a persister kept is damaged."""

    hint = "Keep a copy of the file, and take it from a backup, or start with another one."


class UnknownApplication(UsageFault, LookupError):
    """A persister has no such application, or no such step of it."""

    __str__ = Exception.__str__

    def __init__(self, what: str, known: list[str]) -> None:
        self.known = tuple(known)
        shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
        found = near(what.split()[-1].strip("'\""), known)
        hint = f"Did you mean {' or '.join(found)}?" if found else f"It has {shown}." if known else "It has none."
        super().__init__(f"the persister has no {what}", hint=hint)

    @classmethod
    def named(cls, app_id: str, partition: str, known: list[str], lineage: int | None = None) -> UnknownApplication:
        """Returns the error of an application that is not among `known`, or has no such lineage."""
        if lineage is not None:
            return cls(f"lineage {lineage} of application {app_id!r}", [])
        made = cls(f"application {app_id!r}", known)
        if partition:
            made.args = (f"{made.args[0]} in partition {partition!r}",)
        return made


class BaseCopyable(abc.ABC):  # noqa: B024 - what is abstract stands below
    """What can be copied for a sub-application."""

    def copy(self) -> Self:
        """Returns one that may be used beside this one; by default this one itself."""
        return self


class BaseStateLoader(BaseCopyable):
    """Hands out what was kept."""

    @abc.abstractmethod
    def load(
        self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any
    ) -> PersistedStateData | None:
        """Returns a step of an application, by default its last, or None if there is none; without `app_id`, the partition's last."""

    @abc.abstractmethod
    def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last step first."""

    def is_async(self) -> bool:
        """Returns whether its methods are to be awaited."""
        return False


class BaseStateSaver(BaseCopyable):
    """Keeps steps."""

    def initialize(self) -> None:
        """Makes what it needs; may be called again."""
        return

    def is_initialized(self) -> bool:
        """Returns whether it can keep and hand out steps."""
        return True

    @abc.abstractmethod
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
        """Keeps a step: `position` is the name of the action that ran.

        The library's own take more, as keywords: `inputs`, `result`, `exception`;
        of a fork its `parent`, a ParentPointer; and who is the `writer`, any
        token: two that write one application do not get into each other's lineages.
        """

    def is_async(self) -> bool:
        """Returns whether its methods are to be awaited."""
        return False


class BaseStatePersister(BaseStateLoader, BaseStateSaver):
    """Both."""


class AsyncBaseStateLoader(BaseCopyable):
    """Hands out what was kept; to be awaited."""

    @abc.abstractmethod
    async def load(
        self, partition_key: str | None, app_id: str | None, sequence_id: int | None = None, **kwargs: Any
    ) -> PersistedStateData | None:
        """Returns a step of an application, by default its last, or None if there is none; without `app_id`, the partition's last."""

    @abc.abstractmethod
    async def list_app_ids(self, partition_key: str | None, **kwargs: Any) -> list[str]:
        """Returns the applications of a partition, the one with the last step first."""

    def is_async(self) -> bool:
        """Returns whether its methods are to be awaited."""
        return True


class AsyncBaseStateSaver(BaseCopyable):
    """Keeps steps; to be awaited."""

    async def initialize(self) -> None:
        """Makes what it needs; may be called again."""
        return

    async def is_initialized(self) -> bool:
        """Returns whether it can keep and hand out steps."""
        return True

    @abc.abstractmethod
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
        """Keeps a step, as BaseStateSaver.save does."""

    def is_async(self) -> bool:
        """Returns whether its methods are to be awaited."""
        return True


class AsyncBaseStatePersister(AsyncBaseStateLoader, AsyncBaseStateSaver):
    """Both."""


def partition_of(partition_key: object) -> str:
    """Returns a partition's name: "" for None.  Raises PersisterFault where it is no text."""
    if partition_key is None:
        return ""
    if type(partition_key) is not str or not is_text(partition_key):
        raise PersisterFault(f"partition_key is text or None, not {partition_key!r}")
    return partition_key


def is_text(value: str) -> bool:
    """Returns whether UTF-8 holds a string: a file's name that the system could not decode, it does not."""
    return legible(value) == value


def legible(text: str) -> str:
    """Returns text that UTF-8 holds: what it does not is told by its number."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_of_instant(microseconds: int) -> str:
    """Returns RFC 3339 of microseconds since 1970 UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds")


def checked_step(app_id: object, sequence_id: object, position: object, state: object, status: object) -> None:
    """Raises PersisterFault where this is no step that can be kept."""
    from gvstore.machine.state import State

    if type(app_id) is not str or not app_id or not is_text(app_id):
        raise PersisterFault(f"app_id is text, not {app_id!r}")
    if type(sequence_id) is not int or not -(1 << 63) <= sequence_id < 1 << 63:
        raise PersisterFault(f"sequence_id is a whole number, not {sequence_id!r}")
    if type(position) is not str or not is_text(position):
        raise PersisterFault(f"position is the name of an action, not {position!r}")
    if not isinstance(state, State):
        raise PersisterFault(f"what is kept is a State, not a {type(state).__name__}")
    if status not in ("completed", "failed"):
        raise PersisterFault(f"status is 'completed' or 'failed', not {status!r}")


def exception_text(exception: BaseException | str | None) -> str | None:
    """Returns what is kept of an exception: its type and its text, in a line as Python prints it."""
    if exception is None:
        return None
    if isinstance(exception, BaseException):
        text = str(exception)
        exception = f"{type(exception).__name__}: {text}" if text else type(exception).__name__
    return legible(exception)


def kept_values(values: Any) -> Any:
    """Returns the inputs or the result of a step as a plain dict, without what the machine itself gives; a result that is a model as it is."""
    if not isinstance(values, Mapping):
        return values
    return {name: value for name, value in values.items() if not name.startswith("__")}
