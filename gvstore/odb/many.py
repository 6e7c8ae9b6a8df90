"""Reads many objects in the order in which they are asked for: the chunks of a file, the calls of a run.

What is read together was mostly written together, so an object is first looked
for right behind the one before: no index is asked, and a guess that is wrong
costs a comparison of eight bytes.  Chunks that edited versions of a file share
are kept for a while, as git keeps the bases of its deltas.  Whatever is not
quite as expected is left to the ordinary way of reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gvstore import fs
from gvstore.objects.oid import ObjectId, hasher
from gvstore.odb.catalog import Catalog
from gvstore.odb.dictionary import Inflate
from gvstore.odb.fault import BadRecord, DictionaryLost
from gvstore.odb.format import NAME_BYTES

KEPT_BYTES = 16 << 20  # of objects read lately, in each of two generations
KEPT_FROM = 1 << 10  # smaller ones are found again as fast
MAPPED_BYTES = 32 << 20  # read from mapped files before their pages are let go: a long file is not to fill the memory
_HEAD_BYTES = 3 + NAME_BYTES  # tags of records below 64 KiB have two or three bytes


class Many:
    """The reader of one database; usable from any thread."""

    def __init__(self, catalog: Catalog, read: Callable[[ObjectId], bytes]) -> None:
        """`read` is the ordinary way."""
        self._catalog = catalog
        self._read = read
        self._young: dict[bytes, bytes] = {}
        self._old: dict[bytes, bytes] = {}
        self._room = KEPT_BYTES
        self._mapped: set[fs.Mapped] = set()
        self._mapped_bytes = 0

    def read(self, oids: Iterable[ObjectId]) -> Iterator[bytes]:
        """Yields the objects in order, each verified.  Raises as `read` of the database."""
        catalog = self._catalog
        catalog.load()
        if catalog.forgotten:
            self.forget()
            yield from map(self._read, oids)
            return
        digest = hasher()
        view: fs.Mapped = b""
        at = 0
        inflaters: list[Inflate | None] = []
        for oid in oids:
            data = self._young.get(oid)
            if data is None and (data := self._old.get(oid)) is not None:
                self._keep(oid, data)
            if data is not None:
                yield data
                continue
            head = view[at : at + _HEAD_BYTES]
            try:
                if head[3:] != oid[:NAME_BYTES] and head[2:10] != oid[:NAME_BYTES]:
                    for pack in catalog.holding(oid):
                        places = pack.find(oid)
                        if places:
                            view, at, inflaters = pack.map, places[0], pack.inflaters
                            head = view[at : at + _HEAD_BYTES]
                            self._mapped.add(view)
                            break
                    else:
                        head = b""
                low, middle, high = head[:3]
                if low >= 0x80 > middle:
                    value, start = low & 0x7F | middle << 7, at + 2 + NAME_BYTES
                else:
                    value, start = low & 0x7F | (middle & 0x7F) << 7 | high << 14, at + 3 + NAME_BYTES
                at = start + (value >> 5)
                self._mapped_bytes += value >> 5
                inflate = inflaters[value & 15]
                data = inflate(view[start:at]) if inflate is not None else b""
            except (BadRecord, DictionaryLost, OSError, ValueError, IndexError):
                data = b""
            if digest(data) != oid:
                data = self._read(oid)
            yield data
            if len(data) >= KEPT_FROM:
                self._keep(oid, data)
            if self._mapped_bytes > MAPPED_BYTES:
                self._let_go()

    def _let_go(self) -> None:
        mapped, self._mapped, self._mapped_bytes = self._mapped, set(), 0
        for view in tuple(mapped):  # another thread may be adding one
            fs.let_go(view)

    @property
    def kept_bytes(self) -> int:
        """How much is kept."""
        return sum(map(len, self._young.values())) + sum(map(len, self._old.values()))

    def _keep(self, oid: bytes, data: bytes) -> None:
        self._room -= len(data)
        if self._room < 0:
            self._old, self._young, self._room = self._young, {}, KEPT_BYTES - len(data)
        self._young[oid] = data

    def forget(self) -> None:
        """Lets go of what is kept."""
        self._young, self._old, self._room = {}, {}, KEPT_BYTES
        self._mapped, self._mapped_bytes = set(), 0
