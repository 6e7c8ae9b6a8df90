"""gv log: the commits that lead to one, the newest first; of a path or component those that changed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Unpack

import click

from gvstore.cli.command import RevCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.history_options import ChangeOptions, HistoryOptions, change_options, history_options
from gvstore.cli.output import HIDDEN
from gvstore.cli.shown_commit import CommitShower, CommitShown
from gvstore.cli.style import Paint
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.code.component_diff import ComponentChange
    from gvstore.compare.text import Hunk


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
        from gvstore.cli.change_view import WORDS
        from gvstore.cli.component_lines import change_text
        from gvstore.cli.file_diff import hunk_lines, word_lines

        told = f"{self.component.name}   {change_text(self.component, paint)}"
        if self.shown.is_short:
            for number, line in enumerate(self.shown.lines(paint)):
                yield f"{line}   {told}" if not number else line
        else:
            yield from self.shown.lines(paint)
            yield ""
            yield told
        for hunk in self.hunks or ():
            yield from word_lines(hunk, paint) if WORDS in self.shown.details else hunk_lines(hunk, paint)


class LogOptions(HistoryOptions, ChangeOptions):
    """All options, as click hands them over."""

    oneline: bool
    graph: bool
    form: str | None
    date: str | None
    with_runs: bool
    with_git: bool
    decorate: bool
    no_decorate: bool


_USUAL = {"limit", "oneline", "decorate"}  # options that ask for no more than a walk from HEAD


@click.command("log", cls=RevCommand)
@click.argument("words", metavar="[REV...] [-- PATH... | -- ::COMPONENT]", nargs=-1)
@history_options
@click.option("--oneline", is_flag=True, help="Show a commit on one line")
@click.option("--graph", is_flag=True, help="Draw the lines of history on the left")
@change_options
@click.option("--runs", "with_runs", is_flag=True, help="Show the runs that each commit holds")
@click.option("--git", "with_git", is_flag=True, help="Show git's commit at which each was made, and what git calls it")
@click.option("--format", "--pretty", "form", metavar="FORMAT", help="Show commits so: '%h %s %an %ad'; placeholders as in git")
@click.option("--date", metavar="STYLE", help="Write times so: local, iso, relative, short or unix")
@click.option("--decorate", is_flag=True, hidden=True, help="Accepted: branches and tags are shown")
@click.option("--follow", is_flag=True, hidden=True, expose_value=False, help="Accepted: a single file is followed")
@click.option("--abbrev-commit", is_flag=True, hidden=True, expose_value=False, help="Accepted: --oneline abbreviates")
@click.option("--no-decorate", is_flag=True, help="Leave out which branches and tags stand at each commit")
@pass_context
def command(cx: CommandContext, words: tuple[str, ...], **options: Unpack[LogOptions]) -> None:
    """Show the commits, the newest first

    REV is a commit, or a range as in git: main..topic, main...topic, ^main, --all.

    With paths, the commits that changed them; a single one is followed to the names that it had before.  With a
    component, those that changed it, and what of it: its own text, what it reaches, its fields.

    In a FORMAT: %H %h commit, %T tree, %P %p parents, %an %ae author, %ad %aI %ar %at time, %s %b %B message, %d %D refs,
    %R runs, %G git's commit, %n line end, %Cred %C(auto) %Creset colours.

    \b
    Example:
      gv log --oneline --graph --all
      gv log --stat --since yesterday main..topic -- prompts
      gv log -S "temperature" -p
      gv log -- ::agent.roll_sum
    """
    asked = [value for name, value in options.items() if name not in _USUAL]
    if not words and all(value is None or value is False or value == () for value in asked):
        cx.output.stream(_plain(cx, options["limit"], "oneline" if options["oneline"] else "full"), paged=True)
        return

    from gvstore.cli.log_view import log_view

    cx.output.stream(log_view(cx, words, options), paged=True)


def _plain(cx: CommandContext, limit: int | None, form: str) -> Iterator[CommitShown]:
    """Yields the newest commits of HEAD."""
    repo = cx.repository
    shower = CommitShower(repo)
    for number, entry in enumerate(repo.log(limit=limit)):
        yield shower.show(entry.oid, entry.commit, form=form, separated=number > 0)
