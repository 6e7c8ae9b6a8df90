"""gv inbox: lists the open questions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import click

from gvstore.cli import units
from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import question_line, value_line

if TYPE_CHECKING:
    from gvstore.journal.inbox import OpenQuestion


@dataclass(frozen=True, slots=True)
class QuestionListed:
    """One open question: `rev` is what `gv answer` takes."""

    rev: str
    run: str
    path: str
    requested_type: str
    context: object
    for_value: object
    target: str
    asked_at: datetime
    root: str = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        asked = question_line(self.context) if isinstance(self.context, str) else value_line(self.context)
        said = f": {asked}" if self.context is not None else ""
        about = f"   for {value_line(self.for_value)}" if self.for_value is not None else ""
        yield f"{paint('run', self.rev)}  {paint('changed', self.requested_type)}{said}{about}"
        yield f"    {paint('quiet', f'{units.local(self.asked_at)}  {self.root}')}"


@click.command("inbox", cls=Command)
@pass_context
def command(cx: CommandContext) -> None:
    """List the open questions

    A run waits where its program asks somebody with request_input.  Of each question stand here the type of the answer,
    what is asked, for which value and since when.  `gv answer` answers one, today or next week.

    \b
    Example:
      gv inbox
    """
    from gvstore.journal.inbox import open_runs, questions_of

    repo = cx.journal
    listed = False
    for run in open_runs(repo):
        for question in questions_of(run):
            listed = True
            cx.output.result(_listed(question))
    if not listed:
        cx.output.status("nothing is asked")


def _listed(question: OpenQuestion) -> QuestionListed:
    from gvstore.cli.call_line import call_line
    from gvstore.cli.style import PLAIN
    from gvstore.journal.address import format_path

    run, request = question.run, question.request
    return QuestionListed(
        rev=question.name,
        run=run.name,
        path=format_path(question.path),
        requested_type=question.wanted,
        context=request.context,
        for_value=request.asked_about,
        target=run.record.target,
        asked_at=units.moment(question.asked_at),
        root=call_line(run.invocation, PLAIN, names=False, width=72),
    )
