"""Whether a repository holds what it promises.

Three rounds: the files of the object database, refs.db, and then every
object that a ref, operation or run leads to.  A strong link must lead to an
object; a weak one (from a commit to its runs, from a run to the run it was derived from) may
lead nowhere, for runs can be removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import GvError
from gvstore.objects.commit import Commit
from gvstore.objects.fault import ObjectMissing
from gvstore.objects.kind import Kind
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.operation import Operation
from gvstore.objects.run import Run
from gvstore.objects.tag import Tag
from gvstore.refs.fault import CorruptRefs
from gvstore.refs.names import BRANCHES, HEAD, RUN, RUNS, short_name
from gvstore.refs.value import value_oid, value_run
from gvstore.repo import layout
from gvstore.repo.files import read_level
from gvstore.repo.path import name_fault

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold.  `damage` is lost data; the rest is strange and does no harm."""

    where: str
    why: str
    oid: ObjectId | None = None
    damage: bool = True


def fsck(repo: Repository, *, full: bool) -> Iterator[Finding]:
    """Yields what does not hold; `full` verifies every stored record, not only those that something leads to."""
    for flaw in repo.objects.check(full=full):
        yield Finding(f"{layout.OBJECTS}/{flaw.file} at byte {flaw.offset}", flaw.why, flaw.oid)
    try:
        for why in repo.refs.check():
            yield Finding(layout.REFS, why)
        starts, findings = _starts(repo)
    except CorruptRefs as e:
        yield Finding(layout.REFS, str(e))
        return
    yield from findings
    yield from _Walk(repo).all(starts)


@dataclass(frozen=True, slots=True)
class _Start:
    where: str
    oid: ObjectId
    kind: Kind | None = None
    weak: bool = False


def _starts(repo: Repository) -> tuple[list[_Start], list[Finding]]:
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
            found.append(_Start(short_name(name), oid, kind))
        elif number is not None and refs.run(number) is None:
            findings.append(Finding(short_name(name), f"there was never a run {number}"))
    if refs.read(HEAD) is None:
        findings.append(Finding(HEAD, "it is missing"))
    for operation in refs.operations():
        found.append(_Start(f"operation {operation.number}", operation.oid, Kind.OPERATION))
    for name in refs.logged():
        for entry in refs.reflog(name):
            for value in (entry.old, entry.new):
                oid = value_oid(value)
                if oid is not None and name != RUN:
                    found.append(_Start(f"reflog of {short_name(name)}", oid, weak=True))
    for row in refs.unfinished_runs():
        if row.journal and not (layout.journal_folder(repo.gv) / row.journal).exists():
            findings.append(
                Finding(f"run/{row.number}", "it was never finished, and its journal is missing", damage=False)
            )
    return found, findings


class _Walk:
    """Follows every link once."""

    def __init__(self, repo: Repository) -> None:
        self._objects = repo.objects
        self._seen: set[ObjectId] = set()
        self._generations: dict[ObjectId, int] = {}

    def all(self, starts: list[_Start]) -> Iterator[Finding]:
        """Yields what is wrong with the objects that these lead to."""
        stack = starts[::-1]
        kinds = [start for start in starts if start.kind is not None]
        while stack:
            start = stack.pop()
            if start.oid in self._seen or (start.weak and not self._objects.has(start.oid)):
                continue  # what a weak link misses may still be missed by a strong one: not seen yet
            self._seen.add(start.oid)
            try:
                data = self._objects.read(start.oid)
                strong, weak = links(data)
                yield from self._content(start, data)
            except GvError as e:
                yield Finding(start.where, "is missing" if isinstance(e, ObjectMissing) else str(e), start.oid)
                continue
            where = self._name(start, data)
            stack += [_Start(where, oid, weak=True) for oid in reversed(weak) if oid not in self._seen]
            stack += [_Start(where, oid) for oid in reversed(strong) if oid not in self._seen]
        for start in kinds:
            if start.kind is not None and self._objects.has(start.oid):
                yield from self._of_kind(start, start.kind)

    def _of_kind(self, start: _Start, kind: Kind) -> Iterator[Finding]:
        try:
            found = self._objects.read(start.oid)[0]
        except GvError:
            return  # told already
        if found != kind:
            yield Finding(start.where, f"leads to something that is no {kind.word}", start.oid)

    def _name(self, start: _Start, data: bytes) -> str:
        kind = Kind(data[0]).word
        return f"{kind} {short(start.oid)}" if kind in ("commit", "run", "tree", "tag") else start.where

    def _content(self, start: _Start, data: bytes) -> Iterator[Finding]:
        """Reads an object as what it says it is."""
        kind, oid = data[0], start.oid
        if kind == Kind.COMMIT:
            yield from self._commit(start, Commit.get(self._objects, oid))
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

    def _commit(self, start: _Start, commit: Commit) -> Iterator[Finding]:
        expected = 1 + max((self._generation(parent) for parent in commit.parents), default=0)
        if commit.generation != expected:
            yield Finding(
                f"commit {short(start.oid)}", f"its generation is {commit.generation}, not {expected}", start.oid
            )

    def _generation(self, oid: ObjectId) -> int:
        known = self._generations.get(oid)
        if known is None:
            known = self._generations[oid] = Commit.get(self._objects, oid).generation
        return known
