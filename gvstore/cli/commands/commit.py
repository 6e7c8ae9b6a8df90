"""gv commit: keeps the work tree, its components, and the finished runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, TextIO

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.code.discover import Unparsable
    from gvstore.journal.repository import Repository


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was made now; the numbers are of what it adds or changes beside its parent."""

    oid: ObjectId
    branch: str | None
    message: str
    author: str
    created_at: datetime
    parents: tuple[ObjectId, ...]
    files: int
    components: int
    runs: int
    values: int

    def lines(self, paint: Paint) -> Iterator[str]:
        place = paint("ref", self.branch) if self.branch else paint("head", "detached HEAD")
        counts = (
            [units.count(self.files, "file")] if self.files or not (self.components or self.runs or self.values) else []
        )
        counts += [units.count(self.components, "component")] if self.components else []
        counts += [units.count(self.runs, "run")] if self.runs else []
        counts += [units.count(self.values, "value")] if self.values else []
        subject = self.message.partition("\n")[0]
        yield f"[{place} {paint('oid', self.oid.hex()[:8])}] {subject}   {', '.join(counts)}"


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that would be committed as added, modified or deleted."""

    path: str
    change: str


@dataclass(frozen=True, slots=True)
class WouldCommit:
    """What a commit would take, beside the one before."""

    branch: str | None
    files: tuple[PlannedFile, ...]
    runs: tuple[str, ...]
    values: tuple[str, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"would commit on {paint('ref', self.branch) if self.branch else paint('head', 'detached HEAD')}:"
        for file in self.files:
            role = {"added": "added", "modified": "changed", "deleted": "removed"}[file.change]
            yield f"  {paint(role, file.change.ljust(9))} {printable(file.path)}"
        for name in self.runs:
            yield f"  {'run'.ljust(9)} {paint('run', name)}"
        for name in self.values:
            yield f"  {'value'.ljust(9)} {paint('ref', name)}"


@click.command("commit", cls=Command)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@click.option(
    "-m",
    "--message",
    "messages",
    metavar="TEXT",
    multiple=True,
    help="Say what changed; a further one is a paragraph of its own (can be repeated)",
)
@click.option(
    "-F", "--file", "message_file", type=click.File(encoding="utf-8"), help="Take the message from a file, - for stdin"
)
@click.option("--amend", is_flag=True, help="Make the last commit anew, with its message, author and runs")
@click.option("--reset-author", is_flag=True, help="With --amend: be its author")
@click.option("--author", metavar="NAME", help="Name somebody else as its author, as in 'Ada <ada@example.org>'")
@click.option("-C", "reuse", metavar="REV", help="Take message and author of another commit")
@click.option("-e", "--edit", is_flag=True, help="Edit the message, wherever it comes from")
@click.option("--no-edit", is_flag=True, hidden=True, help="A habit of git's: what --amend does anyway")
@click.option("-a", "--all", "everything", is_flag=True, hidden=True, help="A habit of git's: what it does anyway")
@click.option("--dry-run", is_flag=True, help="Say what would be committed, and commit nothing")
@click.option("-n", "--no-verify", is_flag=True, help="Do not run the hook pre-commit")
@click.option("--allow-empty", is_flag=True, help="Commit although nothing changed")
@click.option("--allow-large", is_flag=True, help="Take files of more than commit.large bytes (50 MB)")
@click.option("--allow-conflicts", is_flag=True, help="Conclude a merge although conflicts of it are left")
@click.option("--allow-secret", is_flag=True, help="Take files that seem to hold keys")
@pass_context
def command(
    cx: CommandContext,
    paths: tuple[str, ...],
    messages: tuple[str, ...],
    message_file: TextIO | None,
    amend: bool,
    reset_author: bool,
    author: str | None,
    reuse: str | None,
    edit: bool,
    no_edit: bool,
    everything: bool,
    dry_run: bool,
    no_verify: bool,
    allow_empty: bool,
    allow_large: bool,
    allow_conflicts: bool,
    allow_secret: bool,
) -> None:
    """Commit the work tree and the finished runs

    There is no staging area: all files are taken, or with PATH those, the rest staying as in the last commit.  What
    .gvignore and .gitignore name is left out.  Large files and files with keys stop a commit, naming the line for
    .gvignore.  Without a message an editor asks for it, on a terminal, or where GV_EDITOR names one.  -C is REV here: a
    folder is given in front, `gv -C DIR commit`.  The hooks pre-commit and post-commit run before and after.

    \b
    Example:
      gv commit -m "first rolls"
      gv commit --amend
    """
    from gvstore.cli import hooked
    from gvstore.repo.path import insides

    if reset_author and not amend:
        raise UsageFault("--reset-author goes with --amend", hint="A new commit is by you anyway.")
    repo = cx.journal
    inside = insides(repo.path, paths or None, cwd=cx.folder)
    if dry_run:
        cx.output.result(_planned(repo, inside, empty=allow_empty or amend))
        return
    if message_file is not None:
        messages = (*messages, message_file.read())
    given = "\n\n".join(messages) if messages else None
    message, author = _message(cx, repo, given, reuse, author=author, amend=amend, edit=edit, no_edit=no_edit)
    if not no_verify:
        hooked.before(cx, repo, "pre-commit")
    plain = partial(repo.commit, allow_conflicts=allow_conflicts)
    make = partial(repo.amend, reset_author=reset_author) if amend else plain
    oid = make(
        message or "",
        author=author,
        paths=inside,
        allow_empty=allow_empty,
        allow_large=allow_large,
        allow_secret=allow_secret,
        unread=partial(_tell_unread, cx),
    )
    cx.output.result(_committed(repo.objects, oid, repo.branch))
    hooked.after(cx, repo, "post-commit", GV_COMMIT=oid.hex())


def _tell_unread(cx: CommandContext, each: Unparsable) -> None:
    line = f", line {each.line}" if each.line else ""
    cx.output.warning(f"{each.path} is no Python ({each.why}{line}): no components of it are known")


def _message(
    cx: CommandContext,
    repo: Repository,
    given: str | None,
    reuse: str | None,
    *,
    author: str | None,
    amend: bool,
    edit: bool,
    no_edit: bool,
) -> tuple[str | None, str | None]:
    """Returns message and author, None for what the amended commit has, or who commits."""
    from gvstore.cli.commit_message import can_edit, edited_message

    other = Commit.get(repo.objects, repo.resolve_commit(reuse)) if reuse is not None else None
    if other is not None and given is not None:
        raise UsageFault("the message is either given or taken from a commit", hint="`gv commit -C REV`, or `gv commit -m TEXT`.")
    if given is not None and not given.strip() and not edit:
        raise UsageFault("the message is empty", hint='Say what changed: `gv commit -m "..."`.')
    message = other.message if other is not None else given
    if author is not None and not author.strip():
        raise UsageFault("an author has a name", hint="As in --author 'Ada <ada@example.org>'.")
    author = author if author is not None or other is None else other.author
    waiting = _waiting_message(repo)
    edit = edit or (amend and message is None and not no_edit and can_edit(cx))
    if edit or (message is None and not amend and not waiting):
        if not can_edit(cx):
            raise UsageFault("a commit needs a message", hint='Say what changed: `gv commit -m "..."`.')
        old = Commit.get(repo.objects, repo.head).message if amend and message is None and repo.head is not None else ""
        from gvstore.cli.commands.status import worktree_status
        from gvstore.cli.style import PLAIN

        message = edited_message(cx, repo, message or old or waiting, worktree_status(repo).lines(PLAIN))
    return message, author


def _planned(repo: Repository, paths: Sequence[str] | None, *, empty: bool) -> WouldCommit:
    """Returns what a commit would take.

    Raises:
        NothingToCommit: nothing.
    """
    from gvstore.cli.commands.status import worktree_status
    from gvstore.repo.fault import NothingToCommit
    from gvstore.repo.path import under

    found = worktree_status(repo)
    files = tuple(
        PlannedFile(path, change)
        for change in ("added", "modified", "deleted")
        for path in getattr(found, change)
        if paths is None or under(path, paths)
    )
    for moved in found.renamed:
        if paths is None or under(moved.old, paths):
            files += (PlannedFile(moved.old, "deleted"),)
        if paths is None or under(moved.new, paths):
            files += (PlannedFile(moved.new, "added"),)
    if not (files or found.runs or found.values or empty):
        raise NothingToCommit(first=repo.head is None)
    return WouldCommit(repo.branch, tuple(sorted(files, key=lambda each: each.path)), found.runs, found.values)


def _committed(reader: ObjectReader, oid: ObjectId, branch: str | None) -> Committed:
    """Returns what the commit adds beside its parent."""
    from gvstore.compare.trees import diff_trees

    commit = Commit.get(reader, oid)
    before = Commit.get(reader, commit.parents[0]) if commit.parents else None
    return Committed(
        oid=oid,
        branch=branch,
        message=commit.message,
        author=commit.author,
        created_at=units.moment(commit.created_at),
        parents=commit.parents,
        files=len(diff_trees(reader, before.tree if before else None, commit.tree)),
        components=_changed(commit.components, before.components if before else {}),
        runs=len(commit.runs),
        values=_changed(commit.values, before.values if before else {}),
    )


def _waiting_message(repo: Repository) -> str:
    """Returns the message that what the commit concludes brings: a merge, say."""
    from gvstore.repo.pending import pending_of

    pending = pending_of(repo)
    return pending.message if pending is not None else ""


def _changed(now: dict[str, ObjectId], before: dict[str, ObjectId]) -> int:
    """Returns how many names came, went, or stand for something else."""
    return sum(now.get(name) != before.get(name) for name in now.keys() | before)
