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
from gvstore.refs.names import branch_ref


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
@click.option("-m", "--move", "move", is_flag=True, help="Rename the branch NAME, or else the current one, to the last word")
@pass_context
def command(
    cx: CommandContext, name: str | None, start: str | None, delete: bool, force_delete: bool, move: bool
) -> None:
    """List, make, rename or delete branches

    Without NAME all are listed.  A new branch stands at START, else at HEAD; `gv checkout NAME` goes there.
    `gv branch -m OLD NEW` renames one, `gv branch -m NEW` the current one.

    \b
    Example:
      gv branch try-seven main~1
    """
    if delete or force_delete:
        _check(name is not None and start is None and not move, "-d takes the name of one branch")
        assert name is not None
        oid = cx.repository.delete_branch(name, force=force_delete)
        cx.output.result(BranchChanged("deleted", name, oid, None))
    elif move:
        _check(name is not None, "-m takes the new name, after the old one if that is not the current branch's")
        assert name is not None
        old, new = (name, start) if start is not None else (cx.repository.branch, name)
        if old is None:
            raise UsageFault("HEAD is on no branch", hint="Name the branch: `gv branch -m OLD NEW`.")
        cx.repository.rename_branch(old, new)
        cx.output.result(BranchChanged("renamed", new, cx.repository.refs.resolve(branch_ref(new)), old))
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
