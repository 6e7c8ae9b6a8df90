"""Annotated tags as `gv show` prints them: who made it, when and why, then what it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.output import Output, Result
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import TAGS

if TYPE_CHECKING:
    from gvstore.cli.subject import Subject
    from gvstore.repo import Repository
    from gvstore.repo.tag import TagEntry


@dataclass(frozen=True, slots=True)
class TagShown:
    """An annotated tag, and in `shown` what `gv show` tells of what it leads to."""

    tag: str
    oid: ObjectId
    target: ObjectId
    author: str
    created_at: datetime
    message: str
    shown: Result

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('title', 'tag')} {paint('ref', self.tag)}  {paint('oid', self.oid.hex()[:8])}"
        yield f"{self.author}  {units.local(self.created_at)}"
        yield ""
        yield from (f"    {line}".rstrip() for line in self.message.rstrip("\n").split("\n"))
        yield ""
        yield from self.shown.lines(paint)


def annotated(repo: Repository, subject: Subject) -> TagEntry | None:
    """Returns the annotated tag that was named, if one was, and nothing behind it."""
    from gvstore.repo.tag import find_tag

    ref = subject.resolved.ref
    if not ref.startswith(TAGS) or subject.part:
        return None
    found = find_tag(repo, ref[len(TAGS) :])
    return found if found is not None and found.tag is not None else None


def shows(output: Output, entry: TagEntry | None) -> Callable[[Result], None]:
    """Returns what prints an answer, below the annotated tag by which it was named."""

    def show(answer: Result) -> None:
        tag = entry.tag if entry is not None else None
        if entry is not None and tag is not None:
            answer = TagShown(entry.name, entry.oid, entry.target, tag.author, units.moment(tag.created_at), tag.message, answer)
        output.result(answer, paged=True)

    return show
