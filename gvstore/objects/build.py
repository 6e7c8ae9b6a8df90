"""From arrays back to Python values: for every type number, what it makes.

No code of the program runs: instances are made past their `__init__`, classes
are looked up among the modules already loaded, and what cannot be made is an
`Unresolved` that encodes to the same bytes.  Bytes that break the grammar are
a CorruptObject.  Rooms above add numbers with `register_builder`.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import re
import sys
import uuid
import zoneinfo
from collections.abc import Callable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.expand import BUILTIN_BASES, PATHS
from gvstore.objects.fault import CorruptObject
from gvstore.objects.naming import resolve
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved
from gvstore.objects.wire import Link, WeakLink

Builder = Callable[[list[Any]], Any]
_SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes})


class Resolved:
    """In place of a link in a raw array: what it leads to."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def build(raw: Any) -> Any:
    """Returns the value of a raw element: a scalar, an array, or a Resolved.

    Raises:
        CorruptObject: it breaks the grammar.
    """
    kind = type(raw)
    if kind in _SCALARS:
        return raw
    if kind is list:
        try:
            builder = BUILDERS[raw[0]]
        except (IndexError, KeyError, TypeError):
            raise CorruptObject(None, f"no such type number: {raw[:1]}") from None
        try:
            return builder(raw)
        except CorruptObject:
            raise
        except Exception as e:
            raise CorruptObject(None, f"type number {raw[0]} does not hold what it should: {e}") from e
    if kind is Resolved:
        return raw.value
    if kind in (Link, WeakLink):
        return raw
    raise CorruptObject(None, f"{kind.__name__} has no place in an object")


def _rest(raw: list[Any]) -> list[Any]:
    return [each if type(each) in _SCALARS else build(each) for each in raw[1:]]


def _dict(raw: list[Any]) -> dict[Any, Any]:
    rest = _rest(raw)
    return dict(zip(rest[::2], rest[1::2], strict=True))


def _named(raw: list[Any]) -> tuple[str, list[Any]]:
    name, *rest = _rest(raw)
    if type(name) is not str:
        raise CorruptObject(None, "a type name was expected")
    return name, rest


def _unresolved(raw: list[Any], name: str, rest: list[Any]) -> Unresolved:
    return Unresolved(raw[0], name, tuple(rest))


def _record(raw: list[Any]) -> Any:
    name, rest = _named(raw)
    values = dict(zip(rest[::2], rest[1::2], strict=True))
    cls = resolve(name)
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        return _unresolved(raw, name, rest)
    fields = dataclasses.fields(cls)
    if not values.keys() <= {field.name for field in fields}:
        return _unresolved(raw, name, rest)
    made = object.__new__(cls)
    for field in fields:
        if field.name in values:
            object.__setattr__(made, field.name, values[field.name])
        elif field.default is not dataclasses.MISSING:
            object.__setattr__(made, field.name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            object.__setattr__(made, field.name, field.default_factory())
    return made


def _enum(raw: list[Any]) -> Any:
    name, (member, value) = _named(raw)
    cls = resolve(name)
    if isinstance(cls, type) and issubclass(cls, enum.Enum):
        if member is not None and member in cls.__members__:
            return cls.__members__[member]
        try:
            return cls(value)
        except (ValueError, TypeError):
            pass
    return _unresolved(raw, name, [member, value])


def _named_tuple(raw: list[Any]) -> Any:
    name, rest = _named(raw)
    cls = resolve(name)
    if isinstance(cls, type) and issubclass(cls, tuple) and list(getattr(cls, "_fields", ())) == rest[::2]:
        return tuple.__new__(cls, rest[1::2])
    return _unresolved(raw, name, rest)


def _exception(raw: list[Any]) -> Any:
    name, rest = _named(raw)
    args, _text, state, cause, context, suppress = rest
    cls = resolve(name)
    if not (isinstance(cls, type) and issubclass(cls, BaseException) and isinstance(args, tuple)):
        return _unresolved(raw, name, rest)
    base = next(each for each in cls.__mro__ if not each.__flags__ & (1 << 9))
    try:
        made = base.__new__(cls, *args)
        if made.args != args and not isinstance(made, OSError):
            made.args = args
        if isinstance(made, OSError):
            OSError.__init__(made, *args)
        elif issubclass(base, (StopIteration, SystemExit, SyntaxError, UnicodeError, KeyError)):
            initialise: Any = base.__init__
            initialise(made, *args)
        for key, value in (state or {}).items():
            setattr(made, key, value) if key in ("name", "path") else made.__dict__.__setitem__(key, value)
        made.__cause__, made.__context__ = cause, context
    except TypeError:
        return _unresolved(raw, name, rest)
    made.__suppress_context__ = suppress
    return made


def _reference(raw: list[Any]) -> Any:
    name, _ = _named(raw)
    if name == "builtins:NoneType":
        return type(None)
    found = resolve(name)
    wanted = isinstance(found, type) if raw[0] == number.TYPE else callable(found)
    return found if found is not None and wanted else _unresolved(raw, name, [])


def _module(raw: list[Any]) -> Any:
    name, _ = _named(raw)
    return sys.modules.get(name) or _unresolved(raw, name, [])


def _subclass(raw: list[Any]) -> Any:
    name, (value, state) = _named(raw)
    cls = resolve(name)
    base: type = type(value)
    made: Any
    if not (isinstance(cls, type) and issubclass(cls, base) and base in BUILTIN_BASES):
        return _unresolved(raw, name, [value, state])
    try:
        if base is list:
            made = list.__new__(cls)
            list.extend(made, value)
        elif base is dict:
            made = dict.__new__(cls)
            dict.update(made, value)
        elif base is set:
            made = set.__new__(cls)
            set.update(made, value)
        elif base is bytearray:
            made = bytearray.__new__(cls)
            bytearray.__init__(made, value)
        elif base is complex:
            made = complex.__new__(cls, value.real, value.imag)
        else:
            made = base.__new__(cls, value)
        if state:
            made.__dict__.update(state)
    except (TypeError, AttributeError):
        return _unresolved(raw, name, [value, state])
    return made


def _datetime(raw: list[Any]) -> datetime.datetime:
    year, month, day, hour, minute, second, micro, fold, zone = _rest(raw)
    return datetime.datetime(year, month, day, hour, minute, second, micro, zone, fold=fold)


def _time(raw: list[Any]) -> datetime.time:
    hour, minute, second, micro, fold, zone = _rest(raw)
    return datetime.time(hour, minute, second, micro, zone, fold=fold)


def _timezone(raw: list[Any]) -> datetime.timezone:
    offset, name = _rest(raw)
    delta = datetime.timedelta(microseconds=offset)
    if name is None:
        return datetime.timezone(delta) if delta else datetime.UTC
    return datetime.timezone(delta, name)


def _zone(raw: list[Any]) -> Any:
    (key,) = _rest(raw)
    try:
        return zoneinfo.ZoneInfo(key)
    except (zoneinfo.ZoneInfoNotFoundError, OSError):  # no such zone on this machine
        return _unresolved(raw, key, [])


def _uuid(raw: list[Any]) -> uuid.UUID:
    value, safe = _rest(raw)
    return uuid.UUID(bytes=value, is_safe=uuid.SafeUUID(safe))


def _path(raw: list[Any]) -> Any:
    at, text = _rest(raw)
    cls = PATHS[at]
    try:
        return cls(text)
    except NotImplementedError:  # a WindowsPath on POSIX, or the other way
        return PATHS[at % 2](text)


def _default_dict(raw: list[Any]) -> Any:
    factory, content = _rest(raw)
    return collections.defaultdict(factory if factory is None or callable(factory) else None, content)


def _singleton(raw: list[Any]) -> Any:
    return {"Ellipsis": ..., "NotImplemented": NotImplemented}[raw[1]]


def _deque(raw: list[Any]) -> Any:
    length, content = _rest(raw)
    return collections.deque(content, length)


def _link_only(raw: list[Any]) -> Any:
    if len(raw) != 2 or type(raw[1]) is not Link:
        raise CorruptObject(None, "a link was expected")
    return raw[1]


BUILDERS: Final[dict[int, Builder]] = {
    number.LIST: _rest,
    number.TUPLE: lambda raw: tuple(_rest(raw)),
    number.DICT: _dict,
    number.SET: lambda raw: set(_rest(raw)),
    number.FROZENSET: lambda raw: frozenset(_rest(raw)),
    number.BIG_INT: lambda raw: int.from_bytes(raw[1], "big", signed=True),
    number.SURROGATES: lambda raw: build(raw[1]).decode("utf-8", "surrogatepass"),
    number.RECORD: _record,
    number.REF: _link_only,
    number.ENUM: _enum,
    number.NAMED_TUPLE: _named_tuple,
    number.EXCEPTION: _exception,
    number.TYPE: _reference,
    number.FUNCTION: _reference,
    number.OPAQUE: lambda raw: Opaque(*_rest(raw)),
    number.BYTEARRAY: lambda raw: bytearray(build(raw[1])),
    number.COMPLEX: lambda raw: complex(raw[1], raw[2]),
    number.RANGE: lambda raw: range(*_rest(raw)),
    number.SLICE: lambda raw: slice(*_rest(raw)),
    number.SINGLETON: _singleton,
    number.DATETIME: _datetime,
    number.DATE: lambda raw: datetime.date(*_rest(raw)),
    number.TIME: _time,
    number.TIMEDELTA: lambda raw: datetime.timedelta(*_rest(raw)),
    number.TIMEZONE: _timezone,
    number.ZONE: _zone,
    number.DECIMAL: lambda raw: decimal.Decimal(build(raw[1])),
    number.FRACTION: lambda raw: fractions.Fraction(*_rest(raw)),
    number.UUID: _uuid,
    number.PATH: _path,
    number.SUBCLASS: _subclass,
    number.ORDERED_DICT: lambda raw: collections.OrderedDict(build(raw[1])),
    number.DEFAULT_DICT: _default_dict,
    number.COUNTER: lambda raw: collections.Counter(build(raw[1])),
    number.DEQUE: _deque,
    number.PATTERN: lambda raw: re.compile(build(raw[1]), build(raw[2])),
    number.MODULE: _module,
    number.MEMORY_VIEW: lambda raw: memoryview(build(raw[1])),
    number.IGNORED: lambda raw: Ignored(),
}


def register_builder(of: int, builder: Builder) -> None:
    """Arrays of type number `of` are built by `builder` from now on."""
    BUILDERS[of] = builder
