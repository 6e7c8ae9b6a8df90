"""gv log: the commits that lead to one, the newest first; of a component those that changed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.shown_commit import CommitShower, CommitShown
from gvstore.cli.style import Paint
from gvstore.errors import UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.code.component_diff import ComponentChange
    from gvstore.compare.text import Hunk
    from gvstore.journal.components import ComponentEntry


@dataclass(frozen=True, slots=True)
class ComponentCommit:
    """A commit that changed a component, and how."""

    oid: ObjectId
    author: str
    created_at: datetime
    message: str
    component: ComponentChange
    hunks: tuple[Hunk, ...] | None
    shown: CommitShown = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.component_lines import change_text
        from gvstore.cli.file_diff import hunk_lines

        told = f"{self.component.name}   {change_text(self.component, paint)}"
        if self.shown.form == "oneline":
            for line in self.shown.lines(paint):
                yield f"{line}   {told}"
            return
        yield from self.shown.lines(paint)
        yield ""
        yield told
        for hunk in self.hunks or ():
            yield from hunk_lines(hunk, paint)


@click.command("log", cls=Command)
@click.argument("words", metavar="[REV] [-- ::COMPONENT]", nargs=-1)
@click.option("-n", "limit", type=click.IntRange(min=1), metavar="N", help="Show the newest N only")
@click.option("--oneline", is_flag=True, help="Show a commit on one line")
@click.option("-p", "--patch", is_flag=True, help="Show what each commit changed, line by line")
@click.option("--stat", is_flag=True, help="Show which files each commit changed")
@pass_context
def command(
    cx: CommandContext, words: tuple[str, ...], limit: int | None, oneline: bool, patch: bool, stat: bool
) -> None:
    """Show the commits, the newest first

    With a component those that changed it, and what of it: its own text, what it reaches, its fields.  It is followed
    to the names that it had before.

    \b
    Example:
      gv log --oneline -n 10
      gv log -- ::agent.roll_sum
      gv log main~3::agent.roll_sum
    """
    form = "oneline" if oneline else "patch" if patch else "stat" if stat else "full"
    rev, component = _subject(words)
    if component:
        cx.output.stream(islice(_component(cx, rev, component, form), limit), paged=True)
    else:
        cx.output.stream(_commits(cx, rev, limit, form), paged=True)


def _subject(words: tuple[str, ...]) -> tuple[str, str]:
    """Returns (rev, component or "").

    Raises:
        UsageFault: it is more than a rev and a component.
    """
    revs = [word for word in words if "::" not in word]
    named = [word for word in words if "::" in word]
    if len(named) > 1 or len(revs) > 1 or (named and revs and not named[0].startswith("::")):
        raise UsageFault(
            "gv log takes a rev and a component", hint="As in: gv log main, gv log -- ::agent.roll_sum, gv log main::agent.roll_sum"
        )
    rev, _, component = named[0].partition("::") if named else ("", "", "")
    if named and not component:
        raise UsageFault(f"{named[0]} names no component", hint="As in: gv log -- ::agent.roll_sum")
    return (revs[0] if revs else rev) or "HEAD", component


def _commits(cx: CommandContext, rev: str, limit: int | None, form: str) -> Iterator[CommitShown]:
    repo = cx.repository
    shower = CommitShower(repo)
    for number, entry in enumerate(repo.log(rev, limit=limit)):
        changes = shower.changes(entry.commit) if form in ("patch", "stat") else None
        yield shower.show(entry.oid, entry.commit, form=form, changes=changes, separated=number > 0)


def _component(cx: CommandContext, rev: str, name: str, form: str) -> Iterator[ComponentCommit]:
    from gvstore.journal.components import component_log

    repo = cx.journal
    with repo:
        shower = CommitShower(repo)
        start = repo.resolve_commit(rev)
        found = False
        for entry in component_log(repo, start, name):
            changes = shower.changes(entry.commit) if form == "stat" else None
            shown = shower.show(entry.oid, entry.commit, form=form, changes=changes, separated=found)
            found = True
            yield _shown(entry, shown)
        if not found:
            repo.resolve(f"{rev}::{name}")  # which says that there is none, and which are like it


def _shown(entry: ComponentEntry, shown: CommitShown) -> ComponentCommit:
    from gvstore.compare.text import diff_lines

    hunks = diff_lines(entry.old, entry.new).hunks if shown.form == "patch" else None
    return ComponentCommit(
        entry.oid, shown.author, shown.created_at, shown.message, entry.change, hunks, shown
    )
