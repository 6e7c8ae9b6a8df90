"""The file that one process appends to.

Objects are gathered in memory and written by the 256 KiB, at `flush`, and at
`sync`, which adds a mark and waits for the disk.  The lock on the file lives
as long as the process; whoever gets it knows that the writer is dead.

The state that must move together is one tuple, replaced at once after the
write it tells of: a KeyboardInterrupt, a full disk, a short write leave the old
one, and writing the same bytes to the same place again does no harm.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import NamedTuple

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import format
from gvstore.odb.dictionary import DICTIONARY_LIMIT, MAX_INFLATED, Codec, plain
from gvstore.odb.fault import BadRecord, Poisoned, WriteFailed
from gvstore.odb.format import FIRST_SLOT, KEPT, NAME_BYTES, PLAIN, RAW, tag

SUFFIX = ".seg"
SPILL_BYTES = 256 << 10
ROLL_BYTES = 64 << 20
ROLL_OBJECTS = 200_000  # each costs some 200 bytes of memory while the segment is open
_GUESS_BYTES = 2048  # most records are shorter: one read gets them


class _State(NamedTuple):
    base: int  # where `buffer` will lie
    buffer: bytearray  # records not yet handed to the system
    crc: int  # of what the batch has before `base`
    begin: int  # where the batch began


class Segment:
    """An append-only file of this process.  Not thread-safe but for `read`: the database holds a lock."""

    def __init__(self, folder: Path, codec: Codec) -> None:
        """Makes a new file in `folder`; `codec` compresses the small objects, its dictionary is durable already.

        Raises:
            WriteFailed: no file can be made there.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path, self._fd = _make(folder)
        except OSError as e:
            raise WriteFailed(folder, e) from e
        self.codec = codec
        self._compress = codec.compressor()
        self._codec = FIRST_SLOT if codec.name else PLAIN
        self._inflate = (bytes, plain().inflate, codec.inflate)
        first = format.header() + (format.dict_item(0, codec.name) if codec.name else b"")
        self._state = _State(0, bytearray(first), 0, len(first))
        self.offsets: dict[bytes, int] = {}  # by whole oid: nothing forged gets in here
        self.all_kept = True  # as long as nothing was added that is not kept
        self.durable = 0
        self.poisoned: OSError | None = None
        self.sealed = False  # nothing may be added any more
        self.full = False  # it should be sealed and another begun; looked at when bytes are handed over
        self._named = False

    @property
    def end(self) -> int:
        """How many bytes the file has, or will have."""
        return self._state.base + len(self._state.buffer)

    def add(self, oid: ObjectId, data: bytes, *, kept: int = 0) -> int:
        """Appends an object: compressed with the dictionary, without, or not at all, whichever is short.

        `kept` is 0 or KEPT.  Returns how many bytes its record's body has.

        Raises:
            WriteFailed: the gathered bytes could not be written; they are kept, and tried again.
        """
        size = len(data)
        if size <= DICTIONARY_LIMIT:
            payload, codec = self._compress(data), self._codec
        elif size <= MAX_INFLATED:
            payload, codec = plain().compress(data), PLAIN
        else:
            payload, codec = data, RAW
        length = len(payload)
        if length >= size:
            payload, codec, length = data, RAW, size
        if not kept:
            self.all_kept = False
        state = self._state
        buffer = state.buffer
        at = state.base + len(buffer)
        value = length << 5 | kept | codec
        if 0x80 <= value < 0x4000:  # as `tag` would; nearly all are of this length, and this is the hot path
            buffer += (value & 0x7F | 0x80 | value >> 7 << 8).to_bytes(2, "little") + oid[:NAME_BYTES] + payload
        else:
            buffer += tag(codec, length, kept=kept) + oid[:NAME_BYTES] + payload
        self.offsets[oid] = at
        if len(buffer) >= SPILL_BYTES:
            self._spill(mark=True)
        return length

    def keep(self, oid: bytes) -> bool:
        """Marks the record of an object as kept while it is still in memory; returns whether it is marked now."""
        at = self.offsets.get(oid)
        if at is None:
            return False
        base, buffer, _, _ = self._state
        if at >= base:
            buffer[at - base] |= KEPT
            return True
        return bool(fs.read_at(self._fd, 1, at)[0] & KEPT)

    def read(self, oid: bytes) -> bytes | None:
        """Returns the object, its hash not verified, or None if it is not here.  Any thread may call this.

        Raises:
            BadRecord: the disk gave back other bytes than it was given.
        """
        at = self.offsets.get(oid)
        if at is None:
            return None
        base, buffer, _, _ = self._state
        if at >= base:
            raw = bytes(buffer[at - base : at - base + _GUESS_BYTES])
            need = _need(raw)
            if need > len(raw):
                raw = bytes(buffer[at - base : at - base + need])
        else:
            raw = fs.read_at(self._fd, min(_GUESS_BYTES, base - at), at)
            need = _need(raw)
            if need > len(raw):
                raw = fs.read_at(self._fd, need, at)
        codec, start, end = format.item_at(raw, 0)
        if codec >= len(self._inflate):
            raise BadRecord("no such codec here")
        return self._inflate[codec](raw[start:end])

    def flush(self) -> None:
        """Hands everything to the system: it is there after this process is killed.

        Raises:
            WriteFailed: not everything could be written; it is kept, and tried again.
        """
        base, buffer, _, begin = self._state
        if buffer:
            self._spill(mark=base + len(buffer) - begin >= SPILL_BYTES)

    def sync(self) -> None:
        """Makes everything durable.

        Raises:
            WriteFailed: as `flush`.
            Poisoned: the disk did not confirm; so does every call from now on.
        """
        base, buffer, _, begin = self._state
        end = base + len(buffer)
        if end == self.durable:
            return
        if end > begin:
            self._spill(mark=True)
        elif buffer:
            self._spill(mark=False)
        self._confirm()

    def seal(self) -> None:
        """Closes the file for ever: syncs, and says at its end that nothing follows.

        The last mark is not waited for: without it the file is one of a process
        that was killed, and no object is lost.
        """
        self.sync()
        self.sealed = True
        base, _, _, begin = self._state
        last = format.mark_item(base, length=base - begin, durable=base, crc=0, seal=True)
        self._write(last, base)
        self._state = _State(base + len(last), bytearray(), 0, base + len(last))

    def sync_seal(self) -> None:
        """Makes the last mark durable too, before the file becomes a pack."""
        self._confirm()

    def close(self) -> None:
        """Lets go of the file and its lock."""
        if self._fd >= 0:
            fs.close(self._fd)
            self._fd = -1

    def discard(self) -> None:
        """Removes the file, in which there is nothing."""
        fs.remove(self.path)
        self.close()

    def _spill(self, *, mark: bool) -> None:
        base, buffer, crc, begin = self._state
        crc = zlib.crc32(buffer[max(0, begin - base) :], crc)
        at = base + len(buffer)
        self.full = at >= ROLL_BYTES or len(self.offsets) >= ROLL_OBJECTS
        if not mark:
            self._write(buffer, base)
            self._state = _State(at, bytearray(), crc, begin)
            return
        last = format.mark_item(at, length=at - begin, durable=self.durable, crc=crc, seal=False)
        self._write(buffer + last, base)
        at += len(last)
        self._state = _State(at, bytearray(), 0, at)

    def _write(self, data: bytes | bytearray, at: int) -> None:
        if self.poisoned is not None:
            raise Poisoned(self.path, self.poisoned)
        try:
            fs.write_at(self._fd, data, at)
        except OSError as e:
            raise WriteFailed(self.path, e) from e

    def _confirm(self) -> None:
        if self.poisoned is not None:
            raise Poisoned(self.path, self.poisoned)
        end = self._state.base
        try:
            fs.sync_data(self._fd)
            if not self._named:
                fs.sync_folder(self.path.parent)
                self._named = True
        except OSError as e:
            self.poisoned = e
            raise Poisoned(self.path, e) from e
        self.durable = end


def _make(folder: Path) -> tuple[Path, int]:
    """Returns a new file and its descriptor, locked."""
    while True:
        path = folder / (os.urandom(8).hex() + SUFFIX)
        fd = fs.create(path)
        if fs.try_lock(fd) and fs.has_name(fd):
            return path, fd
        fs.close(fd)  # another process took the empty file for a dead one's, between the two calls


def _need(raw: bytes) -> int:
    """Returns how many bytes the record has that begins with `raw`."""
    value = shift = at = 0
    while True:
        byte = raw[at] if at < len(raw) else 0
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80 or shift > 28:
            return at + NAME_BYTES + (value >> 5)
        shift += 7
