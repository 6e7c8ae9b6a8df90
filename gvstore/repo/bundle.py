"""Bundles: runs, commits and values of a repository in one closed file, for another or for none.

What the names lead to by strong links goes along: a run with its calls, values,
components and code; a commit with its history.  The runs of a commit, and the
commit and run that a run came from, do not unless they are named too.

To be read a bundle is laid out as a repository of its own, `.gv` in a folder that
the caller takes away again: all that reads repositories reads bundles, and
asks of their objects what it asks of any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import BadRev, GvError
from gvstore.objects.kind import Kind
from gvstore.objects.links import links
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.run import Run
from gvstore.odb import ObjectDatabase, progress, tombstone
from gvstore.odb.bundle import Bundle, CorruptBundle, encode_bundle
from gvstore.odb.fault import Forgotten
from gvstore.odb.tombstone import Tombstone
from gvstore.refs import Refs
from gvstore.refs.fault import BadRefName
from gvstore.refs.names import (
    BRANCHES,
    HEAD,
    NOTES,
    REMOTES,
    RUN,
    RUNS,
    TAGS,
    VALUES,
    check_ref_name,
    run_ref,
    short_name,
)
from gvstore.refs.record import TakenRun
from gvstore.refs.value import check_value, format_run, format_symbolic, value_oid, value_run, value_target
from gvstore.repo import layout
from gvstore.repo.format import Format, encode_format
from gvstore.repo.resolve import Found, Resolved

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

GONE = "-"  # stands for the name of an object that was forgotten before
_MOST = 2**63 - 1
_MOST_GONE = 10_000  # each is a file where a bundle is laid out
_NO_NAME = re.compile(r"[^A-Za-z0-9_.]+")
_KINDS = {BRANCHES: Kind.COMMIT, RUNS: Kind.RUN, HEAD: Kind.COMMIT}


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle as it was written: its bytes, its names with their textual values, how many objects."""

    data: bytes
    names: tuple[tuple[str, str], ...]
    objects: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What a bundle gave to a repository.

    `runs` are (number there, number here, whether it is new), `names` (name there, full name here); `kept` are
    the names that stayed as they were here, for they name something else.
    """

    runs: tuple[tuple[int, int, bool], ...]
    names: tuple[tuple[str, str], ...]
    kept: tuple[str, ...]
    objects: int


class NotBundled(BadRev):
    """Something that a bundle cannot name."""

    hint = "A bundle takes runs, commits, branches, tags and named values."


def write_bundle(repo: Repository, found: Iterable[Resolved]) -> Written:
    """Returns a bundle of what these revs name.

    Raises:
        NotBundled: one of them is a call, a file, or has no name that it could have elsewhere.
        ObjectMissing, Corrupt: something that belongs to it cannot be read.
    """
    names = [(value, name) for name, value in sorted(_names(repo, found).items(), key=_in_order)]
    starts = [oid for oid in (value_oid(value) for value, _ in names) if oid is not None]
    order, sizes, gone = _closure(repo.objects, starts)
    names += [(oid.hex(), GONE) for oid in sorted(gone)]
    data = encode_bundle(names, sizes, map(repo.objects.read, order))
    return Written(data, tuple(names), len(order))


def _names(repo: Repository, found: Iterable[Resolved]) -> dict[str, str]:
    refs: dict[str, str] = {}
    heads = []
    for each in found:
        if each.found is Found.RUN and each.oid is not None and each.run is not None:
            refs[run_ref(each.run)] = each.oid.hex()
            notes = repo.refs.resolve(f"{NOTES}{each.run}")
            if notes is not None:
                refs[f"{NOTES}{each.run}"] = notes.hex()
        elif each.oid is None or each.path or each.found not in (Found.COMMIT, Found.VALUE):
            why = (
                "it is still being recorded" if each.found is Found.RUN and each.oid is None else "it cannot be bundled"
            )
            raise NotBundled(f"{each.text} is a {each.found.value}: {why}")
        elif each.found is Found.COMMIT:
            heads.append(format_symbolic(each.ref) if each.ref.startswith(BRANCHES) else each.oid.hex())
            if not each.ref.startswith((BRANCHES, TAGS)):
                refs[f"{TAGS}commit-{short(each.oid)}"] = each.oid.hex()
        if each.ref.startswith((BRANCHES, TAGS, VALUES)):
            value = repo.refs.resolve(each.ref)
            assert value is not None
            refs[each.ref] = value.hex()
        elif each.found is Found.VALUE:
            raise NotBundled(f"{each.text} has no name", hint="`gv put --name NAME` gives a value one.")
    numbers = [int(name[len(RUNS) :]) for name in refs if name.startswith(RUNS)]
    if numbers:
        refs[RUN] = format_run(max(numbers))
    refs[HEAD] = heads[0] if heads else format_symbolic(BRANCHES + layout.MAIN_BRANCH)
    return refs


def _in_order(item: tuple[str, str]) -> tuple[str, int, str]:
    folder, _, last = item[0].rpartition("/")
    return folder, int(last) if last.isascii() and last.isdecimal() else 0, last


def _closure(objects: ObjectDatabase, starts: Sequence[ObjectId]) -> tuple[list[ObjectId], list[int], list[ObjectId]]:
    """Returns all that these lead to by strong links, in one order for equal starts, with sizes; and what was forgotten."""
    stack = list(reversed(starts))
    seen: set[ObjectId] = set()
    order: list[ObjectId] = []
    sizes: list[int] = []
    gone: list[ObjectId] = []
    progress.begin()
    while stack:
        oid = stack.pop()
        if oid in seen:
            continue
        seen.add(oid)
        try:
            data = objects.read(oid)
        except Forgotten:
            gone.append(oid)
            continue
        progress.step()
        order.append(oid)
        sizes.append(len(data))
        stack += [each for each in reversed(links(data)[0]) if each not in seen]
    return order, sizes, gone


def lay_out(bundle: Bundle, gv: Path) -> list[TakenRun]:
    """Makes `gv` a `.gv` folder that holds what the bundle holds, under its names and numbers; returns the runs.

    Raises:
        CorruptBundle: a name is none, or leads to nothing, or to something of another kind.
    """
    refs = bundle_refs(bundle)
    for name in layout.FOLDERS:
        (gv / name).mkdir(parents=True, exist_ok=True)
    folder = layout.objects_folder(gv)
    ObjectDatabase.init(folder)
    Refs.create(layout.refs_path(gv))
    for value, name in bundle.names:
        if name == GONE:
            tombstone.write(folder, Tombstone(ObjectId.from_hex(value), 0, "", "before it was bundled"))
    with ObjectDatabase.open(folder) as objects, Refs.open(layout.refs_path(gv), objects) as names:
        progress.begin()
        for data in bundle.objects():
            objects.write(data)
            progress.step()
        runs = bundle_runs(bundle, objects, refs)
        others = {name: value for name, value in refs.items() if not name.startswith(RUNS)}
        _check_kinds(bundle, objects, refs)
        now = max((run.ended_at for run in runs), default=0)
        names.take_in(runs, lambda _: others, author="", command=f"bundle {bundle.path.name}", now=now)
    fs.write_atomic(gv / layout.FORMAT, encode_format(Format()), durable=False)
    return runs


def bundle_refs(bundle: Bundle) -> dict[str, str]:
    """Returns the refs that a bundle names, with their textual values.

    Raises:
        CorruptBundle: a name or value is none, or stands twice.
    """
    refs: dict[str, str] = {}
    if sum(name == GONE for _, name in bundle.names) > _MOST_GONE:
        raise CorruptBundle(bundle.path, "leaves out more than it can")
    for value, name in bundle.names:
        try:
            if name == GONE:
                ObjectId.from_hex(value)
                continue
            check_ref_name(name)
            check_value(value)
        except (BadRefName, ValueError) as e:
            raise CorruptBundle(bundle.path, f"names {name[:80]!r} {value[:80]!r}, which cannot be: {e}") from e
        if name in refs or (value_oid(value) is None) != (name == RUN or value_target(value) is not None):
            raise CorruptBundle(bundle.path, f"gives {name[:80]!r} a value that it cannot have")
        refs[name] = value
    target, number = value_target(refs.get(HEAD)), value_run(refs.get(RUN))
    if HEAD not in refs or (target is not None and not target.startswith(BRANCHES)):
        raise CorruptBundle(bundle.path, "has no HEAD that could be")
    if number is not None and run_ref(number) not in refs:
        raise CorruptBundle(bundle.path, f"has a RUN, and no run/{number}")
    return refs


def bundle_runs(bundle: Bundle, objects: ObjectDatabase, refs: Mapping[str, str]) -> list[TakenRun]:
    """Returns the runs that a bundle names, by number there.

    Raises:
        CorruptBundle: one is not there, or is none.
    """
    found = []
    for name, value in refs.items():
        oid = value_oid(value)
        if not name.startswith(RUNS) or oid is None:
            continue
        try:
            run = Run.get(objects, oid)
        except GvError as e:
            raise CorruptBundle(bundle.path, f"names {short_name(name)}, which it does not hold: {e}") from e
        if not (0 <= run.started_at <= _MOST and 0 <= run.ended_at <= _MOST):
            raise CorruptBundle(bundle.path, f"has a run, {short_name(name)}, of no possible time")
        number = int(name[len(RUNS) :])
        found.append(TakenRun(oid, run.target, run.status, run.started_at, run.ended_at, number))
    return sorted(found, key=lambda run: run.number or 0)


def _check_kinds(bundle: Bundle, objects: ObjectDatabase, refs: Mapping[str, str]) -> None:
    for name, value in refs.items():
        oid = value_oid(value)
        if oid is None:
            continue
        kind = next((kind for prefix, kind in _KINDS.items() if name.startswith(prefix)), None)
        try:
            data = objects.read(oid)
        except GvError as e:
            raise CorruptBundle(bundle.path, f"names {short_name(name)}, which it does not hold") from e
        if kind is not None and data[0] != kind:
            raise CorruptBundle(bundle.path, f"names {short_name(name)}, which is no {kind.word} there")


def unpack(repo: Repository, bundle: Bundle, *, author: str, now: int) -> Taken:
    """Adds what a bundle holds, which was verified, to a repository, as one operation; runs that are here already are not added again.

    Runs get new numbers.  Branches become `refs/remotes/<file>/<branch>`; tags and values keep their names, where these are free.
    """
    refs = bundle_refs(bundle)
    written = 0
    with repo.objects.batch():
        for data in bundle.objects():
            try:
                repo.objects.write(data)
                written += 1
            except Forgotten:  # a user wanted it gone: it stays so
                continue
    there = bundle_runs(bundle, repo.objects, refs)
    known = {run.oid: number for run in there if (number := repo.refs.run_number(run.oid)) is not None}
    fresh = list({run.oid: run for run in there if run.oid not in known}.values())
    names, kept = _names_here(repo, bundle, refs)

    def others(numbers: Sequence[int]) -> dict[str, str]:
        notes = {f"{NOTES}{run.number}": f"{NOTES}{number}" for run, number in zip(fresh, numbers, strict=True)}
        return {here: refs[there] for there, here in [*names, *notes.items()] if there in refs}

    numbers = repo.refs.take_in(
        [run._replace(number=None) for run in fresh],
        others,
        author=author,
        command=f"bundle --unpack {bundle.path.name}",
        now=now,
    )
    new = {run.oid: number for run, number in zip(fresh, numbers, strict=True)}
    runs = tuple((run.number or 0, new.get(run.oid) or known[run.oid], run.oid in new) for run in there)
    return Taken(runs, tuple((short_name(old), name) for old, name in names), tuple(map(short_name, kept)), written)


def _names_here(repo: Repository, bundle: Bundle, refs: Mapping[str, str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Returns (name there, name here) of what gets a name, and the names that name something else here."""
    origin = _NO_NAME.sub("-", bundle.path.stem).strip("-.").removesuffix(".lock") or "bundle"
    names, kept = [], []
    for name, value in refs.items():
        if name.startswith(BRANCHES):
            here = f"{REMOTES}{origin}/{name[len(BRANCHES) :]}"
        elif name.startswith((TAGS, VALUES)):
            here = name
            standing = repo.refs.resolve(name)
            if standing is not None and standing.hex() != value:
                kept.append(name)
                continue
        else:
            continue
        if repo.refs.read(here) != value:
            names.append((name, here))
    return names, kept


def commits_of(refs: Mapping[str, str]) -> Iterator[tuple[str, ObjectId]]:
    """Yields the names that are no runs, HEAD or RUN, as users type them, with what they name."""
    for name, value in refs.items():
        oid = value_oid(value)
        if oid is not None and not name.startswith((RUNS, NOTES)) and name != HEAD:
            yield short_name(name), oid
