"""Exceptions as resources: enact's words for what a call raised.

An ExceptionResource is a result like any other: `invoke` returns the
invocation that holds it.  Every other exception is a native one: `invoke`
raises it again.  Records hold both as they are; `NativeException` is how enact
shows the second kind.
"""

from __future__ import annotations

import traceback as tracebacks
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from gvstore.journal.fault import FrameworkError, InvocationError, RecordedError
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


@dataclass(eq=False, repr=False)
class NativeException(ExceptionResource):
    """What enact shows of an exception that is no resource; the traceback is text, without gvstore's own lines."""

    type_name: str
    str_representation: str
    traceback: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Returns the same, of an exception at hand or out of a record."""
        if isinstance(error, RecordedError):
            name, _, text = str(error).partition(": ")
            return cls(name, text)
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        lines: Iterable[str] = tracebacks.format_exception(error) if error.__traceback__ is not None else ()
        return cls(name, str(error), "".join(lines))

    def __str__(self) -> str:
        return f"{self.type_name}: {self.str_representation}"
