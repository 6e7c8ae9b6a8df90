"""Makes one pack of many, and compresses anew where that is worth it.

What processes write is compressed quickly, by the dictionary they find.  A
repack looks at objects from all over the repository, trains a larger
dictionary on them, and, if a sample gets a twentieth smaller by it, writes all
small objects anew; else records are copied as they lie.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gvstore import fs
from gvstore.odb import compact, midx, tombstone
from gvstore.odb.concat import concat, dictionaries_of, has_doubles
from gvstore.odb.dictionary import DICTIONARY_LIMIT, Codec, Dictionaries, shipped, train
from gvstore.odb.fault import BadRecord, DictionaryLost, NewerFormat
from gvstore.odb.lock import maintenance
from gvstore.odb.merge import copy_pack, distinct, is_whole, new_pack_path, replace, together
from gvstore.odb.pack import Pack
from gvstore.odb.trainer import teaches

SAMPLES = 24_000  # objects looked at, at most, from all over,
SAMPLED_BYTES = 16 << 20  # and how much of them
HELD_OUT = 12  # Every 12th of them is kept to measure on.
WORTH = 0.95  # All is compressed anew if the sample gets smaller by this,
LARGE_BYTES = 64 << 20  # of files: above it they are joined in few packs, batch by batch, if not in one
FEW_KINDS = 3
GC_WORTH = 0.90  # or when `gc` asks by the way, by this.
SIZES = ((0, 48 << 10), (4 << 20, 110 << 10), (9 << 20, 220 << 10))  # bytes of samples, and of a dictionary for them


@dataclass(frozen=True, slots=True)
class Repacked:
    """What a repack did: files and bytes of packs and closed segments, before and after.

    `recompressed` if a dictionary was trained that made objects smaller.
    """

    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    recompressed: bool


def repack(
    folder: Path, dictionaries: Dictionaries, *, by_the_way: bool = False, anew: bool = False
) -> Repacked:
    """Merges all that no process writes to, but for what has damage.

    `by_the_way` does nothing unless compressing anew gains much; `anew` does it whatever it gains.

    Raises:
        Busy: another process is merging or collecting.
    """
    with maintenance(folder):
        sources = _sources(folder, dictionaries)
        before = len(sources), sum(source.size_bytes for source in sources)
        whole = [source for source in sources if is_whole(source)]
        codec = shipped() if anew else _better(whole, GC_WORTH if by_the_way else WORTH)
        done = codec is not None and bool(whole) and _recompress(folder, whole, dictionaries, codec)
        if not done and len(whole) > 1 and not by_the_way:
            for group in _groups(whole):
                _write(folder, group, None)
        for source in sources:
            source.close()
        compact.mend_indices(folder, dictionaries)
        midx.cover(folder, compact.pack_paths(folder))
        after = _sources(folder, dictionaries)
        return Repacked(before[0], len(after), before[1], sum(source.size_bytes for source in after), done)


def _sources(folder: Path, dictionaries: Dictionaries) -> list[Pack]:
    sources = compact.closed_segments(folder, dictionaries)
    for path in compact.pack_paths(folder):
        try:
            sources.append(Pack(path, dictionaries))
        except (OSError, NewerFormat):
            continue
    return sources


def _recompress(folder: Path, sources: list[Pack], dictionaries: Dictionaries, codec: Codec) -> bool:
    dictionaries.add(codec)
    try:
        _write(folder, sources, codec)
    except (BadRecord, DictionaryLost):  # a record that is no object: it is carried along as it is
        return False
    dictionaries.set_current(codec)
    return True


def _groups(sources: list[Pack]) -> Iterator[list[Pack]]:
    """Yields the files that are to become one pack each: all, if they are small; else those that use the same dictionaries."""
    if sum(source.size_bytes for source in sources) > LARGE_BYTES:
        alike: dict[object, list[Pack]] = {}
        for source in sources:
            alike.setdefault(dictionaries_of(source), []).append(source)
        if len(alike) <= FEW_KINDS:
            yield from alike.values()
            return
    while sources:
        group = together(sources)
        sources = [source for source in sources if source not in group]
        yield group


def _write(folder: Path, sources: list[Pack], codec: Codec | None) -> None:
    if codec is None and len(sources) == 1 and not sources[0].live:
        return
    if codec is None and _can_join(sources) and concat(sources, folder, forgotten=tombstone.names(folder)) is not None:
        return
    fs.sweep(folder / "pack")
    path = new_pack_path(folder)
    forgotten = tombstone.names(folder)
    made = copy_pack(path, sources, distinct(sources, forgotten), codec=codec)
    fs.sync_folder(path.parent)
    replace(sources, [made], forgotten)


def _can_join(sources: list[Pack]) -> bool:
    """Returns whether joining these files batch by batch, which is fast, costs few bytes and drops no double."""
    large = sum(source.size_bytes for source in sources) > LARGE_BYTES
    return large and len({dictionaries_of(source) for source in sources}) == 1 and not has_doubles(sources)


def _better(sources: list[Pack], worth: float) -> Codec | None:
    """Returns a dictionary that makes the small objects so much smaller than they are, or None."""
    samples = _samples(sources)
    if samples is None:
        return None
    total = sum(len(data) for data, _ in samples)
    size = max(size for least, size in SIZES if total >= least)
    trained = train([data for i, (data, stored) in enumerate(samples) if i % HELD_OUT and teaches(data, stored)], size=size)
    if trained is None:
        return None
    held = samples[::HELD_OUT]
    compress = trained.compressor(thorough=True)
    new = sum(len(compress(data)) for data, _ in held) * HELD_OUT
    old = sum(stored for _, stored in held) * HELD_OUT
    count = sum(len(list(source.table.all_offsets())) for source in sources)
    scale = max(1, count // max(1, len(samples)))
    return trained if new * scale + size // 2 < worth * old * scale else None


def _samples(sources: list[Pack]) -> list[tuple[bytes, int]] | None:
    """Returns small objects from all over, and how many bytes each takes now; None if a dictionary is lost."""
    places = [(source, at) for source in sources for at in _stride(source, sources)]
    random.Random(0).shuffle(places)
    samples: list[tuple[bytes, int]] = []
    total = 0
    for source, at in places:
        if total > SAMPLED_BYTES:
            break
        try:
            data = source.open_at(at)
        except BadRecord:
            continue
        except DictionaryLost:
            return None
        if len(data) <= DICTIONARY_LIMIT:
            total += len(data)
            samples.append((data, source.item_at(at).end - source.item_at(at).start))
    return samples


def _stride(source: Pack, sources: list[Pack]) -> list[int]:
    """Returns the offsets of this file's share of the samples, evenly spread."""
    total = sum(each.size_bytes for each in sources)
    share = max(1, SAMPLES * source.size_bytes // max(1, total))
    offsets = list(source.table.all_offsets())
    return offsets[:: max(1, len(offsets) // share)]
