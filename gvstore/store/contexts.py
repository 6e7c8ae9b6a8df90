"""Contexts: a base for `with` blocks that a program can ask for the innermost open one of.

    @contexts.register
    class Budget(contexts.Context):
        ...

    with Budget() as budget:
        assert Budget.current() is budget

Each task and thread has its own; a thread starts without, unless its function
passed through `with_current_contexts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import Any, Final, ParamSpec, Self, TypeVar

from gvstore.store.fault import ContextError, NoActiveContext

__all__ = [
    "AsyncContext",
    "Context",
    "ContextError",
    "NoActiveContext",
    "register",
    "register_to_superclass",
    "with_current_contexts",
    "with_new_contexts",
]

P = ParamSpec("P")
T = TypeVar("T")
C = TypeVar("C", bound="type[_Entered]")

_PREFIX: Final = "gvstore."  # of the names of all context variables here
_Stack = tuple["_Entered", ...]  # of open contexts, the innermost last
_variables: dict[type, ContextVar[_Stack]] = {}


class _Entered:
    """What both kinds of contexts have: the classmethods that tell what is open."""

    @classmethod
    def _variable(cls) -> ContextVar[_Stack]:
        variable = _variables.get(cls)
        if variable is None:
            raise ContextError(f"{cls.__qualname__} is not registered: decorate it with contexts.register")
        return variable

    @classmethod
    def _stack(cls) -> _Stack:
        variable = cls._variable()
        stack = variable.get(None)
        if stack is None:
            if not cls.permissive_initialization():
                raise ContextError(
                    f"{cls.__qualname__} is not initialized in this thread: decorate the thread's function with "
                    "contexts.with_current_contexts or contexts.with_new_contexts"
                )
            variable.set(())
        return stack or ()

    @classmethod
    def permissive_initialization(cls) -> bool:
        """Returns whether a thread that inherited nothing starts with no context open; else that is an error."""
        return True

    @classmethod
    @contextmanager
    def top_level(cls) -> Iterator[None]:
        """Makes a block in which no context of this class is open."""
        variable = cls._variable()
        outer = variable.get(())
        variable.set(())
        try:
            yield
        finally:
            variable.set(outer)

    @classmethod
    def get_current(cls) -> Self | None:
        """Returns the innermost open context of this class, or None.

        Raises:
            ContextError: the class is not registered, or the innermost is one of a sibling class.
        """
        stack = cls._stack()
        if not stack:
            return None
        if not isinstance(stack[-1], cls):
            raise ContextError(f"the current context {stack[-1]!r} is not of type {cls.__qualname__}")
        return stack[-1]

    @classmethod
    def current(cls) -> Self:
        """Returns the innermost open context of this class.

        Raises:
            NoActiveContext: none is open.
        """
        found = cls.get_current()
        if found is None:
            raise NoActiveContext(f"no {cls.__qualname__} is active")
        return found

    def _push(self) -> None:
        self._variable().set((*self._stack(), self))

    def _pop(self) -> None:
        """Takes the innermost entry of this very context out; others may have been left open above it."""
        variable = self._variable()
        stack = variable.get(())
        for at in range(len(stack) - 1, -1, -1):
            if stack[at] is self:
                variable.set(stack[:at] + stack[at + 1 :])
                return


class Context(_Entered):
    """A context for `with`; may be entered several times."""

    def __enter__(self) -> Self:
        self._stack()
        self.enter()
        self._push()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pop()
        self.exit()

    def enter(self) -> None:
        """Called before the block; to be overridden."""

    def exit(self) -> None:
        """Called after the block; to be overridden."""


class AsyncContext(_Entered):
    """A context for `async with`."""

    async def __aenter__(self) -> Self:
        self._stack()
        await self.aenter()
        self._push()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pop()
        await self.aexit()

    async def aenter(self) -> None:
        """Awaited before the block; to be overridden."""

    async def aexit(self) -> None:
        """Awaited after the block; to be overridden."""


def register(cls: C) -> C:
    """Makes a class of contexts known; as a decorator.

    Raises:
        AssertionError: it is already registered.
    """
    _check_new(cls)
    variable: ContextVar[_Stack] = ContextVar(f"{_PREFIX}contexts.{cls.__qualname__}")
    variable.set(())
    _variables[cls] = variable
    return cls


def register_to_superclass(superclass: type[_Entered]) -> Callable[[C], C]:
    """Makes a class known whose open contexts are also those of its superclass; as a decorator.

    Raises:
        AssertionError: the superclass is not registered, or no superclass; or the class is registered already.
    """

    def decorate(cls: C) -> C:
        _check_new(cls)
        assert superclass in _variables, f"Superclass {superclass.__qualname__} is not registered"
        assert issubclass(cls, superclass), f"{cls.__qualname__} must be a subclass of {superclass.__qualname__}"
        _variables[cls] = _variables[superclass]
        return cls

    return decorate


def _check_new(cls: type) -> None:
    assert cls not in _variables, f"the context class {cls.__qualname__} is already registered"


def with_current_contexts(function: Callable[P, T]) -> Callable[P, T]:
    """Returns the function bound to the contexts, the store and the recording of now: in another thread they are the same."""
    return _with({**dict.fromkeys(_variables.values(), ()), **_ours()}, function)


def with_new_contexts(function: Callable[P, T]) -> Callable[P, T]:
    """Returns the function bound to no open contexts, no store and no recording."""
    return _with({}, function)


def _ours() -> dict[ContextVar[Any], Any]:
    """Returns the variables of this package that are set here: open contexts, the active store, the recorded call."""
    return {variable: value for variable, value in copy_context().items() if variable.name.startswith(_PREFIX)}


def _with(values: dict[ContextVar[Any], Any], function: Callable[P, T]) -> Callable[P, T]:
    def bound(*args: P.args, **kwargs: P.kwargs) -> T:
        blank: dict[ContextVar[Any], Any] = {**dict.fromkeys(_ours()), **dict.fromkeys(_variables.values(), ())}
        outer = [(variable, variable.set(value)) for variable, value in {**blank, **values}.items()]
        try:
            return function(*args, **kwargs)
        finally:
            for variable, token in reversed(outer):
                variable.reset(token)

    return bound
