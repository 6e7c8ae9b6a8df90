"""Whether an object's bytes are the ones that this format gives to what they say.

Used on objects from elsewhere and by fsck.  One object is seen at a time, so
what its links lead to is not asked.  Refused is: MessagePack that is not the
shortest, a type number with the wrong elements, an element that the container
rule would have linked or split, a set out of order, a node cut at another
place, numbers and dates that encode otherwise.  Fields behind those that a
kind has in format 1 are of a later one and let through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gvstore.objects import number
from gvstore.objects.build import build
from gvstore.objects.chunking import (
    BLOB_THRESHOLD,
    HEIGHT_LIMIT,
    LINK_THRESHOLD,
    NODE_MAX,
    NODE_MIN_ITEMS,
    SPLIT_THRESHOLD,
    TEXT_THRESHOLD,
    ends_node,
)
from gvstore.objects.decode import MAX_HEIGHT
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.nowhere import Nowhere
from gvstore.objects.tree import is_entry_name
from gvstore.objects.wire import Link, WeakLink, pack, split, unpack

# What follows a type number: s text, b bytes, i int, f float, z bool, l link, w weak link, * anything; upper case: or
# nil.  Text, bytes, ints and * may stand behind a link.  What is in brackets repeats.
_SHAPES: Final[dict[int, str]] = {
    number.LIST: "[*]", number.TUPLE: "[*]", number.DICT: "[**]", number.SET: "[*]", number.FROZENSET: "[*]",
    number.BIG_INT: "b", number.SURROGATES: "b", number.RECORD: "s[s*]", number.REF: "l", number.ENUM: "sS*",
    number.NAMED_TUPLE: "s[s*]", number.EXCEPTION: "s*S***z", number.TYPE: "s", number.FUNCTION: "s",
    number.OPAQUE: "sS", number.BYTEARRAY: "b", number.COMPLEX: "ff", number.RANGE: "iii", number.SLICE: "***",
    number.SINGLETON: "s", number.DATETIME: "iiiiiiii*", number.DATE: "iii", number.TIME: "iiiii*",
    number.TIMEDELTA: "iii", number.TIMEZONE: "iS", number.ZONE: "s", number.DECIMAL: "s", number.FRACTION: "ii",
    number.UUID: "bI", number.PATH: "is", number.SUBCLASS: "s**", number.ORDERED_DICT: "*", number.DEFAULT_DICT: "**",
    number.COUNTER: "*", number.DEQUE: "I*", number.PATTERN: "*i", number.MODULE: "s", number.MEMORY_VIEW: "*",
    number.IGNORED: "", number.WRAPPED: "s[s*]", **dict.fromkeys(range(41, 48), "s[*]"),
}  # fmt: skip
_FIELDS: Final[dict[Kind, tuple[int, str]]] = {
    Kind.TREE: (number.TREE, "*"),
    Kind.COMMIT: (number.COMMIT, "l*sis***is"),
    Kind.TAG: (number.TAG, "lssis"),
    Kind.COMPONENT: (number.COMPONENT, "sss*ssbbbss"),
    Kind.INVOCATION: (number.INVOCATION, "l"),
    Kind.RUN: (number.RUN, ""),
    Kind.OPERATION: (number.OPERATION, "Wssi*"),
}
# Arrays that a value does not hold: fields of records, outcomes, entries.
_OUTSIDE: Final = frozenset(range(number.INVOCATION, 65)) - {number.LEAF, number.INNER, number.TEXT, number.BYTES}
_SETS: Final = frozenset({number.SET, number.FROZENSET})
_WHOLES: Final = frozenset({number.LIST, number.TUPLE, number.DICT}) | _SETS
_RECORDS: Final = frozenset({number.RECORD, number.NAMED_TUPLE, number.WRAPPED})
_TEXTS: Final = frozenset({number.TEXT, number.BYTES})
_TIMES: Final = 21  # where a run's array holds them
_CALL_LENGTHS: Final = range(3, 11)  # of an invocation's array, trailing nils left out
_EXACT: Final = frozenset({
    number.BIG_INT, number.SURROGATES, number.COMPLEX, number.RANGE, number.SINGLETON, number.DATETIME, number.DATE,
    number.TIME, number.TIMEDELTA, number.TIMEZONE, number.DECIMAL, number.FRACTION, number.UUID,
})  # fmt: skip
_BARE: Final = frozenset({type(None), bool, int, float, str, bytes, Link, WeakLink})


_ENCODER: Final = Encoder(Nowhere())


def check(data: bytes) -> None:
    """Returns if `data`, kind byte first, is an object of format 1, to the byte.

    Raises:
        CorruptObject: it is not.
    """
    kind = data[0] if data else 0
    if kind not in Kind.__members__.values():
        _refuse("no such kind")
    if kind == Kind.BLOB:
        if len(data) - 1 > BLOB_THRESHOLD:
            _refuse("a blob that should be cut")
        return
    raw = unpack(memoryview(data)[1:])
    try:
        if pack(raw) != data[1:]:
            _refuse("not the shortest form")
        if kind == Kind.VALUE:
            _check_value(raw)
        elif kind == Kind.NODE:
            _check_node(raw, data)
        else:
            _check_record(Kind(kind), raw)
    except (RecursionError, TypeError) as e:  # nested beyond any limit; what MessagePack has and the format has not
        raise CorruptObject(None, f"not of the grammar: {e!r:.200}") from e


def holds_calls(data: bytes) -> bool:
    """Returns whether `data`, kind byte first, is a list of invocations that stands apart from the one that made them."""
    return data[:1] == bytes((Kind.VALUE,)) and _is_list_of(unpack(memoryview(data)[1:]), _is_call)


def _refuse(why: str) -> None:
    raise CorruptObject(None, why)


def _check_value(raw: Any) -> None:
    if type(raw) is Link:
        _refuse("a value that is only a link")
    if _is_list_of(raw, _is_call):
        return _check_calls(raw)
    if _is_list_of(raw, _is_time):
        return _check_whole(raw)
    if _check_part(raw, inside=False) > HEIGHT_LIMIT:
        _refuse("too high")


def _check_nested(raw: Any) -> int:
    """Checks a part of a value; returns its height."""
    height = _check_part(raw, inside=False)
    if height >= HEIGHT_LIMIT or len(pack(raw)) > LINK_THRESHOLD:
        _refuse("a part that should be an object of its own")
    return height


def _is_list_of(raw: Any, is_item: Callable[[Any], bool]) -> bool:
    """Returns whether this is a list, not split, of such items or links, one of the former at least."""
    if type(raw) is not list or raw[:1] != [number.LIST] or type(raw[0]) is not int:
        return False
    items = [each for each in raw[1:] if type(each) is not Link]
    return bool(items) and all(map(is_item, items))


def _is_call(raw: Any) -> bool:
    return type(raw) is list and raw[:1] == [number.INVOCATION]


def _check_calls(raw: list[Any]) -> None:
    """Checks a list of invocations: what was called below one of them."""
    _check_whole(raw)
    for each in raw[1:]:
        if type(each) is list:
            _check_call(each)


def _check_whole(raw: list[Any]) -> None:
    if sum(len(pack(each)) for each in raw[1:]) > SPLIT_THRESHOLD:
        _refuse("a container that should be split")


def _check_call(raw: list[Any]) -> None:
    """Checks an invocation that stands where it was called; calls are linked by length alone, never by height."""
    if len(raw) not in _CALL_LENGTHS or type(raw[1]) is not Link or raw[-1] is None:
        _refuse("an invocation holds a component, arguments and what follows")
    if len(pack(raw)) > LINK_THRESHOLD:
        _refuse("a part that should be an object of its own")
    if _check_part(raw, inside=True) > MAX_HEIGHT:
        _refuse("too high")


def _is_time(raw: Any) -> bool:
    """Returns whether this is a call's start and duration, with the list of those below it, linked by length alone."""
    if type(raw) is int:  # so many that were reused
        return True
    if type(raw) is not list or len(raw) not in (3, 4, 5) or [type(each) for each in raw[:3]] != [int] * 3:
        return False
    if raw[0] != number.TUPLE or raw[4:] not in ([], [True]):
        return False
    return all(type(below) is Link or _is_times(below) for below in raw[3:4])


def _is_times(raw: Any) -> bool:
    if type(raw) is not list or len(pack(raw)) > LINK_THRESHOLD:
        return False
    if raw[:2] == [number.SPLIT, number.LIST]:
        return _check_split(raw) == 1
    return _is_list_of(raw, _is_time)


def _check_part(raw: Any, *, inside: bool) -> int:
    """Checks an element and all below it; returns its inline height.  `inside`: of a record, where more may stand."""
    if type(raw) is not list:
        if type(raw) in (str, bytes) and len(raw.encode() if type(raw) is str else raw) > TEXT_THRESHOLD:
            _refuse("a text that should be cut")
        if type(raw) not in _BARE:
            _refuse(f"{type(raw).__name__} has no place here")
        return 0
    if not raw or type(raw[0]) is not int:
        _refuse("an array opens with a type number")
    of: int = raw[0]
    if of == number.SPLIT:
        return _check_split(raw)
    if inside and (of in _OUTSIDE or of in _WHOLES):
        return 1 + max((_check_part(each, inside=True) for each in raw[1:]), default=0)
    if of not in _SHAPES:
        _refuse(f"type number {of} has no place here")
    _check_shape(_SHAPES[of], raw[1:])
    height = 1 + max((_check_nested(each) for each in raw[1:]), default=0)
    parts = list(map(pack, raw[1:]))
    if of in _WHOLES and sum(map(len, parts)) > SPLIT_THRESHOLD:
        _refuse("a container that should be split")
    if of in _RECORDS and len(set(parts[1::2])) * 2 != len(parts) - 1:
        _refuse("a field stands twice")
    if of in _SETS and parts != sorted(parts):
        _refuse("a set out of order")
    if of in _EXACT and not _has_link(raw) and _ENCODER.encode(build(raw)) != pack(raw):
        _refuse(f"type number {of} does not come back to the byte")
    return 0 if of in (number.BIG_INT, number.SURROGATES) else height


def _check_split(raw: list[Any]) -> int:
    if [type(each) for each in raw] != [int, int, int, Link]:
        _refuse("a split container holds number, count and link")
    _, of, count, _ = raw
    if of in _TEXTS and count > TEXT_THRESHOLD:
        return 0
    if of not in _WHOLES or count < 1:
        _refuse("this is never split")
    return 1


def _check_shape(shape: str, elements: list[Any]) -> None:
    once, _, repeated = shape.partition("[")
    repeated = repeated.removesuffix("]")
    more = len(elements) - len(once)
    if more < 0 or (more and not repeated) or (repeated and more % len(repeated)):
        _refuse(f"{len(elements)} elements stand where the type has others")
    whole = once + repeated * (more // len(repeated)) if repeated else once
    for tag, each in zip(whole, elements, strict=True):
        if not _fits(tag, each):
            _refuse(f"{type(each).__name__} stands where the type has another")


def _fits(tag: str, each: Any) -> bool:
    if tag == "*" or (tag.isupper() and each is None):
        return True
    tag = tag.lower()
    kind = type(each)
    if kind is Link:
        return tag in "lsbi"
    if kind is list:
        head = each[:2] if each[:1] == [number.SPLIT] else each[:1]
        return head in {
            "s": ([number.SURROGATES], [number.SPLIT, number.TEXT]), "b": ([number.SPLIT, number.BYTES],),
            "i": ([number.BIG_INT],),
        }.get(tag, ())  # fmt: skip
    return kind is {"s": str, "b": bytes, "i": int, "f": float, "z": bool, "w": WeakLink}.get(tag)


def _has_link(raw: list[Any]) -> bool:
    return any(type(each) is Link or (type(each) is list and _has_link(each)) for each in raw)


def _check_node(raw: Any, data: bytes) -> None:
    if type(raw) is not list or len(raw) < 2 or type(raw[0]) is not int:
        _refuse("a node holds items, or counts and links")
    parts = split(memoryview(data)[1:])[1:]
    if raw[0] == number.INNER:
        for count, link in zip(raw[1::2], raw[2::2], strict=False):
            if type(count) is not int or count < 1 or type(link) is not Link:
                _refuse("an inner node holds counts and links")
        widths = [2]
    elif raw[0] == number.LEAF:
        for each in raw[1:]:
            if _is_call(each):
                _check_call(each)
            elif not _is_time(each):
                _check_nested(each)
        widths = [1, 2]  # a leaf does not say whether it is a dict's
    else:
        _refuse("a node holds items, or counts and links")
    if not any(len(parts) % width == 0 and _is_cut_right(parts, width) for width in widths):
        _refuse("a node that should end elsewhere")


def _is_cut_right(parts: list[bytes], width: int) -> bool:
    items = [b"".join(parts[i : i + width]) for i in range(0, len(parts), width)]
    size = 0
    for at, item in enumerate(items):
        if at >= NODE_MIN_ITEMS and (size + len(item) > NODE_MAX or ends_node(items[at - 1])):
            return False
        size += len(item)
    return True


def _check_record(kind: Kind, raw: Any) -> None:
    of, shape = _FIELDS[kind]
    if type(raw) is not list or len(raw) <= len(shape) or type(raw[0]) is not int or raw[0] != of:
        _refuse(f"the array of a {kind.word} opens with {of} and holds its fields")
    _check_shape(shape, raw[1 : 1 + len(shape)])
    if kind == Kind.RUN and all(map(_is_time, raw[_TIMES : _TIMES + 1])):
        raw = [*raw[:_TIMES], None, *raw[_TIMES + 1 :]]
    if _check_part(raw, inside=True) > MAX_HEIGHT:
        _refuse("too high")
    if kind == Kind.TREE and raw[1][:1] == [number.DICT]:
        _check_entries(raw[1][1:])


def _check_entries(pairs: list[Any]) -> None:
    last = ""
    for name, entry in zip(pairs[::2], pairs[1::2], strict=len(pairs) % 2 == 0):
        if type(name) is str and not (is_entry_name(name) and last < name):
            _refuse("names of a tree lead one step down and ascend")
        if type(entry) is not list or [type(each) for each in entry] != [int, int, Link] or entry[1] not in range(4):
            _refuse("a tree entry is a mode and a link")
        last = name if type(name) is str else last
