"""Commits, trees and tags as `git cat-file -p` prints git's: for scripts, and for people who look below."""

from __future__ import annotations

from collections.abc import Iterator

from gvstore.cli.plumbing import mode_text, quoted
from gvstore.objects.commit import Commit
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.objects.tag import Tag
from gvstore.objects.tree import Mode, Tree


def object_text(objects: ObjectReader, oid: ObjectId, kind: int) -> Iterator[str]:
    """Yields the lines of a commit, tree or tag; of any other object none."""
    if kind == Kind.COMMIT:
        yield from _commit(Commit.get(objects, oid))
    elif kind == Kind.TREE:
        for name, entry in Tree.get(objects, oid).entries.items():
            yield f"{mode_text(entry.mode)} {'tree' if entry.mode == Mode.FOLDER else 'blob'} {entry.oid.hex()}\t{quoted(name)}"
    elif kind == Kind.TAG:
        tag = Tag.get(objects, oid)
        word = Kind(objects.read(tag.target)[0]).word if objects.has(tag.target) else "object"
        yield from (f"object {tag.target.hex()}", f"type {word}", f"tag {tag.name}")
        yield f"tagger {tag.author} {_seconds(tag.created_at)}"
        yield from ("", *tag.message.rstrip("\n").split("\n"))


def _commit(commit: Commit) -> Iterator[str]:
    yield f"tree {commit.tree.hex()}"
    for parent in commit.parents:
        yield f"parent {parent.hex()}"
    yield f"author {commit.author} {_seconds(commit.created_at)}"
    if commit.git:
        yield f"git {commit.git}"
    for word, named in (("component", commit.components), ("value", commit.values)):
        for name, oid in named.items():
            yield f"{word} {oid.hex()} {name}"
    for run in commit.runs:
        yield f"run {run.hex()}"
    yield from ("", *commit.message.split("\n"))


def _seconds(us: int) -> str:
    """Returns a time as git writes it: seconds and the zone, which is UTC here."""
    return f"{us // 1_000_000} +0000"
