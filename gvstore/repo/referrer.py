"""What refers to an object, in words that a user can type: `9dea0b07:prompts/a.txt`, `9dea0b07::dice.roll`, `run/7:0.2`.

An object's links are taken together with the place where each stands: an entry
of a tree, a child of a call.  Where that is not plain, in the middle of a value,
the place is that of the object itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gvstore.objects import number
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.wire import Link, WeakLink, unpack
from gvstore.repo.fault import printable

_CODE = 15  # the field of a run that links its code


@dataclass(frozen=True, slots=True)
class Place:
    """Where a link stands.

    `where` names the object that it leads to, `base` begins the names of that
    one's parts.  `role` says what it is a part of: "tree", "call", "children"
    (then `first` is the number of the first child in it), or nothing in particular.
    """

    where: str
    base: str = ""
    role: str = ""
    first: int = 0
    weak: bool = False


Found = Iterator[tuple[Place, ObjectId]]


def places(place: Place, oid: ObjectId, data: bytes) -> Found:
    """Yields the links of the object `oid`, found at `place`, strong and weak, with the place of each.

    Raises:
        CorruptObject: the bytes are not of the grammar.
    """
    kind = data[0]
    if kind == Kind.BLOB:
        return
    raw = unpack(memoryview(data)[1:])
    if kind == Kind.COMMIT:
        yield from _commit(short(oid), raw)
    elif kind == Kind.RUN:
        yield from _run(place.where if place.where.startswith("run") else f"run {short(oid)}", raw)
    elif kind == Kind.TREE:
        yield from _tree(place if place.role == "tree" else Place("", f"tree {short(oid)}:", "tree"), raw[1:])
    elif kind == Kind.INVOCATION and place.role == "call":
        yield from _call(place, raw)
    elif kind == Kind.NODE and place.role in ("tree", "children"):
        yield from _node(place, raw)
    elif kind == Kind.TAG:
        yield from _any(Place(f"tag {short(oid)}"), raw)
    else:
        yield from _any(place, raw)


def _any(place: Place, raw: Any) -> Found:
    """Yields every link in there, all at one place."""
    stack = [raw]
    while stack:
        each = stack.pop()
        if type(each) is list:
            stack.extend(reversed(each))
        elif isinstance(each, Link):
            yield Place(place.where, place.base, weak=type(each) is WeakLink), each.oid


def _fields(raw: Any, count: int) -> list[Any]:
    return raw if type(raw) is list and len(raw) >= count else []


def _commit(name: str, raw: Any) -> Found:
    where = Place(f"commit {name}")
    fields = _fields(raw, 9)
    for i, field in enumerate(fields):
        if i == 1 and type(field) is Link:
            yield Place(where.where, f"{name}:", "tree"), field.oid
        elif i in (6, 7) and type(field) is list and field[:1] == [number.DICT]:
            for key, value in zip(field[1::2], field[2::2], strict=False):
                yield from _any(Place(f"{name}::{printable(key)}") if type(key) is str else where, value)
        else:
            yield from _any(where, field)
    if not fields:
        yield from _any(where, raw)


def _run(name: str, raw: Any) -> Found:
    fields = _fields(raw, 2)
    for i, field in enumerate(fields):
        if i == 1 and type(field) is Link:
            yield Place(f"{name}:", f"{name}:", "call"), field.oid
        elif i == _CODE and type(field) is Link:
            yield Place(f"code of {name}", f"code of {name}:", "tree"), field.oid
        else:
            yield from _any(Place(name), field)
    if not fields:
        yield from _any(Place(name), raw)


def _tree(place: Place, fields: list[Any]) -> Found:
    for field in fields:
        if type(field) is list and field[:1] == [number.DICT]:
            yield from _entries(place, field[1:])
        else:  # split: the nodes hold the entries
            for inner, oid in _any(place, field):
                yield Place(place.where or inner.where, place.base, "tree", weak=inner.weak), oid


def _entries(place: Place, pairs: list[Any]) -> Found:
    for name, entry in zip(pairs[::2], pairs[1::2], strict=False):
        shown = place.base + (printable(name) if type(name) is str else "?")
        folder = type(entry) is list and len(entry) == 3 and entry[1] == 3
        for inner, oid in _any(Place(shown), entry):
            yield (Place(f"{shown}/", f"{shown}/", "tree") if folder else inner), oid


def _node(place: Place, raw: Any) -> Found:
    fields = _fields(raw, 1)
    if fields[:1] == [number.LEAF]:
        if place.role == "tree":
            yield from _entries(place, fields[1:])
        else:
            for i, part in enumerate(fields[1:], place.first):
                yield from _child(place, i, part)
        return
    first = place.first
    if fields[:1] != [number.INNER]:
        yield from _any(place, raw)
    for count, link in zip(fields[1::2], fields[2::2], strict=False) if fields[:1] == [number.INNER] else ():
        if isinstance(link, Link):
            yield Place(place.where, place.base, place.role, first, type(link) is WeakLink), link.oid
        first += count if type(count) is int else 0


def _call(place: Place, raw: Any) -> Found:
    """Yields the links of a call: of its component, its arguments, its outcome, its children."""
    names = {2: "/args", 3: "/output"}
    fields = _fields(raw, 2)
    for i, field in enumerate(fields):
        if i == 4 and type(field) is list and field[:1] == [number.LIST]:
            for at, part in enumerate(field[1:]):
                yield from _child(place, at, part)
        elif i == 4 and type(field) is list and field[:1] == [number.SPLIT]:
            for _, oid in _any(place, field):
                yield Place(place.where, place.base, "children"), oid
        elif i == 4 and isinstance(field, Link):
            yield Place(place.where, place.base), field.oid
        else:
            yield from _any(Place(place.where + names.get(i, "")), field)
    if not fields:
        yield from _any(place, raw)


def _child(place: Place, at: int, part: Any) -> Found:
    address = f"{place.base}{'' if place.base.endswith(':') else '.'}{at}"
    child = Place(address, address, "call")
    if isinstance(part, Link):
        yield child, part.oid
    elif type(part) is list and part[:1] == [number.INVOCATION]:
        yield from _call(child, part)
    else:
        yield from _any(child, part)
