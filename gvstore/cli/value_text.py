"""A value of the user's program as text: on one line, cut to fit, or whole, as a block of lines.

It reads like Python.  Nothing of the user's is called: fields are read, never
`__repr__`, and nothing moves the terminal's cursor.  `gv get` and `--json`
hand values out as data.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import BuiltinFunctionType, FunctionType

from gvstore.cli import units
from gvstore.cli.cells import cut
from gvstore.objects.number import ENUM, FUNCTION, TYPE
from gvstore.objects.placeholder import Ignored, Opaque, Unresolved

MARK = "…"
WIDTH = 72
WHOLE = 1_000_000  # a width at which nothing is cut
_DEPTH = 6  # of what stands on a line
_DEPTH_OF_BLOCK = 60
_LEAST = 16  # a value among others is never cut shorter
_FOLDED = 64  # longer bytes are folded
_QUESTION = 400
_CUT = 4096  # characters of a text that is to be cut anyway

# Standard library types whose `str` is short and says it all.
_PLAIN_MODULES = frozenset({"datetime", "decimal", "fractions", "uuid", "pathlib", "zoneinfo"})
_OWN = frozenset({"gvstore.journal.invocation", "gvstore.store.ref"})
_BY_NAME = {FUNCTION: "function", TYPE: "class"}
_BRACKETS = {list: ("[", "]"), tuple: ("(", ")"), set: ("{", "}"), frozenset: ("frozenset({", "})")}

Row = tuple[str, object]  # what stands before an item, and the item


def value_line(value: object, width: int = WIDTH) -> str:
    """Returns the value on one line of at most `width` characters (at least 8)."""
    if width >= WHOLE:
        return _joined(_Spelling(None, folds=False).pieces(value, _DEPTH_OF_BLOCK), width)
    return _joined(_Spelling(_CUT).pieces(value, _DEPTH), max(width, 8))


def text_line(text: str, width: int = WIDTH) -> str:
    """Returns the first line of a text, without quotes, cut to `width`."""
    return _cut(text.partition("\n")[0], width)


def question_line(text: str) -> str:
    """Returns the first line of a question: whoever answers must read it to its end, so only a very long one is cut."""
    return text_line(text, _QUESTION)


def arguments_line(arguments: Mapping[str, object], width: int = WIDTH, *, bare: int = 0) -> str:
    """Returns `topic='otters', n=3`: short values stay whole, long ones share what is left of the width.

    The first `bare` values have no names before them.
    """
    heads = [f"{name}=" if number >= bare else "" for number, name in enumerate(arguments)]
    values = [value_line(value, width) for value in arguments.values()]
    room = width - sum(map(len, heads)) - 2 * (len(heads) - 1)
    share, left = room, len(values)
    for size in sorted(map(len, values)):  # the shortest take what they need, the others divide the rest
        share = max(room // max(left, 1), _LEAST)
        if size > share:
            break
        room, left = room - size, left - 1
    shown = (
        text if len(text) <= share else value_line(value, share)
        for text, value in zip(values, arguments.values(), strict=True)
    )
    return ", ".join(head + text for head, text in zip(heads, shown, strict=True))


def value_block(value: object, width: int = 100, *, full: bool = False) -> Iterator[str]:
    """Yields the whole value: a text as it is, a container that is too long for a line item by item.

    Only with `full` long bytes are spelled out.
    """
    if isinstance(value, str):
        yield from (_printable(line) for line in value.split("\n"))
    else:
        yield from _block(value, width, "", _DEPTH_OF_BLOCK, _Spelling(None, folds=not full))


def _block(value: object, width: int, closing: str, depth: int, spelling: _Spelling) -> Iterator[str]:
    """Yields the lines of a value; `closing` stands after its last character."""
    items = _rows(value) if depth else None
    if items is None or not items[1]:
        yield _printable("".join(spelling.pieces(value, depth))) + closing
        return
    line = _joined(spelling.pieces(value, depth), width)
    if not line.endswith(MARK) and len(line) + len(closing) <= width:
        yield line + closing
        return
    (opening, closer), rows = items
    yield opening
    for head, item in rows:
        first, *rest = _block(item, max(width - 4, 20), ",", depth - 1, spelling)
        yield f"    {_printable(head)}{first}"
        yield from (f"    {each}" for each in rest)
    yield closer + closing


def _rows(value: object) -> tuple[tuple[str, str], list[Row]] | None:
    """Returns the brackets and the rows of what can be taken apart."""
    if isinstance(value, Mapping):
        return ("{", "}"), [(value_line(key) + ": ", item) for key, item in value.items()]
    if isinstance(value, Unresolved):
        return _record_of(value)
    if type(value) is list or type(value) is tuple:
        return _BRACKETS[type(value)], [("", item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type | Opaque | Ignored):
        return (f"{type(value).__name__}(", ")"), [(f"{name}=", item) for name, item in _fields(value)]
    return None


def _record_of(value: Unresolved) -> tuple[tuple[str, str], list[Row]]:
    name = value.type_name.rpartition(":")[2]
    fields = value.fields
    named = len(fields) * 2 == len(value.parts)
    rows = [(f"{key}=", item) for key, item in fields.items()] if named else [("", part) for part in value.parts]
    return (f"{name}(", ")"), rows


def _fields(value: object) -> list[Row]:
    return [(f.name, getattr(value, f.name, None)) for f in dataclasses.fields(value)]  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, slots=True)
class _Spelling:
    """Spells values in pieces, so that whoever has enough stops; texts are cut at `cut` characters."""

    cut: int | None
    folds: bool = True  # long bytes tell how many they are

    def pieces(self, value: object, depth: int) -> Iterator[str]:
        """Yields the text of a value; what lies deeper than `depth` is a mark."""
        kind = type(value)
        if type(value) is str:
            yield repr(value[: self.cut])
        elif type(value) is bytes or type(value) is bytearray:
            yield _folded(value) if self.folds and len(value) > _FOLDED else repr(value)
        elif type(value) is int:
            yield str(value) if value.bit_length() < 4096 else hex(value)
        elif value is None or kind in (bool, float, complex, Ignored):
            yield repr(value)
        elif isinstance(value, Opaque):
            why = f": {value.detail}" if value.detail else ""
            yield f"<opaque {value.type_name.replace('builtins:', '').replace(':', '.')}{why}>"
        elif isinstance(value, Enum):
            yield f"{kind.__name__}.{value.name}"
        elif isinstance(value, Unresolved) and value.number == ENUM and value.parts[0] is not None:
            yield f"{value.type_name.rpartition(':')[2]}.{value.parts[0]}"
        elif isinstance(value, type):
            yield f"<class {value.__module__}.{value.__qualname__}>"
        elif isinstance(value, FunctionType | BuiltinFunctionType):
            yield f"<function {value.__module__}.{value.__qualname__}>"
        elif isinstance(value, Unresolved) and value.number in _BY_NAME:
            yield f"<{_BY_NAME[value.number]} {value.type_name.replace('builtins:', '').replace(':', '.')}>"
        elif kind.__module__ in _OWN:  # an Invocation, a Ref: short by themselves
            yield repr(value)
        elif depth == 0:
            yield MARK
        else:
            yield from self._deeper(value, depth - 1)

    def _deeper(self, value: object, depth: int) -> Iterator[str]:
        kind = type(value)
        if isinstance(value, list | tuple | set | frozenset):
            yield from self._sequence(value, depth)
        elif isinstance(value, Mapping):
            yield from self._enclosed(("{", "}"), ((self.pieces(k, depth), ": ", v) for k, v in value.items()), depth)
        elif isinstance(value, BaseException):
            yield from self._enclosed((f"{kind.__name__}(", ")"), (((), "", a) for a in value.args), depth)
        elif (taken := _rows(value)) is not None:
            brackets, rows = taken
            yield from self._enclosed(brackets, (((head,), "", item) for head, item in rows), depth)
        elif kind.__module__.partition(".")[0] in _PLAIN_MODULES:
            yield str(value)
        else:
            yield f"<{kind.__module__}.{kind.__qualname__}>"

    def _sequence(
        self, value: list[object] | tuple[object, ...] | set[object] | frozenset[object], depth: int
    ) -> Iterator[str]:
        base = next(kind for kind in _BRACKETS if isinstance(value, kind))
        opening, closing = _BRACKETS[base]
        if base in (set, frozenset) and not value:
            opening, closing = f"{base.__name__}(", ")"
        if base is tuple and len(value) == 1:
            closing = ",)"
        if type(value) is not base:  # a subclass, a named tuple: say which
            opening, closing = f"{type(value).__name__}({opening}", f"{closing})"
        yield from self._enclosed((opening, closing), (((), "", item) for item in value), depth)

    def _enclosed(
        self, brackets: tuple[str, str], items: Iterable[tuple[Iterable[str], str, object]], depth: int
    ) -> Iterator[str]:
        """Yields items of (key pieces, sign between, value), separated, between two brackets."""
        yield brackets[0]
        for number, (key, sign, value) in enumerate(items):
            if number:
                yield ", "
            yield from key
            yield sign
            yield from self.pieces(value, depth)
        yield brackets[1]


def _folded(value: bytes | bytearray) -> str:
    """Returns `b'\\x89PNG\\r\\n…' (12.3 kB)`."""
    return f"{repr(bytes(value[:8]))[:-1]}{MARK}' ({units.size(len(value))})"


def _joined(pieces: Iterable[str], width: int) -> str:
    """Returns the pieces joined, cut with a mark where they are longer than `width`."""
    text, used = [], 0
    for piece in pieces:
        text.append(piece)
        used += len(piece)
        if used > width:
            return _cut("".join(text), width)
    return _cut("".join(text), width)


def _cut(text: str, width: int) -> str:
    return cut(_printable(text[: width + 1]), width, MARK)


def _printable(text: str) -> str:
    """Returns text without what would move a terminal's cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
