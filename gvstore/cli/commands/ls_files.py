"""gv ls-files: the files of the last commit, and how those of the work tree differ."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.repo import Repository
    from gvstore.repo.files import Files
    from gvstore.repo.ignore import IgnoreRules


@dataclass(frozen=True, slots=True)
class FileListed:
    """A file, as it is typed in this folder; of one that no commit has, mode and oid are null."""

    path: str
    mode: str | None
    oid: ObjectId | None


@dataclass(frozen=True, slots=True)
class FilesListed:
    """Files by path."""

    files: tuple[FileListed, ...]
    stage: bool = field(metadata=HIDDEN)
    zeros: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.plumbing import quoted

        for each in self.files:
            name = each.path if self.zeros else quoted(each.path)
            known = self.stage and each.oid is not None
            yield f"{each.mode} {each.oid.hex() if each.oid else ''} 0\t{name}" if known else name


@click.command("ls-files", cls=Command)
@click.option("-c", "--cached", is_flag=True, help="List the files of the last commit, which is the default")
@click.option("-m", "--modified", is_flag=True, help="List those that differ from it, the deleted ones among them")
@click.option("-d", "--deleted", is_flag=True, help="List those that are gone from the work tree")
@click.option("-o", "--others", is_flag=True, help="List files that it does not have and the next one takes")
@click.option("-i", "--ignored", is_flag=True, help="List what is left out: files, and folders with a slash at the end")
@click.option("-s", "--stage", is_flag=True, help="Print mode and object too, as git has them")
@click.option("-z", "zeros", is_flag=True, help="End lines with a zero byte, and quote no path")
@click.option("--full-name", is_flag=True, help="Print paths from the root of the work tree")
@click.option("--error-unmatch", is_flag=True, help="Exit with 12 if a PATH matches nothing")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext,
    cached: bool,
    modified: bool,
    deleted: bool,
    others: bool,
    ignored: bool,
    stage: bool,
    zeros: bool,
    full_name: bool,
    error_unmatch: bool,
    paths: tuple[str, ...],
) -> None:
    """List files of the last commit and of the work tree (plumbing)

    There is no staging area: what git calls the index is HEAD here.  Files below this folder are listed, by the paths that
    are typed here; several options list each file once.

    \b
    Example:
      gv ls-files
      gv ls-files --others --modified -z | xargs -0 grep TODO
    """
    from gvstore.cli.plumbing import give, mode_text
    from gvstore.repo.path import inside, under

    if zeros and stage and cx.output.json:
        raise UsageFault("-z and --json exclude each other", hint="--json quotes paths by itself.")
    repo = cx.repository
    here = inside(repo.path, ".", cwd=cx.folder)
    wanted = [inside(repo.path, path, cwd=cx.folder) for path in paths] or [here]
    head = repo.head_files()
    found = set(head) if cached or stage or not (modified or deleted or others or ignored) else set[str]()
    if modified or deleted or others:
        found |= _changed(repo, head, modified=modified, deleted=deleted, others=others)
    if ignored:
        found |= set(_ignored(repo))
    listed = sorted((path for path in found if under(path.rstrip("/"), wanted)), key=os.fsencode)
    if error_unmatch:
        _check_matched(paths, wanted, listed)
    files = []
    for path in listed:
        entry = head.get(path)
        mode, oid = (mode_text(entry.mode), entry.oid) if entry is not None else (None, None)
        files.append(FileListed(path if full_name else _typed(path, here), mode, oid))
    give(cx, FilesListed(tuple(files), stage, zeros), zeros=zeros)


def _changed(repo: Repository, head: Files, *, modified: bool, deleted: bool, others: bool) -> set[str]:
    """Returns the paths of these sorts; as in git, a deleted file counts as modified."""
    now = repo.worktree.look().files
    found: set[str] = set()
    if modified or deleted:
        found |= {path for path in head if path not in now}
    if modified:
        found |= {path for path, entry in head.items() if path in now and now[path] != entry}
    if others:
        found |= now.keys() - head.keys()
    return found


def _ignored(repo: Repository) -> Iterator[str]:
    """Yields what a commit leaves out, the highest folder of it; `.gv` and `.git` are no part of the work tree."""
    from gvstore.repo.ignore import ENVIRONMENT_MARK, IgnoreRules

    stack: list[tuple[str, IgnoreRules | None]] = [("", None)]
    while stack:
        folder, outer = stack.pop()
        entries = _entries(repo.path / folder)
        names = [name for name, _ in entries]
        if folder and ENVIRONMENT_MARK in names:
            yield folder
            continue
        rules = IgnoreRules(repo.path, folder, None, names) if outer is None else outer.below(folder, names)
        for name, is_folder in entries:
            path = folder + name
            if name in (".gv", ".git") or repo.path / path == repo.gv:
                continue
            if rules.ignores(path, folder=is_folder):
                yield path + "/" if is_folder else path
            elif is_folder:
                stack.append((path + "/", rules))


def _entries(folder: Path) -> list[tuple[str, bool]]:
    """Returns the names in a folder, and whether each is a folder; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError:
        return []


def _typed(path: str, here: str) -> str:
    """Returns a path from the root as it is typed in the folder `here`."""
    if not here:
        return path
    shown = os.path.relpath(path, here)
    return shown + "/" if path.endswith("/") else shown


def _check_matched(paths: Iterable[str], wanted: Iterable[str], listed: list[str]) -> None:
    from gvstore.repo.path import under

    for typed, path in zip(paths, wanted, strict=False):
        if not any(under(each.rstrip("/"), [path]) for each in listed):
            raise BadRev(f"{typed} matches no file", hint="`gv ls-files` lists those of the last commit.")
