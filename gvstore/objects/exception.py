"""Exceptions, out and back: `[12, type, args, text, state, cause, context, suppress]`.

`text` is what a `__str__` of the program's own says, with addresses blotted
out, for readers without the class; nil where C says it, from `args`.
`state` is a dict of what construction from `args` does not give: the
instance's dict (notes among it), slots, and the attributes that exceptions of
C keep beside it (`errno`, `filename`, `lineno`, ...), or nil.  An exception is
made by the C class it derives from: no `__new__` or `__init__` of a program
runs.  Left out: tracebacks, and `AttributeError.obj`, which drags in anything.
"""

from __future__ import annotations

import re
import types
from collections.abc import Callable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.naming import type_name
from gvstore.objects.placeholder import Opaque, StoredException, Unresolved
from gvstore.objects.subclass import HEAP_TYPE, attributes_of, set_attributes, slots_of

_DETAILS: Final[dict[type[BaseException], tuple[str, ...]]] = {
    OSError: ("errno", "strerror", "filename", "filename2", "characters_written"),
    ImportError: ("msg", "name", "path"),
    NameError: ("name",),
    AttributeError: ("name",),
    SyntaxError: (
        "msg", "filename", "lineno", "offset", "text", "print_file_and_line", "end_lineno", "end_offset",
    ),
    UnicodeDecodeError: ("encoding", "object", "start", "end", "reason"),
    UnicodeEncodeError: ("encoding", "object", "start", "end", "reason"),
    UnicodeTranslateError: ("object", "start", "end", "reason"),
    StopIteration: ("value",),
    SystemExit: ("code",),
}  # fmt: skip
_ARGS: Final[Any] = BaseException.args
_MISSING: Final = object()
_ADDRESS: Final = re.compile(" at 0x[0-9a-fA-F]+")


def _details_of(type_: type[BaseException]) -> dict[str, Any]:
    """Returns the C attributes of an exception class, by name."""
    return {
        name: vars(base)[name]
        for base, names in _DETAILS.items()
        if issubclass(type_, base)
        for name in names
        if name in vars(base)
    }


def _blank(type_: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """Returns an exception of this class made of `args` alone, by C alone."""
    base: Any = next(each for each in type_.__mro__ if not each.__flags__ & HEAP_TYPE)
    try:
        made = base.__new__(type_, *args)
    except (TypeError, ValueError):
        made = base.__new__(type_)
    if type(made) is not type_:  # OSError(ENOENT, ...) turns into a FileNotFoundError
        made = base.__new__(type_)
    else:
        try:
            base.__init__(made, *args)
        except (TypeError, ValueError):
            pass
    _ARGS.__set__(made, args)
    return made  # type: ignore[no-any-return]


def _get(detail: Any, error: BaseException) -> Any:
    try:
        return detail.__get__(error)
    except (AttributeError, TypeError):
        return _MISSING


def _same(a: Any, b: Any) -> bool:
    return a is b or (type(a) is type(b) and type(a) in (int, str, bytes) and a == b)


def expand_exception(type_: type[BaseException]) -> Callable[[Any], tuple[int, tuple[Any, ...]]]:
    """Returns the expander of an exception class."""
    details, slots = _details_of(type_), slots_of(type_)
    speaks = type(type_.__str__) is not types.WrapperDescriptorType

    def expander(v: BaseException) -> tuple[int, tuple[Any, ...]]:
        args = _ARGS.__get__(v)
        state = attributes_of(v, slots)
        if details:
            blank = _blank(type_, args)
            for name, detail in details.items():
                found = _get(detail, v)
                if found is not _MISSING and not _same(found, _get(detail, blank)):
                    state[name] = found
        return number.EXCEPTION, (
            type_name(type_), args, text_of(v) if speaks else None, state or None, v.__cause__, v.__context__, v.__suppress_context__,
        )  # fmt: skip

    return expander


def text_of(v: BaseException) -> str:
    """Returns what it says, without the addresses that differ in every process."""
    try:
        text = str.__str__(str(v))
    except Exception as e:  # a program's own __str__
        return f"<no text: {type(e).__name__}>"
    return _ADDRESS.sub(" at 0x…", text) if " at 0x" in text else text


def make_exception(
    cls: type[BaseException],
    args: tuple[Any, ...],
    state: dict[str, Any] | None,
    cause: Any,
    context: Any,
    suppress: bool,
) -> BaseException:
    """Returns the exception.

    Raises:
        TypeError, ValueError: it cannot be made so.
    """
    if issubclass(cls, BaseExceptionGroup) and len(args) == 2 and type(args[1]) in (list, tuple):
        args = (args[0], type(args[1])(map(_raisable, args[1])))
    made = _blank(cls, args)
    if state:
        set_attributes(made, state, {**slots_of(cls), **_details_of(cls)})
    for name, value in (("__cause__", cause), ("__context__", context), ("__suppress_context__", suppress)):
        object.__setattr__(made, name, _raisable(value))
    return made


def _raisable(value: Any) -> Any:
    return StoredException(value) if isinstance(value, (Unresolved, Opaque)) else value
