"""What is reachable: a bit for each record, set while links are followed.

Memory: one bit an object, beside the mapped files.  Records that share a name
(an object that is in two files, or a forged one) are told apart by their whole
oids, so that what one of them leads to is followed too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from gvstore.objects.fault import CorruptObject
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId
from gvstore.odb import condemned, progress, tombstone
from gvstore.odb.catalog import Catalog
from gvstore.odb.fault import BadRecord, DictionaryLost
from gvstore.odb.format import NAME_BYTES
from gvstore.odb.pack import Pack
from gvstore.odb.packindex import PackIndex


class Marks:
    """One file, and which of its records are marked.

    A record's position is its place in the index, or its offset where there is no index.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack
        table = pack.table
        if isinstance(table, PackIndex) and not table.holds():
            pack.rescan()
            table = pack.table
        self._bits = bytearray((table.count + 7) // 8) if isinstance(table, PackIndex) else None
        self._set: set[int] = set()

    def _index(self) -> PackIndex | None:
        """Returns the index, if the records are counted by it.

        Raises:
            BadRecord: it has gone since.
        """
        if self._bits is None:
            return None
        table = self.pack.table
        if not isinstance(table, PackIndex) or (table.count + 7) // 8 != len(self._bits):
            raise BadRecord(f"the index of {self.pack.path.name} changed meanwhile")
        return table

    def find(self, name: bytes) -> list[tuple[int, int]]:
        """Returns (position, offset) of the records that are called so; 8 bytes of `name` count."""
        name, index = name[:NAME_BYTES], self._index()
        if index is not None:
            found = [(position, index.offsets[position]) for position in index.positions(name)]
        else:
            found = [(at, at) for at in self.pack.table.find(name)]
        return [each for each in found if self.pack.name_at(each[1]) == name]

    def is_marked(self, position: int) -> bool:
        """Returns whether the record is marked."""
        if self._bits is None:
            return position in self._set
        return bool(self._bits[position >> 3] >> (position & 7) & 1)

    def mark(self, position: int) -> None:
        """Marks a record."""
        if self._bits is None:
            self._set.add(position)
        else:
            self._bits[position >> 3] |= 1 << (position & 7)

    def all(self) -> Iterator[tuple[int, int]]:
        """Yields (position, offset) of every record."""
        index = self._index()
        if index is not None:
            yield from enumerate(index.offsets)
        else:
            for at in self.pack.table.all_offsets():
                yield at, at

    def unmarked(self) -> Iterator[int]:
        """Yields the offsets of the records that are not marked."""
        return (at for position, at in self.all() if not self.is_marked(position))

    def holds(self, name: bytes, at: int) -> bool:
        """Returns whether the record called `name` at `at` is marked, or one that nobody knows of."""
        return all(self.is_marked(position) for position, offset in self.find(name) if offset == at)


class Marker:
    """All files of a database, those that others write included, and what is marked in them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = Catalog(folder)
        self.files: dict[Path, Marks] = {}
        self.missing: list[ObjectId] = []
        self.forgotten = tombstone.names(folder)
        self._exact: set[ObjectId] = set()
        self.look()

    def look(self) -> bool:
        """Looks for files that came, grew or went; returns whether looking again may show more."""
        paths = [*self.catalog.files(), *condemned.paths(self.folder)]
        changed = False
        for gone in self.files.keys() - set(paths):
            self.files.pop(gone).pack.close()
            changed = True
        for path in paths:
            known = self.files.get(path)
            try:
                if known is None:
                    opened = self.catalog.open(path)
                    if opened is not None:
                        self.files[path] = Marks(opened)
                    changed = changed or opened is not None or not path.exists()
                elif known.pack.grown():
                    known.pack.rescan()
                    changed = True
            except FileNotFoundError:  # sealed meanwhile: it has another name now
                changed = True
        return changed

    def condemned(self) -> list[Marks]:
        """Returns the condemned files."""
        return [marks for path, marks in self.files.items() if path.parent.name == condemned.FOLDER]

    def standing(self) -> list[Marks]:
        """Returns the files that are not condemned."""
        return [marks for path, marks in self.files.items() if path.parent.name != condemned.FOLDER]

    def mark(self, roots: Iterable[ObjectId], *, strict: bool = True) -> None:
        """Marks the roots and all that they lead to by strong links.

        What cannot be read is added to `missing`, if `strict`; what was forgotten is not.
        """
        for root in roots:
            stack = [root]
            while stack:
                data = self._visit(stack.pop(), strict=strict)
                if data is not None:
                    progress.step()
                    stack += self._strong(data, strict=strict)

    def _strong(self, data: bytes, *, strict: bool) -> list[ObjectId]:
        try:
            return links(data)[0]
        except CorruptObject:
            if strict:
                self.missing.append(ObjectId.of(data))
            return []

    def _visit(self, oid: ObjectId, *, strict: bool) -> bytes | None:
        """Marks an object; returns its bytes if it was not marked before."""
        if oid in self.forgotten:
            return None
        places = self._places(oid)
        for _ in range(8):
            if places or not self.look():
                break
            places = self._places(oid)
        if all(marks.is_marked(position) for marks, position, _ in places):
            if not places and strict:
                self.missing.append(oid)
            if len(places) <= 1 or oid in self._exact:
                return None
        if len(places) > 1:
            self._exact.add(oid)
        for marks, position, _ in places:
            marks.mark(position)
        for marks, _, at in places:
            data = self.open(marks, at)
            if data is not None and ObjectId.of(data) == oid:
                return data
        if strict:
            self.missing.append(oid)
        return None

    def is_marked(self, oid: ObjectId) -> bool:
        """Returns whether the object is marked; one that is nowhere is not."""
        places = self._places(oid)
        return bool(places) and all(marks.is_marked(position) for marks, position, _ in places)

    def read(self, oid: ObjectId) -> bytes | None:
        """Returns an object, verified, wherever it lies; None if it cannot be read."""
        for marks, _, at in self._places(oid):
            data = self.open(marks, at)
            if data is not None and ObjectId.of(data) == oid:
                return data
        return None

    def _places(self, oid: ObjectId) -> list[tuple[Marks, int, int]]:
        try:
            return [(marks, position, at) for marks in self.files.values() for position, at in marks.find(oid)]
        except FileNotFoundError:  # sealed meanwhile, while it rested
            self.look()
            return [(marks, position, at) for marks in self.files.values() for position, at in marks.find(oid)]

    def open(self, marks: Marks, at: int) -> bytes | None:
        """Returns what the record holds, not verified, or None if it cannot be read."""
        try:
            return marks.pack.open_at(at)
        except (BadRecord, DictionaryLost):
            return None

    def kept(self) -> Iterator[ObjectId]:
        """Yields the objects that programs put."""
        for marks in self.standing():
            for _, at in marks.all():
                if marks.pack.is_kept(at):
                    data = self.open(marks, at)
                    if data is not None:
                        yield ObjectId.of(data)

    def survivors(self, doomed: list[Marks]) -> Iterator[ObjectId]:
        """Yields what is not marked and will still be there when the doomed files are gone."""
        for marks in list(self.files.values()):
            if marks not in doomed:
                for at in marks.unmarked():
                    data = self.open(marks, at)
                    if data is not None:
                        yield ObjectId.of(data)

    def close(self) -> None:
        """Lets go of all files."""
        for marks in self.files.values():
            marks.pack.close()
        self.files.clear()
