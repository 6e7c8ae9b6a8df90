"""Invokables: components with fields.

    @gv.register
    @dataclass
    class RollDie(gv.Invokable[None, int]):
        sides: int

        def call(self) -> int: ...

Calling an instance is a recorded call; its field values before, and where
they differ after, are part of the record.  The older `typed_invokable(input,
output)` registers too, and checks what goes in and what comes out.
"""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from gvstore.journal.call import record_async_call, record_call
from gvstore.journal.component import LiveComponent
from gvstore.journal.fault import InvokableTypeError
from gvstore.journal.recorder import CURRENT
from gvstore.store.resource import Resource, ResourceBase

if TYPE_CHECKING:
    from typing_extensions import TypeVar as TypeVarWithDefault  # never loaded: what Python has from 3.13 on

    from gvstore.journal.invocation import Invocation
    from gvstore.store.ref import Ref

    I = TypeVarWithDefault("I", default=Any)  # noqa: E741 - the field's letters
    O = TypeVarWithDefault("O", default=Any)  # noqa: E741
else:
    I = TypeVar("I")  # noqa: E741
    O = TypeVar("O")  # noqa: E741

C = TypeVar("C", bound="type[InvokableBase]")
_UNKNOWN: Any = object()


class InvokableBase(ResourceBase):
    """Something with fields that can be called; a subclass writes `call`, and how its fields are named and read."""

    __gv__: ClassVar[LiveComponent | None] = None
    _types: ClassVar[tuple[Any, Any] | None] = None  # of typed_invokable: input, output

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the component does; to be written by the subclass."""
        raise NotImplementedError(f"{type(self).__qualname__}.call")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frame = CURRENT.get()
        live = type(self).__gv__
        if live is None or live.subject is not type(self):  # a subclass that was not registered itself
            return type(self).checked_call()(self, *args, **kwargs)
        if frame is None:
            return live.function(self, *args, **kwargs)
        return record_call(frame, live, args, kwargs, self)

    def invoke(self, arg: Ref[Any] | Any = None, **options: Any) -> Invocation | Any:
        """Returns the record of a call with one argument, given as a reference or as it is; `options` are those of `invoke`.

        Raises:
            whatever `invoke` does.
        """
        from gvstore.journal.invoke import invoke

        return invoke(self, self._arguments(arg), **options)

    def _arguments(self, arg: Any) -> tuple[Any, ...]:
        from gvstore.store.ref import Ref

        if arg is None and not _parameters(type(self)):
            return ()
        return (arg.checkout(),) if isinstance(arg, Ref) else (arg,)

    @classmethod
    def get_input_type(cls) -> Any:
        """Returns the type of the argument: NoneType where there is none, None where it is not annotated."""
        return _told(cls)[0] if cls._types is None else cls._types[0]

    @classmethod
    def get_output_type(cls) -> Any:
        """Returns the type of what it returns: NoneType for None, None where it is not annotated."""
        return _told(cls)[1] if cls._types is None else cls._types[1]

    @classmethod
    def checked_call(cls) -> Callable[..., Any]:
        """Returns its function `call`; of a typed Invokable, one that checks.

        Raises:
            TypeError: it has none, or one that takes no `self`.
        """
        call: Any = cls.call
        if call is InvokableBase.call or call in (Invokable.call, AsyncInvokable.call):
            raise TypeError(f"{cls.__qualname__} has no method `call`")
        if not inspect.isfunction(inspect.unwrap(call)) or not inspect.signature(call).parameters:
            raise TypeError(f"{cls.__qualname__}.call takes no `self`")
        return call if cls._types is None else _checked(cls, call)


class AsyncInvokableBase(InvokableBase):
    """The same whose `call` is a coroutine function."""

    async def call(self, *args: Any, **kwargs: Any) -> Any:
        """What the component does; to be written by the subclass."""
        raise NotImplementedError(f"{type(self).__qualname__}.call")

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        frame = CURRENT.get()
        live = type(self).__gv__
        if live is None or live.subject is not type(self):
            return await type(self).checked_call()(self, *args, **kwargs)
        if frame is None:
            return await live.function(self, *args, **kwargs)
        return await record_async_call(frame, live, args, kwargs, self)

    async def invoke(self, arg: Ref[Any] | Any = None, **options: Any) -> Invocation:
        """Returns the record of a call with one argument, given as a reference or as it is; `options` are those of `invoke_async`."""
        from gvstore.journal.invoke import invoke_async

        return await invoke_async(self, self._arguments(arg), **options)


class Invokable(Resource, InvokableBase, Generic[I, O]):
    """Base of components whose fields are those of a dataclass."""

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> O: ...


class AsyncInvokable(Resource, AsyncInvokableBase, Generic[I, O]):
    """Base of components with fields whose `call` is a coroutine function."""

    if TYPE_CHECKING:

        async def __call__(self, *args: Any, **kwargs: Any) -> O: ...


def typed_invokable(input_type: Any, output_type: Any) -> Callable[[C], C]:
    """Returns a decorator that registers an Invokable class and has its input and output checked when it is called.

    `type(None)` (or None) as input: it takes no argument.
    """

    def decorate(cls: C) -> C:
        from gvstore.journal.register import register

        if not (isinstance(cls, type) and issubclass(cls, InvokableBase)):
            raise TypeError(f"{cls!r} is no Invokable class")
        cls._types = (_plain(input_type), _plain(output_type))
        return register(cls)

    return decorate


def _plain(annotation: Any) -> Any:
    return type(None) if annotation is None else annotation


def _parameters(cls: type[InvokableBase]) -> list[inspect.Parameter]:
    return list(inspect.signature(cls.call).parameters.values())[1:]


def _told(cls: type[InvokableBase]) -> tuple[Any, Any]:
    """Returns (input type, output type) as `call` is annotated."""
    try:
        hints = typing.get_type_hints(cls.call)
    except Exception:  # an annotation that names nothing
        hints = {}
    parameters = _parameters(cls)
    given = type(None) if not parameters else hints.get(parameters[0].name)
    return given, hints.get("return")


def _checked(cls: type[InvokableBase], call: Callable[..., Any]) -> Callable[..., Any]:
    """Returns `call` with checks before and after."""
    assert cls._types is not None
    wanted, promised = cls._types
    takes = bool(_parameters(cls))

    def before(args: tuple[Any, ...]) -> tuple[Any, ...]:
        for arg in args[1:2]:
            check_type(arg, wanted, f"the input of {cls.__qualname__}")
        if not takes and args[1:] == (None,):
            return args[:1]
        return args

    if inspect.iscoroutinefunction(call):

        @functools.wraps(call)
        async def checked(*args: Any, **kwargs: Any) -> Any:
            return check_type(await call(*before(args), **kwargs), promised, f"the output of {cls.__qualname__}")

    else:

        @functools.wraps(call)
        def checked(*args: Any, **kwargs: Any) -> Any:
            return check_type(call(*before(args), **kwargs), promised, f"the output of {cls.__qualname__}")

    return checked


def check_type(value: Any, wanted: Any, what: str) -> Any:
    """Returns the value.

    Raises:
        InvokableTypeError: it is of another type.
    """
    from gvstore.journal.requested import describe, fits, type_text

    if not fits(value, wanted):
        raise InvokableTypeError(
            f"{what} must be {type_text(describe(wanted))}, and this is {type(value).__name__}: {value!r:.200}"
        )
    return value
