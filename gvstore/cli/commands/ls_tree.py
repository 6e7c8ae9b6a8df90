"""gv ls-tree: what stands in a tree."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.objects.tree import TreeEntry
    from gvstore.repo import Repository


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a tree; `size_bytes` is null unless it was asked for, and of folders."""

    mode: str
    kind: str
    oid: ObjectId
    path: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class TreeListed:
    """The entries of a tree, in git's order."""

    tree: ObjectId
    entries: tuple[Entry, ...]
    long: bool = field(metadata=HIDDEN)
    names: bool = field(metadata=HIDDEN)
    zeros: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.plumbing import quoted

        for each in self.entries:
            name = each.path if self.zeros else quoted(each.path)
            if self.names:
                yield name
                continue
            size = f" {'-' if each.size_bytes is None else each.size_bytes:>7}" if self.long else ""
            yield f"{each.mode} {each.kind} {each.oid.hex()}{size}\t{name}"


@click.command("ls-tree", cls=Command)
@click.option("-r", "recursive", is_flag=True, help="Go into folders")
@click.option("-d", "folders", is_flag=True, help="List folders only")
@click.option("-t", "also", is_flag=True, help="With -r, list the folders too")
@click.option("-l", "--long", is_flag=True, help="Show the sizes of files")
@click.option("--name-only", is_flag=True, help="Print nothing but the paths")
@click.option("-z", "zeros", is_flag=True, help="End lines with a zero byte, and quote no path")
@click.argument("rev")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@pass_context
def command(
    cx: CommandContext,
    recursive: bool,
    folders: bool,
    also: bool,
    long: bool,
    name_only: bool,
    zeros: bool,
    rev: str,
    paths: tuple[str, ...],
) -> None:
    """List what stands in a tree (plumbing)

    REV is a commit, a folder (main:src/), or a run, whose code is listed.  The lines are git's: mode, kind, name of the
    object, a tab, the path.  PATH lists that entry alone, PATH/ what is in it; both count from the tree's root.

    \b
    Example:
      gv ls-tree -r HEAD
      gv ls-tree run/7 prompts/
    """
    from gvstore.cli.plumbing import give, mode_text, tree_of
    from gvstore.objects.blob import blob_size
    from gvstore.objects.tree import Mode

    repo = cx.repository
    tree = tree_of(repo, rev)
    found = []
    for path, entry in _walk(repo, tree, paths, recursive=recursive):
        is_folder = entry.mode == Mode.FOLDER
        if (folders and not is_folder) or (is_folder and recursive and not (also or folders)):
            continue
        size = blob_size(repo.objects, entry.oid) if long and not is_folder else None
        found.append(Entry(mode_text(entry.mode), "tree" if is_folder else "blob", entry.oid, path, size))
    give(cx, TreeListed(tree, tuple(found), long, name_only, zeros), zeros=zeros)


def _walk(
    repo: Repository, tree: ObjectId, paths: tuple[str, ...], *, recursive: bool
) -> Iterator[tuple[str, TreeEntry]]:
    """Yields the entries that were asked for, in git's order: a folder before what is in it, by bytes."""
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import find

    if not paths:
        yield from _below(repo, tree, "", recursive=recursive)
        return
    for path in sorted(set(paths)):
        plain = path.removeprefix("./").strip("/")
        entry = find(repo.objects, tree, plain)
        if entry is None:
            continue  # as git: a path that is not there lists nothing
        into = entry.mode == Mode.FOLDER and (path.endswith("/") or not plain)
        if not into:
            yield plain, entry
        if entry.mode == Mode.FOLDER and (into or recursive):
            yield from _below(repo, entry.oid, plain + "/" if plain else "", recursive=recursive)


def _below(repo: Repository, tree: ObjectId, prefix: str, *, recursive: bool) -> Iterator[tuple[str, TreeEntry]]:
    from gvstore.objects.fault import CorruptObject
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import MAX_DEPTH

    stack = [iter(_sorted(repo, tree, prefix))]
    while stack:
        following = next(stack[-1], None)
        if following is None:
            stack.pop()
            continue
        path, entry = following
        yield path, entry
        if recursive and entry.mode == Mode.FOLDER:
            if len(stack) > MAX_DEPTH:
                raise CorruptObject(entry.oid, f"folders more than {MAX_DEPTH} deep")
            stack.append(iter(_sorted(repo, entry.oid, path + "/")))


def _sorted(repo: Repository, tree: ObjectId, prefix: str) -> list[tuple[str, TreeEntry]]:
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import read_level

    def key(item: tuple[str, TreeEntry]) -> bytes:
        return os.fsencode(item[0]) + (b"/" if item[1].mode == Mode.FOLDER else b"")

    return [(prefix + name, entry) for name, entry in sorted(read_level(repo.objects, tree).items(), key=key)]
