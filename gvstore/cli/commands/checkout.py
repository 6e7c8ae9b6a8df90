"""gv checkout: brings the work tree to a commit, a branch, or the code that a run used."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.errors import BadRev, UsageFault


@click.command("checkout", cls=Command)
@click.argument("rev", required=False)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@click.option("-b", "--branch", "create", metavar="NAME", help="Make a branch at REV, or else at HEAD, and go onto it")
@click.option("-B", "recreate", metavar="NAME", help="The same, moving NAME if it is there")
@click.option("--detach", is_flag=True, help="Leave HEAD at the commit of a branch, not on the branch")
@click.option("-f", "--force", is_flag=True, help="Let unsaved files give way; `gv undo` brings them back")
@pass_context
def command(
    cx: CommandContext,
    rev: str | None,
    paths: tuple[str, ...],
    create: str | None,
    recreate: str | None,
    detach: bool,
    force: bool,
) -> None:
    """Bring the work tree to a commit, a branch, or the code of a run

    With PATH only those files and folders are brought, and HEAD stays.  For a run its code is laid over the work tree
    and HEAD goes to the commit that it started from.  `-` is the branch that you were on before.  Nothing unsaved is ever
    overwritten, unless -f says so; then it is stored first.

    \b
    Example:
      gv checkout run/7
    """
    from gvstore.cli.checked_out import check_out

    made = create or recreate
    if rev is not None and cx.behind_dashes[:1] == [rev] and list(paths) == cx.behind_dashes[1:]:
        rev, paths = "HEAD", (rev, *paths)  # gv checkout -- FILE
    if rev is None and made is None and not (force or detach):
        raise UsageFault("gv checkout needs a REV", hint="`gv checkout main`, or `gv checkout -b NAME`.")
    if paths and (made or detach):
        raise UsageFault("with PATH neither -b nor --detach means anything", hint="`gv checkout REV -- PATH...`")
    if rev == "":
        raise BadRev("an empty rev names nothing", hint="`gv checkout main`; `gv branch` lists the branches.")
    rev = "@{-1}" if rev == "-" else rev if rev is not None or made else "HEAD"
    check_out(cx, rev, paths=paths, create=made, reset=recreate is not None, detach=detach, force=force)
