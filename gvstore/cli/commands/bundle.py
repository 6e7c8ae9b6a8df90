"""gv bundle: runs and commits in one closed file."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import Corrupt, UsageFault, WouldLose
from gvstore.objects.oid import ObjectId, short

if TYPE_CHECKING:
    from gvstore.odb.bundle import Bundle
    from gvstore.repo.bundle import Taken
    from gvstore.repo.resolve import Resolved


class FaultyBundle(Corrupt):
    """A bundle that lacks something, or holds what is not of this format."""

    hint = "Make it anew from the repository that has the runs."


@dataclass(frozen=True, slots=True)
class BundledRun:
    """A run of a bundle, by its number there."""

    run: str
    oid: ObjectId
    status: str
    target: str
    calls: int

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"  {paint('run', self.run)}  {self.target}   {self.status}, {units.count(self.calls, 'call')}"


@dataclass(frozen=True, slots=True)
class BundledName:
    """A branch, tag or value of a bundle."""

    name: str
    oid: ObjectId

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"  {paint('ref', self.name)}  {paint('oid', short(self.oid))}"


@dataclass(frozen=True, slots=True)
class Listed:
    """What stands in a bundle; `digest` is the SHA-256 of the file; `verified` where every object was looked at."""

    file: Path
    size_bytes: int
    objects: int
    digest: str
    verified: bool
    runs: list[BundledRun]
    names: list[BundledName]
    word: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield (
            f"{self.file}  {units.size(self.size_bytes)}, {units.count(self.objects, 'object')}, "
            f"{units.count(len(self.runs), 'run')}{self.word}"
        )
        for run in self.runs:
            yield from run.lines(paint)
        for name in self.names:
            yield from name.lines(paint)


@dataclass(frozen=True, slots=True)
class TakenRow:
    """A run of a bundle, by its number there and here; `new` unless it was here already."""

    there: str
    here: str
    new: bool


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What came of unpacking a bundle."""

    file: Path
    runs: list[TakenRow]
    names: list[str]
    kept: list[str]

    def lines(self, paint: Paint) -> Iterator[str]:
        for row in self.runs:
            yield f"{row.there} → {paint('run', row.here)}" + ("" if row.new else "   here already")
        for name in self.names:
            yield f"new {paint('ref', name)}"
        if not self.runs and not self.names:
            yield "nothing new"


_RUN = re.compile(r"(?:run/)?[0-9]+(?:\.\.(?:run/)?[0-9]+)?|RUN")
_OF_GIT = {"create": "", "verify": "--verify ", "list-heads": "--list ", "unbundle": "--unpack "}


@click.command("bundle", cls=Command)
@click.option("--group", metavar="NAME", help="Bundle the runs of this group")
@click.option("--force", is_flag=True, help="Overwrite FILE where it is no bundle")
@click.option("--list", "only_list", is_flag=True, help="List what a bundle holds")
@click.option("--verify", is_flag=True, help="Look at every object of a bundle, and list what it holds")
@click.option("--unpack", is_flag=True, help="Add what a bundle holds to this repository; its runs get new numbers")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("revs", metavar="[REV]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext, group: str | None, force: bool, only_list: bool, verify: bool, unpack: bool, file: Path,
    revs: tuple[str, ...],
) -> None:  # fmt: skip
    """Write runs and commits into one closed file that needs no repository

    A run goes along with its calls, their values and its code; a commit, branch or tag with its history.  Without a REV it
    is RUN.  The same content makes the same bytes.  Commands that only read take FILE, named *.gvb, in place of a
    repository, with a rev behind a colon: a git repository can carry recordings for `gv replay --check FILE`.
    `gv --bundle FILE COMMAND` reads a file of any name.

    \b
    Example:
      gv bundle golden.gvb run/7 run/9
      gv bundle golden.gvb run/3..run/9 main
      gv show golden.gvb:run/7:0.2
      gv replay --check golden.gvb
      gv bundle --unpack golden.gvb
    """
    if str(file) in _OF_GIT and revs and not file.exists():
        said = _OF_GIT[str(file)]
        raise UsageFault(f"gv bundle has no {file}", hint=f"`gv bundle {said}{' '.join([revs[0], *revs[1:] * (not said)])}`")
    looks = [name for name, on in (("--list", only_list), ("--verify", verify), ("--unpack", unpack)) if on]
    if len(looks) > 1 or (looks and (revs or group is not None or force)):
        others = [*looks[1:], *(["--group"] if group is not None else []), *(["--force"] if force else []), *revs]
        raise UsageFault(f"{looks[0]} and {others[0]} do not go together", hint=f"`gv bundle {looks[0]} FILE`")
    if not looks:
        _write(cx, file, revs, group, force=force)
        return
    from gvstore.odb.bundle import open_bundle

    bundle = open_bundle(file)
    with tempfile.TemporaryDirectory(prefix="gv-bundle-") as folder:
        listed = _looked_at(cx, bundle, Path(folder), whole=not only_list)
    if unpack:
        _unpack(cx, bundle)
    else:
        cx.output.result(listed)


def _write(cx: CommandContext, file: Path, revs: tuple[str, ...], group: str | None, *, force: bool) -> None:
    """Writes a bundle.

    Raises:
        WouldLose: there is a file already that is no bundle.
        UsageFault: it cannot be written.
    """
    from gvstore import fs
    from gvstore.odb.bundle import SUFFIX, is_bundle, open_bundle
    from gvstore.repo.bundle import write_bundle

    if file.is_dir() or (file.exists() and not force and not is_bundle(file)):
        raise WouldLose(
            f"{file} is {'a folder' if file.is_dir() else 'there, and no bundle'}",
            hint="Give another FILE" + ("." if file.is_dir() else ", or --force."),
        )
    if _RUN.fullmatch(str(file)):
        raise UsageFault(f"{file} is a run, and FILE comes first", hint=f"`gv bundle golden.gvb {' '.join([str(file), *revs])}`")
    with cx.journal as repo, cx.output.working("bundling"):
        written = write_bundle(repo, _found(cx, revs, group))
    try:
        fs.write_atomic(file, written.data)
    except OSError as e:
        raise UsageFault(f"{file} cannot be written: {e.strerror}") from e
    if file.suffix != SUFFIX:
        cx.output.hint(
            f"Commands take it as `gv --bundle {file} show`; named *{SUFFIX} it may stand where a rev stands."
        )
    with tempfile.TemporaryDirectory(prefix="gv-bundle-") as folder:
        cx.output.result(_looked_at(cx, open_bundle(file), Path(folder), whole=False))


def _found(cx: CommandContext, revs: tuple[str, ...], group: str | None) -> list[Resolved]:
    """Returns what is to be bundled; runs whose process died are stored first."""
    from gvstore.cli.selection import selected_runs
    from gvstore.repo.resolve import Found

    repo, found, names = cx.journal, [], list[str]()
    for rev in revs:
        if ".." in rev:
            names += [run.name for run in selected_runs(repo, (rev,), None)]
        else:
            names.append(rev)
    if group is not None:
        names += [run.name for run in selected_runs(repo, (), group)]
    for name in names or ["RUN"]:
        each = repo.resolve(name, wanted=frozenset({Found.COMMIT, Found.RUN}))
        if each.found is Found.RUN and each.oid is None:
            repo.settled(repo.run_of(each))
            each = repo.resolve(name)
        found.append(each)
    return found


def _looked_at(cx: CommandContext, bundle: Bundle, folder: Path, *, whole: bool) -> Listed:
    """Returns what a bundle holds, laid out in a folder.

    Raises:
        FaultyBundle: with `whole`, something in it does not hold.
    """
    from gvstore.objects.run import Run
    from gvstore.odb import ObjectDatabase
    from gvstore.repo import Repository, layout
    from gvstore.repo.bundle import bundle_refs, bundle_runs, commits_of, lay_out

    gv = folder / layout.GV_FOLDER
    with cx.output.working("reading the bundle"):
        lay_out(bundle, gv)
        if whole:
            with Repository(folder, gv) as repo:
                wrong = [
                    each for each in repo.fsck(full=True, exact=True) if each.damage or "not of this format" in each.why
                ]
            if wrong:
                more = f", and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
                raise FaultyBundle(f"{bundle.path}: {wrong[0].where}: {wrong[0].why}{more}")
    refs = bundle_refs(bundle)
    with ObjectDatabase.open(layout.objects_folder(gv)) as objects:
        runs = [
            BundledRun(
                f"run/{row.number}", row.oid, row.status, row.target, Run.get(objects, row.oid).counts.get("calls", 0)
            )
            for row in bundle_runs(bundle, objects, refs)
        ]
    names = [BundledName(name, oid) for name, oid in commits_of(refs)]
    word = ", verified" if whole else ""
    return Listed(bundle.path, bundle.size_bytes, bundle.count, bundle.digest, whole, runs, names, word)


def _unpack(cx: CommandContext, bundle: Bundle) -> None:
    from gvstore import host
    from gvstore.repo.bundle import unpack

    with cx.journal as repo, cx.output.working("unpacking"):
        taken = unpack(repo, bundle, author=repo.author(), now=host.now_us())
    cx.output.result(_unpacked(bundle, taken))
    for name in taken.kept:
        cx.output.warning(f"{name} names something else here, and stays")


def _unpacked(bundle: Bundle, taken: Taken) -> Unpacked:
    from gvstore.refs.names import short_name

    rows = [TakenRow(f"run/{there}", f"run/{here}", new) for there, here, new in taken.runs]
    return Unpacked(bundle.path, rows, [short_name(here) for _, here in taken.names], list(taken.kept))
