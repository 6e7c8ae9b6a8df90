"""Exceptions as resources: enact's words for what a call raised.

An ExceptionResource is a result like any other: `invoke` returns the
invocation that holds it.  Every other exception is a native one: `invoke`
raises it again.  Records hold both as they are; `NativeException` is how enact
shows the second kind.
"""

from __future__ import annotations

import traceback as tracebacks
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gvstore.journal.fault import FrameworkError, InvocationError, RecordedError
from gvstore.objects.exception import expand_exception, make_exception
from gvstore.objects.subclass import HEAP_TYPE
from gvstore.store.resource import Resource

if TYPE_CHECKING:
    from gvstore.store.resource import FieldValue

RAISED_THROUGH = (InvocationError, FrameworkError)  # what `invoke` always raises


class ExceptionResource(Resource, Exception):
    """Base of exceptions with fields; the subclass is a dataclass, or takes arguments as any exception does."""

    def __init__(self, *args: FieldValue) -> None:
        Exception.__init__(self, *args)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.args == getattr(other, "args", None) and vars(self) == vars(other)

    __hash__ = Exception.__hash__

    def __repr__(self) -> str:
        return Exception.__repr__(self)

    def __str__(self) -> str:
        names = tuple(self.field_names())
        return repr(self) if names and not self.args else Exception.__str__(self)


class _IsNative(type):
    """Lets an exception that shows itself as a native one count as such."""

    def __instancecheck__(cls, instance: object) -> bool:
        return type.__instancecheck__(cls, instance) or hasattr(type(instance), "__gv_native__")


@dataclass(eq=False, repr=False)
class NativeException(ExceptionResource, metaclass=_IsNative):
    """What enact shows of an exception that is no resource; the traceback is text, empty out of a record."""

    type_name: str
    str_representation: str
    traceback: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Returns the same, of an exception at hand or out of a record."""
        if isinstance(error, RecordedError):
            return cls(error.type_name, error.str_representation)
        lines: Iterable[str] = tracebacks.format_exception(error) if error.__traceback__ is not None else ()
        return cls(_shown_name(type(error)), str(error), "".join(lines))

    def __str__(self) -> str:
        return f"{self.type_name}: {self.str_representation}"


def _shown_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


_shown: weakref.WeakKeyDictionary[type, type[BaseException]] = weakref.WeakKeyDictionary()


def shown_as_native(error: BaseException) -> BaseException:
    """Returns an exception out of a record so that both kinds of programs know it.

    It is still a ValueError, with the ValueError's arguments, name and bytes;
    and it is a NativeException, with that one's fields.
    """
    kind = type(error)
    if isinstance(error, ExceptionResource | RecordedError) or "__init_subclass__" in _program_names(kind):
        return error
    try:
        shown = _shown.get(kind) or _shown.setdefault(kind, _native_class(kind))
        _, (_, args, _, *rest) = expand_exception(kind)(error)
        return make_exception(shown, args, *rest)
    except Exception:  # a class that takes more than C to make, or does not like to be derived from
        return error


def _native_class(kind: type[BaseException]) -> type[BaseException]:
    name = _shown_name(kind)
    body = {
        "__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__, "__gv_native__": True,
        "type_name": name, "traceback": "", "str_representation": property(str),
    }  # fmt: skip
    return type(kind.__name__, (kind,), body)


def _program_names(kind: type) -> set[str]:
    """Returns the names that a program's own classes above `kind`, itself among them, define."""
    return {name for each in kind.__mro__ if each.__flags__ & HEAP_TYPE for name in vars(each)}
