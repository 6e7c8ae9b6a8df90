"""gv rev-parse: from what a user types to names of objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.repo.resolve import Resolved


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one rev names; `ref` is the full name of the ref that was typed, `run` the run that it is or lies in."""

    rev: str
    kind: str
    oid: ObjectId
    ref: str | None
    run: str | None
    shown: str = field(metadata=HIDDEN)


@dataclass(frozen=True, slots=True)
class AllParsed:
    """What the revs name, in their order."""

    revs: tuple[Parsed, ...]

    def lines(self, paint: Paint) -> Iterator[str]:
        return (paint("oid", each.shown) for each in self.revs)


@click.command("rev-parse", cls=Command)
@click.argument("revs", metavar="REV...", nargs=-1, required=True)
@click.option("--short", is_flag=True, help="Print the shortest abbreviations that name nothing else")
@pass_context
def command(cx: CommandContext, revs: tuple[str, ...], short: bool) -> None:
    """Print the object names of revs (plumbing)

    One a line, in full.  A call of a run has the name of its invocation; a part of a call has none.

    \b
    Example:
      gv rev-parse main run/7:0
    """
    cx.output.result(AllParsed(tuple(_parsed(cx, rev, short) for rev in revs)))


def _parsed(cx: CommandContext, rev: str, short: bool) -> Parsed:
    resolved = cx.repository.resolve(rev)
    oid = resolved.oid if resolved.call is None else _call_oid(cx, resolved)
    if oid is None:
        raise BadRev(f"{rev} has no object yet: the run is still being recorded")
    return Parsed(
        rev=rev,
        kind=resolved.found.value,
        oid=oid,
        ref=resolved.ref or None,
        run=f"run/{resolved.run}" if resolved.run is not None else None,
        shown=cx.repository.resolver().shortest(oid) if short else oid.hex(),
    )


def _call_oid(cx: CommandContext, resolved: Resolved) -> ObjectId:
    """Returns the name of the invocation that was named."""
    from gvstore.journal.address import find_call

    call = resolved.call
    assert call is not None
    if call.part:
        raise BadRev(f"{resolved.text} is a part of a call, and has no object", hint="`gv get` hands out its value.")
    return find_call(cx.journal.run_of(resolved).invocation, call)[1].oid
