"""Whether a repository holds what it promises.

Three rounds: the files of the object database, refs.db, and then every
object that a ref, operation or run leads to.  A strong link must lead to an
object; a weak one (from a commit to its runs, from a run to the run it was derived from) may
lead nowhere, for runs can be removed.  What was forgotten is no damage.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import GvError
from gvstore.objects.check import check
from gvstore.objects.commit import Commit
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.operation import Operation
from gvstore.objects.run import Run
from gvstore.objects.tag import Tag
from gvstore.odb import progress
from gvstore.odb.fault import Forgotten
from gvstore.refs.fault import CorruptRefs
from gvstore.refs.names import BRANCHES, HEAD, RUN, RUNS, short_name
from gvstore.refs.value import value_oid, value_run
from gvstore.repo import layout
from gvstore.repo.files import read_level
from gvstore.repo.path import name_fault
from gvstore.repo.referrer import Place, places

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

_MOST_TOLD = 10  # of all that refers to one damaged object


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold.  `damage` is lost data; the rest is strange and does no harm."""

    where: str
    why: str
    oid: ObjectId | None = None
    damage: bool = True


def fsck(repo: Repository, *, full: bool, exact: bool = False) -> Iterator[Finding]:
    """Yields what does not hold.

    `full` verifies every stored record, not only those that something leads
    to; `exact` asks of each of those that its bytes are the ones which the
    format gives to what they say.
    """
    for flaw in repo.objects.check(full=full):
        yield Finding(f"{layout.OBJECTS}/{flaw.file} at byte {flaw.offset}", flaw.why, flaw.oid)
    try:
        for why in repo.refs.check():
            yield Finding(layout.REFS, why)
        begun, findings = starts(repo)
    except CorruptRefs as e:
        yield Finding(layout.REFS, f"{e.why}; `gv fsck --repair` makes it anew")
        return
    yield from findings
    yield from _Walk(repo, exact=exact).all(begun)
    if full:
        from gvstore.repo.agreement import disagreements

        yield from disagreements(repo)


@dataclass(frozen=True, slots=True)
class Start:
    """Where a walk begins: at a ref, an operation, an entry of the reflog."""

    where: str
    oid: ObjectId
    kind: Kind | None = None
    weak: bool = False


def starts(repo: Repository) -> tuple[list[Start], list[Finding]]:
    """Returns what refs, operations and reflogs lead to, and what is wrong with them by themselves."""
    refs, found, findings = repo.refs, [], list[Finding]()
    for name, value in refs.list("").items():
        oid, number = value_oid(value), value_run(value)
        if oid is not None:
            kind = (
                Kind.COMMIT
                if name.startswith(BRANCHES) or name == HEAD
                else Kind.RUN
                if name.startswith(RUNS)
                else None
            )
            found.append(Start(short_name(name), oid, kind))
        elif number is not None and refs.run(number) is None:
            findings.append(Finding(short_name(name), f"there was never a run {number}"))
    if refs.read(HEAD) is None:
        findings.append(Finding(HEAD, "it is missing"))
    for operation in refs.operations():
        found.append(Start(f"operation {operation.number}", operation.oid, Kind.OPERATION))
    for name in refs.logged():
        for entry in refs.reflog(name):
            for value in (entry.old, entry.new):
                oid = value_oid(value)
                if oid is not None and name != RUN:
                    found.append(Start(f"reflog of {short_name(name)}", oid, weak=True))
    for row in refs.unfinished_runs():
        if row.journal and not (layout.journal_folder(repo.gv) / row.journal).exists():
            findings.append(
                Finding(f"run/{row.number}", "it was never finished, and its journal is missing", damage=False)
            )
    return found, findings


class _Walk:
    """Follows every link once."""

    def __init__(self, repo: Repository, *, exact: bool) -> None:
        self._objects, self._exact = repo.objects, exact
        self._seen: set[ObjectId] = set()
        self._bad: dict[ObjectId, tuple[Finding, int]] = {}
        self._generations: dict[ObjectId, int] = {}

    def all(self, starts: list[Start]) -> Iterator[Finding]:
        """Yields what is wrong with the objects that these lead to."""
        stack = [(Place(start.where, weak=start.weak), start.oid) for start in reversed(starts)]
        progress.begin()
        while stack:
            place, oid = stack.pop()
            if oid in self._bad:
                yield from self._again(place, oid)
                continue
            if oid in self._seen or (place.weak and not self._objects.has(oid)):
                continue  # what a weak link misses may still be missed by a strong one: not seen yet
            self._seen.add(oid)
            progress.step()
            try:
                data = self._objects.read(oid)
                found = list(places(place, oid, data))
            except GvError as e:
                yield self._cannot_be_read(place, oid, e)
                continue
            try:
                yield from self._content(oid, data)
            except GvError as e:
                if getattr(e, "oid", None) in (oid, None):  # else it is a part of it, which is looked at for itself
                    yield self._cannot_be_read(place, oid, e)
            stack += [each for each in reversed(found) if each[1] not in self._seen or each[1] in self._bad]
        for start in starts:
            if start.kind is not None and start.oid not in self._bad and self._objects.has(start.oid):
                yield from self._of_kind(start, start.kind)

    def _cannot_be_read(self, place: Place, oid: ObjectId, error: GvError) -> Finding:
        why = "is missing" if type(error) is ObjectMissing else str(error)
        bad = Finding(place.where, why, oid, damage=not isinstance(error, Forgotten))
        self._bad[oid] = bad, 1
        return bad

    def _again(self, place: Place, oid: ObjectId) -> Iterator[Finding]:
        """Yields that something else refers to an object that cannot be read."""
        first, told = self._bad[oid]
        if not place.weak and told < _MOST_TOLD and place.where != first.where:
            self._bad[oid] = first, told + 1
            yield Finding(place.where, first.why, oid, damage=first.damage)

    def _of_kind(self, start: Start, kind: Kind) -> Iterator[Finding]:
        try:
            found = self._objects.read(start.oid)[0]
        except GvError:
            return  # told already
        if found != kind:
            yield Finding(start.where, f"leads to something that is no {kind.word}", start.oid)

    def _content(self, oid: ObjectId, data: bytes) -> Iterator[Finding]:
        """Reads an object as what it says it is."""
        kind = data[0]
        if kind == Kind.COMMIT:
            yield from self._commit(oid, Commit.get(self._objects, oid))
        elif kind == Kind.TREE:
            for name in read_level(self._objects, oid):
                if why := name_fault(name):
                    yield Finding(f"tree {short(oid)}", f"{name!r} cannot be checked out: {why}", oid, damage=False)
        elif kind == Kind.TAG:
            Tag.get(self._objects, oid)
        elif kind == Kind.RUN:
            Run.get(self._objects, oid)
        elif kind == Kind.OPERATION:
            Operation.get(self._objects, oid)
        if self._exact:
            try:
                check(data)
            except GvError as e:
                yield Finding(f"object {short(oid)}", f"its bytes are not of this format: {e}", oid, damage=False)

    def _commit(self, oid: ObjectId, commit: Commit) -> Iterator[Finding]:
        expected = 1 + max((self._generation(parent) for parent in commit.parents), default=0)
        if commit.generation != expected:
            yield Finding(f"commit {short(oid)}", f"its generation is {commit.generation}, not {expected}", oid)

    def _generation(self, oid: ObjectId) -> int:
        known = self._generations.get(oid)
        if known is None:
            known = self._generations[oid] = Commit.get(self._objects, oid).generation
        return known
