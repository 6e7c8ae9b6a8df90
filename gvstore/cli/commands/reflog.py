"""gv reflog: where a ref has been."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault
from gvstore.repo.fault import printable

if TYPE_CHECKING:
    from gvstore.refs.record import ReflogEntry
    from gvstore.repo import Repository


@dataclass(frozen=True, slots=True)
class RefMoveListed:
    """One move of a ref: `name` can be typed for where it was after it; `old` and `new` are values, null for none."""

    name: str
    ref: str
    old: str | None
    new: str | None
    author: str
    created_at: datetime
    message: str
    operation: int | None
    shown: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('oid', self.shown)} {paint('ref', self.name)}  {units.local(self.created_at)}  {printable(self.message)}"


_OF_GIT = ("expire", "delete", "exists")


@click.command("reflog", cls=Command)
@click.argument("words", metavar="[REF]", nargs=-1)
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only")
@click.option("--all", "every", is_flag=True, help="Show those of all refs, of deleted ones too")
@pass_context
def command(cx: CommandContext, words: tuple[str, ...], limit: int | None, every: bool) -> None:
    """Show where a ref has been, the newest first

    HEAD's unless REF is named: a branch, a tag, a run, RUN.  Entry n is what `REF@{n}` names; `REF@{yesterday}` and
    `REF@{2 hours ago}` work too.  A deleted branch keeps its own: `gv branch NAME NAME@{1}` brings it back.

    \b
    Example:
      gv reflog main -n 5
    """
    words = words[1:] if words[:1] == ("show",) else words  # a habit of git's
    if len(words) > 1:
        raise UsageFault("gv reflog takes one REF", hint="Entries are not deleted: `gv gc` lets go of old ones." * (words[0] in _OF_GIT))
    repo, ref = cx.repository, words[0] if words else "HEAD"
    if every:
        if words:
            raise UsageFault("either one ref is shown, or all", hint=f"`gv reflog {ref}`, or `gv reflog --all`.")
        rows = (row for name in repo.refs.logged() for row in islice(_rows(repo, name), limit))
    else:
        rows = (row for row in islice(_rows(repo, _full_name(repo, ref)), limit))
    cx.output.stream(rows, paged=True)


def _full_name(repo: Repository, text: str) -> str:
    """Returns the full name of a ref that has, or had, moves.

    Raises:
        BadRev: none is called so.
    """
    from gvstore.refs.names import BRANCHES, REMOTES, RUNS, TAGS, VALUES, short_name

    text = "HEAD" if text == "@" else text
    known = repo.refs.logged()
    number = text.removeprefix("run/")
    wanted = [text, f"refs/{text}", *(prefix + text for prefix in (BRANCHES, TAGS, VALUES, REMOTES)), RUNS + number]
    found = next((name for name in wanted if name in known), None)
    if found is None:
        from difflib import get_close_matches

        near = get_close_matches(text, [short_name(name) for name in known], n=3)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`gv reflog --all` shows all there are."
        raise BadRev(f"{text[:200]} has no reflog", hint=hint)
    return found


def _rows(repo: Repository, name: str) -> Iterator[RefMoveListed]:
    from gvstore.refs.names import short_name

    for number, entry in enumerate(repo.refs.reflog(name)):
        yield RefMoveListed(
            name=f"{short_name(name)}@{{{number}}}",
            ref=name,
            old=entry.old or None,
            new=entry.new or None,
            author=entry.author,
            created_at=units.moment(entry.created_at),
            message=entry.message,
            operation=entry.operation,
            shown=_shown(entry),
        )


def _shown(entry: ReflogEntry) -> str:
    from gvstore.objects.oid import short
    from gvstore.refs.value import value_oid, value_run

    oid, number = value_oid(entry.new), value_run(entry.new)
    if oid is not None:
        return short(oid)
    return f"run/{number}".ljust(8) if number is not None else (entry.new or "deleted").ljust(8)
