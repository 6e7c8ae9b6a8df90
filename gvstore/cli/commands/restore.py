"""gv restore: brings files back to what a commit, or a run's code, has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault


@dataclass(frozen=True, slots=True)
class Restored:
    """Files that were brought back; `gave_way` are those that held what no commit has: undo brings them back."""

    source: str
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    gave_way: tuple[str, ...]
    missing: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        if not self.written and not self.deleted:
            yield f"nothing to do: the files are as in {self.source}"
            return
        counts = [f"{units.count(len(self.written), 'file')} brought back"] if self.written else []
        counts += [f"{units.count(len(self.deleted), 'file')} deleted" if not counts else f"{len(self.deleted):,} deleted"] if self.deleted else []
        yield f"{', '.join(counts)}, as in {self.source}"


@click.command("restore", cls=Command)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path())
@click.option("-s", "--source", metavar="REV", default="HEAD", help="Take them from this commit or run; else from HEAD")
@click.option("-S", "--staged", is_flag=True, hidden=True, help="A habit of git's: there is no staging area")
@click.option("-W", "--worktree", is_flag=True, hidden=True, help="A habit of git's: what it does anyway")
@pass_context
def command(cx: CommandContext, paths: tuple[str, ...], source: str, staged: bool, worktree: bool) -> None:
    """Bring files back to what a commit or a run has

    Edits are overwritten, without a question: what gives way is stored first, and `gv undo` brings it back.  Folders are
    taken whole, `.` is all; a file that HEAD has and REV has not is deleted, one that no commit has stays.

    \b
    Example:
      gv restore agent.py
      gv restore --source main~2 prompts/
    """
    from gvstore.repo.fault import printable
    from gvstore.repo.path import insides

    if staged and not worktree:
        raise UsageFault("there is no staging area", hint="`gv restore PATH...` brings the files of the work tree back.")
    repo = cx.repository
    inside = insides(repo.path, paths, cwd=cx.folder) or ()
    done = repo.restore(inside, source=source)
    for path, told in done.missing.items():
        cx.output.warning(f"{printable(path)} {told}; it is missing here")
    if done.gave_way:
        cx.output.status(
            f"{units.count(len(done.gave_way), 'file')} with what no commit has gave way: `gv undo` brings "
            f"{'it' if len(done.gave_way) == 1 else 'them'} back."
        )
    cx.output.result(Restored(source, done.written, done.deleted, done.gave_way, tuple(done.missing)))
