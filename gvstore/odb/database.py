"""The object database: everything under `.gv/objects`.

Reading looks into the segment that this process writes, then into the mapped
files of the catalog; every answer is hashed before it is given.  Writing
appends to this process's own segment, made at the first write, so that
processes never wait for each other.  Opening reads nothing and writes nothing.

What a handle wrote, or was told is there, stays until it is closed, whatever
gc does meanwhile (lease.py).  After that it stays if something leads to it, or
if it was `put`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.objects.chunking import BLOB_THRESHOLD
from gvstore.objects.fault import CorruptObject, ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.oid import OID_BYTES, ObjectId, is_named
from gvstore.objects.protocol import ObjectWriter
from gvstore.odb import fork, format, lock, tombstone
from gvstore.odb.batch import Batch, in_batch
from gvstore.odb.catalog import DICT, LIVE, PACK, Catalog
from gvstore.odb.dictionary import shipped
from gvstore.odb.face import blob_bytes, blob_writer
from gvstore.odb.fault import (
    BadRecord,
    Busy,
    Damage,
    DictionaryLost,
    Forgotten,
    Poisoned,
    ReadOnly,
    Unreadable,
    WriteFailed,
)
from gvstore.odb.format import MAX_LENGTH
from gvstore.odb.lease import FOLDER as LEASE
from gvstore.odb.many import Many
from gvstore.odb.prefix import RESOLVE_LIMIT, check_prefix, key_range

if TYPE_CHECKING:
    from gvstore.odb.count import Counted
    from gvstore.odb.repack import Repacked
    from gvstore.odb.repair import Repaired
    from gvstore.odb.segment import Segment
    from gvstore.odb.trainer import Trainer

_BLOB = bytes((Kind.BLOB,))
MANY_PACKS = 5  # to be asked one by one, before a process that fills segment after segment makes an index of them
VERIFIED_LIMIT = 1 << 15  # oids remembered as looked at; some 100 bytes each


class ObjectDatabase:
    """Objects on disk; usable from several threads, and from several processes through one each."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.folder = folder
        self.read_only = read_only
        self._catalog = Catalog(folder, read_only=read_only)
        self._dictionaries = self._catalog.dictionaries
        self._many = Many(self._catalog, self.read)
        self._lock = threading.RLock()
        self._segment: Segment | None = None
        self._adopted = False
        self._rolled = False
        self._verified: set[bytes] = set()
        self._kept: set[bytes] = set()
        self._trainer: Trainer | None = None
        self._trained = False  # The next segment is the one that a dictionary was just trained for.
        self._put_blob: Callable[[ObjectWriter, bytes], ObjectId] | None = None
        fork.watch(self)

    @classmethod
    def init(cls, folder: Path) -> None:
        """Makes an empty database in `folder`; does no harm to one that is there.

        Raises:
            WriteFailed: the folder cannot be made.
        """
        try:
            for name in (LIVE, PACK, DICT, LEASE):
                (folder / name).mkdir(parents=True, exist_ok=True)
            Catalog(folder).dictionaries.add(shipped())
        except OSError as e:
            raise WriteFailed(folder, e) from e

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> ObjectDatabase:
        """Returns the database in `folder`.  Nothing is read yet, and nothing written until the first `write`."""
        return cls(folder, read_only=read_only)

    def read(self, oid: ObjectId) -> bytes:
        """Returns the object's bytes, kind byte first, their hash verified.

        Raises:
            ObjectMissing: there is none of this name.
            CorruptObject: what lies there does not hash to `oid`.
            DictionaryLost: it is here, but what it was compressed with is not.
            Forgotten: a user had it forgotten.
        """
        data = self._find(oid)
        if data is None:
            self._raise_forgotten(oid)
            if self._catalog.has_wreck(oid):
                raise CorruptObject(oid, "its bytes on disk are damaged")
            raise self._missing(oid)
        return data

    def read_many(self, oids: Sequence[ObjectId]) -> Iterator[bytes]:
        """Yields objects in order; faster than `read` of each where they were written together.  Raises as `read`."""
        return self._many.read(oids)

    def _raise_forgotten(self, oid: ObjectId) -> None:
        if oid in self._catalog.forgotten:
            found = tombstone.read(self.folder, oid)
            if found is not None:
                raise Forgotten(oid, found.at, found.by, found.why)

    def hold(self) -> None:
        """Lets nothing vanish that can be read from now on, until `close`; each use of the database does the same."""
        self._catalog.begin()

    def _missing(self, oid: ObjectId) -> Exception:
        for path, error in self._catalog.refused.items():  # the object may be in there
            return Unreadable(path, error) if isinstance(error, OSError) else error
        return ObjectMissing(oid)

    def _raise_refused(self) -> None:
        """Raises where a file could not be opened this time; one that is no file never can be."""
        for path, error in self._catalog.refused.items():
            if isinstance(error, OSError) and not isinstance(error, fs.NotAFile):
                raise Unreadable(path, error)

    def _find(self, oid: bytes) -> bytes | None:
        own = self._segment
        if own is not None and oid in own.offsets:
            try:
                data = own.read(oid)
            except (BadRecord, OSError):
                data = None
            if data is not None and is_named(data, oid):
                return data
        catalog = self._catalog
        catalog.load()
        if catalog.forgotten and oid in catalog.forgotten:
            return None
        data = catalog.find(oid)
        return data if data is not None else catalog.find_harder(oid)

    def has(self, oid: ObjectId) -> bool:
        """Returns whether an object of this name can be read; its hash is verified, once.

        Raises:
            Unreadable: the system refuses to open a file that may hold it.
        """
        own = self._segment
        if (own is not None and oid in own.offsets) or oid in self._verified:
            return True
        try:
            found = self._find(oid) is not None
        except DictionaryLost:
            return False
        if found:
            self._verified = _remembered(self._verified, oid)
        elif self._catalog.refused:
            self._raise_refused()
        return found

    def write(self, data: bytes, *, kept: int = 0) -> ObjectId:
        """Returns the name of `data`, kind byte first, which can be read from now on.

        It may stay in this process's memory until `flush` or `sync`.  What is
        there already is not stored again: eight bytes of name can be forged, so
        the first time an object is found to be there its bytes are looked at.
        With `kept` (KEPT) gc keeps it.

        Raises:
            ValueError: `data` is empty, or 1 GiB or more.
            ReadOnly: the database was opened to be read only.
            WriteFailed: the disk is full, or not ours to write.
            Poisoned: the disk failed before; this handle is done.
            Forgotten: a user had this object forgotten.
        """
        oid = ObjectId.of(data)
        own = self._segment
        if own is not None and oid in own.offsets and (not kept or own.all_kept):
            return oid
        with self._lock:
            own = self._segment
            if own is None or own.full or own.poisoned is not None:
                own = self._next_segment()
            if oid in own.offsets or oid in self._verified:
                if kept:
                    self.keep(oid)
                return oid
            catalog = self._catalog
            if catalog.forgotten:
                self._raise_forgotten(oid)
            for pack in catalog.holding(oid) if catalog.layers else catalog.packs:
                try:
                    if (places := pack.find(oid)) and (at := pack.place_of(oid, data, places)) >= 0:
                        self._verified = _remembered(self._verified, oid)
                        if kept and pack.is_kept(at):
                            self._kept = _remembered(self._kept, oid)
                        elif kept:
                            self.keep(oid)
                        return oid
                except OSError:  # merged while it rested, or not to be opened now: stored twice, until the next merge
                    continue
            if not 0 < len(data) <= MAX_LENGTH:
                raise ValueError(f"an object has 1 to {MAX_LENGTH} bytes, not {len(data)}")
            stored = own.add(oid, data, kept=kept)
            if self._trainer is not None and self._trainer.enough(data, stored):
                self._train(own)
        return oid

    def _next_segment(self) -> Segment:
        if self.read_only:
            raise ReadOnly(self.folder)
        from gvstore.odb import compact
        from gvstore.odb.segment import Segment
        from gvstore.odb.trainer import Trainer

        own = self._segment
        if own is not None:
            if own.poisoned is not None:
                raise Poisoned(own.path, own.poisoned)
            self._seal()
            self._cover()
        try:
            self._catalog.hold()
            if not self._adopted:
                compact.adopt(self.folder, self._dictionaries)
                self._adopted = True
            codec = self._dictionaries.current()
            self._dictionaries.add(codec)
        except OSError as e:
            raise WriteFailed(self.folder, e) from e
        own = Segment(self.folder / LIVE, codec)
        self._catalog.own.add(own.path)
        self._catalog.refresh()
        self._segment = own
        self._trainer = None if self._trained else Trainer()
        self._trained = False
        return own

    def _seal(self) -> None:
        own = self._segment
        if own is None:
            return
        from gvstore.odb import compact

        try:
            pack = compact.seal(own, self.folder)
        except BaseException as e:
            if own.sealed:  # no object is lost: the next writer finds the closed file and goes on from there
                self._forget_segment(own)
            if isinstance(e, OSError):
                raise WriteFailed(own.path, e) from e
            raise
        if pack is not None:
            self._catalog.remember(pack, own.offsets)
            self._rolled = True
        self._forget_segment(own)

    def _cover(self) -> None:
        """Puts packs into the multi-pack index if they are many and this process made some: it has the time."""
        if self._rolled and len(self._catalog.packs) > MANY_PACKS:
            from gvstore.odb import compact

            compact.cover(self.folder)

    def _forget_segment(self, own: Segment) -> None:
        own.close()
        self._catalog.own.discard(own.path)
        self._catalog.refresh()
        self._segment = None

    def _train(self, own: Segment) -> None:
        """Tries a dictionary of what was written so far; if it is better, the next objects go to a segment that uses it."""
        trainer = self._trainer
        if trainer is None:
            return
        try:
            with lock.maintenance(self.folder, wait_s=-1):
                better = trainer.better(own.codec, self._dictionaries.current())
                if better is not None:
                    self._dictionaries.set_current(better)
        except Busy:  # another writer is training, most likely: its dictionary may do here
            if trainer.wait():
                return
            better = None
        except OSError:
            better = None  # it would have been smaller, no more
        self._trainer = None
        if better is None:
            return
        self._trained = True
        self._seal()

    def flush(self) -> None:
        """Hands everything written to the operating system: it outlives this process."""
        with self._lock:
            if self._segment is not None:
                self._segment.flush()

    def sync(self) -> None:
        """Makes everything written durable: it outlives the machine's power."""
        with self._lock:
            if self._segment is not None:
                self._segment.sync()

    def batch(self) -> AbstractContextManager[ObjectDatabase]:
        """Returns a block for many `put`s, which gives this database: durable, all of them, when it ends."""
        return Batch(self)

    def put(self, data: bytes) -> ObjectId:
        """Returns the name of `data` stored as a blob, and kept; durable on return, in a batch when the block ends."""
        if type(data) is bytes and len(data) <= BLOB_THRESHOLD:
            oid = self.write(_BLOB + data, kept=format.KEPT)
        else:
            if self._put_blob is None:
                self._put_blob = blob_writer()
            oid = self._put_blob(self, data)
            self.keep(oid)
        if not in_batch(self):
            self.sync()
        return oid

    def keep(self, oid: ObjectId) -> None:
        """Lets gc keep the object, and what it leads to, as if a ref led to it; durable with the next `sync`.

        A mark on the record says so.  An object that is there without it is written again, with it.

        Raises:
            as `read` and `write`.
        """
        with self._lock:
            own = self._segment
            if (own is not None and own.keep(oid)) or oid in self._kept:
                return
            if not self._is_kept(oid):
                data = self.read(oid)
                if own is None or own.full or own.poisoned is not None:
                    own = self._next_segment()
                own.add(oid, data, kept=format.KEPT)
            self._kept = _remembered(self._kept, oid)

    def _is_kept(self, oid: ObjectId) -> bool:
        for pack in self._catalog.holding(oid):
            try:
                if any(pack.is_kept(at) for at in pack.find(oid)) and pack.get_durable(oid):
                    return True
            except FileNotFoundError:
                continue
        return False

    def get(self, oid: ObjectId) -> bytes:
        """Returns a blob's content, or the bytes of another object without its kind byte.  Raises as `read`."""
        return blob_bytes(self, oid)

    def resolve(self, prefix: str) -> list[ObjectId]:
        """Returns the oids that begin with these hex digits, sorted; at most 10.

        Raises:
            ValueError: `prefix` is no hex, or longer than an oid.
            Forgotten: 8 digits or more that only a forgotten object begins with.
        """
        digits = check_prefix(prefix)
        low, high = key_range(digits)
        found = {ObjectId(oid) for oid in self._own_oids() if oid.hex().startswith(digits)}
        self._catalog.refresh()
        for pack in self._catalog.every():
            try:
                found.update(islice((oid for oid in pack.between(low, high) if oid.hex().startswith(digits)), RESOLVE_LIMIT))
            except FileNotFoundError:
                continue
            if len(found) >= RESOLVE_LIMIT:
                break
        if not found:  # what gc has condemned, if it is asked for by name
            found = {oid for oid in self._catalog.condemned(low, high) if oid.hex().startswith(digits) and self.has(oid)}
        if not found and len(digits) >= 8:
            for name in self._catalog.forgotten:
                if name.hex().startswith(digits):
                    self._raise_forgotten(ObjectId(name))
        return sorted(found - self._catalog.forgotten)[:RESOLVE_LIMIT]

    def _own_oids(self) -> list[bytes]:
        own = self._segment
        return [] if own is None else list(own.offsets)

    def __iter__(self) -> Iterator[ObjectId]:
        """Yields the oid of every object that can be read, each once, in no particular order."""
        seen: set[bytes] = set()
        for oid in self._own_oids():
            seen.add(oid[:OID_BYTES])
            yield ObjectId(oid)
        self._catalog.refresh()
        seen |= self._catalog.forgotten
        for pack in self._catalog.every():
            for at in pack.table.all_offsets():
                try:
                    oid = ObjectId.of(pack.open_at(at))
                except (BadRecord, DictionaryLost):
                    continue
                if oid[:8] != pack.name_at(at) or oid in seen:
                    continue
                seen.add(oid)
                yield oid

    def count(self) -> Counted:
        """Returns how many objects lie in which files, and their bytes on disk; reads no object."""
        from gvstore.odb.count import count

        self.flush()
        return count(self._catalog)

    def check(self, *, full: bool = False) -> Iterator[Damage]:
        """Yields what is damaged in the files; with `full` every object is decompressed and hashed."""
        from gvstore.odb.check import check

        self.flush()
        yield from check(self._catalog, full=full)

    def repair(self) -> Iterator[Repaired]:
        """Saves whole objects out of damaged files, which are set aside, and yields what was done; see `odb/repair.py`.

        Raises:
            Busy: another process is merging or collecting, and does not come to its end.
        """
        if self.read_only:
            raise ReadOnly(self.folder)
        from gvstore.odb.repair import repair

        try:
            yield from repair(self.folder)
        except OSError as e:
            raise WriteFailed(self.folder, e) from e
        finally:
            with self._lock:
                self._catalog.refresh()

    def repack(self, *, by_the_way: bool = False) -> Repacked:
        """Merges all closed segments and packs into one pack, compressed anew where that is worth it; see `odb/repack.py`.

        Raises:
            Busy: another process is merging or collecting, and does not come to its end.
        """
        if self.read_only:
            raise ReadOnly(self.folder)
        from gvstore.odb.repack import repack

        with self._lock:
            try:
                done = repack(self.folder, self._dictionaries, by_the_way=by_the_way)
            except OSError as e:
                raise WriteFailed(self.folder, e) from e
            self._catalog.refresh()
            return done

    def close(self) -> None:
        """Makes everything durable, closes the segment, lets go of all files.  The handle can go on reading and writing."""
        with self._lock:
            try:
                self._seal()
                self._cover()
            finally:
                if self._segment is not None:
                    self._segment.close()
                    self._segment = None
                self._catalog.close()
                self._many.forget()
                self._verified, self._kept = set(), set()
                self._adopted = False

    def __enter__(self) -> ObjectDatabase:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def before_fork(self) -> None:
        """Takes the lock, so that no thread is in the middle of something, and hands everything over."""
        self._lock.acquire()
        self._catalog.share()
        try:
            self.flush()
        except (WriteFailed, Poisoned):
            pass  # the parent will hear of it again

    def after_fork(self, *, child: bool) -> None:
        """Goes on in the parent; in the child leaves the parent's segment alone."""
        if not child:
            self._lock.release()
            return
        self._lock = threading.RLock()
        own = self._segment
        self._segment = None
        self._catalog.after_fork()
        if own is not None:
            own.close()  # else this copy would keep the parent's lock when the parent is dead


def _remembered(known: set[bytes], oid: bytes) -> set[bytes]:
    """Returns the set with `oid` in it; a new one if it has become too large."""
    if len(known) >= VERIFIED_LIMIT:
        known = set()
    known.add(oid)
    return known
