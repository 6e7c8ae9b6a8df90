"""gv merge-base: where two lines of commits parted."""

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
class MergeBases:
    """The best commits that lead to both: none where the two are not related."""

    commits: tuple[ObjectId, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        return (oid.hex() for oid in self.commits)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """Whether one commit leads to another."""

    is_ancestor: bool

    def lines(self, paint: Paint) -> Iterator[str]:
        return iter(())


@click.command("merge-base", cls=Command)
@click.option("--is-ancestor", is_flag=True, help="Print nothing; exit with 0 if A is B or leads to it, with 1 if not")
@click.option("-a", "--all", "every", is_flag=True, help="Print all, where crosswise merges leave several")
@click.argument("a")
@click.argument("b")
@pass_context
def command(cx: CommandContext, is_ancestor: bool, every: bool, a: str, b: str) -> int:
    """Print the commit where two lines parted (plumbing)

    Exits with 1 where they have no commit in common.

    \b
    Example:
      gv merge-base main wip
      gv merge-base --is-ancestor v1 HEAD && echo "v1 is in"
    """
    from gvstore.cli.plumbing import NO
    from gvstore.repo import history

    if is_ancestor and every:
        raise UsageFault("--is-ancestor prints no commits, so --all means nothing", hint="Leave one of them out.")
    repo = cx.repository
    left, right = repo.resolve_commit(a), repo.resolve_commit(b)
    if is_ancestor:
        leads = history.is_ancestor(repo.objects, left, right)
        cx.output.result(Ancestry(leads))
        return 0 if leads else NO
    found = history.merge_bases(repo.objects, left, right)
    cx.output.result(MergeBases(tuple(found if every else found[:1])))
    return 0 if found else NO
