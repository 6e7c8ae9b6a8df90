"""What recorded calls hold, as texts to look things up in: for `blame`.

A `Row` is the outputs of many calls, joined to one text, so that looking for a
passage in 100,000 of them is one search at the speed of C.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, Final

from gvstore.compare.passage import Found, Passage, plain
from gvstore.compare.values import Field, Index, Key, Path
from gvstore.errors import Corrupt
from gvstore.journal.fault import RecordedError
from gvstore.journal.invocation import Invocation
from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.invocation import outcome_number
from gvstore.objects.placeholder import Unresolved
from gvstore.objects.record import NIL
from gvstore.objects.wire import linked, split

_END: Final = "\0"  # between texts: no passage reaches over it
_SCALARS: Final = (int, float, complex, bytes)
LATEST: Final = 32  # of many calls that hold the same, so many are looked at: the nearest counts

Needle = Passage | tuple[type, object]
"""What is looked for: a text, or a value of a type."""


def leaves(value: object) -> Iterator[tuple[Path, object]]:
    """Yields (path, part) of the parts of a value that have no parts themselves, in the order of the value."""
    todo: list[tuple[Path, object]] = [((), value)]
    seen: set[int] = set()
    while todo:
        path, item = todo.pop()
        below = _below(item)
        if below is None:
            yield path, item
        elif id(item) not in seen:
            seen.add(id(item))
            todo += [((*path, step), part) for step, part in reversed(below)]


def _below(value: Any) -> list[tuple[Any, Any]] | None:
    if isinstance(value, dict):
        return [(Key(key), part) for key, part in value.items()]
    if isinstance(value, Unresolved):
        named = value.fields if len(value.fields) * 2 == len(value.parts) else {}
        if named:
            return [(Field(name), part) for name, part in named.items()]
        return [(Index(at, at), part) for at, part in enumerate(value.parts)]
    if isinstance(value, RecordedError):
        return [(Field("message"), value.str_representation)]
    if isinstance(value, BaseException):
        return [(Index(at, at), part) for at, part in enumerate(value.args)]
    if isinstance(value, list | tuple | set | frozenset):
        return [(Index(at, at), part) for at, part in enumerate(value)]
    if isinstance(value, type):
        return None
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if hasattr(value, field.name)]
        return [(Field(name), getattr(value, name)) for name in names]
    if hasattr(type(value), "model_fields") or hasattr(type(value), "__attrs_attrs__"):
        return [(Field(name), part) for name, part in vars(value).items()]
    return None


@dataclasses.dataclass(frozen=True)
class Content:
    """The texts and other leaves of some values; `encoded` are the values as they are stored, to know equal ones by.

    The first `first` characters are those of the first value: what a call
    returned, before what it changed besides.
    """

    text: str = ""
    first: int = 0
    scalars: frozenset[tuple[type, object]] = frozenset()
    encoded: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, values: Iterable[object], encoded: tuple[bytes, ...] = ()) -> Content:
        """Returns what these values hold."""
        texts: list[str] = []
        scalars: set[tuple[type, object]] = set()
        first = 0
        for at, value in enumerate(values):
            for _, leaf in leaves(value):
                if isinstance(leaf, str):
                    texts.append(leaf)
                elif type(leaf) in _SCALARS:
                    scalars.add((type(leaf), leaf))
            if at == 0:
                first = sum(map(len, texts)) + max(0, len(texts) - 1)
        return cls(_END.join(texts), first, frozenset(scalars), encoded)

    @property
    def returned(self) -> str:
        """The texts of the first value."""
        return self.text[: self.first]

    @cached_property
    def plain(self) -> str:
        """The texts as words."""
        return _plain(self.text)

    def find(self, needle: Needle) -> Found | None:
        """Returns how much of the needle is in here, at best."""
        return _found_in(self.text, lambda: self.plain, self.scalars, needle)


def _plain(text: str) -> str:
    return _END.join(map(plain, text.split(_END)))


def _found_in(text: str, as_plain: Any, scalars: Iterable[object], needle: Needle) -> Found | None:
    if not isinstance(needle, Passage):
        return Found(0, 1, exact=True) if needle in scalars else None
    if needle.text in text:
        return needle.whole(exact=True)
    if not needle.has_words:
        return None
    words = as_plain()
    return needle.whole(exact=False) if needle.plain in words else needle.longest_in(words)


def outputs_of(call: Invocation) -> Content:
    """Returns what a call gave out: its output or exception, what it yielded, arguments it changed, its instance afterwards."""
    stored, objects = call.call, call.store.objects
    values: list[object] = []
    encoded: tuple[bytes, ...] = ()
    kind = outcome_number(stored.outcome)
    try:
        if kind in (number.RETURNED, number.RAISED, number.STREAMED):
            parts = split(stored.outcome)
            encoded = (parts[1],)
            value = decode(parts[1], objects)
            values.append(value)
            if kind == number.STREAMED:
                values.append(decode(parts[2], objects))
                if isinstance(value, list) and value and all(type(each) is str for each in value):
                    values.append("".join(value))
        for changed in (stored.changed, stored.after):
            if changed != NIL:
                values.append(decode(changed, objects))
                encoded = (*encoded, changed)
    except Corrupt:
        pass  # what cannot be read holds nothing
    return Content.of(values, encoded)


def inputs_of(call: Invocation) -> dict[str, Content]:
    """Returns what a call was given, by parameter; its instance under `self`."""
    stored = call.call
    args = call.args
    oid = linked(stored.args)
    parts = split(stored.args if oid is None else memoryview(call.store.objects.read(oid))[1:])[1:]
    if len(parts) != len(args):  # what is so large that it was split
        parts = [b""] * len(args)
    found = {}
    if stored.state != NIL:
        found["self"] = Content.of([call.state], (stored.state,))
    for (name, value), part in zip(args.items(), parts, strict=True):
        found[name] = Content.of([value], (part,) if part else ())
    return found


class Row:
    """The contents of many calls, by their number."""

    def __init__(self, contents: Iterable[Content]) -> None:
        self.contents = list(contents)
        self._scalars: dict[object, list[int]] = defaultdict(list)
        self._stored: dict[bytes, list[int]] = defaultdict(list)
        for at, content in enumerate(self.contents):
            for scalar in content.scalars:
                self._scalars[scalar].append(at)
            for encoded in content.encoded:
                self._stored[encoded].append(at)

    def __len__(self) -> int:
        return len(self.contents)

    @cached_property
    def _texts(self) -> tuple[str, list[int]]:
        return _joined([content.text for content in self.contents])

    @cached_property
    def _plains(self) -> tuple[str, list[int]]:
        return _joined([content.plain for content in self.contents])

    def equal(self, encoded: Iterable[bytes], ends: int) -> list[int]:
        """Returns which of the first `ends` calls gave out just one of these stored values: the latest of each."""
        found = (_before(self._stored.get(each, ()), ends, 1) for each in encoded)
        return [at for some in found for at in some]

    def find(self, needle: Needle, ends: int) -> tuple[Found, list[int]] | None:
        """Returns how much of the needle is in one of the first `ends` calls at best, and in which: the latest, and the first."""
        if not isinstance(needle, Passage):
            known = self._scalars.get(needle, ())
            found = [*known[:1], *_before(known, ends, LATEST)] if known and known[0] < ends else []
            return (Found(0, 1, exact=True), found) if found else None
        places = _places(self._texts, needle.text, ends)
        if places:
            return needle.whole(exact=True), places
        if not needle.has_words:
            return None
        places = _places(self._plains, needle.plain, ends)
        if places:
            return needle.whole(exact=False), places
        text, starts = self._plains
        part = needle.longest_in(text if ends >= len(self) else text[: starts[ends]])
        return None if part is None else (part, _places(self._plains, plain(needle.part(part).text), ends))


def _before(known: Sequence[int], ends: int, count: int) -> Sequence[int]:
    """Returns the last `count` of rising numbers that are below `ends`."""
    end = bisect_left(known, ends)
    return known[max(0, end - count) : end]


def _joined(texts: list[str]) -> tuple[str, list[int]]:
    """Returns the texts as one, and where each begins."""
    starts, at = [], 0
    for text in texts:
        starts.append(at)
        at += len(text) + 1
    return _END.join(texts), starts


def _places(joined: tuple[str, list[int]], wanted: str, ends: int) -> list[int]:
    """Returns which of the first `ends` texts hold what is wanted: the first, and the latest."""
    text, starts = joined
    limit = len(text) if ends >= len(starts) else max(0, starts[ends] - 1)
    first = text.find(wanted, 0, limit)
    if first < 0:
        return []
    found: list[int] = []
    at = text.rfind(wanted, first, limit)
    while at > first and len(found) < LATEST:
        found.append(bisect_right(starts, at) - 1)
        at = text.rfind(wanted, first, starts[found[-1]])
    return [*found, bisect_right(starts, first) - 1]


def scalar(value: object) -> Needle | None:
    """Returns a leaf as what can be looked for, or None where it says nothing: True, None, ..."""
    if isinstance(value, str):
        return Passage(value) if value.strip() else None
    return (type(value), value) if type(value) in _SCALARS else None

