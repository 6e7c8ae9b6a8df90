"""gv op: what each command did to this repository."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import CommandGroup, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.undone import RefMove, ref_move
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.repo import Repository

_NAMES = 4


@dataclass(frozen=True, slots=True)
class OperationListed:
    """What one command did; `undone` if it was taken back, `refs` are those that moved, `files` counts what moved in the work tree."""

    number: int
    oid: ObjectId
    command: str
    author: str
    created_at: datetime
    undone: bool
    refs: tuple[str, ...]
    files: int

    def lines(self, paint: Paint) -> Iterator[str]:
        names = list(self.refs[:_NAMES])
        names += [f"and {len(self.refs) - _NAMES} more"] if len(self.refs) > _NAMES else []
        names += [units.count(self.files, "file")] if self.files else []
        when, author = units.local(self.created_at), self.author.partition(" <")[0]
        command = printable(self.command)
        text = f"{when}  {author}  {paint('quiet', f'{command} (undone)') if self.undone else command}"
        yield f"{paint('title', str(self.number).rjust(4))}  {text}   {paint('quiet', ', '.join(names))}".rstrip()


@dataclass(frozen=True, slots=True)
class FileMoved:
    """A file that a command moved: written, changed or deleted."""

    path: str
    change: str


@dataclass(frozen=True, slots=True)
class OperationShown:
    """What one command did, in full."""

    number: int
    oid: ObjectId
    command: str
    author: str
    created_at: datetime
    refs: tuple[RefMove, ...]
    files: tuple[FileMoved, ...]
    undone: bool
    when: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        state = paint("quiet", " (undone)") if self.undone else ""
        yield f"operation {paint('title', str(self.number))}  {paint('title', printable(self.command))}{state}"
        yield f"{self.when}  {self.author}"
        for ref in self.refs:
            from gvstore.cli.ref_value import move_line

            yield move_line(ref.name, ref.was, ref.now, paint)
        for file in self.files:
            yield f"  {paint('changed', file.change)}  {printable(file.path)}"


@click.group("op", cls=CommandGroup)
def command() -> None:
    """Show what each command did

    Every command that moves refs or files of the work tree is one operation; `gv undo` takes them back.

    \b
    Example:
      gv op log -n 5
      gv op show 12
    """


@command.command("log")
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only")
@pass_context
def log(cx: CommandContext, limit: int | None) -> None:
    """List the operations, the newest first

    \b
    Example:
      gv op log -n 5
    """
    cx.output.stream(islice(_listed(cx.repository), limit), paged=True)


@command.command("show")
@click.argument("operation", default="@")
@pass_context
def show(cx: CommandContext, operation: str) -> None:
    """Show one operation, the newest or OPERATION: its number, or @{n}

    Each ref with its values before and after, and the files that moved.

    \b
    Example:
      gv op show 12
    """
    from gvstore.repo.operations import changes_of, files_of, find_operation, is_redo, parse_undo, standing

    repo = cx.repository
    entry = find_operation(repo, operation)
    moves = files_of(repo, entry)
    is_undo = is_redo(entry.command) or parse_undo(entry.command) is not None
    stands = is_undo or any(each.number == entry.number for each in standing(repo) if each.number <= entry.number)
    when = units.moment(entry.created_at)
    cx.output.result(
        OperationShown(
            number=entry.number,
            oid=entry.oid,
            command=entry.command,
            author=entry.author,
            created_at=when,
            refs=tuple(ref_move(repo, each.name, each.old, each.new) for each in changes_of(repo, entry)),
            files=tuple(
                FileMoved(path, "written" if old is None else "deleted" if new is None else "changed")
                for path, (old, new) in moves.items()
            ),
            undone=not stands,
            when=units.local(when),
        ),
        paged=True,
    )


def _listed(repo: Repository) -> Iterator[OperationListed]:
    from gvstore.refs.names import short_name
    from gvstore.repo.operations import changes_of, entries, files_of, is_redo, parse_undo, standing

    stands = standing(repo)
    following = next(stands, None)
    for entry in entries(repo):
        is_undo = is_redo(entry.command) or parse_undo(entry.command) is not None
        in_force = following is not None and following.number == entry.number
        if in_force:
            following = next(stands, None)
        yield OperationListed(
            number=entry.number,
            oid=entry.oid,
            command=entry.command,
            author=entry.author,
            created_at=units.moment(entry.created_at),
            undone=not (is_undo or in_force),
            refs=tuple(short_name(each.name) for each in changes_of(repo, entry)),
            files=len(files_of(repo, entry)),
        )
