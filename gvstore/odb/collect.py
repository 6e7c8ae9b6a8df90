"""gc: takes out of sight what nothing leads to, and later deletes it.

1. Mark all that the roots lead to.  What is left in packs and closed segments is garbage.
2. Condemn it: packs with garbage are written anew, what is reachable as a pack, the rest into `condemned/`; then a
   new epoch begins (lease.py).  Whoever begins in it does not see the garbage and writes it again if it wants it.
3. Delete what was condemned in an epoch before every living lease, and long enough ago.  Who was told of it has
   ended by then; so the roots are read again, and what they lead to comes back.

Whatever stays on the disk is whole: what a file that stays refers to, reachable
or not, is not deleted either, because a living process may have been told of it.

Git deletes what is old enough, and "users who run commands concurrently have
to live with some risk of corruption" (git-gc, NOTES).  Two phases are from
rustic's prune; the leases make the grace period a courtesy and no safeguard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from gvstore import fs
from gvstore.objects.oid import ObjectId
from gvstore.odb import compact, condemned, lease, lock, progress
from gvstore.odb.fault import Incomplete
from gvstore.odb.format import NAME_BYTES
from gvstore.odb.mark import Marker, Marks
from gvstore.odb.merge import Record, copy_pack, delete, distinct, is_whole, new_pack_path, replace, together
from gvstore.odb.pack import Pack

WORTH = 20  # a large pack is written anew when a 20th of it is garbage,
SMALL_BYTES = 8 << 20  # a small one always
LONGEST_STEP_US = 7 * 86_400_000_000


@dataclass(frozen=True, slots=True)
class Moment:
    """When it is: `now` in microseconds by the wall clock, `uptime` since the machine's boot, `boot` names that."""

    now: int
    uptime: int
    boot: str


@dataclass(frozen=True, slots=True)
class Roots:
    """What must stay: `strict` ones are there, or something is damaged; `weak` ones may be missing."""

    strict: Iterable[ObjectId]
    weak: Iterable[ObjectId] = ()


@dataclass(frozen=True, slots=True)
class Collected:
    """What gc did, or with `dry_run` would do.

    `garbage` objects of `garbage_bytes` were found; `condemned` were taken out of sight, `deleted_bytes` went for
    good.  `waiting_bytes` are condemned and stay for now: for their time, or for `holders`, living processes.
    """

    objects: int
    reachable: int
    garbage: int
    garbage_bytes: int
    condemned: int
    deleted_bytes: int
    waiting_bytes: int
    holders: int


class Collection:
    """One run of gc; the caller holds the maintenance lock."""

    def __init__(self, folder: Path, moment: Moment, *, dry_run: bool = False) -> None:
        self.folder = folder
        self._state = _advanced(lease.read_state(folder), moment)
        self.clock = lease.number(self._state, "clock")
        epochs = [condemned.epoch_of(path) for path in condemned.paths(folder)]
        self.epoch = max([lease.number(self._state, "epoch"), *epochs]) + 1
        self.marker = Marker(folder)
        self._stuck = False
        if not dry_run:
            compact.close_dead(folder, self.marker.catalog.dictionaries)
        self._closed = compact.unheld(folder)
        self.marker.look()

    def mark(self, roots: Roots) -> None:
        """Marks what the roots, and what programs put, lead to.

        Raises:
            Incomplete: something of it is missing.
        """
        marker = self.marker
        progress.begin(sum(sum(1 for _ in marks.all()) for marks in marker.standing()))
        marker.mark(roots.strict)
        marker.mark(roots.weak, strict=False)
        marker.mark(marker.kept())
        if marker.missing:
            raise Incomplete(marker.missing)

    def candidates(self) -> list[Marks]:
        """Returns the files that nobody writes: packs, and segments that are sealed and not held.

        One that is not held may be so new that its writer has not come to lock it; then it is not sealed.
        """
        return [m for m in self.marker.standing() if not m.pack.live or self._is_closed(m.pack)]

    def _is_closed(self, pack: Pack) -> bool:
        return pack.path in self._closed and pack.scanned().sealed

    def condemn(self, files: list[Marks], doomed: Callable[[bytes, Pack, int], bool]) -> None:
        """Writes the files anew, without the records (name, file, offset) that are `doomed`, which go to condemned packs.

        What was forgotten goes nowhere.  A file with damage is left alone.
        """
        whole = [marks.pack for marks in files if is_whole(marks.pack)]
        while whole:
            group = together(whole)
            whole = [pack for pack in whole if pack not in group]
            self._rewrite(group, doomed)

    def _rewrite(self, group: list[Pack], doomed: Callable[[bytes, Pack, int], bool]) -> None:
        forgotten = self.marker.forgotten
        verdicts = _Verdicts(distinct(group, forgotten), doomed)
        made: list[Pack] = []
        if any(verdicts.of(bad=True)):
            verdicts = _Verdicts(distinct(group, forgotten), doomed)
            path = condemned.new_path(self.folder, self.epoch, self.clock)
            made.append(copy_pack(path, group, verdicts.of(bad=True)))
            fs.sync_folder(path.parent)
        if any(_Verdicts(distinct(group, forgotten), doomed).of(bad=False)):
            path = new_pack_path(self.folder)
            made.append(copy_pack(path, group, _Verdicts(distinct(group, forgotten), doomed).of(bad=False)))
            fs.sync_folder(path.parent)
            self._take_in(path, group)
        replace(group, made, forgotten)
        self._stuck = self._stuck or any(pack.path.exists() for pack in group)
        self.marker.look()

    def _take_in(self, path: Path, sources: list[Pack]) -> None:
        """Marks in a new pack what is marked in those that it was written from."""
        old = [marks for marks in self.marker.files.values() if marks.pack in sources]
        self.marker.look()
        new = self.marker.files[path]
        for position, at in new.all():
            name = new.pack.name_at(at)
            if any(marks.is_marked(place) for marks in old for place, _ in marks.find(name)):
                new.mark(position)

    def begin_epoch(self) -> None:
        """Begins the epoch whose leases know nothing of what was condemned.

        If a file could not be deleted (Windows keeps what somebody has mapped) it would still be seen: then no epoch begins.
        """
        if not self._stuck:
            self._state["epoch"] = str(self.epoch)
        lease.write_state(self.folder, self._state)

    def rescue(self, files: Iterable[Marks]) -> None:
        """Copies what is marked in condemned files, and stands nowhere else, into a pack."""
        by_path = {marks.pack.path: marks for marks in files if is_whole(marks.pack)}
        left = [marks.pack for marks in by_path.values()]
        while left:
            group = together(left)
            left = [pack for pack in left if pack not in group]

            def wanted(group: list[Pack] = group) -> Iterator[Record]:
                for record in distinct(group, self.marker.forgotten):
                    marks = by_path[record.source.path]
                    if marks.holds(marks.pack.name_at(record.at), record.at) and not self._stands(marks.pack, record.at):
                        yield record

            if any(wanted()):
                path = new_pack_path(self.folder)
                copy_pack(path, group, wanted())
                fs.sync_folder(path.parent)
                self._take_in(path, group)

    def _stands(self, pack: Pack, at: int) -> bool:
        """Returns whether the object of a condemned record can be read, and will be after a power cut, where nothing is condemned."""
        data = pack.open_at(at)
        return any(
            self.marker.open(marks, place) == data
            for marks in self.marker.standing()
            for _, place in marks.find(pack.name_at(at))
            if not marks.pack.live or place < marks.pack.durable
        )

    def _is_free(self, marks: Marks) -> bool:
        """Returns whether a condemned file can go: nothing marked in it stands there alone."""
        if not is_whole(marks.pack):
            return False
        needed = (at for position, at in marks.all() if marks.is_marked(position))
        hidden = {oid[:NAME_BYTES] for oid in self.marker.forgotten}
        return all(marks.pack.name_at(at) in hidden or self._stands(marks.pack, at) for at in needed)

    def delete(self, files: list[Marks], read_roots: Callable[[], Roots]) -> int:
        """Deletes condemned files, but for what is needed of them; returns how many bytes.

        Those who were told of what is in them have ended, and left refs, perhaps: so the roots are read again.
        """
        if not files:
            return 0
        self.marker.look()
        self.mark(read_roots())
        self.marker.mark(self.marker.survivors(files), strict=False)
        self.rescue(files)
        gone = [marks.pack for marks in files if self._is_free(marks)]
        size = sum(pack.size_bytes for pack in gone)
        delete(gone)
        self.marker.look()
        return size

    def deletable(self, grace_us: int) -> tuple[list[Marks], int]:
        """Returns the condemned files that no living lease holds and whose time is over, and how many leases hold others."""
        leases = lease.living(self.folder)
        files = self.marker.condemned()
        free = [m for m in files if all(condemned.epoch_of(m.pack.path) <= epoch for epoch in leases)]
        newest = max((condemned.epoch_of(m.pack.path) for m in files), default=0)
        due = [m for m in free if self.clock - condemned.clock_of(m.pack.path) >= grace_us]
        return due, sum(1 for epoch in leases if epoch < newest)

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.marker.close()


class _Verdicts:
    """Records told apart, as they come."""

    def __init__(self, records: Iterable[Record], doomed: Callable[[bytes, Pack, int], bool]) -> None:
        self._records, self._doomed = records, doomed

    def of(self, *, bad: bool) -> Iterator[Record]:
        """Yields those that are doomed, or those that are not."""
        for record in self._records:
            if self._doomed(record.source.name_at(record.at), record.source, record.at) == bad:
                yield record


def collect(
    folder: Path, read_roots: Callable[[], Roots], moment: Moment, *, grace_us: int, dry_run: bool = False
) -> Collected:
    """Condemns what the roots do not lead to, and deletes what was condemned `grace_us` ago; returns what was done.

    `read_roots` is called again before anything is deleted.

    Raises:
        Incomplete: something that the roots lead to is missing; nothing was done.
        Busy: another process is merging or collecting.
        WriteFailed: the system refuses to write; nothing is lost.
    """
    with lock.writing(folder), lock.maintenance(folder), Collection(folder, moment, dry_run=dry_run) as collection:
        collection.mark(read_roots())
        objects, garbage = _weighed(collection)
        bad = [marks for marks, size in garbage if size.count and (grace_us <= 0 or _is_worth(marks, size.size_bytes))]
        count = sum(size.count for marks, size in garbage if marks in bad)
        deleted = 0
        if not dry_run:
            by_path = {marks.pack.path: marks for marks in bad}
            collection.rescue(collection.marker.condemned())
            collection.condemn(bad, lambda name, pack, at: not by_path[pack.path].holds(name, at))
            collection.begin_epoch()
            due, _ = collection.deletable(grace_us)
            deleted = collection.delete(due, read_roots)
        due, holders = collection.deletable(grace_us)
        return Collected(
            objects=objects, reachable=objects - sum(size.count for _, size in garbage), garbage=sum(size.count for _, size in garbage),
            garbage_bytes=sum(size.size_bytes for _, size in garbage), condemned=count,
            deleted_bytes=sum(marks.pack.size_bytes for marks in due) if dry_run else deleted,
            waiting_bytes=sum(m.pack.size_bytes for m in collection.marker.condemned() if not dry_run or m not in due),
            holders=holders,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Size:
    count: int
    size_bytes: int


def _weighed(collection: Collection) -> tuple[int, list[tuple[Marks, _Size]]]:
    """Returns how many objects stand, and of each candidate what is garbage in it."""
    marker = collection.marker
    objects = sum(sum(1 for _ in marks.all()) for marks in marker.standing())
    found = []
    for marks in collection.candidates():
        sizes = [_record_bytes(marks.pack, at) for at in marks.unmarked()]
        found.append((marks, _Size(len(sizes), sum(sizes))))
    return objects, found


def _record_bytes(pack: Pack, at: int) -> int:
    return pack.item_at(at).end - at


def _is_worth(marks: Marks, garbage_bytes: int) -> bool:
    size = marks.pack.size_bytes
    return size <= SMALL_BYTES or garbage_bytes * WORTH >= size


def _advanced(state: dict[str, str], moment: Moment) -> dict[str, str]:
    """Returns the state with gc's own clock moved on.

    It goes with the machine's uptime; after a reboot with the wall clock, but at most a week at once, and
    never back: a clock that jumps makes nobody's time come early.
    """
    clock = lease.number(state, "clock")
    if state.get("boot") == moment.boot:
        clock += max(0, moment.uptime - lease.number(state, "uptime"))
    elif "wall" in state:
        clock += min(max(0, moment.now - lease.number(state, "wall")), LONGEST_STEP_US)
    facts = {"clock": clock, "wall": max(0, moment.now), "uptime": moment.uptime}
    return state | {key: str(value) for key, value in facts.items()} | {"boot": moment.boot}
