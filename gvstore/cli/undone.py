"""What `gv undo` and `gv redo` say of what they did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.context import CommandContext
from gvstore.cli.ref_value import described, move_line
from gvstore.cli.style import Paint
from gvstore.refs.names import short_name
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.repo import Repository
    from gvstore.repo.undo import Undone

_FILES = 10


@dataclass(frozen=True, slots=True)
class OperationNamed:
    """An operation by its number and command."""

    number: int
    command: str


@dataclass(frozen=True, slots=True)
class RefMove:
    """A ref that moved; `old` and `new` are its values, null where there was none."""

    name: str
    old: str | None
    new: str | None
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class UndoneShown:
    """What an undo took back, or a redo did again; `left` are refs that had moved on, `unfinished` a command that had been cut off."""

    action: str
    operations: tuple[OperationNamed, ...]
    refs: tuple[RefMove, ...]
    left: tuple[str, ...]
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    unfinished: str | None
    dry_run: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        would = "would be " if self.dry_run else ""
        if self.unfinished:
            yield f"{would}{self.action}: `{self.unfinished}`, which did not end"
        for each in self.operations:
            yield f"{would}{self.action}: {each.number} {paint('title', each.command)}"
        for ref in self.refs:
            yield move_line(ref.name, ref.was, ref.now, paint)
        files = [("brought", path, "added") for path in self.written] + [("deleted", path, "removed") for path in self.deleted]
        for word, path, role in files[:_FILES]:
            yield f"  {paint(role, word)}  {printable(path)}"
        if len(files) > _FILES:
            yield f"  and {units.count(len(files) - _FILES, 'file')} more"
        for name in self.left:
            yield paint("quiet", f"  {name} has moved on and stays")


def show_undone(cx: CommandContext, repo: Repository, done: Undone, *, dry_run: bool) -> UndoneShown:
    """Returns the answer, and hints at the way back."""
    for each in done.passed:
        cx.output.warning(f"operation {each.number} ({each.command}) cannot be undone, and is passed over")
    if not dry_run and done.operations:
        cx.output.status("`gv redo` does it again." if done.action == "undone" else "`gv undo` takes it back.")
    return UndoneShown(
        action=done.action,
        operations=tuple(OperationNamed(each.number, each.command) for each in done.operations),
        refs=tuple(ref_move(repo, each.name, each.old, each.new) for each in done.refs),
        left=tuple(short_name(name) for name in done.left),
        written=done.written,
        deleted=done.deleted,
        unfinished=done.unfinished or None,
        dry_run=dry_run,
    )


def ref_move(repo: Repository, name: str, old: str, new: str) -> RefMove:
    """Returns a move ready to print."""
    return RefMove(short_name(name), old or None, new or None, described(repo, old), described(repo, new))
