"""What expressions may call: pure functions and methods, each with what it costs.

Every entry charges the budget before it makes anything.  Methods are found by
the exact type of the value, so that no class of a program is called into; what
could make text of a given width (`ljust`, `zfill`, `format`) is not there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gvstore.expression.bound import ITEM, KEYS, MAX_ITEMS, PAIRS, VALUES, Budget, OutOfBounds, shown

NUMBERS = (bool, int, float, complex)
SCALARS = (*NUMBERS, str, type(None))
PLAIN: tuple[type, ...] = (str, bytes, list, tuple, dict, set, frozenset, range, KEYS, VALUES, PAIRS)
MAX_DIGITS = 2_400  # of text that becomes an integer: about MAX_BITS
MAX_NDIGITS = 400

Call = Callable[..., object]


class Lazy:
    """The items of a generator expression, handed to the call that it stands in and to nothing else."""

    __slots__ = ("items",)

    def __init__(self, items: Iterator[Any]) -> None:
        self.items = items


def named(value: object) -> str:
    """Returns what a value is, for a message."""
    return type(value).__name__


def number(value: object) -> Any:
    """Returns a value that is a number.

    Raises:
        TypeError: it is none.
    """
    if type(value) not in NUMBERS:
        raise TypeError(f"a number is needed here, not {named(value)}")
    return value


def iterate(budget: Budget, value: object) -> Iterator[Any]:
    """Yields the items of a plain container, or of a comprehension, each counted.

    Raises:
        TypeError: it is neither.
    """
    if type(value) not in PLAIN and type(value) is not Lazy:
        raise TypeError(f"expressions go through lists, tuples, dicts, sets, ranges and text, not {named(value)}")
    items: Iterable[Any] = value.items if type(value) is Lazy else value  # type: ignore[assignment]
    for item in items:
        budget.charge(ITEM)
        yield item


def gather(budget: Budget, value: object) -> list[Any]:
    """Returns the items as a new list."""
    if type(value) in PLAIN and len(value) > MAX_ITEMS:  # type: ignore[arg-type]
        budget.items(len(value))  # type: ignore[arg-type]
    items = []
    for item in iterate(budget, value):
        items.append(item)
        if len(items) > MAX_ITEMS:
            raise OutOfBounds(f"a container of more than {MAX_ITEMS:,} items")
    return items


def hashed(budget: Budget, items: list[Any]) -> list[Any]:
    """Returns the items, which are about to be hashed."""
    for item in items:
        budget.hash(item)
    return items


def ordered(budget: Budget, items: list[Any]) -> list[Any]:
    """Returns the items, which are about to be compared with each other."""
    budget.charge(budget.measure(items) * max(1, len(items).bit_length()))
    return items


def _len(budget: Budget, value: Any) -> int:
    return len(value)


def _extreme(which: Callable[..., Any]) -> Call:
    def call(budget: Budget, *values: Any, **options: Any) -> object:
        if options and len(values) != 1:
            raise TypeError("default= goes with one argument only")
        items = ordered(budget, gather(budget, values[0]) if len(values) == 1 else list(values))
        return which(items, **options)

    return call


def _sum(budget: Budget, values: object, start: object = 0) -> object:
    total = sum(map(number, gather(budget, values)), number(start))
    if type(total) is int:
        budget.bits(total.bit_length())
    return total


def _any(budget: Budget, values: object) -> bool:
    return any(iterate(budget, values))


def _all(budget: Budget, values: object) -> bool:
    return all(iterate(budget, values))


def _abs(budget: Budget, value: object) -> object:
    return abs(number(value))


def _round(budget: Budget, value: object, ndigits: Any = None) -> object:
    if type(ndigits) in (int, bool) and abs(ndigits) > MAX_NDIGITS:
        raise OutOfBounds(f"rounding at {shown(abs(ndigits))} digits")
    return round(number(value), ndigits)


def _scalar(kind: type) -> Call:
    def call(budget: Budget, *value: object) -> object:
        if len(value) > 1:
            raise TypeError(f"{kind.__name__}() takes one argument here")
        if value and kind is not bool and type(value[0]) not in SCALARS:
            raise TypeError(f"{kind.__name__}() takes text and numbers here, not {named(value[0])}")
        if value and kind is not bool:
            budget.digits(value[0])
        if kind is int and value and type(value[0]) is str and len(value[0]) > MAX_DIGITS:
            raise OutOfBounds(f"an integer of {shown(len(value[0]))} digits: at most {MAX_DIGITS:,}")
        result = kind(*value)
        if kind is int:
            budget.charge(result.bit_length())
            budget.bits(result.bit_length())
        return result

    return call


def _range(budget: Budget, *bounds: Any) -> range:
    if not all(type(bound) in (int, bool) for bound in bounds):
        raise TypeError("range() takes whole numbers")
    made = range(*bounds)
    count = max(0, (made.stop - made.start + made.step - (1 if made.step > 0 else -1)) // made.step)
    if count > MAX_ITEMS:
        raise OutOfBounds(f"range() of {shown(count)} items: at most {MAX_ITEMS:,}")
    return made


def _sorted(budget: Budget, values: object, *, reverse: object = False) -> list[Any]:
    return sorted(ordered(budget, gather(budget, values)), reverse=bool(reverse))


def _collect(kind: type) -> Call:
    def call(budget: Budget, *values: object) -> object:
        if len(values) > 1:
            raise TypeError(f"{kind.__name__}() takes one argument")
        items = gather(budget, values[0]) if values else []
        return kind(hashed(budget, items) if kind is set else items)

    return call


# name -> (the function, how many arguments at least, at most, keywords)
Functions = dict[str, tuple[Call, int, int, frozenset[str]]]
FUNCTIONS: Functions = {
    "abs": (_abs, 1, 1, frozenset()),
    "all": (_all, 1, 1, frozenset()),
    "any": (_any, 1, 1, frozenset()),
    "bool": (_scalar(bool), 0, 1, frozenset()),
    "float": (_scalar(float), 0, 1, frozenset()),
    "int": (_scalar(int), 0, 1, frozenset()),
    "len": (_len, 1, 1, frozenset()),
    "list": (_collect(list), 0, 1, frozenset()),
    "max": (_extreme(max), 1, 100, frozenset({"default"})),
    "min": (_extreme(min), 1, 100, frozenset({"default"})),
    "range": (_range, 1, 3, frozenset()),
    "round": (_round, 1, 2, frozenset()),
    "set": (_collect(set), 0, 1, frozenset()),
    "sorted": (_sorted, 1, 1, frozenset({"reverse"})),
    "str": (_scalar(str), 0, 1, frozenset()),
    "sum": (_sum, 1, 2, frozenset({"start"})),
    "tuple": (_collect(tuple), 0, 1, frozenset()),
}


def _pure(method: Callable[..., Any]) -> Call:
    """A method whose result is not larger than a few times what it is given."""

    def call(budget: Budget, value: Any, *arguments: Any) -> object:
        budget.charge(budget.measure(value) + sum(map(budget.measure, arguments)))
        return method(value, *arguments)

    return call


def _searching(method: Callable[..., Any]) -> Call:
    """A method that looks from the end, or for any of several letters: Python compares each place with all that is looked for."""

    def call(budget: Budget, value: str, *arguments: Any) -> object:
        wanted = len(arguments[0]) if arguments and type(arguments[0]) is str else 1
        budget.charge(len(value) * (1 + wanted // 64))
        return method(value, *arguments)

    return call


def _split(method: Callable[..., Any]) -> Call:
    def call(budget: Budget, value: str, *arguments: Any) -> object:
        separator = arguments[0] if arguments and type(arguments[0]) is str else ""
        parts = value.count(separator) + 1 if separator else len(value)
        budget.charge(len(value) * (1 + len(separator) // 64) + parts * ITEM)
        made = method(value, *arguments)
        budget.items(len(made))
        return made

    return call


def _replace(budget: Budget, value: str, old: Any, new: Any, count: Any = -1) -> str:
    if type(old) is str and type(new) is str:
        budget.charge(len(value) + (value.count(old) * len(new)))
    return value.replace(old, new, count)


def _join(budget: Budget, value: str, parts: object) -> str:
    texts = gather(budget, parts)
    budget.charge(sum(len(text) for text in texts if type(text) is str) + len(value) * len(texts))
    return value.join(texts)


def _set_method(method: Callable[..., Any]) -> Call:
    def call(budget: Budget, value: Any, *others: Any) -> object:
        budget.walk(value)
        return method(value, *(hashed(budget, gather(budget, other)) for other in others))

    return call


def _get(budget: Budget, value: dict[Any, Any], key: object, default: object = None) -> object:
    budget.hash(key)
    return value.get(key, default)


def _view(method: Callable[..., Any]) -> Call:
    return lambda budget, value: method(value)


_TEXT = (
    *("capitalize", "casefold", "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit"),
    *("islower", "isnumeric", "isspace", "istitle", "isupper", "lower", "partition", "removeprefix", "removesuffix"),
    *("startswith", "swapcase", "title", "upper"),
)
_SEARCHING = ("lstrip", "rstrip", "strip", "rfind", "rindex", "rpartition")
_SETS = ("difference", "intersection", "isdisjoint", "issubset", "issuperset", "symmetric_difference", "union")
METHODS: dict[type, dict[str, Call]] = {
    str: {
        **{name: _pure(getattr(str, name)) for name in _TEXT},
        **{name: _searching(getattr(str, name)) for name in _SEARCHING},
        **{name: _split(getattr(str, name)) for name in ("split", "rsplit", "splitlines")},
        "replace": _replace,
        "join": _join,
    },
    dict: {"get": _get, **{name: _view(getattr(dict, name)) for name in ("keys", "values", "items")}},
    **{kind: {name: _pure(getattr(kind, name)) for name in ("count", "index")} for kind in (list, tuple)},
    **{kind: {name: _set_method(getattr(kind, name)) for name in _SETS} for kind in (set, frozenset)},
}
METHOD_NAMES = frozenset(name for table in METHODS.values() for name in table)


def call_method(budget: Budget, value: object, name: str, arguments: list[Any]) -> object:
    """Returns what a method of a plain value gives.

    Raises:
        TypeError: values of this type have no such method here.
    """
    method = METHODS.get(type(value), {}).get(name)
    if method is None:
        raise TypeError(f"no method {name} of {named(value)} may be called here")
    return method(budget, value, *arguments)
