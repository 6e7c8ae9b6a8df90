"""Trees: one level of a folder, as git has them.

Entries are a dict from name to (mode, link), sorted by the names' code
points and under the container rule, so that a folder of 100,000 files that
changes in one place costs a few small nodes.  Names are text; bytes of a file
name that are no UTF-8 are lone surrogates ("surrogateescape").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from gvstore.objects import number
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import OID_BYTES, ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter, named_parts
from gvstore.objects.sequence import ItemList, inner_entries, is_leaf, read_node
from gvstore.objects.wire import array, link_bytes, linked, pack, split


class Mode(IntEnum):
    """What a tree entry is."""

    FILE = 0
    EXECUTABLE = 1
    SYMLINK = 2  # the blob is the link's target
    FOLDER = 3


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """What lies under one name."""

    mode: Mode
    oid: ObjectId


@dataclass(frozen=True, slots=True)
class Tree:
    """One level of a folder; sub-folders are trees of their own."""

    entries: dict[str, TreeEntry]

    def put(self, writer: ObjectWriter) -> ObjectId:
        """Returns the oid of this tree, stored.

        Raises:
            ValueError: a name is empty, `.`, `..`, or holds a slash or NUL.
        """
        encoder = Encoder(writer)
        items = ItemList(writer, number.DICT)
        for name in sorted(self.entries):
            if not is_entry_name(name):
                raise ValueError(f"{name!r} cannot name a file")
            entry = self.entries[name]
            items.add(encoder.nested(name) + array([pack(number.TUPLE), pack(int(entry.mode)), link_bytes(entry.oid)]))
        return FieldWriter(writer, Kind.TREE, number.TREE).raw(items.finish()).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Tree:
        """Returns the tree `oid`.

        Raises:
            CorruptObject: it is no tree, or an entry is none.
        """
        entries: dict[str, TreeEntry] = {}
        for name, part in named_parts(reader, oid, FieldReader(reader, oid, Kind.TREE, number.TREE).raw()):
            entries[name] = _entry(oid, name, part)
        return cls(entries)


class EntryFinder:
    """Looks single entries of trees up; remembers what it went through, so that of a tree like one before little is read."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._entries: dict[tuple[ObjectId, str], TreeEntry | None] = {}
        self._parts: dict[tuple[ObjectId, bytes], bytes | None] = {}

    def find(self, tree: ObjectId, path: str) -> TreeEntry | None:
        """Returns what lies at `path` below the tree, or None; "" is the tree itself.

        Raises:
            CorruptObject: what should be a tree is none, or an entry is none.
        """
        entry: TreeEntry | None = TreeEntry(Mode.FOLDER, tree)
        for name in path.split("/") if path else ():
            if entry is None or entry.mode is not Mode.FOLDER:
                return None
            place = entry.oid, name
            if place not in self._entries:
                self._entries[place] = self._look_up(*place)
            entry = self._entries[place]
        return entry

    def _look_up(self, tree: ObjectId, name: str) -> TreeEntry | None:
        try:
            key = pack(name)
        except UnicodeEncodeError:
            key = b""
        if not 0 < len(key) <= _LONGEST_KEY:  # it does not stand here as plain text
            return Tree.get(self._reader, tree).entries.get(name)
        parts = split(FieldReader(self._reader, tree, Kind.TREE, number.TREE).raw())
        if parts[:1] == [pack(number.DICT)]:
            part = _behind(key, parts[1:])
        else:
            top = linked(parts[3]) if len(parts) == 4 else None
            if top is None:
                raise CorruptObject(tree, "a dict was expected")
            part = self._in_node(top, key)
        return None if part is None else _entry(tree, name, part)

    def _in_node(self, node: ObjectId, key: bytes) -> bytes | None:
        """Returns the value behind a key in a node of a split dict, or in one below it."""
        place = node, key
        if place not in self._parts:
            parts = read_node(self._reader, node)
            if is_leaf(parts):
                self._parts[place] = _behind(key, parts[1:])
            else:
                below = (self._in_node(child, key) for _, child in inner_entries(node, parts))
                self._parts[place] = next((part for part in below if part is not None), None)
        return self._parts[place]


def _behind(key: bytes, parts: list[bytes]) -> bytes | None:
    """Returns the value that stands behind a key, of keys and values in turn."""
    keys = parts[::2]
    return parts[2 * keys.index(key) + 1] if key in keys and 2 * len(keys) == len(parts) else None


def _entry(oid: ObjectId, name: str, part: bytes) -> TreeEntry:
    mode = _HEADS.get(part[:_OID_AT])
    if mode is None or len(part) != _ENTRY_BYTES or not is_entry_name(name):
        raise CorruptObject(oid, "a tree entry is a name, a mode and a link")
    return TreeEntry(mode, ObjectId(part[_OID_AT:]))


def _head(mode: Mode) -> bytes:
    """Returns what an entry of this mode begins with, up to the oid: there is one shortest form, and no other is written."""
    return array([pack(number.TUPLE), pack(int(mode)), link_bytes(b"")])


_HEADS: Final = {_head(mode): mode for mode in Mode}
_OID_AT: Final = len(_head(Mode.FILE))
_LONGEST_KEY: Final = 200  # above the container rule's threshold a name is an object of its own
_ENTRY_BYTES: Final = _OID_AT + OID_BYTES


def is_entry_name(name: str) -> bool:
    """Returns whether `name` can stand in a tree: one step of a path that leads down."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name
