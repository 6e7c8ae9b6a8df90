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
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import array, link_bytes, pack


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
            mode = _HEADS.get(part[:_OID_AT])
            if mode is None or len(part) != _ENTRY_BYTES or not is_entry_name(name):
                raise CorruptObject(oid, "a tree entry is a name, a mode and a link")
            entries[name] = TreeEntry(mode, ObjectId(part[_OID_AT:]))
        return cls(entries)


def _head(mode: Mode) -> bytes:
    """Returns what an entry of this mode begins with, up to the oid: there is one shortest form, and no other is written."""
    return array([pack(number.TUPLE), pack(int(mode)), link_bytes(b"")])


_HEADS: Final = {_head(mode): mode for mode in Mode}
_OID_AT: Final = len(_head(Mode.FILE))
_ENTRY_BYTES: Final = _OID_AT + OID_BYTES


def is_entry_name(name: str) -> bool:
    """Returns whether `name` can stand in a tree: one step of a path that leads down."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name
