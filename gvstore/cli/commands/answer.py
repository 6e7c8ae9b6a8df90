"""gv answer: answers an open question, and goes on with the run."""

from __future__ import annotations

import click

from gvstore.cli.command import Command, pass_context
from gvstore.cli.context import CommandContext


@click.command("answer", cls=Command, context_settings={"ignore_unknown_options": True})
@click.option("-m", "--message", metavar="WHY", default="", help="Say why")
@click.option("--code", metavar="REV", help="Go on with the code of this commit or run, not the work tree's")
@click.argument("rev")
@click.argument("value", metavar="VALUE|@FILE")
@pass_context
def command(cx: CommandContext, message: str, code: str | None, rev: str, value: str) -> None:
    """Answer an open question and go on with its run

    REV is the call that asks, as `gv inbox` shows it, or a run that asks one question.  VALUE is read as the question's
    type asks: text as it is, numbers, true and false, JSON for lists, dicts and dataclasses; @FILE is what a file says.
    The run is replayed with the answer as a new run; where that asks again, the status is 21.

    \b
    Example:
      gv answer run/9:3 yes
    """
    from gvstore.cli.execution import answer, program_speaks, telling
    from gvstore.cli.loading import load_recorded
    from gvstore.cli.stored_code import running_code
    from gvstore.cli.subject import open_subject
    from gvstore.journal.inbox import answer_run, question_at, read_answer
    from gvstore.journal.run import NoSuchRun
    from gvstore.journal.running import RunOptions
    from gvstore.repo.resolve import Found

    repo, folder = cx.journal, cx.folder
    with repo, running_code(cx, repo, code):
        subject = open_subject(repo, rev)
        if subject.run is None or subject.found not in (Found.RUN, Found.CALL) or subject.part:
            raise NoSuchRun(f"{rev} is no call of a run", hint="`gv inbox` lists the open questions.")
        run = subject.run
        with program_speaks(cx):
            load_recorded(cx, repo, run, {})
        question = question_at(run, subject.path)
        said = read_answer(value, question.request, folder)
        options = RunOptions(
            target=run.record.target, message=message, group=run.record.group, argv=("gv", *cx.arguments),
            parent=run.oid, move_run=True, command="answer", on_call=telling(cx, repo.store),
        )  # fmt: skip
        with program_speaks(cx):
            performed = answer_run(repo, run, {question.path: said}, options=options)
        answer(cx, performed, replayed=True)
