"""From Python values to arrays: for every type, its number and what follows.

`expand(value)` returns (type number, elements).  Types are dispatched
exactly: a subclass never passes for its base.  Rooms above add types with
`register_expander`.  The other way is `build.py`.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import pathlib
import re
import types
import uuid
import zoneinfo
from collections.abc import Callable, Iterable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.naming import canonical_module, name_of
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved
from gvstore.objects.wire import Link

Expansion = tuple[int, Iterable[Any]]
Expander = Callable[[Any], Expansion]
_HEAP_TYPE: Final = 1 << 9  # Py_TPFLAGS_HEAPTYPE
IS_LINK: Final = -1  # instead of a type number: the elements are one Link

SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes, Link})
BUILTIN_BASES: Final = (int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)
PATHS: Final[tuple[type, ...]] = (
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    pathlib.PosixPath,
    pathlib.WindowsPath,
)


def _dict(value: dict[Any, Any]) -> Expansion:
    return number.DICT, [part for item in value.items() for part in item]


def _big_int(value: int) -> Expansion:
    return number.BIG_INT, (value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True),)


_ZONES: Final = (type(None), datetime.timezone, zoneinfo.ZoneInfo)


def _datetime(v: datetime.datetime) -> Expansion:
    if type(v.tzinfo) not in _ZONES:
        return opaque(v, f"time zone of type {name_of(type(v.tzinfo))}")
    parts = (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.fold, v.tzinfo)
    return number.DATETIME, parts


def _time(v: datetime.time) -> Expansion:
    if type(v.tzinfo) not in _ZONES:
        return opaque(v, f"time zone of type {name_of(type(v.tzinfo))}")
    return number.TIME, (v.hour, v.minute, v.second, v.microsecond, v.fold, v.tzinfo)


def _timezone(v: datetime.timezone) -> Expansion:
    offset = v.utcoffset(None)
    named = v.tzname(None) if v != datetime.UTC and datetime.timezone(offset).tzname(None) != v.tzname(None) else None
    return number.TIMEZONE, (offset // datetime.timedelta(microseconds=1), named)


def _zone(v: zoneinfo.ZoneInfo) -> Expansion:
    return (number.ZONE, (v.key,)) if v.key else opaque(v, "a zone without a key")


def _uuid(v: uuid.UUID) -> Expansion:
    return number.UUID, (v.bytes, v.is_safe.value)


def _memory_view(v: memoryview) -> Expansion:
    if v.ndim != 1 or v.format != "B" or not v.contiguous:
        return opaque(v, "a memoryview of another shape")
    return number.MEMORY_VIEW, (v.tobytes(),)


def _type(v: type) -> Expansion:
    return number.TYPE, (name_of(v),)


def _function(v: Any) -> Expansion:
    return number.FUNCTION, (name_of(v),)


def _builtin(v: Any) -> Expansion:
    owner = v.__self__
    if owner is None or isinstance(owner, types.ModuleType):
        return number.FUNCTION, (name_of(v),)
    return opaque(v, "a bound builtin")


def opaque(value: Any, detail: str | None = None) -> Expansion:
    """Returns the marker that stands for a value without an encoding."""
    return number.OPAQUE, (name_of(type(value)), detail)


EXPANDERS: Final[dict[type, Expander]] = {
    list: lambda v: (number.LIST, v),
    tuple: lambda v: (number.TUPLE, v),
    dict: _dict,
    set: lambda v: (number.SET, v),
    frozenset: lambda v: (number.FROZENSET, v),
    int: _big_int,  # only those beyond 64 bits come here
    str: lambda v: (number.SURROGATES, (v.encode("utf-8", "surrogatepass"),)),  # only those that are not valid text
    bytearray: lambda v: (number.BYTEARRAY, (bytes(v),)),
    memoryview: _memory_view,
    complex: lambda v: (number.COMPLEX, (v.real, v.imag)),
    range: lambda v: (number.RANGE, (v.start, v.stop, v.step)),
    slice: lambda v: (number.SLICE, (v.start, v.stop, v.step)),
    type(...): lambda v: (number.SINGLETON, ("Ellipsis",)),
    type(NotImplemented): lambda v: (number.SINGLETON, ("NotImplemented",)),
    datetime.datetime: _datetime,
    datetime.date: lambda v: (number.DATE, (v.year, v.month, v.day)),
    datetime.time: _time,
    datetime.timedelta: lambda v: (number.TIMEDELTA, (v.days, v.seconds, v.microseconds)),
    datetime.timezone: _timezone,
    zoneinfo.ZoneInfo: _zone,
    decimal.Decimal: lambda v: (number.DECIMAL, (str(v),)),
    fractions.Fraction: lambda v: (number.FRACTION, (v.numerator, v.denominator)),
    uuid.UUID: _uuid,
    collections.OrderedDict: lambda v: (number.ORDERED_DICT, (dict(v),)),
    collections.defaultdict: lambda v: (number.DEFAULT_DICT, (v.default_factory, dict(v))),
    collections.Counter: lambda v: (number.COUNTER, (dict(v),)),
    collections.deque: lambda v: (number.DEQUE, (v.maxlen, list(v))),
    re.Pattern: lambda v: (number.PATTERN, (v.pattern, int(v.flags))),
    types.ModuleType: lambda v: (number.MODULE, (canonical_module(v.__name__),)),
    types.FunctionType: _function,
    types.BuiltinFunctionType: _builtin,
    Opaque: lambda v: (number.OPAQUE, (v.type_name, v.detail)),
    Ignored: lambda v: (number.IGNORED, ()),
    Unresolved: lambda v: (v.number, (v.type_name, *v.parts)),
    **{path: (lambda v, at=at: (number.PATH, (at, str(v)))) for at, path in enumerate(PATHS)},  # type: ignore[misc]
}


def register_expander(type_: type, expander: Expander) -> None:
    """Values of exactly this type are expanded by `expander` from now on."""
    EXPANDERS[type_] = expander


def _record(v: Any) -> Expansion:
    parts: list[Any] = [name_of(type(v))]
    for name in _field_names(type(v)):
        if hasattr(v, name):
            parts += (name, getattr(v, name))
    return number.RECORD, parts


def _field_names(type_: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(type_))


def _enum(v: enum.Enum) -> Expansion:
    return number.ENUM, (name_of(type(v)), v._name_, v._value_)


def _named_tuple(v: Any) -> Expansion:
    parts: list[Any] = [name_of(type(v))]
    for name, value in zip(type(v)._fields, v, strict=True):
        parts += (name, value)
    return number.NAMED_TUPLE, parts


def _subclass(base: type) -> Expander:
    def expander(v: Any) -> Expansion:
        slots = [
            name
            for each in type(v).__mro__
            for name in vars(each).get("__slots__", ())
            if each.__module__ != "builtins"
        ]
        if slots:
            return opaque(v, "a builtin's subclass with slots")
        return number.SUBCLASS, (
            name_of(type(v)),
            _plain(v, base),
            dict(vars(v)) if getattr(v, "__dict__", None) else None,
        )

    return expander


def _plain(v: Any, base: type) -> Any:
    """Returns `v` as exactly its builtin base, past whatever the subclass overrides."""
    if base is dict:
        return dict(dict.items(v))
    if base in (list, tuple, set, frozenset, bytearray):
        return base(base.__iter__(v))
    if base is str:
        return str.__str__(v)
    if base is bytes:
        return bytes.__getitem__(v, slice(None)) if len(v) else b""
    if base is complex:
        return complex(v.real, v.imag)
    return base.__pos__(v) if base is float else int.__int__(v)


def _exception(v: BaseException) -> Expansion:
    args: tuple[Any, ...] = v.args
    if isinstance(v, OSError) and v.errno is not None:
        args = (v.errno, v.strerror, v.filename, None, v.filename2) if v.filename is not None else (v.errno, v.strerror)
    state = {name: each for name, each in vars(v).items() if name != "__traceback__"}
    if isinstance(v, ImportError):
        state.update(name=v.name, path=v.path)
    try:
        text = str(v)
    except Exception as e:  # a user's __str__
        text = f"<no text: {type(e).__name__}>"
    return number.EXCEPTION, (
        name_of(type(v)), args, text, state or None, v.__cause__, v.__context__, v.__suppress_context__,
    )  # fmt: skip


def _bound_method(v: Any) -> Expansion:
    if isinstance(v.__self__, type):
        return number.FUNCTION, (f"{name_of(v.__self__)}.{v.__name__}",)
    return opaque(v, "a bound method")


def classify(type_: type) -> Expander:
    """Returns the expander of a type not seen before."""
    if issubclass(type_, enum.Enum):
        return _enum
    if issubclass(type_, type):
        return _type
    if issubclass(type_, BaseException):
        return _exception
    if type_ is types.MethodType:
        return _bound_method
    if dataclasses.is_dataclass(type_) and not issubclass(type_, BUILTIN_BASES):
        return _record
    if issubclass(type_, tuple) and hasattr(type_, "_fields") and type_.__bases__ == (tuple,):
        return _named_tuple
    if issubclass(type_, (collections.OrderedDict, collections.defaultdict, collections.Counter)):
        return opaque
    if not type_.__flags__ & _HEAP_TYPE:  # struct sequences and their like: only C can make them
        return opaque
    for base in BUILTIN_BASES:
        if issubclass(type_, base) and base is not bool:
            return _subclass(base)
    return opaque


def expand(value: Any) -> Expansion:
    """Returns (type number, elements) of a value that is no plain scalar."""
    type_ = type(value)
    expander = EXPANDERS.get(type_)
    if expander is None:
        expander = EXPANDERS[type_] = classify(type_)
    return expander(value)
