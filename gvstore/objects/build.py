"""From arrays back to Python values: for every type number, what it makes.

Nothing of the program is imported, none of its constructors runs: instances are made
past their `__init__`, classes are looked up among the modules already loaded
(`__hash__` and `__eq__` of loaded keys, and setters of fields that are
properties, do run).  What cannot be made is an `Unresolved` that encodes to the
same bytes.  Bytes that break the grammar are a CorruptObject.  Rooms above add
numbers with `register_builder`.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import re
from collections.abc import Callable
from types import ModuleType, NoneType
from typing import TYPE_CHECKING, Any, Final

from gvstore.objects import number
from gvstore.objects.exception import make_exception
from gvstore.objects.expand import PATHS
from gvstore.objects.fault import CorruptObject
from gvstore.objects.naming import module_of, resolve, resolve_type
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved
from gvstore.objects.subclass import make_subclass
from gvstore.objects.wire import Link, WeakLink

if TYPE_CHECKING:  # slow to import: by whoever needs one
    import decimal
    import fractions
    import uuid

Builder = Callable[[list[Any]], Any]
PLAIN: Final = frozenset({type(None), bool, int, float, str, bytes})
_MANY: Final = 4096  # keys from which on their hashes are looked at
_MOST_BITS: Final = 100_000  # of a fraction's parts: reducing it takes their square
_LONG: Final = 24  # elements from which on a look at all types at once pays


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
    if kind is list:
        try:
            return BUILDERS[raw[0]](raw)
        except (CorruptObject, RecursionError, MemoryError):
            raise
        except Exception as e:
            raise CorruptObject(None, _why(raw, e)) from e
    if kind in PLAIN:
        return raw
    if kind is Resolved:
        return raw.value
    if kind in (Link, WeakLink):
        return raw
    raise CorruptObject(None, f"{kind.__name__} has no place in an object")


def _why(raw: list[Any], error: Exception) -> str:
    head = raw[0] if raw else None
    if type(head) is not int or head not in BUILDERS:
        return f"no such type number: {head!r:.40}"
    return f"type number {head} does not hold what it should: {error!r:.200}"


def _rest(raw: list[Any]) -> list[Any]:
    if len(raw) > _LONG and PLAIN.issuperset(map(type, raw)):
        return raw[1:]
    return [each if type(each) in PLAIN else build(each) for each in raw[1:]]


def _parts(raw: list[Any], *wanted: type | tuple[type, ...]) -> list[Any]:
    """Returns the elements of an array that holds just these types."""
    rest = _rest(raw)
    if len(rest) != len(wanted):
        raise ValueError(f"{len(wanted)} elements were expected, not {len(rest)}")
    for each, types in zip(rest, wanted, strict=True):
        if type(each) not in types if isinstance(types, tuple) else type(each) is not types:
            raise TypeError(f"{type(each).__name__} stands where it should not")
    return rest


def _named(raw: list[Any]) -> tuple[str, list[Any]]:
    name, *rest = _rest(raw)
    if type(name) is not str:
        raise TypeError("a type name was expected")
    return name, rest


def _pairs(rest: list[Any]) -> dict[str, Any]:
    values = dict(zip(rest[::2], rest[1::2], strict=True))
    if len(values) * 2 != len(rest) or set(map(type, values)) - {str}:
        raise ValueError("a field stands twice, or has no name")
    return values


def _dict(raw: list[Any]) -> Any:
    rest = _rest(raw)
    if len(rest) % 2:
        raise ValueError("a dict holds a value for each key")
    try:
        made = {} if len(rest) > _MANY and _collide(rest[::2]) else dict(zip(rest[::2], rest[1::2], strict=True))
    except Exception:  # a key's own __hash__ or __eq__
        made = {}
    return made if len(made) * 2 == len(rest) else Unresolved(number.DICT, "dict", tuple(rest))


def _set(raw: list[Any]) -> Any:
    rest = _rest(raw)
    make: Any = set if raw[0] == number.SET else frozenset
    try:
        made = () if len(rest) > _MANY and _collide(rest) else make(rest)
    except Exception:  # an element's own __hash__ or __eq__
        made = ()
    return made if len(made) == len(rest) else Unresolved(raw[0], make.__name__, tuple(rest))


def _collide(keys: list[Any]) -> bool:
    """Returns whether keys were chosen to have few hashes: a dict of them would take hours."""
    return len(set(map(hash, keys))) * 8 < len(keys)


_READY_MADE: Final[frozenset[Any]] = frozenset(
    {list, dict, set, frozenset, tuple, str, bytes, int, float, bool, bytearray}
)


def _record(raw: list[Any]) -> Any:
    name, *rest = _rest(raw)
    names, values = rest[::2], rest[1::2]
    if type(name) is not str or len(names) != len(values) or len({*names}) != len(names):
        raise TypeError("a type name, distinct field names and values were expected")
    cls = resolve_type(name)
    fields = getattr(cls, "__dataclass_fields__", None)
    if cls is not None and fields is not None:
        try:
            made: Any = object.__new__(cls)
            for key, value in zip(names, values, strict=True):
                _assign(made, key if key in fields else _refuse(key), value)
            if len(names) != len(fields):
                _fill(made, _pairs(rest), dataclasses.fields(cls))
            return made
        except Exception:  # abstract, of C, lost a field, or a property that refuses
            pass
    _pairs(rest)
    return Unresolved(raw[0], name, tuple(rest))


_assign: Final[Callable[[Any, str, Any], None]] = object.__setattr__


def _refuse(key: Any) -> str:
    raise TypeError(f"no field {key!r}")


def _fill(made: Any, values: dict[str, Any], fields: tuple[dataclasses.Field[Any], ...]) -> None:
    """Gives fields that the class gained since their defaults; one without stays unset."""
    for field in fields:
        if field.name in values:
            continue
        if field.default is not dataclasses.MISSING:
            object.__setattr__(made, field.name, field.default)
        elif field.default_factory is not dataclasses.MISSING:
            if field.default_factory not in _READY_MADE:
                raise TypeError("a default that a program makes")
            object.__setattr__(made, field.name, field.default_factory())


def _enum(raw: list[Any]) -> Any:
    name, (member, value) = _named(raw)
    if type(member) is not str and member is not None:
        raise TypeError("a member's name was expected")
    cls = resolve_type(name)
    if cls is not None and issubclass(cls, enum.Enum):
        if member is not None and member in cls._member_map_:
            return cls._member_map_[member]
        if member is None and issubclass(cls, enum.Flag) and type(value) is int:
            try:
                made = enum.Flag._missing_.__func__(cls, value)  # type: ignore[attr-defined]
            except (ValueError, TypeError):
                made = None
            if made is not None and made._value_ == value:
                return cls._value2member_map_.get(value, made)
    return Unresolved(raw[0], name, (member, value))


def _named_tuple(raw: list[Any]) -> Any:
    name, rest = _named(raw)
    names = list(_pairs(rest))
    cls = resolve_type(name)
    if cls is not None and issubclass(cls, tuple) and list(getattr(cls, "_fields", ())) == names:
        return tuple.__new__(cls, rest[1::2])
    return Unresolved(raw[0], name, tuple(rest))


def _exception(raw: list[Any]) -> Any:
    name, rest = _named(raw)
    args, text, state, cause, context, suppress = rest
    if type(text) not in (str, NoneType) or type(suppress) is not bool:
        raise TypeError("an exception's text and whether its context is suppressed were expected")
    cls = resolve_type(name)
    if cls is not None and issubclass(cls, BaseException) and type(args) is tuple:
        try:
            return make_exception(cls, args, state, cause, context, suppress)
        except Exception:  # it takes more than C to make it
            pass
    return Unresolved(raw[0], name, tuple(rest))


def _reference(raw: list[Any]) -> Any:
    (name,) = _parts(raw, str)
    found: Any = resolve_type(name) if raw[0] == number.TYPE else resolve(name)
    if found is None or (raw[0] == number.FUNCTION and (not callable(found) or isinstance(found, type))):
        return Unresolved(raw[0], name, ())
    return found


def _module(raw: list[Any]) -> Any:
    (name,) = _parts(raw, str)
    found = module_of(name)
    return found if isinstance(found, ModuleType) else Unresolved(raw[0], name, ())


def _subclass(raw: list[Any]) -> Any:
    name, (value, state) = _named(raw)
    cls = resolve_type(name)
    if cls is not None:
        try:
            return make_subclass(cls, value, state)
        except Exception:  # of C, or with other slots by now
            pass
    return Unresolved(raw[0], name, (value, state))


def _clock(raw: list[Any]) -> Any:
    rest = _rest(raw)
    *parts, fold, zone = rest
    if type(zone) is Unresolved:
        return Unresolved(raw[0], "datetime" if raw[0] == number.DATETIME else "time", tuple(rest))
    make: Any = datetime.datetime if raw[0] == number.DATETIME else datetime.time
    return make(*parts, zone, fold=fold)


def _timezone(raw: list[Any]) -> datetime.timezone:
    offset, name = _parts(raw, int, (str, NoneType))
    delta = datetime.timedelta(microseconds=offset)
    return datetime.timezone(delta) if name is None else datetime.timezone(delta, name)


def _zone(raw: list[Any]) -> Any:
    import zoneinfo

    (key,) = _parts(raw, str)
    try:
        return zoneinfo.ZoneInfo(key)
    except (zoneinfo.ZoneInfoNotFoundError, OSError, ValueError):  # no such zone on this machine
        return Unresolved(raw[0], key, ())


def _uuid(raw: list[Any]) -> uuid.UUID:
    import uuid

    value, safe = _parts(raw, bytes, (int, NoneType))
    return uuid.UUID(bytes=value, is_safe=uuid.SafeUUID(safe))


def _path(raw: list[Any]) -> Any:
    at, text = _parts(raw, int, str)
    if not 0 <= at < len(PATHS):
        raise ValueError("no such kind of path")
    try:
        return PATHS[at](text)
    except NotImplementedError:  # a WindowsPath on POSIX, or the other way
        return Unresolved(raw[0], PATHS[at].__name__, (at, text))


def _decimal(raw: list[Any]) -> decimal.Decimal:
    import decimal

    (text,) = _parts(raw, str)
    return decimal.Decimal(text, decimal.Context(traps=[decimal.InvalidOperation]))


def _fraction(raw: list[Any]) -> fractions.Fraction | Unresolved:
    import fractions

    above, below = _parts(raw, int, int)
    if max(above.bit_length(), below.bit_length()) > _MOST_BITS:
        return Unresolved(raw[0], "Fraction", (above, below))
    return fractions.Fraction(above, below)


def _mapping(raw: list[Any]) -> Any:
    (content,) = _rest(raw)
    cls: Any = collections.OrderedDict if raw[0] == number.ORDERED_DICT else collections.Counter
    if type(content) is Unresolved:
        return Unresolved(raw[0], cls.__name__, (content,))
    if type(content) is not dict:
        raise TypeError("a dict was expected")
    return cls(content)


def _default_dict(raw: list[Any]) -> Any:
    factory, content = _rest(raw)
    if type(content) is dict and (factory is None or callable(factory)):
        return collections.defaultdict(factory, content)
    return Unresolved(raw[0], "defaultdict", (factory, content))


def _deque(raw: list[Any]) -> Any:
    length, content = _parts(raw, (int, NoneType), list)
    made = collections.deque(content, length)
    if len(made) != len(content):
        raise ValueError("longer than its longest")
    return made


def _pattern(raw: list[Any]) -> Any:
    pattern, flags = _rest(raw)
    if type(flags) is not int:
        raise TypeError("flags were expected")
    try:
        if not flags & re.DEBUG:  # it prints
            return re.compile(pattern, flags)
    except Exception:  # another Python's grammar, a warning made an error
        pass
    return Unresolved(raw[0], "Pattern", (pattern, flags))


def _singleton(raw: list[Any]) -> Any:
    (name,) = _parts(raw, str)
    return {"Ellipsis": ..., "NotImplemented": NotImplemented}[name]


def _slice(raw: list[Any]) -> slice:
    start, stop, step = _rest(raw)
    return slice(start, stop, step)


def _link_only(raw: list[Any]) -> Any:
    if len(raw) != 2 or type(raw[1]) is not Link:
        raise CorruptObject(None, "a link was expected")
    return raw[1]


def unresolved(raw: list[Any]) -> Unresolved:
    """Returns what stands for an array that opens with a type's name and cannot be made here."""
    name, rest = _named(raw)
    return Unresolved(raw[0], name, tuple(rest))


BUILDERS: Final[dict[int, Builder]] = {
    number.LIST: _rest,
    number.TUPLE: lambda raw: tuple(_rest(raw)),
    number.DICT: _dict,
    number.SET: _set,
    number.FROZENSET: _set,
    number.BIG_INT: lambda raw: int.from_bytes(_parts(raw, bytes)[0], "big", signed=True),
    number.SURROGATES: lambda raw: _parts(raw, bytes)[0].decode("utf-8", "surrogatepass"),
    number.RECORD: _record,
    number.REF: _link_only,
    number.ENUM: _enum,
    number.NAMED_TUPLE: _named_tuple,
    number.EXCEPTION: _exception,
    number.TYPE: _reference,
    number.FUNCTION: _reference,
    number.OPAQUE: lambda raw: Opaque(*_parts(raw, str, (str, NoneType))),
    number.BYTEARRAY: lambda raw: bytearray(*_parts(raw, bytes)),
    number.COMPLEX: lambda raw: complex(*_parts(raw, float, float)),
    number.RANGE: lambda raw: range(*_parts(raw, int, int, int)),
    number.SLICE: _slice,
    number.SINGLETON: _singleton,
    number.DATETIME: _clock,
    number.DATE: lambda raw: datetime.date(*_parts(raw, int, int, int)),
    number.TIME: _clock,
    number.TIMEDELTA: lambda raw: datetime.timedelta(*_parts(raw, int, int, int)),
    number.TIMEZONE: _timezone,
    number.ZONE: _zone,
    number.DECIMAL: _decimal,
    number.FRACTION: _fraction,
    number.UUID: _uuid,
    number.PATH: _path,
    number.SUBCLASS: _subclass,
    number.ORDERED_DICT: _mapping,
    number.DEFAULT_DICT: _default_dict,
    number.COUNTER: _mapping,
    number.DEQUE: _deque,
    number.PATTERN: _pattern,
    number.MODULE: _module,
    number.MEMORY_VIEW: lambda raw: memoryview(*_parts(raw, (bytes, bytearray))),
    number.IGNORED: lambda raw: Ignored(*_parts(raw)),
    **dict.fromkeys(range(number.WRAPPED, number.INVOCATION), unresolved),
}


def register_builder(of: int, builder: Builder) -> None:
    """Arrays of type number `of` are built by `builder` from now on."""
    BUILDERS[of] = builder
