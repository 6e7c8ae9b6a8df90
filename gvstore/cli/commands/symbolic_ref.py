"""gv symbolic-ref: what HEAD and RUN stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault


class NotSymbolic(BadRev):
    """A ref that names an object itself."""


@dataclass(frozen=True, slots=True)
class Symbolic:
    """A ref that names another, and that one; null where it names none."""

    name: str
    target: str | None
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.shown:
            yield self.shown


@click.command("symbolic-ref", cls=Command)
@click.option("--short", is_flag=True, help="Print `main`, not refs/heads/main")
@click.option("-m", "why", metavar="WHY", default="", help="What the reflog says of it")
@click.argument("name")
@click.argument("target", required=False)
@pass_context
def command(cx: CommandContext, short: bool, why: str, name: str, target: str | None) -> int:
    """Print or set the ref that HEAD or RUN stands on (plumbing)

    HEAD stands on a branch, which may have no commit yet, or is detached: then it exits with 12, under -q silently with 1.
    RUN stands on a run.  Setting HEAD moves no file: `gv checkout` does that.

    \b
    Example:
      gv symbolic-ref --short HEAD
      gv symbolic-ref HEAD refs/heads/wip
    """
    from gvstore.cli.plumbing import NO
    from gvstore.refs.names import HEAD, RUN, short_name

    if name not in (HEAD, RUN):
        raise UsageFault(f"{name} is no symbolic ref", hint="HEAD and RUN are; `gv show-ref` shows what others name.")
    if target is not None:
        _set(cx, name, target, why)
        cx.output.result(Symbolic(name, target, ""))
        return 0
    found = _target(cx, name)
    if found is None:
        if cx.quiet:
            cx.output.result(Symbolic(name, None, ""))
            return NO
        raise NotSymbolic(
            f"{name} stands on no {'branch: it is detached' if name == HEAD else 'run yet'}",
            hint="`gv rev-parse HEAD` prints its commit." if name == HEAD else "`gv run FILE.py:FUNCTION` makes one.",
        )
    cx.output.result(Symbolic(name, found, short_name(found) if short else found))
    return 0


def _target(cx: CommandContext, name: str) -> str | None:
    from gvstore.refs.names import HEAD, run_ref

    refs = cx.repository.refs
    if name == HEAD:
        return refs.head_ref()
    number = refs.current_run()
    return None if number is None else run_ref(number)


def _set(cx: CommandContext, name: str, target: str, why: str) -> None:
    from gvstore.refs.fault import RefMissing
    from gvstore.refs.names import BRANCHES, HEAD, RUNS, check_ref_name

    repo = cx.repository
    prefix = BRANCHES if name == HEAD else RUNS
    if not target.startswith(prefix):
        last = target.rpartition("/")[2]
        raise UsageFault(
            f"{name} stands on a {'branch' if name == HEAD else 'run'}, and {target} is the full name of none",
            hint=f"As in: gv symbolic-ref {name} {prefix}{last if name == HEAD or last.isdecimal() else 7}",
        )
    check_ref_name(target)
    with repo.transaction(f"symbolic-ref {name} {target}") as transaction:
        if name == HEAD:
            transaction.set_symbolic(HEAD, target, message=why)
            return
        number = int(target.removeprefix(RUNS))
        row = repo.refs.run(number)
        if row is None or row.removed:
            raise RefMissing(target)
        transaction.set_run(number, message=why)
