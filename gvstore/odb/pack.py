"""A file of objects that is read: a sealed pack with its index, or a segment that somebody writes.

Both are mapped.  A pack's objects are found through its index; a segment, and
a pack whose index is lost or damaged, is scanned, once, into a dict.  What a
mapping shows stays readable whatever happens to the file's name.

A mapping holds a descriptor (two for a pack with its index), so a file can
`rest`: the mapping goes, and comes back when it is next asked for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gvstore import fs
from gvstore.objects.oid import ObjectId, is_named
from gvstore.odb import format
from gvstore.odb.dictionary import Dictionaries, Inflate, plain
from gvstore.odb.fault import BadRecord, DictionaryLost, NewerFormat
from gvstore.odb.format import CONTROL, FIRST_SLOT, MAX_SLOTS, NAME_BYTES, Item
from gvstore.odb.packindex import SUFFIX as INDEX_SUFFIX
from gvstore.odb.packindex import PackIndex
from gvstore.odb.scan import Scan, names, scan, slots

SUFFIX = ".pack"


class Table(Protocol):
    """Finds where an object may lie."""

    def find(self, oid: bytes) -> Sequence[int]:
        """Returns offsets of records that may be `oid`."""
        ...

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yields offsets of records whose keys (`packindex.key_of`) are in [low, high], perhaps of others."""
        ...

    def all_offsets(self) -> Iterator[int]:
        """Yields the offsets of all records, in order."""
        ...


class ScannedTable:
    """What a scan found, in a dict."""

    __slots__ = ("_places",)

    def __init__(self, entries: list[tuple[bytes, int]]) -> None:
        self._places = names(entries)

    def find(self, oid: bytes) -> Sequence[int]:
        """Returns offsets of records that may be `oid`."""
        at = self._places.get(oid[:NAME_BYTES])
        if at is None:
            return ()
        return at if isinstance(at, list) else (at,)

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yields offsets of records whose names begin in that range."""
        for name, at in list(self._places.items()):
            if low <= int.from_bytes(name[:4], "big") <= high:
                yield from at if isinstance(at, list) else (at,)

    def all_offsets(self) -> Iterator[int]:
        """Yields the offsets of all records, in order."""
        places: list[int] = []
        for at in self._places.values():
            places += at if isinstance(at, list) else (at,)
        yield from sorted(set(places))


class OwnTable(ScannedTable):
    """What this process wrote into a segment before it sealed it: whole oids, so a look-up is one in a dict."""

    __slots__ = ("_offsets",)

    def __init__(self, offsets: dict[bytes, int]) -> None:
        super().__init__([])
        self._offsets = offsets

    def find(self, oid: bytes) -> Sequence[int]:
        """Returns the offset of the object, if it is here."""
        at = self._offsets.get(oid)
        return () if at is None else (at,)

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yields offsets of records whose names begin in that range."""
        for oid, at in self._offsets.items():
            if low <= int.from_bytes(oid[:4], "big") <= high:
                yield at

    def all_offsets(self) -> Iterator[int]:
        """Yields the offsets of all records, in order."""
        yield from self._offsets.values()


class Awake:
    """The packs that are mapped: at most `limit`, or those that were mapped first rest again."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._packs: dict[Pack, None] = {}
        self._lock = threading.Lock()

    def note(self, pack: Pack) -> None:
        """Takes note of a pack that was mapped just now."""
        with self._lock:
            self._packs.pop(pack, None)
            self._packs[pack] = None
            tired = list(self._packs)[: max(0, len(self._packs) - self._limit)]
            for each in tired:
                del self._packs[each]
        for each in tired:
            each.rest()

    def after_fork(self) -> None:
        """Makes the lock anew: a thread that is not in the child may have held it."""
        self._lock = threading.Lock()

    def forget(self, pack: Pack) -> None:
        """Takes note of a pack that is mapped no more."""
        with self._lock:
            self._packs.pop(pack, None)


class Pack:
    """A mapped file of objects; usable from any thread."""

    map: fs.Mapped
    table: Table

    def __init__(
        self,
        path: Path,
        dictionaries: Dictionaries,
        *,
        offsets: dict[bytes, int] | None = None,
        awake: Awake | None = None,
    ) -> None:
        """Opens the file; a pack's cost does not depend on how much is in it.

        `offsets` by whole oid, if they are still known, are used instead of the index.

        Raises:
            FileNotFoundError: it is gone (sealed, or merged into another).
            NewerFormat: a later gvstore wrote it.
            OSError: it cannot be read.
        """
        self.path = path
        self.name = path.stem
        self.dictionaries = dictionaries
        self._awake = awake
        self.size_bytes = -1
        self.live = path.suffix != SUFFIX
        self.damaged = False  # something in here did not hold
        self.trusted = False  # the index was read whole and holds, or there is none
        self._scan: Scan | None = None
        self._map()
        version = _version(self.map)
        if version > format.VERSION:
            raise NewerFormat(path, version)
        self._slots: dict[int, ObjectId] = {}
        self._slots_of = -1  # so many bytes were looked at for them
        self.inflaters: list[Inflate | None] = [bytes, plain().inflate, *[None] * (MAX_SLOTS + 1)]
        self._use(ScannedTable([]))
        if self.live:
            self.rescan()
        elif offsets is not None:
            self._use(OwnTable(offsets))
        else:
            self._open_index()

    def _map(self) -> fs.Mapped:
        fd = fs.open_read(self.path)
        try:
            view = self.map = fs.map_read(fd)
        finally:
            fs.close(fd)
        self.size_bytes = len(view)
        if self._awake is not None:
            self._awake.note(self)
        return view

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Comes here only for what `rest` took away: maps the file again.  Raises FileNotFoundError if it is gone."""
            if name not in ("map", "table", "find"):
                raise AttributeError(name)
            # Another thread may send it to rest again at any moment: what is returned is held here.
            size, view = self.size_bytes, self.__dict__.get("map")
            if view is None:
                view = self._map()
                if len(view) < size or (not self.live and len(view) != size):
                    self.rest()
                    raise FileNotFoundError(f"{self.path} is another file now")
                self.size_bytes = size  # what was added to a segment counts when it is scanned
            if name == "map":
                return view
            table = self.__dict__.get("table") or self._open_index()
            return table if name == "table" else table.find

    def rest(self) -> None:
        """Lets go of the mapping, and of the index's; what a scan found stays."""
        self.__dict__.pop("map", None)
        if isinstance(self.__dict__.get("table"), PackIndex):
            self.__dict__.pop("find", None)
            self.__dict__.pop("table", None)

    def _use(self, table: Table) -> Table:
        self.table = table
        self.find = table.find  # offsets of records that may be the object: one call less on the way
        return table

    def _open_index(self) -> Table:
        try:
            return self._use(PackIndex(self.path.with_suffix(INDEX_SUFFIX), self.size_bytes))
        except (OSError, BadRecord, NewerFormat):
            self.rescan()
            return self.table

    def scanned(self) -> Scan:
        """Returns what a scan found; scans if that was not done."""
        if self._scan is None:
            self.rescan()
        assert self._scan is not None
        return self._scan

    def dictionary(self, name: ObjectId) -> None:
        """Raises DictionaryLost if the dictionary cannot be had."""
        self.dictionaries.get(name)

    def close(self) -> None:
        """Lets go of the file; the mapping lives as long as somebody reads it."""
        self.rest()
        if self._awake is not None:
            self._awake.forget(self)

    def grown(self) -> bool:
        """Returns whether a segment is longer than it was when scanned."""
        try:
            return self.live and self.path.stat().st_size > self.size_bytes
        except FileNotFoundError:
            return False

    def rescan(self) -> None:
        """Reads the file, or what was added to it, to find its objects without an index."""
        if self.live:
            self._map()
        before = self._scan if self.live else None
        if before is None:
            result = scan(self.map, self.open_payload)
        else:
            result = scan(self.map, self.open_payload, start=before.settled, durable=before.durable)
            result.entries[:0] = [entry for entry in before.entries if entry[1] < before.settled]
            result.flaws[:0] = [flaw for flaw in before.flaws if flaw.begin < before.settled]
        self._use(ScannedTable(result.entries))
        self._scan = result
        self.trusted = True

    @property
    def durable(self) -> int:
        """Up to which offset the file is known to be on the disk."""
        if not self.live:
            return self.size_bytes
        if self._scan is None:
            return 0
        return self.size_bytes if self._scan.sealed else self._scan.durable

    def get(self, oid: bytes) -> bytes | None:
        """Returns the object, its hash verified, or None.

        Raises:
            DictionaryLost: it is here, but cannot be decompressed.
        """
        for at in self.find(oid):
            try:
                data = self.open_at(at)
            except BadRecord:
                self.damaged = True
                continue
            if data and is_named(data, oid):
                return data
            if self.name_at(at) == oid[:NAME_BYTES]:
                self.damaged = True
        return None

    def get_at(self, oid: bytes, at: int) -> bytes | None:
        """Returns the object, its hash verified, if it lies at `at`.  Raises as `get`."""
        try:
            data = self.open_at(at)
        except BadRecord:
            data = b""
        if data and is_named(data, oid):
            return data
        self.damaged = self.damaged or not data or self.name_at(at) == oid[:NAME_BYTES]
        return None

    def place_of(self, oid: bytes, data: bytes, places: Sequence[int]) -> int:
        """Returns which of the places, found for `oid`, is that of just these bytes, and on the disk; -1 if none is."""
        for at in places:
            if self.live and at >= self.durable:
                continue
            try:
                if self.open_at(at) == data:
                    return at
            except BadRecord:
                self.damaged = True
                continue
            except DictionaryLost:
                continue
            self.damaged = self.damaged or self.name_at(at) == oid[:NAME_BYTES]
        return -1

    def get_durable(self, oid: bytes) -> bool:
        """Returns whether the object is here, its hash verified, and on the disk."""
        if self.live and all(at >= self.durable for at in self.find(oid)):
            return False
        try:
            return self.get(oid) is not None
        except DictionaryLost:
            return False

    def has_wreck(self, oid: bytes) -> bool:
        """Returns whether what lies where the object should is nothing that holds by itself."""
        for at in self.find(oid):
            try:
                if ObjectId.of(self.open_at(at))[:NAME_BYTES] != self.name_at(at):
                    return True
            except BadRecord:
                return True
            except DictionaryLost:
                continue
        return self._scan is not None and any(flaw.name == oid[:NAME_BYTES] for flaw in self._scan.flaws)

    def distrust(self) -> bool:
        """Reads the index whole, and the pack instead if it does not hold; returns whether looking again may help."""
        if self.trusted:
            return False
        table = self.table
        self.trusted = True
        if isinstance(table, PackIndex) and table.holds() and not self.damaged:
            return False
        self.rescan()
        return True

    def open_at(self, at: int) -> bytes:
        """Returns what the record at `at` holds, not verified.

        Raises:
            BadRecord: no record lies there.
            DictionaryLost: it cannot be decompressed.
        """
        view = self.map
        try:  # nearly all tags have two bytes: those without a call
            low, high = view[at : at + 2]
        except ValueError:
            raise BadRecord("cut off") from None
        if low >= 0x80 > high > 0:
            value = low & 0x7F | high << 7
            codec, start, end = value & 15, at + 2 + NAME_BYTES, at + 2 + NAME_BYTES + (value >> 5)
            inflate = self.inflaters[codec]
            if inflate is not None and end <= self.size_bytes:
                return inflate(view[start:end])
        codec, start, end = format.item_at(view, at)
        return self.open_payload(codec, view[start:end], view[start - NAME_BYTES : start])

    def between(self, low: int, high: int) -> Iterator[ObjectId]:
        """Yields the objects whose index keys are in [low, high], and perhaps others."""
        for at in self.table.between(low, high):
            try:
                yield ObjectId.of(self.open_at(at))
            except (BadRecord, DictionaryLost):
                continue

    def name_at(self, at: int) -> bytes:
        """Returns the 8 bytes by which the record at `at` is named."""
        item = self.item_at(at)
        return self.map[item.start - NAME_BYTES : item.start]

    def is_kept(self, at: int) -> bool:
        """Returns whether the record at `at` is marked as kept."""
        return bool(format.is_kept(self.map, at))

    def item_at(self, at: int) -> Item:
        """Returns the parts of the record at `at`.  Raises BadRecord if there is none."""
        return format.item_at(self.map, at)

    def open_payload(self, codec: int, payload: bytes, name: bytes) -> bytes:
        """Returns what a payload holds, not verified.  Raises as `open_at`."""
        if codec == CONTROL or not payload:
            raise BadRecord("no object")
        inflate = self.inflaters[codec] or self._inflater(codec)
        if inflate is None:
            return self._guess(codec, payload, name)
        return inflate(payload)

    def _inflater(self, codec: int) -> Inflate | None:
        """Returns what inflates a dictionary slot, or None if the file does not say."""
        if self._slots_of != len(self.map):  # a segment that is being written may name one more
            self._slots, self._slots_of = slots(self.map)[0], len(self.map)
        dictionary = self._slots.get(codec - FIRST_SLOT)
        if dictionary is not None:
            self.inflaters[codec] = self.dictionaries.get(dictionary).inflate
        return self.inflaters[codec]

    def _guess(self, codec: int, payload: bytes, name: bytes) -> bytes:
        """Tries every dictionary: the item that told which it is is damaged.  The first that fits is kept."""
        self.damaged = True
        for candidate in self.dictionaries.candidates():
            try:
                inflate = self.dictionaries.get(candidate).inflate
                data = inflate(payload)
            except (BadRecord, DictionaryLost):
                continue
            if ObjectId.of(data)[:NAME_BYTES] == name:
                self.inflaters[codec] = inflate
                return data
        raise BadRecord("compressed with a dictionary that the file does not name")


def _version(view: format.Bytes) -> int:
    """Returns the stated version; a damaged header states ours, what follows is checked on its own."""
    try:
        return format.header_version(view)
    except BadRecord:
        return format.VERSION

