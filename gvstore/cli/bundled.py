"""Commands that read a bundle in place of a repository: `gv show runs.gvb:run/7`, `gv replay --check runs.gvb`.

A word of the command line that is the path of a bundle, or begins with one and a
colon, says which; what follows the colon is the rev.  `gv --bundle FILE` says it of any file.
The bundle is laid out below the system's folder for such things, until the command ends.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from gvstore.errors import UsageFault
from gvstore.odb.bundle import SUFFIX, is_bundle, open_bundle
from gvstore.repo import layout
from gvstore.repo.bundle import lay_out
from gvstore.repo.fault import NotARepository

if TYPE_CHECKING:
    from gvstore.cli.context import CommandContext
    from gvstore.repo import Repository

    Opened = TypeVar("Opened", bound=Repository)

READERS = frozenset({
    "show", "runs", "get", "diff", "log", "blame", "grep", "cat-file", "rev-parse", "rev-list", "merge-base", "ls-tree",
    "show-ref", "count-objects", "fsck", "inbox", "replay", "machine", "reflog",
})  # fmt: skip
_NO_FILES = frozenset({"show", "runs", "inbox", "replay"})  # of those: a word that ends in .gvb can only be a bundle
_END = "--"


class OnlyRead(UsageFault):
    """A command that writes, and a bundle, which is only read."""

    hint = "`gv bundle --unpack FILE` adds what it holds to a repository."


def take_bundle(cx: CommandContext, command: click.Command, args: list[str]) -> list[str]:
    """Returns a command's words without the bundle that they name, which `cx` then reads.

    Raises:
        OnlyRead: the command does not take one.
        UsageFault: they name two.
    """
    name = command.name or ""
    if name in READERS:
        args = _without_bundle(cx, command, args)
    if cx.bundle is None:
        return args
    if name not in READERS and name not in ("help", "bundle"):
        raise OnlyRead(f"gv {name} does not read bundles")
    if name == "replay" and not any(arg.startswith("--check") or arg in ("--plan", "--help", "-h") for arg in args):
        raise OnlyRead("a replay is a new run, and a bundle takes none: it is replayed with --check or --plan")
    return args


def _check_there(command: str, word: str) -> None:
    """Passes if a word that stands where a bundle may stand names none that is not there.

    Raises:
        NoBundle: it does; or names a file that is no bundle, to a command that takes no other files.
    """
    path = Path(word.partition(f"{SUFFIX}:")[0] + SUFFIX if f"{SUFFIX}:" in word else word)
    if path.suffix == SUFFIX and ":" not in str(path) and (command in _NO_FILES or not path.exists()):
        open_bundle(path)


def _without_bundle(cx: CommandContext, command: click.Command, args: list[str]) -> list[str]:
    takers = {
        word
        for each in command.params
        if isinstance(each, click.Option) and not each.is_flag and not each.count
        for word in each.opts
        if word != "--check"  # alone it is --check=calls
    }
    end = args.index(_END) if _END in args else len(args)
    kept, before = [], ""
    for arg in args[:end]:
        taken = before in takers
        named = None if taken or arg.startswith("-") else _named(arg)
        before = arg
        if named is None:
            if not (taken or arg.startswith("-") or command.name == "grep"):  # grep takes a pattern
                _check_there(command.name or "", arg)
            kept.append(arg)
            continue
        path, rev = named
        if cx.bundle is not None and cx.bundle.absolute() != path.absolute():
            raise UsageFault(
                f"{cx.bundle} and {path} are two bundles, and one is read at a time",
                hint="`gv bundle --unpack FILE` adds what a bundle holds to a repository.",
            )
        cx.bundle = path
        kept += [rev] if rev else []
    return kept + args[end:]


def _named(word: str) -> tuple[Path, str] | None:
    """Returns the bundle that a word names and the rev behind its colon, or None where it names none."""
    at = word.find(SUFFIX)
    while at >= 0:
        end = at + len(SUFFIX)
        if word[end : end + 1] in ("", ":") and is_bundle(Path(word[:end])):
            rev = word[end + 1 :]
            return Path(word[:end]), rev
        at = word.find(SUFFIX, end)
    return None


def laid_out(cx: CommandContext, kind: type[Opened], path: Path) -> Opened:
    """Returns a bundle as a repository beside the work tree that its runs are of; gone when `cx` closes.

    Raises:
        NoBundle, CorruptBundle, NewerFormat: it cannot be read.
    """
    bundle = open_bundle(path)
    folder = Path(tempfile.mkdtemp(prefix="gv-bundle-"))
    cx.on_close(lambda: shutil.rmtree(folder, ignore_errors=True))
    gv = folder / layout.GV_FOLDER
    with cx.output.working("reading the bundle"):
        runs = lay_out(bundle, gv)
    repository = kind(_root(cx.folder, [run.target for run in runs]), gv)
    cx.on_close(repository.close)
    cx.on_close(cx.output.watch_files())
    return repository


def _root(folder: Path, targets: list[str]) -> Path:
    """Returns the root that components are named from: of the repository around the folder, else the folder.

    In a work tree of git's that has no repository it is the nearest folder, from here up, that has a file which a run was made by.
    """
    from gvstore.repo import Repository
    from gvstore.repo.git import git_root

    try:
        return Repository.discover(folder, read_only=True).path
    except NotARepository:
        pass
    top = git_root(folder)
    above = [each for each in (folder, *folder.parents) if top is not None and each.is_relative_to(top)]
    files = {target.rpartition(":")[0] or target for target in targets} - {""}
    return next((each for each in above if any((each / file).is_file() for file in files)), folder)
