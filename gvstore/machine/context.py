"""What an action may know of the application it runs in: its `__context` parameter."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any


@dataclass(slots=True)
class ApplicationContext:
    """Which application and step this is, and what a sub-application takes over.

    `error` is what the step before raised, in an action that an error transition
    leads to.  `first_attempt` is the number that the step had when it was tried
    first, before it failed and was run again.  `with context:` makes it what `ApplicationContext.get` returns;
    while an action runs, it is its own.
    """

    app_id: str
    partition_key: str | None
    sequence_id: int | None
    tracker: Any = None
    parallel_executor_factory: Callable[[], Any] | None = None
    state_initializer: Any = None
    state_persister: Any = None
    action_name: str | None = None
    error: BaseException | None = None
    first_attempt: int | None = None
    _tokens: list[Token[ApplicationContext | None]] = field(default_factory=list, repr=False, compare=False)

    @staticmethod
    def get() -> ApplicationContext | None:
        """Returns the context of the action that runs here, or None outside of any."""
        return CURRENT.get()

    def __enter__(self) -> ApplicationContext:
        self._tokens.append(CURRENT.set(self))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        CURRENT.reset(self._tokens.pop())


CURRENT: ContextVar[ApplicationContext | None] = ContextVar("gvstore_machine_context", default=None)
