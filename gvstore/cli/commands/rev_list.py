"""gv rev-list: the commits of a range, by name, for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

import click

from gvstore.cli.command import RevCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.history_options import HistoryOptions, history_options
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.chosen import Chosen
    from gvstore.repo import Repository
    from gvstore.repo.history import LogEntry
    from gvstore.repo.rev_range import RevRange


@dataclass(frozen=True, slots=True)
class Listed:
    """A commit of the range, or with `--objects` an object: its `path`, which is null for commits.

    `parents` are null without `--parents`; `side` is `<` or `>` with `--left-right`.
    """

    oid: ObjectId
    kind: str
    path: str | None = None
    parents: tuple[ObjectId, ...] | None = None
    side: str | None = None

    def lines(self, paint: Paint) -> Iterator[str]:
        names = " ".join(oid.hex() for oid in (self.oid, *(self.parents or ())))
        yield f"{self.side or ''}{names}{'' if self.path is None else f' {self.path}'}"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many commits there are; with `--left-right` on either side."""

    count: int
    left: int | None = None
    right: int | None = None
    separator: str = field(default="\t", metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield str(self.count) if self.left is None else f"{self.left}{self.separator}{self.right}"


@click.command("rev-list", cls=RevCommand)
@click.argument("words", metavar="REV... [-- PATH...]", nargs=-1)
@history_options
@click.option("--parents", is_flag=True, help="Print the parents behind each commit, those that are not listed passed over")
@click.option("--count", "only_count", is_flag=True, help="Print how many there are")
@click.option("--left-right", is_flag=True, help="Of A...B: mark each with < or >, the side that it is on")
@click.option("--objects", is_flag=True, help="Print folders, files, components and values of the commits too")
@pass_context
def command(
    cx: CommandContext, words: tuple[str, ...], parents: bool, only_count: bool, left_right: bool, objects: bool,
    **options: Unpack[HistoryOptions],
) -> None:  # fmt: skip
    """Print the names of the commits of a range (plumbing)

    One a line, in full, the newest first and none before one that follows it.  REV is a commit: those that lead to it;
    ^REV leaves out what leads to that; A..B, A...B, REV^! and REV^@ as in git.  With a PATH those that changed it.

    \b
    Example:
      gv rev-list main..topic
      gv rev-list --count --since yesterday HEAD -- prompts
      gv rev-list --left-right --count main...topic
    """
    from gvstore import host
    from gvstore.cli.chosen import choose, cut
    from gvstore.cli.rev_words import split_words
    from gvstore.repo.path import insides
    from gvstore.repo.rev_range import parse_range

    repo = cx.repository
    revs, paths = split_words(cx, repo, words)
    if not revs:
        raise UsageFault("gv rev-list needs a rev", hint="As in: gv rev-list HEAD, gv rev-list main..topic, gv rev-list --all")
    now = host.now_us()
    wanted = parse_range(repo, revs, default=None, now=now)
    chosen = choose(repo, wanted, insides(repo.path, paths, cwd=cx.folder) or (), options, now=now, follow=False)
    sides = _left(repo, wanted) if left_right else None
    entries = cut(chosen.entries(), options)
    if only_count:
        cx.output.result(_counted(entries, sides))
    elif objects:
        cx.output.stream(_objects(repo, wanted, list(entries)))
    else:
        cx.output.stream(_listed(chosen, entries, sides, parents=parents))


def _left(repo: Repository, wanted: RevRange) -> set[ObjectId]:
    """Returns the commits on the left side of A...B."""
    from gvstore.repo.history import log

    if wanted.dots != 3 or wanted.left is None or wanted.right is None:
        raise UsageFault("--left-right tells the two sides of one range A...B", hint="As in: gv rev-list --left-right main...topic")
    return {entry.oid for entry in log(repo.objects, [wanted.left], without=[wanted.right])}


def _counted(entries: Iterator[LogEntry], left: set[ObjectId] | None) -> Counted:
    oids = [entry.oid for entry in entries]
    if left is None:
        return Counted(len(oids))
    on_left = sum(oid in left for oid in oids)
    return Counted(len(oids), on_left, len(oids) - on_left)


def _listed(chosen: Chosen, entries: Iterator[LogEntry], left: set[ObjectId] | None, *, parents: bool) -> Iterator[Listed]:
    for entry in entries:
        side = None if left is None else "<" if entry.oid in left else ">"
        yield Listed(entry.oid, "commit", parents=chosen.parents(entry) if parents else None, side=side)


def _objects(repo: Repository, wanted: RevRange, entries: list[LogEntry]) -> Iterator[Listed]:
    """Yields the commits, then what they hold and the commits left out next to them do not, each once."""
    from gvstore.objects.commit import Commit
    from gvstore.objects.tree import Mode
    from gvstore.repo.files import read_level

    yield from (Listed(entry.oid, "commit") for entry in entries)
    inside = {entry.oid for entry in entries}
    edge = {parent for entry in entries for parent in entry.commit.parents if parent not in inside} if wanted.without else set()
    seen: set[ObjectId] = set()
    before = [Commit.get(repo.objects, oid) for oid in edge]
    for commit, told in [*((each, False) for each in before), *((entry.commit, True) for entry in entries)]:
        stack = [("", commit.tree, Mode.FOLDER)]
        while stack:
            path, oid, mode = stack.pop()
            if oid in seen:
                continue
            seen.add(oid)
            if told:
                yield Listed(oid, "tree" if mode is Mode.FOLDER else "blob", path=path)
            if mode is Mode.FOLDER:
                base = path + "/" if path else ""
                below = [(base + name, entry.oid, entry.mode) for name, entry in read_level(repo.objects, oid).items()]
                stack += reversed(below)
        for kind, named in (("component", commit.components), ("value", commit.values)):
            for name, oid in named.items():
                if oid not in seen and told:
                    yield Listed(oid, kind, path="::" + name)
                seen.add(oid)
