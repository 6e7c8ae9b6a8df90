"""gv tag: names that stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, TextIO

import click

from gvstore.cli.cells import cells, pad
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.journal.repository import Repository
    from gvstore.repo.tag import TagEntry


@dataclass(frozen=True, slots=True)
class TagListed:
    """A tag: `oid` is what its ref holds, `target` what it leads to; author, time and message are those of an annotated one."""

    name: str
    oid: ObjectId
    target: ObjectId
    kind: str
    run: int | None
    annotated: bool
    author: str | None
    created_at: datetime | None
    message: str | None
    shown: str = field(metadata=HIDDEN)  # how to type what it leads to
    told: tuple[str, ...] = field(metadata=HIDDEN)  # lines of its message, or of what it leads to

    def lines(self, paint: Paint, width: int = 0) -> Iterator[str]:
        first = f"  {self.told[0]}" if self.told else ""
        yield f"{paint('ref', pad(self.name, width))}  {paint('run' if self.run else 'oid', self.shown)}{first}"
        yield from (f"    {line}".rstrip() for line in self.told[1:])


@dataclass(frozen=True, slots=True)
class Tags:
    """The tags."""

    tags: tuple[TagListed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        width = max((cells(each.name) for each in self.tags), default=0)
        for each in self.tags:
            yield from each.lines(paint, width)


@dataclass(frozen=True, slots=True)
class TagChanged:
    """What was done to a tag: `action` is made, moved or deleted; `before` is where a moved one was."""

    action: str
    name: str
    target: ObjectId
    before: ObjectId | None
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        was = f", was {self.before.hex()[:8]}" if self.before is not None else ""
        yield f"{self.action} {paint('ref', self.name)} at {self.shown}{was}"


@dataclass(frozen=True, slots=True)
class TagsDeleted:
    """Several tags that were deleted."""

    tags: tuple[TagChanged, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.tags:
            yield from each.lines(paint)


@click.command("tag", cls=Command)
@click.argument("names", nargs=-1, metavar="[NAME] [REV]")
@click.option("-l", "--list", "pattern", metavar="PATTERN", is_flag=False, flag_value="*", help="List the tags whose names fit, as in 'v1.*'")
@click.option("-n", "lines", metavar="N", type=click.IntRange(min=0), is_flag=False, flag_value=1, help="List N lines of what each tag says, 1 if not told")
@click.option("--sort", metavar="KEY", help="Sort by name, version or date; with - before it, backwards")
@click.option("-a", "--annotate", is_flag=True, help="Make an annotated tag: one that says who made it, when and why")
@click.option("-m", "--message", "messages", metavar="TEXT", multiple=True, help="Say why (can be repeated)")
@click.option("-F", "--file", "message_file", type=click.File(encoding="utf-8"), help="Take the message from a file, - for stdin")
@click.option("-d", "--delete", is_flag=True, help="Delete the tags of these names")
@click.option("-f", "--force", is_flag=True, help="Move NAME if it is there")
@pass_context
def command(
    cx: CommandContext, names: tuple[str, ...], pattern: str | None, lines: int | None, sort: str | None, annotate: bool,
    messages: tuple[str, ...], message_file: TextIO | None, delete: bool, force: bool,
) -> None:  # fmt: skip
    """List, make or delete tags: names of commits, runs and values

    Without NAME all are listed.  A new tag stands at REV, else at HEAD, and stays there.  REV is a commit, a run (run/7)
    or a value; `gv runs` shows the tags of runs, and a run that has one is not lost by `gv rm`.

    \b
    Example:
      gv tag v1.0 main~1
      gv tag -m "the answer of the demo" best run/7
    """
    message = _message(messages, message_file, annotate=annotate)
    if delete:
        _check(bool(names), "-d takes the names of tags")
        _check(message is None and pattern is None, "-d takes the names of tags, and nothing else")
        _delete(cx, names)
    elif names and pattern is None and sort is None and lines is None:
        _check(len(names) <= 2, "a tag takes one name and one rev")
        _make(cx, names[0], names[1] if len(names) > 1 else "HEAD", message, force=force)
    else:
        _check(message is None and not force, "a tag needs a name")
        _check(not names, f"what is listed is told by -l: `gv tag -l {' '.join(names)}`")
        entries = _sorted(cx.journal, sort or "name", pattern)
        if not entries:
            cx.output.status("no tags" + (f" like {pattern}" if pattern else " yet: `gv tag NAME REV` makes one"))
        cx.output.result(Tags(tuple(_listed(cx.journal, each, 1 if lines is None else lines) for each in entries)))


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise UsageFault(why, hint="`gv tag --help` shows how.")


def _message(messages: tuple[str, ...], file: TextIO | None, *, annotate: bool) -> str | None:
    texts = [*messages, *([file.read()] if file is not None else [])]
    if annotate and not texts:
        raise UsageFault("an annotated tag needs a message", hint='Say why: `gv tag -a -m "..." NAME`.')
    return "\n\n".join(texts) if texts else None


def _make(cx: CommandContext, name: str, rev: str, message: str | None, *, force: bool) -> None:
    from gvstore import host
    from gvstore.repo.resolve import Found
    from gvstore.repo.tag import create_tag

    repo = cx.journal
    found = repo.resolve(rev, wanted=frozenset({Found.COMMIT, Found.RUN}))
    if found.found is Found.CALL:
        raise UsageFault(f"{rev} is a part of a run, and a tag names a whole thing", hint="Tag the run.")
    oid = found.oid
    if found.found is Found.RUN:
        oid = repo.settled(repo.run_of(found)).oid
    assert oid is not None
    before = create_tag(repo, name, oid, author=repo.author(), now=host.now_us(), message=message, force=force)
    cx.output.result(TagChanged("moved" if before else "made", name, oid, before, _typed(repo, oid)))


def _delete(cx: CommandContext, names: tuple[str, ...]) -> None:
    from gvstore import host
    from gvstore.repo.tag import delete_tags

    repo = cx.journal
    gone = delete_tags(repo, names, author=repo.author(), now=host.now_us())
    told = tuple(TagChanged("deleted", each.name, each.target, None, _typed(repo, each.target)) for each in gone)
    cx.output.result(told[0] if len(told) == 1 else TagsDeleted(told))


def _typed(repo: Repository, oid: ObjectId) -> str:
    """Returns how to type an object: `run/7`, or its abbreviated oid."""
    number = repo.refs.run_number(oid)
    return oid.hex()[:8] if number is None else f"run/{number}"


def _sorted(repo: Repository, key: str, pattern: str | None) -> list[TagEntry]:
    import fnmatch
    import re

    from gvstore.repo.tag import tags

    entries = [each for each in tags(repo) if pattern is None or fnmatch.fnmatchcase(each.name, pattern)]
    word = key.removeprefix("-")
    if word == "date":
        entries.sort(key=lambda each: _moment(repo, each))
    elif word == "version":
        entries.sort(key=lambda each: [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in re.split(r"([0-9]+)", each.name)])
    elif word != "name":
        raise UsageFault(f"tags are not sorted by {word!r}", hint="Sort them by name, version or date: `gv tag --sort=-date`.")
    return entries[::-1] if key.startswith("-") else entries


def _moment(repo: Repository, entry: TagEntry) -> int:
    """Returns when a tag was made, or, of a light one, what it leads to."""
    from gvstore.objects.commit import Commit
    from gvstore.objects.kind import Kind
    from gvstore.objects.run import Run

    if entry.tag is not None:
        return entry.tag.created_at
    if entry.kind == Kind.COMMIT:
        return Commit.get(repo.objects, entry.target).created_at
    return Run.get(repo.objects, entry.target).started_at if entry.kind == Kind.RUN else 0


def _listed(repo: Repository, entry: TagEntry, lines: int) -> TagListed:
    from gvstore.cli import units
    from gvstore.objects.commit import Commit
    from gvstore.objects.kind import Kind
    from gvstore.objects.run import Run

    tag, kind = entry.tag, Kind(entry.kind).word if entry.kind else "damaged"
    text = tag.message if tag is not None else ""
    if tag is None and entry.kind == Kind.COMMIT:
        text = Commit.get(repo.objects, entry.target).message
    elif tag is None and entry.kind == Kind.RUN:
        run = Run.get(repo.objects, entry.target)
        text = run.message or run.target
    return TagListed(
        name=entry.name, oid=entry.oid, target=entry.target, kind=kind, run=repo.refs.run_number(entry.target),
        annotated=tag is not None, author=tag.author if tag else None,
        created_at=units.moment(tag.created_at) if tag else None, message=tag.message if tag else None,
        shown=_typed(repo, entry.target), told=tuple(text.strip().split("\n")[:lines]) if text.strip() else (),
    )  # fmt: skip
