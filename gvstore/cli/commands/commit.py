"""gv commit: keeps the work tree, its components, and the finished runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TextIO

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectReader


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
@click.option("--allow-empty", is_flag=True, help="Commit although nothing changed")
@click.option("--allow-large", is_flag=True, help="Take files of more than commit.large bytes (50 MB)")
@click.option("--allow-secret", is_flag=True, help="Take files that seem to hold keys")
@pass_context
def command(
    cx: CommandContext,
    paths: tuple[str, ...],
    messages: tuple[str, ...],
    message_file: TextIO | None,
    allow_empty: bool,
    allow_large: bool,
    allow_secret: bool,
) -> None:
    """Commit the work tree and the finished runs

    There is no staging area: all files are taken, or with PATH those, the rest staying as in the last commit.  What
    .gvignore and .gitignore name is left out.  Large files and files with keys stop a commit, naming the line for
    .gvignore.

    \b
    Example:
      gv commit -m "first rolls"
    """
    from gvstore.repo.path import insides

    if message_file is not None:
        messages = (*messages, message_file.read())
    if not messages:
        raise UsageFault("a commit needs a message", hint='Say what changed: `gv commit -m "..."`.')
    repo = cx.journal
    oid = repo.commit(
        "\n\n".join(messages),
        paths=insides(repo.path, paths or None, cwd=cx.folder),
        allow_empty=allow_empty,
        allow_large=allow_large,
        allow_secret=allow_secret,
        unread=lambda each: cx.output.warning(
            f"{each.path} is no Python ({each.why}{f', line {each.line}' if each.line else ''}): no components of it are known"
        ),
    )
    cx.output.result(_committed(repo.objects, oid, repo.branch))


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


def _changed(now: dict[str, ObjectId], before: dict[str, ObjectId]) -> int:
    """Returns how many names came, went, or stand for something else."""
    return sum(now.get(name) != before.get(name) for name in now.keys() | before)
