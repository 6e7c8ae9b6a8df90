"""Reads a segment or pack from end to end: what is in it, and what is wrong with it.

Two ways.  A batch whose mark's CRC holds is walked without looking into its
records: about a million a second.  A batch whose CRC does not hold, and a tail
that no mark follows, is searched: a record counts when its bytes hash to its
name, and behind anything else the search goes on byte by byte until something
hashes right again.  So one bad byte, in a length as elsewhere, costs the one
object it lies in.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from gvstore.objects.oid import ObjectId
from gvstore.odb import progress
from gvstore.odb.dictionary import frame_bytes
from gvstore.odb.fault import BadRecord, DictionaryLost
from gvstore.odb.format import (
    CONTROL,
    DICT_BYTES,
    DICT_MAGIC,
    HEADER_BYTES,
    KEPT,
    MARK_BYTES,
    MARK_HEAD,
    NAME_BYTES,
    RAW,
    SEAL_HEAD,
    Bytes,
    Mark,
    header_version,
    item_at,
    parse_dict,
    parse_mark,
    resembles_seal,
)

SEARCH_BYTES = 256 << 10  # how far behind bad bytes the search goes before it gives up the batch,
SEARCH_HASHED = 256 << 20  # how much it hashes on the way, and how many false marks it looks at:
SEARCH_MARKS = 10_000  # hostile files must not hold us up

Opener = Callable[[int, bytes, bytes], bytes]
"""(codec, payload, name) -> the object's bytes; raises BadRecord, or DictionaryLost."""


@dataclass(slots=True)
class Flaw:
    """A stretch of bytes that is nothing; `name` is what the record there was called, if that can be told."""

    begin: int
    end: int
    why: str
    name: bytes = b""


@dataclass(slots=True)
class Scan:
    """What a file holds: `entries` are (name, offset), in file order.

    `settled` is where the last good mark ends: up to there nothing will change,
    and a later scan may start there.  `durable` is what the last mark says was
    on the disk.  `flaws` below it are damage, above it a torn tail.
    """

    entries: list[tuple[bytes, int]] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)
    settled: int = HEADER_BYTES
    durable: int = 0
    sealed: bool = False
    whole: int = HEADER_BYTES  # where the last item ends that is believed

    def damage(self) -> Iterator[Flaw]:
        """Yields the flaws that are damage."""
        for flaw in self.flaws:
            if self.sealed or flaw.begin < self.durable:
                yield flaw


def slots(view: Bytes) -> tuple[dict[int, ObjectId], int, list[Flaw]]:
    """Returns the dictionaries by slot, where the first batch begins, and what is wrong before it.

    The items behind the header are the only dictionary items of a file.  What a damaged
    one said nobody knows: readers then try every dictionary there is.
    """
    found: dict[int, ObjectId] = {}
    flaws: list[Flaw] = []
    try:
        header_version(view)
    except BadRecord as e:
        flaws.append(Flaw(0, HEADER_BYTES, str(e)))
    at = HEADER_BYTES
    while True:
        try:
            item = item_at(view, at)
        except BadRecord:
            break
        if item.codec != CONTROL or view[item.start - NAME_BYTES : item.start] != DICT_MAGIC:
            break
        try:
            slot, name = parse_dict(view, item)
            found[slot] = name
            if view[at] & KEPT:  # no object, so nobody put it
                raise BadRecord("dictionary item damaged")
        except BadRecord as e:
            flaws.append(Flaw(at, at + DICT_BYTES, str(e)))
        at += DICT_BYTES  # whatever its length says, which may be what is damaged
    return found, at, flaws


def scan(view: Bytes, opener: Opener, *, start: int | None = None, durable: int = 0, verify: bool = False, watched: bool = False) -> Scan:
    """Returns what `view`, the bytes of a segment or pack, holds.

    `start` is an earlier scan's `settled`, `durable` what it said: what lies
    before is not read again.  With `verify` every record is opened and hashed.
    Of a `watched` one each byte is a step of progress.
    """
    result = Scan(durable=durable)
    if start is None:
        _, start, result.flaws = slots(view)
    result.settled = result.whole = begin = start
    while not result.sealed:
        batch, mark = _walk(view, begin)
        if mark is None or mark.begin != begin or zlib.crc32(view[begin : mark.at]) != mark.crc:
            mark = _next_mark(view, begin)
            if mark is None:
                _search(view, begin, len(view), opener, result)
                result.sealed = resembles_seal(bytes(view[begin : begin + MARK_BYTES + 1]), begin)
                break
            before = len(result.flaws)
            _search(view, begin, mark.at, opener, result)
            if len(result.flaws) == before:  # every object came through, yet some byte is not what was written
                result.flaws.append(Flaw(begin, mark.at, "the batch does not match its checksum"))
        elif verify:
            _search(view, begin, mark.at, opener, result)
        else:
            result.entries += batch
        result.durable = max(result.durable, mark.durable)
        result.sealed = mark.seal
        if watched:
            progress.step(mark.end - result.settled)
        result.settled = result.whole = begin = mark.end
    if result.sealed and begin < len(view):
        result.flaws.append(Flaw(begin, len(view), "bytes after the end"))
    return result


def batches(view: Bytes) -> Iterator[list[tuple[bytes, int]]]:
    """Yields the records (name, offset) of a closed file, batch by batch, in little memory; none is opened.

    Raises:
        BadRecord: some byte is not what was written, or the end is missing.
    """
    _, begin, flaws = slots(view)
    if flaws:
        raise BadRecord(flaws[0].why)
    while True:
        batch, mark = _walk(view, begin)
        if mark is None or mark.begin != begin or zlib.crc32(view[begin : mark.at]) != mark.crc:
            raise BadRecord("a batch does not match its checksum")
        yield batch
        begin = mark.end
        if mark.seal:
            break
    if begin < len(view):
        raise BadRecord("bytes after the end")


def _walk(view: Bytes, at: int) -> tuple[list[tuple[bytes, int]], Mark | None]:
    """Returns the records from `at` on, by their lengths alone, and the mark that ends them."""
    batch: list[tuple[bytes, int]] = []
    try:
        while True:
            codec, start, end = item_at(view, at)
            if codec == CONTROL:
                return batch, parse_mark(view, at)
            batch.append((view[start - NAME_BYTES : start], at))
            at = end
    except BadRecord:
        return batch, None


def _next_mark(view: Bytes, begin: int) -> Mark | None:
    """Returns the first mark at or behind `begin` that holds by its own check."""
    find = getattr(view, "find")  # noqa: B009 - bytes and mmap both have it
    places = [find(MARK_HEAD, begin), find(SEAL_HEAD, begin)]
    for _ in range(SEARCH_MARKS):
        at = min((p for p in places if p >= 0), default=-1)
        if at < 0:
            return None
        mark = parse_mark(view, at)
        if mark is not None:
            return mark
        places = [find(head, at + 1) if p == at else p for head, p in zip((MARK_HEAD, SEAL_HEAD), places, strict=True)]
    return None


def _search(view: Bytes, at: int, end: int, opener: Opener, result: Scan) -> None:
    """Adds to `result` the records in [at, end) that hash to their names, and the stretches between them.

    A record in its place whose bytes hash to another name counts under that
    one: if the name was hit, the object is saved; if the body, nobody asks for it.
    """
    flaw: Flaw | None = None
    budget = 0
    while at < end:
        name, after, why = _try(view, at, end, opener)
        if why is None:
            result.entries.append((name, at))
            flaw = None
            at = result.whole = after
        elif flaw is None:
            flaw = Flaw(at, at + 1, why.text, name)
            result.flaws.append(flaw)
            if why.hashes_to:
                result.entries.append((why.hashes_to, at))
            if after and (after == end or _try(view, after, end, opener)[2] is None):
                _search_below(view, at + 1, after, opener, result)
                flaw.end = at = after  # only the body is bad: its length leads on
                flaw = None
            else:
                at += 1
                budget = SEARCH_HASHED
        else:
            at += 1
            flaw.end = at
            budget -= 1 + max(0, after - at)
            if at - flaw.begin > SEARCH_BYTES or budget < 0:
                flaw.end = at = end


def _search_below(view: Bytes, at: int, end: int, opener: Opener, result: Scan) -> None:
    """Adds the records that lie in what seems to be a bad record's body: its length may be what is bad, and lead past them."""
    stop = min(end, at + SEARCH_BYTES)
    budget = SEARCH_HASHED
    while at < stop and budget >= 0:
        name, after, why = _try(view, at, end, opener)
        if why is None:
            result.entries.append((name, at))
        budget -= 1 + max(0, after - at)
        at = after if why is None else at + 1


class _Why(NamedTuple):
    text: str = ""
    hashes_to: bytes = b""


def _try(view: Bytes, at: int, end: int, opener: Opener) -> tuple[bytes, int, _Why | None]:
    """Returns (name, where it ends, None) of the good record at `at`, or what can be said of a bad one and why."""
    try:
        codec, start, after = item_at(view, at)
    except BadRecord as e:
        return b"", 0, _Why(str(e))
    if codec == CONTROL or after > end or after == start:
        return b"", 0, _Why("no record")
    name = bytes(view[start - NAME_BYTES : start])
    try:
        actual = ObjectId.of(opener(codec, bytes(view[start:after]), name))[:NAME_BYTES]
    except BadRecord as e:
        return name, after, _Why(str(e))
    except DictionaryLost:  # cannot be told here; whoever reads it will hear
        return name, after, None
    if actual != name:
        return name, after, _Why(f"its bytes hash to {actual.hex()}", actual)
    if codec != RAW and (size := frame_bytes(bytes(view[start:after]))) != after - start:
        return name, start + size, _Why("its length is another than its content's", name)  # and leads past other records
    return name, after, None


def names(entries: Iterable[tuple[bytes, int]]) -> dict[bytes, int | list[int]]:
    """Returns offset by name; a list where several records share one (a forged prefix)."""
    table: dict[bytes, int | list[int]] = {}
    for name, at in entries:
        other = table.setdefault(name, at)
        if other != at:
            table[name] = [*(other if isinstance(other, list) else [other]), at]
    return table
