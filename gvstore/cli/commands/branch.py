"""gv branch: names of commits that move with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from gvstore.cli.cells import cells, pad
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

    def lines(self, paint: Paint, width: int = 0) -> Iterator[str]:
        mark = paint("head", "*") if self.current else " "
        oid = paint("oid", self.oid.hex()[:8]) if self.oid is not None else "no commit yet"
        yield f"{mark} {paint('ref', pad(self.name, width))}  {oid}{'  ' + self.message if self.message else ''}"


@dataclass(frozen=True, slots=True)
class Branches:
    """All branches by name, and where HEAD is when it is on none."""

    branches: tuple[BranchListed, ...]
    detached_at: ObjectId | None

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.detached_at is not None:
            yield f"{paint('head', '*')} (HEAD detached at {paint('oid', self.detached_at.hex()[:8])})"
        width = max((cells(branch.name) for branch in self.branches), default=0)
        for branch in self.branches:
            yield from branch.lines(paint, width)


@dataclass(frozen=True, slots=True)
class BranchChanged:
    """What was done to a branch: `action` is made, moved, deleted or renamed."""

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


@dataclass(frozen=True, slots=True)
class BranchesDeleted:
    """Several branches that were deleted."""

    branches: tuple[BranchChanged, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        for each in self.branches:
            yield from each.lines(paint)


@dataclass(frozen=True, slots=True)
class ShownBranch:
    """The branch that HEAD is on, or null."""

    branch: str | None

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.branch is not None:
            yield self.branch


@click.command("branch", cls=Command)
@click.argument("names", nargs=-1, metavar="[NAME] [START]")
@click.option("-d", "--delete", "delete", is_flag=True, help="Delete these branches, if others lead to their commits")
@click.option("-D", "force_delete", is_flag=True, help="Delete these branches, whatever leads to their commits")
@click.option("-m", "--move", "move", is_flag=True, help="Rename the branch NAME, or else the current one, to the last word")
@click.option("-f", "--force", is_flag=True, help="Move NAME to START if it is there")
@click.option("--show-current", is_flag=True, help="Print the name of the current branch alone, or nothing")
@click.option("-l", "--list", "pattern", metavar="PATTERN", is_flag=False, flag_value="*", help="List the branches whose names fit, as in 'try-*'")
@click.option("--merged", metavar="REV", is_flag=False, flag_value="HEAD", help="List those that REV, else HEAD, has all of")
@click.option("--no-merged", metavar="REV", is_flag=False, flag_value="HEAD", help="List those that have more than REV, else HEAD")
@click.option("--contains", metavar="REV", is_flag=False, flag_value="HEAD", help="List those that lead to REV, else to HEAD")
@click.option("-a", "--all", "-v", "--verbose", "habit", is_flag=True, hidden=True, help="Habits of git's: what it does anyway")
@pass_context
def command(
    cx: CommandContext, names: tuple[str, ...], delete: bool, force_delete: bool, move: bool, force: bool,
    show_current: bool, pattern: str | None, merged: str | None, no_merged: str | None, contains: str | None, habit: bool,
) -> None:  # fmt: skip
    """List, make, rename or delete branches

    Without NAME all are listed.  A new branch stands at START, else at HEAD; `gv switch NAME` goes there.
    `gv branch -m OLD NEW` renames one, `gv branch -m NEW` the current one.

    \b
    Example:
      gv branch try-seven main~1
      gv branch --merged
    """
    lists = any(each is not None for each in (pattern, merged, no_merged, contains))
    _check(delete + force_delete + move + force + show_current + lists <= 1, "one thing at a time")
    if show_current:
        _check(not names, "--show-current takes no name")
        cx.output.result(ShownBranch(cx.repository.branch))
    elif delete or force_delete:
        _check(bool(names), "-d takes the names of branches")
        _delete(cx, names, force=force_delete)
    elif move:
        _check(1 <= len(names) <= 2, "-m takes the new name, after the old one if that is not the current branch's")
        _rename(cx, names)
    elif lists:
        _check(not names, "what is listed is told by options: `gv branch -l PATTERN`")
        cx.output.result(_listed(cx, pattern or "*", merged, no_merged, contains))
    elif names:
        _check(len(names) <= 2, "a branch takes one name and one rev")
        _make(cx, names[0], names[1] if len(names) > 1 else "HEAD", force=force)
    else:
        _check(not force, "-f takes the name of a branch")
        cx.output.result(_listed(cx, "*", None, None, None))


def _check(holds: bool, why: str) -> None:
    if not holds:
        raise UsageFault(why, hint="`gv branch --help` shows how.")


def _make(cx: CommandContext, name: str, start: str, *, force: bool) -> None:
    from gvstore import host
    from gvstore.repo.branch import create_branch

    repo = cx.repository
    oid = repo.resolve_commit(start)
    before = create_branch(repo, name, oid, author=repo.author(), now=host.now_us(), force=force)
    cx.output.result(BranchChanged("moved" if before else "made", name, oid, None))


def _delete(cx: CommandContext, names: tuple[str, ...], *, force: bool) -> None:
    from gvstore import host
    from gvstore.repo.branch import delete_branches

    repo = cx.repository
    names = tuple(dict.fromkeys(names))
    gone = delete_branches(repo, names, force=force, author=repo.author(), now=host.now_us())
    told = tuple(BranchChanged("deleted", name, oid, None) for name, oid in zip(names, gone, strict=True))
    cx.output.result(told[0] if len(told) == 1 else BranchesDeleted(told))


def _rename(cx: CommandContext, names: tuple[str, ...]) -> None:
    old = names[0] if len(names) == 2 else cx.repository.branch
    if old is None:
        raise UsageFault("HEAD is on no branch", hint="Name the branch: `gv branch -m OLD NEW`.")
    cx.repository.rename_branch(old, names[-1])
    cx.output.result(BranchChanged("renamed", names[-1], cx.repository.refs.resolve(branch_ref(names[-1])), old))


def _listed(
    cx: CommandContext, pattern: str, merged: str | None, no_merged: str | None, contains: str | None
) -> Branches:
    """Returns the branches that pass: each test is asked in the words of git's option."""
    from fnmatch import fnmatchcase

    from gvstore.objects.commit import Commit
    from gvstore.repo.history import is_ancestor

    repo = cx.repository
    into, beyond, of = (repo.resolve_commit(rev) if rev is not None else None for rev in (merged, no_merged, contains))
    tested = merged is not None or no_merged is not None or contains is not None
    rows = []
    for branch in repo.branches():
        if not fnmatchcase(branch.name, pattern) or (tested and branch.oid is None):
            continue
        if branch.oid is not None and (
            (into is not None and not is_ancestor(repo.objects, branch.oid, into))
            or (beyond is not None and is_ancestor(repo.objects, branch.oid, beyond))
            or (of is not None and not is_ancestor(repo.objects, of, branch.oid))
        ):
            continue
        message = Commit.get(repo.objects, branch.oid).message.partition("\n")[0] if branch.oid else None
        rows.append(BranchListed(branch.name, branch.oid, branch.current, message))
    return Branches(tuple(rows), repo.head if repo.branch is None and not tested and pattern == "*" else None)
