"""From Python values to arrays: for every type, its number and what follows.

`expand(value)` returns (type number, elements).  Types are dispatched
exactly: a subclass never passes for its base.  Rooms above add types with
`register_expander`, or for many types at once with `register_classifier`.  The
other way is `build.py`.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import enum
import pathlib
import re
import sys
import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from gvstore.objects import number
from gvstore.objects.carry import Carried
from gvstore.objects.exception import expand_exception
from gvstore.objects.naming import canonical_module, module_of, name_of, resolve, type_name
from gvstore.objects.placeholder import Ignored, Opaque, StoredException, Unresolved, elements_of
from gvstore.objects.subclass import BUILTIN_BASES, HEAP_TYPE, expand_subclass
from gvstore.objects.wire import Link, WeakLink

if TYPE_CHECKING:
    import uuid
    import zoneinfo

Expansion = tuple[int, Sequence[Any]]
Expander = Callable[[Any], Expansion]
Classifier = Callable[[type], Expander | None]
IS_LINK: Final = -1  # instead of a type number: the elements are one Link, and the database it is of, if it is to be carried

SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes, Link, WeakLink})
_SEEN_KEPT: Final = 4096
_seen: list[type] = []  # types that `classify` put among the expanders
_classifiers: list[Classifier] = []
PATHS: Final[tuple[type, ...]] = (
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
    pathlib.PosixPath,
    pathlib.WindowsPath,
)


def _dict(value: dict[Any, Any]) -> Expansion:
    return number.DICT, [part for item in list(value.items()) for part in item]


def _big_int(value: int) -> Expansion:
    bits = (value if value >= 0 else ~value).bit_length()
    return number.BIG_INT, (value.to_bytes(bits // 8 + 1, "big", signed=True),)


def _is_zone(zone: datetime.tzinfo | None) -> bool:
    return zone is None or type(zone) is datetime.timezone or _late(type(zone)) is _zone


def _datetime(v: datetime.datetime) -> Expansion:
    if not _is_zone(v.tzinfo):
        return opaque(v, f"time zone of type {name_of(type(v.tzinfo))}")
    parts = (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.fold, v.tzinfo)
    return number.DATETIME, parts


def _time(v: datetime.time) -> Expansion:
    if not _is_zone(v.tzinfo):
        return opaque(v, f"time zone of type {name_of(type(v.tzinfo))}")
    return number.TIME, (v.hour, v.minute, v.second, v.microsecond, v.fold, v.tzinfo)


def _timezone(v: datetime.timezone) -> Expansion:
    offset, *name = v.__getinitargs__()  # type: ignore[attr-defined]
    return number.TIMEZONE, (offset // datetime.timedelta(microseconds=1), name[0] if name else None)


def _zone(v: zoneinfo.ZoneInfo) -> Expansion:
    return (number.ZONE, (v.key,)) if v.key else opaque(v, "a zone without a key")


def _uuid(v: uuid.UUID) -> Expansion:
    return number.UUID, (v.bytes, v.is_safe.value)


def _memory_view(v: memoryview) -> Expansion:
    if v.ndim != 1 or v.format != "B" or not v.contiguous:
        return opaque(v, "a memoryview of another shape")
    return number.MEMORY_VIEW, (v.tobytes() if v.readonly else bytearray(v),)


def _with_dict(of: int, v: Any) -> Expansion:
    """Returns the expansion of an OrderedDict or Counter, which may carry attributes."""
    return opaque(v, "it has attributes") if vars(v) else (of, (dict(v),))


def _type(v: type) -> Expansion:
    return number.TYPE, (type_name(v),)


def _function(v: Any) -> Expansion:
    name = name_of(v)
    return (number.FUNCTION, (name,)) if resolve(name) is v else opaque(v, name)  # a lambda, a closure


def _builtin(v: Any) -> Expansion:
    owner = v.__self__
    if owner is not None and not isinstance(owner, types.ModuleType):
        return opaque(v, f"a method of {name_of(type(owner))}")
    return _function(v)


def _bound_method(v: Any) -> Expansion:
    if isinstance(v.__self__, type):
        name = f"{type_name(v.__self__)}.{v.__name__}"
        if resolve(name) == v:
            return number.FUNCTION, (name,)
    return opaque(v, "a bound method")


def _module(v: types.ModuleType) -> Expansion:
    name = canonical_module(v.__name__)
    return (number.MODULE, (name,)) if module_of(name) is v else opaque(v, "a module that is not loaded")


def opaque(value: Any, detail: str | None = None) -> Expansion:
    """Returns the marker that stands for a value without an encoding."""
    return number.OPAQUE, (type_name(type(value)), detail)


EXPANDERS: Final[dict[type, Expander]] = {
    list: lambda v: (number.LIST, v.copy()),  # the program may change it while it is read
    tuple: lambda v: (number.TUPLE, v),
    dict: _dict,
    set: lambda v: (number.SET, list(v)),
    frozenset: lambda v: (number.FROZENSET, list(v)),
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
    collections.OrderedDict: lambda v: _with_dict(number.ORDERED_DICT, v),
    collections.defaultdict: lambda v: (number.DEFAULT_DICT, (v.default_factory, dict(v))),
    collections.Counter: lambda v: _with_dict(number.COUNTER, v),
    collections.deque: lambda v: (number.DEQUE, (v.maxlen, list(v))),
    re.Pattern: lambda v: (number.PATTERN, (v.pattern, int(v.flags))),
    types.ModuleType: _module,
    types.FunctionType: _function,
    types.BuiltinFunctionType: _builtin,
    types.MethodType: _bound_method,
    Opaque: lambda v: (number.OPAQUE, (v.type_name, v.detail)),
    Ignored: lambda v: (number.IGNORED, ()),
    Unresolved: lambda v: (v.number, elements_of(v)),
    Carried: lambda v: (IS_LINK, (Link(v.oid), v.source)),
    StoredException: lambda v: expand(v.stands_for),
    **{path: (lambda v, at=at: (number.PATH, (at, str(v)))) for at, path in enumerate(PATHS)},  # type: ignore[misc]
}

# Types whose modules are slow to import, by their names: where there is a value of one, its module is loaded.
_LATE: Final[dict[str, tuple[str, Expander]]] = {
    "Decimal": ("decimal", lambda v: (number.DECIMAL, (str(v),))),
    "Fraction": ("fractions", lambda v: (number.FRACTION, (v.numerator, v.denominator))),
    "UUID": ("uuid", _uuid),
    "ZoneInfo": ("zoneinfo", _zone),
}


def _late(type_: type) -> Expander | None:
    """Returns the expander of a type that is among `_LATE`."""
    module, expander = _LATE.get(type_.__name__, ("", None))
    return expander if expander and getattr(sys.modules.get(module), type_.__name__, None) is type_ else None


def register_expander(type_: type, expander: Expander) -> None:
    """Values of exactly this type are expanded by `expander` from now on."""
    EXPANDERS[type_] = expander
    if type_ in _seen:
        _seen.remove(type_)


def register_classifier(classifier: Classifier) -> None:
    """Types not seen before are shown to `classifier` before those registered earlier and the rules here."""
    _classifiers.insert(0, classifier)
    forget_types()


def forget_types() -> None:
    """Types are classified anew when they are next met: a classifier has learned something."""
    for each in _seen:
        EXPANDERS.pop(each, None)
    _seen.clear()


def _record(type_: type) -> Expander:
    names = tuple(field.name for field in dataclasses.fields(type_))

    def expander(v: Any) -> Expansion:
        parts: list[Any] = [type_name(type_)]
        for name in names:
            try:
                parts += (name, getattr(v, name))
            except AttributeError:  # a field that was never set stays unset
                pass
        return number.RECORD, parts

    return expander


def _enum(v: enum.Enum) -> Expansion:
    type_ = type(v)
    name = v._name_ if type_._member_map_.get(v._name_) is v else None  # a combination of flags has none
    return number.ENUM, (type_name(type_), name, v._value_)


def _named_tuple(type_: type) -> Expander:
    names = tuple(type_._fields)  # type: ignore[attr-defined]

    def expander(v: Any) -> Expansion:
        parts: list[Any] = [type_name(type_)]
        for pair in zip(names, v, strict=True):
            parts += pair
        return number.NAMED_TUPLE, parts

    return expander


def classify(type_: type) -> Expander:
    """Returns the expander of a type not seen before."""
    if late := _late(type_):
        return late
    for classifier in _classifiers:
        found = classifier(type_)
        if found is not None:
            return found
    if issubclass(type_, enum.Enum):
        return _enum
    if issubclass(type_, type):
        return _type
    if issubclass(type_, BaseException):
        return expand_exception(type_)
    if dataclasses.is_dataclass(type_) and not issubclass(type_, BUILTIN_BASES):
        return _record(type_)
    if issubclass(type_, tuple) and hasattr(type_, "_fields") and type_.__bases__ == (tuple,):
        return _named_tuple(type_)
    if issubclass(type_, (collections.OrderedDict, collections.defaultdict, collections.Counter)):
        return opaque
    if not type_.__flags__ & HEAP_TYPE or hasattr(type_, "n_sequence_fields"):  # struct sequences: only C makes them
        return opaque
    for base in BUILTIN_BASES:
        if issubclass(type_, base):
            return expand_subclass(type_, base)
    return opaque


def expand(value: Any) -> Expansion:
    """Returns (type number, elements) of a value that is no plain scalar.

    What a program's own code raises on the way makes the value opaque.
    """
    try:
        return expander_of(type(value))(value)
    except (RecursionError, MemoryError):
        raise
    except Exception as e:
        return opaque(value, f"{name_of(type(e)).rpartition(':')[2]} while it was read")


def expander_of(type_: type) -> Expander:
    """Returns what expands values of exactly this type; `opaque` where they have no encoding."""
    return EXPANDERS.get(type_) or _classified(type_)


def _classified(type_: type) -> Expander:
    if len(_seen) >= _SEEN_KEPT:  # a program that makes classes by the thousand
        forget_types()
    expander = classify(type_)
    if type_ not in EXPANDERS:
        _seen.append(type_)
    return EXPANDERS.setdefault(type_, expander)
