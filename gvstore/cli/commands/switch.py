"""gv switch: goes onto a branch."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import BadRev, UsageFault


@click.command("switch", cls=Command)
@click.argument("branch", required=False)
@click.argument("start", required=False)
@click.option("-c", "--create", metavar="NAME", help="Make a branch at BRANCH, or else at HEAD, and go onto it")
@click.option("-C", "--force-create", "recreate", metavar="NAME", help="The same, moving NAME if it is there")
@click.option("-d", "--detach", is_flag=True, help="Go to a commit, and be on no branch")
@click.option("-f", "--discard-changes", "force", is_flag=True, help="Let unsaved files give way; `gv undo` brings them back")
@pass_context
def command(
    cx: CommandContext,
    branch: str | None,
    start: str | None,
    create: str | None,
    recreate: str | None,
    detach: bool,
    force: bool,
) -> None:
    """Go onto a branch

    The work tree is brought to the branch's commit; edits to files that are the same in both are taken along, and nothing
    unsaved is overwritten.  `-` is the branch that you were on before.  A branch that only another repository has is made here.

    \b
    Example:
      gv switch main
      gv switch -c try-seven
    """
    from gvstore.cli.checked_out import check_out
    from gvstore.refs.names import BRANCHES
    from gvstore.repo.resolve import UnknownRev

    made = create or recreate
    if start is not None or (create and recreate):
        raise UsageFault("gv switch takes one BRANCH", hint="`gv switch BRANCH`, `gv switch -c NAME [START]`.")
    if made and detach:
        raise UsageFault("a new branch is not detached", hint="`gv switch -c NAME`, or `gv switch --detach REV`.")
    if branch is None and not made and not detach:
        raise UsageFault("gv switch needs a BRANCH", hint="`gv branch` lists them; `gv switch -c NAME` makes one.")
    rev = "@{-1}" if branch == "-" else branch
    if rev is not None and not (made or detach) and (remote := _only_remote(cx, rev)):
        rev, made = remote, rev
    elif rev is not None and not (made or detach):
        try:
            found = cx.repository.resolver().resolve(BRANCHES + rev if cx.repository.refs.resolve(BRANCHES + rev) else rev)
        except UnknownRev as e:
            raise _no_branch(cx, rev, e) from e
        if not found.ref.startswith(BRANCHES):
            raise BadRev(
                f"{branch} is no branch",
                hint=f"`gv switch --detach {branch}` goes to the commit, `gv switch -c NAME {branch}` makes a branch there.",
            )
        rev = found.ref
    check_out(cx, rev, create=made, reset=recreate is not None, detach=detach, force=force)


def _only_remote(cx: CommandContext, name: str) -> str:
    """Returns the branch of another repository that is called so, if there is one alone and none here: "" otherwise."""
    from gvstore.refs.names import BRANCHES, REMOTES

    refs = cx.repository.refs
    if refs.read(BRANCHES + name) is not None:
        return ""
    found = [ref for ref in refs.list(REMOTES) if ref.removeprefix(REMOTES).partition("/")[2] == name]
    return found[0] if len(found) == 1 else ""


def _no_branch(cx: CommandContext, rev: str, fault: BadRev) -> BadRev:
    """Returns what to say of a word that names nothing; where no name is like it, what branches there are."""
    if rev == "@{-1}":
        return BadRev("you were on no other branch before", hint="`gv switch BRANCH` goes onto one; `gv branch` lists them.")
    if "Did you mean" in fault.hint:
        return fault
    names = [branch.name for branch in cx.repository.branches() if not branch.current][:6]
    there = f"There is {', '.join(names)}; `" if names else "`"
    return BadRev(str(fault), hint=f"{there}gv switch -c {rev}` makes one.")
