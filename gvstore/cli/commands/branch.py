"""gv branch: names of commits that move with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId


@dataclass(frozen=True, slots=True)
class BranchListed:
    """A branch; `oid` is null where it has no commit yet."""

    name: str
    oid: ObjectId | None
    current: bool
    message: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        mark = paint("head", "*") if self.current else " "
        oid = paint("oid", self.oid.hex()[:8]) if self.oid is not None else "no commit yet"
        yield f"{mark} {paint('ref', self.name)}  {oid}{'  ' + self.message if self.message else ''}"


@dataclass(frozen=True, slots=True)
class Branches:
    """All branches by name, and where HEAD is when it is on none."""

    branches: tuple[BranchListed, ...]
    detached_at: ObjectId | None

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.detached_at is not None:
            yield f"{paint('head', '*')} (HEAD detached at {paint('oid', self.detached_at.hex()[:8])})"
        for branch in self.branches:
            yield from branch.lines(paint)


@dataclass(frozen=True, slots=True)
class BranchChanged:
    """What was done to a branch: `action` is made, deleted or renamed."""

    action: str
    name: str
    oid: ObjectId | None
    old_name: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        name = paint("ref", self.name)
        if self.action == "renamed":
            yield f"renamed {self.old_name} to {name}"
        elif self.oid is not None:
            yield f"{self.action} {name} at {paint('oid', self.oid.hex()[:8])}"


@click.command("branch", cls=Command)
@click.argument("name", required=False)
@click.argument("start", required=False)
@click.option("-d", "--delete", "delete", is_flag=True, help="Delete NAME, if another branch leads to its commits")
@click.option("-D", "force_delete", is_flag=True, help="Delete NAME, whatever leads to its commits")
@click.option("-m", "--move", "new_name", metavar="NEW", help="Rename NAME, or else the current branch, to NEW")
@pass_context
def command(
    cx: CommandContext, name: str | None, start: str | None, delete: bool, force_delete: bool, new_name: str | None
) -> None:
    """List, make, rename or delete branches

    Without NAME all are listed.  A new branch stands at START, else at HEAD; `gv checkout NAME` goes there.

    \b
    Example:
      gv branch try-seven main~1
    """
    if delete or force_delete:
        _check(name is not None and start is None and new_name is None, "-d takes the name of one branch")
        assert name is not None
        oid = cx.repository.delete_branch(name, force=force_delete)
        cx.output.result(BranchChanged("deleted", name, oid, None))
    elif new_name is not None:
        _check(start is None, "-m takes one old name at most")
        old = name or cx.repository.branch
        if old is None:
            raise UsageFault("HEAD is on no branch", hint="Name the branch: `gv branch OLD -m NEW`.")
        cx.repository.rename_branch(old, new_name)
        cx.output.result(BranchChanged("renamed", new_name, cx.repository.resolve_commit(new_name), old))
    elif name is not None:
        oid = cx.repository.create_branch(name, start or "HEAD")
        cx.output.result(BranchChanged("made", name, oid, None))
    else:
        cx.output.result(_listed(cx))


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise UsageFault(why, hint="`gv branch --help` shows how.")


def _listed(cx: CommandContext) -> Branches:
    from gvstore.objects.commit import Commit

    repo = cx.repository
    rows = []
    for branch in repo.branches():
        message = Commit.get(repo.objects, branch.oid).message.partition("\n")[0] if branch.oid else None
        rows.append(BranchListed(branch.name, branch.oid, branch.current, message))
    return Branches(tuple(rows), repo.head if repo.branch is None else None)
