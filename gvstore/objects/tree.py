"""Trees: one level of a folder, as git has them.

Entries are a dict from name to (mode, link), sorted by the names' code
points and under the container rule, so that a folder of 100,000 files that
changes in one place costs a few small nodes.  Names are text; bytes of a file
name that are no UTF-8 are lone surrogates ("surrogateescape").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from gvstore.objects import number
from gvstore.objects.decode import decode
from gvstore.objects.encode import Encoder
from gvstore.objects.fault import CorruptObject
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader, ObjectWriter
from gvstore.objects.record import FieldReader, FieldWriter, dict_parts
from gvstore.objects.sequence import ItemList
from gvstore.objects.wire import Link, array, link_bytes, pack, unpack


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
        """Returns the oid of this tree, stored."""
        encoder = Encoder(writer)
        items = ItemList(writer, number.DICT)
        for name in sorted(self.entries):
            entry = self.entries[name]
            items.add(encoder.nested(name) + array([pack(number.TUPLE), pack(int(entry.mode)), link_bytes(entry.oid)]))
        return FieldWriter(writer, Kind.TREE, number.TREE).raw(items.finish()).put()

    @classmethod
    def get(cls, reader: ObjectReader, oid: ObjectId) -> Tree:
        """Returns the tree `oid`.

        Raises:
            CorruptObject: it is no tree, or an entry is none.
        """
        pairs = dict_parts(reader, FieldReader(reader, oid, Kind.TREE, number.TREE).raw())
        entries: dict[str, TreeEntry] = {}
        for name, entry in zip(pairs[::2], pairs[1::2], strict=True):
            mode_link = unpack(entry)
            if type(mode_link) is not list or len(mode_link) != 3 or type(mode_link[2]) is not Link:
                raise CorruptObject(oid, "a tree entry is a mode and a link")
            try:
                entries[str(decode(name, reader))] = TreeEntry(Mode(mode_link[1]), mode_link[2].oid)
            except ValueError as e:
                raise CorruptObject(oid, str(e)) from e
        return cls(entries)
