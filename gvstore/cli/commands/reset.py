"""gv reset: moves the branch to another commit, and with --hard the files too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class ResetShown:
    """What the reset did; `before` is where HEAD was, `gave_way` are files that held what no commit has: undo brings them back."""

    commit: ObjectId
    before: ObjectId | None
    branch: str | None
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    gave_way: tuple[str, ...]
    missing: tuple[str, ...]
    subject: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        counts = [f"{units.count(len(self.written), 'file')} written"] if self.written else []
        counts += [f"{len(self.deleted):,} deleted"] if self.deleted else []
        place = paint("ref", self.branch) if self.branch else paint("head", "HEAD")
        at = f"{paint('oid', self.commit.hex()[:8])} {self.subject}"
        stays = "stays" if self.commit == self.before else "is"
        yield f"{place} {stays} at {at}{'   ' * bool(counts)}{', '.join(counts)}"


@click.command("reset", cls=Command)
@click.argument("rev", default="HEAD")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@click.option("--soft", is_flag=True, help="Keep the files as they are (the default)")
@click.option("--mixed", is_flag=True, hidden=True, help="A habit of git's: the same, for there is no staging area")
@click.option("--hard", is_flag=True, help="Bring the files to the commit's too; `gv undo` brings back what gives way")
@pass_context
def command(cx: CommandContext, rev: str, paths: tuple[str, ...], soft: bool, mixed: bool, hard: bool) -> None:
    """Move the branch to another commit, keeping the files or not

    The branch, or HEAD where it is on none, goes to REV; the files stay, and what differs shows in `gv status`.  With
    --hard they are brought to REV's, edits included: what gives way is stored first, so nothing is lost.  Files that no
    commit speaks of stay.

    \b
    Example:
      gv reset main~1
      gv reset --hard
    """
    from gvstore import host
    from gvstore.objects.commit import Commit
    from gvstore.repo.reset import reset

    if hard and (soft or mixed):
        raise UsageFault("the files are either kept or not", hint="`gv reset REV` keeps them, `gv reset --hard REV` does not.")
    repo = cx.repository
    behind_dashes = cx.behind_dashes
    if paths or (behind_dashes and rev == behind_dashes[0]):
        names = " ".join(paths if not behind_dashes or rev != behind_dashes[0] else (rev, *paths))
        source = f" --source {rev}" if rev not in ("HEAD", "@", *behind_dashes) else ""
        raise UsageFault(
            "there is no staging area to reset files in", hint=f"For the files themselves: `gv restore{source} {names}`."
        )
    try:
        oid = repo.resolve_commit(rev)
    except BadRev as e:
        if (cx.folder / rev).exists():
            e.hint = f"For the file: `gv restore {rev}`."
        raise
    done = reset(repo, oid, rev=rev, hard=hard, author=repo.author(), now=host.now_us())
    if done.gave_way:
        cx.output.status(
            f"{units.count(len(done.gave_way), 'file')} with what no commit has gave way: `gv undo` brings "
            f"{'it' if len(done.gave_way) == 1 else 'them'} back."
        )
    subject = Commit.get(repo.objects, oid).message.partition("\n")[0]
    cx.output.result(
        ResetShown(done.commit, done.before, done.branch, done.written, done.deleted, done.gave_way, done.missing, subject)
    )
