"""A value of the user's program on one line: what `gv show` and `gv diff` print.

It reads like Python and is cut to fit; `gv get` and `--json` have it whole.
Nothing of the user's is called: fields are read, never `__repr__`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

from gvstore.objects.placeholder import Ignored, Opaque, Unresolved

MARK = "…"
WIDTH = 72
_DEPTH = 6


def value_line(value: object, width: int = WIDTH) -> str:
    """Returns the value on one line of at most `width` characters (at least 8)."""
    text, room = [], max(width, 8)
    used = 0
    for piece in _pieces(value, _DEPTH):
        text.append(piece)
        used += len(piece)
        if used > room:
            return _printable("".join(text)[: room - 1]) + MARK
    return _printable("".join(text))


def arguments_line(arguments: Mapping[str, object], width: int = WIDTH) -> str:
    """Returns `topic='otters', n=3`: long values share the width."""
    whole = [f"{name}={value_line(value, width)}" for name, value in arguments.items()]
    if len(", ".join(whole)) <= width:
        return ", ".join(whole)
    share = max(16, width // max(1, len(arguments)))
    return ", ".join(f"{name}={value_line(value, share)}" for name, value in arguments.items())


def _pieces(value: object, depth: int) -> Iterator[str]:
    """Yields the text of a value in pieces, so that whoever has enough stops."""
    kind = type(value)
    if type(value) is str:
        yield repr(value[:4096])
    elif type(value) is bytes or type(value) is bytearray:
        yield repr(value[:1024])
    elif type(value) is int:
        yield str(value) if value.bit_length() < 4096 else hex(value)
    elif value is None or kind in (bool, float, complex, Opaque, Ignored):
        yield repr(value)
    elif depth == 0:
        yield MARK
    elif isinstance(value, list | tuple | set | frozenset):
        yield from _sequence(value, depth)
    elif isinstance(value, Mapping):
        yield from _enclosed("{", "}", ((_pieces(k, depth - 1), ": ", v) for k, v in value.items()), depth)
    elif isinstance(value, Enum):
        yield f"{kind.__name__}.{value.name}"
    elif isinstance(value, Unresolved):
        yield from _unresolved(value, depth)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [(f.name, getattr(value, f.name, None)) for f in dataclasses.fields(value)]
        yield from _record(kind.__name__, fields, depth)
    elif isinstance(value, BaseException):
        yield from _enclosed(f"{kind.__name__}(", ")", (((), "", a) for a in value.args), depth)
    elif isinstance(value, type):
        yield f"<class {value.__module__}.{value.__qualname__}>"
    elif kind.__module__.partition(".")[0] in _PLAIN_MODULES:
        yield str(value)
    else:
        yield f"<{kind.__module__}.{kind.__qualname__}>"


# Standard library types whose `str` is short and says it all.
_PLAIN_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "zoneinfo"})


_BRACKETS = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("frozenset({", "})")}


def _sequence(value: list[object] | tuple[object, ...] | set[object] | frozenset[object], depth: int) -> Iterator[str]:
    base = next(kind for kind in _BRACKETS if isinstance(value, kind))
    opening, closing = _BRACKETS[base]
    if base in (set, frozenset) and not value:
        opening, closing = f"{base.__name__}(", ")"
    if base is tuple and len(value) == 1:
        closing = ",)"
    if type(value) is not base:  # a subclass, a named tuple: say which
        opening, closing = f"{type(value).__name__}({opening}", f"{closing})"
    yield from _enclosed(opening, closing, (((), "", item) for item in value), depth)


def _unresolved(value: Unresolved, depth: int) -> Iterator[str]:
    name = value.type_name.rpartition(":")[2]
    if len(value.fields) * 2 == len(value.parts):
        yield from _record(name, list(value.fields.items()), depth)
    else:
        yield from _enclosed(f"{name}(", ")", (((), "", part) for part in value.parts), depth)


def _record(name: str, fields: list[tuple[str, object]], depth: int) -> Iterator[str]:
    yield from _enclosed(f"{name}(", ")", (((key,), "=", item) for key, item in fields), depth)


def _enclosed(
    opening: str, closing: str, items: Iterable[tuple[Iterable[str], str, object]], depth: int
) -> Iterator[str]:
    """Yields items of (key pieces, sign between, value), separated, between two brackets."""
    yield opening
    for number, (key, sign, value) in enumerate(items):
        if number:
            yield ", "
        yield from key
        yield sign
        yield from _pieces(value, depth - 1)
    yield closing


def _printable(text: str) -> str:
    """Returns text without what would move a terminal's cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
