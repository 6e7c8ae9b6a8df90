"""Has objects forgotten: secrets, runs that nobody wants, what takes too much room.

Their names stay as tombstones, with when and why, so that what refers to them
is no damage; their content goes, and what only they led to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import BadRev, GvError, UsageFault
from gvstore.objects.oid import ObjectId, short
from gvstore.odb import tombstone
from gvstore.odb.collect import Moment
from gvstore.odb.forget import Removed, forget
from gvstore.odb.tombstone import Tombstone
from gvstore.refs.fault import RefsReadOnly
from gvstore.refs.names import notes_ref, run_ref
from gvstore.repo import layout
from gvstore.repo.copies import copies
from gvstore.repo.fsck import starts
from gvstore.repo.gc import DAY_US, roots
from gvstore.repo.referrer import Place, places
from gvstore.repo.resolve import Found

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_MOST_TOLD = 20
_HEX = frozenset("0123456789abcdef")


class NotForgotten(BadRev):
    """An object that was to be let in again was never forgotten."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text[:200]} was not forgotten", hint="Give the whole oid, or 8 digits of it.")


@dataclass(frozen=True, slots=True)
class Copy:
    """Another object that holds the same text, and where it stands; nowhere where only gc would find it."""

    oid: ObjectId
    where: tuple[str, ...]

    @property
    def forget(self) -> str:
        """What `gv forget` takes to have it forgotten: the run, where it is a part of that alone, or its oid."""
        names = {each.removeprefix("code of ").partition(":")[0] for each in self.where}
        name = names.pop() if len(names) == 1 else ""
        return name if name.startswith("run/") else short(self.oid)


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be forgotten: an object, and the run's number if it is one.

    `referrers` name it too, and will find a tombstone.  `copies` hold the same text, and stay.
    """

    text: str
    oid: ObjectId
    run: int | None
    referrers: tuple[str, ...]
    copies: tuple[Copy, ...] = ()


def targets(repo: Repository, revs: Sequence[str]) -> list[Target]:
    """Returns what the revs name, and what else refers to each.

    Raises:
        BadRev: one names nothing.
        UsageFault: one names something that is no object of its own.
    """
    found: dict[ObjectId, tuple[str, int | None]] = {}
    for text in revs:
        try:
            resolved = repo.resolve(text)
        except BadRev:
            if len(text) != 64 or not _HEX.issuperset(text.lower()):
                raise
            found[ObjectId.from_hex(text.lower())] = text, None  # lost already: its name can be given up
            continue
        if resolved.oid is None or resolved.found is Found.CALL:
            raise UsageFault(
                f"{text} is a part of another object", hint="Forget the whole run, or the oid that `gv cat-file` shows."
            )
        found[resolved.oid] = text, resolved.run if resolved.found is Found.RUN else None
    same = copies(repo, found)
    told = _referrers(repo, found, set().union(*same.values()))
    return [
        Target(text, oid, run, tuple(told[oid]), tuple(Copy(each, tuple(told[each])) for each in sorted(same[oid] - found.keys())))
        for oid, (text, run) in found.items()
    ]


def _referrers(
    repo: Repository, found: dict[ObjectId, tuple[str, int | None]], same: set[ObjectId]
) -> dict[ObjectId, list[str]]:
    """Returns where links to these objects, and to those of the same text, stand, but for the refs of runs, which go with them."""
    told: dict[ObjectId, list[str]] = {oid: [] for oid in (*found, *same)}
    own = {f"run/{run}" for _, run in found.values() if run is not None}
    seen: set[ObjectId] = set()
    stack = [(Place(start.where, weak=start.weak), start.oid) for start in reversed(starts(repo)[0])]
    while stack:
        place, oid = stack.pop()
        names = told.get(oid)
        if names is not None and not place.weak and place.where not in (*own, *names) and len(names) < _MOST_TOLD:
            names.append(place.where)
        if oid in found or oid in seen:
            continue
        seen.add(oid)
        try:
            stack += reversed(list(places(place, oid, repo.objects.read(oid))))
        except GvError:
            continue
    return told


def forget_targets(
    repo: Repository,
    wanted: Sequence[Target],
    moment: Moment,
    *,
    author: str,
    why: str,
    journals: Callable[[], Iterable[ObjectId]] = lambda: (),
) -> Removed:
    """Forgets these objects, takes the refs of runs away, and returns what went with them.

    Raises:
        RefsReadOnly: nothing can be written here.
        Busy: another process is merging or collecting.
    """
    if repo.read_only:
        raise RefsReadOnly(str(repo.gv))
    window_us = repo.config.number("gc.reflog") * DAY_US
    stones = [Tombstone(target.oid, moment.now, author, why) for target in wanted]
    repo.close()  # our own lease would hold what goes
    removed = forget(
        layout.objects_folder(repo.gv),
        stones,
        lambda: roots(repo, now=moment.now, window_us=window_us, journals=journals),
        moment,
    )
    numbers = [target.run for target in wanted if target.run is not None]
    names = [ref(number) for number in numbers for ref in (run_ref, notes_ref)]  # what was said of a run goes with it
    names = [name for name in names if repo.refs.read(name) is not None]
    if names:
        with repo.transaction(f"forget {' '.join(t.text for t in wanted)}", author=author, now=moment.now) as transaction:
            for name in names:
                transaction.delete(name)
            if repo.refs.current_run() in [target.run for target in wanted]:
                transaction.set_run(None)
    return removed


def allow(repo: Repository, texts: Sequence[str]) -> list[ObjectId]:
    """Takes tombstones away, so that the objects can be stored again; returns them.

    Raises:
        NotForgotten: there is none of this name, or several.
    """
    if repo.read_only:
        raise RefsReadOnly(str(repo.gv))
    folder = layout.objects_folder(repo.gv)
    allowed = []
    for text in texts:
        found = [oid for oid in tombstone.names(folder) if len(text) >= 8 and oid.hex().startswith(text.lower())]
        if len(found) != 1:
            raise NotForgotten(text)
        allowed.append(ObjectId(found[0]))
    for oid in allowed:
        tombstone.remove(folder, oid)
    return allowed
