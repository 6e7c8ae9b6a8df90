"""What `gv log` shows beyond the plain list: chosen commits, their changes, a graph, a format, runs, git's side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from gvstore.cli.change_view import details_of, diff_options_of
from gvstore.cli.shown_commit import CommitShower, CommitShown, CommittedRun
from gvstore.errors import BadRev, Corrupt, UsageFault

if TYPE_CHECKING:
    from gvstore.cli.chosen import Chosen
    from gvstore.cli.commands.log import LogOptions
    from gvstore.cli.context import CommandContext
    from gvstore.cli.graph import Graph
    from gvstore.cli.output import Result
    from gvstore.journal.repository import Repository as Journal
    from gvstore.repo import Repository
    from gvstore.repo.git_subjects import GitSubjects

_RUN_WIDTH = 88


def log_view(cx: CommandContext, words: tuple[str, ...], options: LogOptions) -> Iterator[Result]:
    """Returns the commits ready to print, one by one; what was typed wrongly is told before the first.

    Raises:
        UsageFault, BadRev: a word or option means nothing.
    """
    from gvstore import host
    from gvstore.cli.rev_words import split_words

    look = Look(cx, options, now=host.now_us())
    if any("::" in word for word in words):
        from gvstore.cli.component_log import component_commits

        return component_commits(cx, words, options, look)

    from gvstore.cli.chosen import choose
    from gvstore.repo.path import insides
    from gvstore.repo.rev_range import parse_range

    repo = cx.journal if options["with_runs"] else cx.repository
    revs, paths = split_words(cx, repo, words)
    wanted = parse_range(repo, revs, now=look.now)
    inside = insides(repo.path, paths, cwd=cx.folder) or ()
    chosen = choose(repo, wanted, inside, options, now=look.now)
    return _shown(repo, chosen, look, named=bool(paths))


class Look:
    """How commits are to look, as the options say."""

    def __init__(self, cx: CommandContext, options: LogOptions, *, now: int) -> None:
        from gvstore.cli.commit_format import DATES, SHORT, check_format

        self.cx, self.options, self.now = cx, options, now
        self.paint = cx.output.paint
        self.form = check_format(options["form"]) if options["form"] else "oneline" if options["oneline"] else "full"
        self.text = None if self.form in ("oneline", "full") else SHORT if self.form == "short" else self.form
        self.date = options["date"] or "local"
        if self.date not in DATES:
            raise UsageFault(f"{self.date!r} is no way to write times", hint=f"There is {', '.join(DATES)}.")
        if options["graph"] and options["reverse"]:
            raise UsageFault("a graph is drawn from the newest commit down", hint="Leave --reverse or --graph out.")
        self.details = details_of(options)
        self.diff = diff_options_of(options)
        if self.details:
            cx.output.exact()

    def dressed(self, shown: CommitShown, shower: CommitShower, subjects: GitSubjects | None) -> CommitShown:
        """Returns a commit as the options have it."""
        if self.options["no_decorate"]:
            shown = replace(shown, labels=())
        if subjects is not None:
            shown = replace(shown, with_git=True, git_subject=subjects.subject(shown.git))
        if self.options["with_runs"]:
            shown = replace(shown, runs=tuple(_with_call(self.cx.journal, run) for run in shown.runs))
        if self.date != "local" or self.text is not None:
            from gvstore.cli.commit_format import dated, format_commit

            shown = replace(shown, date=dated(shown.created_at, self.date, self.now))
            if self.text is not None:
                short = shower.shortest(shown.oid) if "%h" in self.text else ""
                text = format_commit(shown, self.text, self.paint, short=short, date=self.date, now=self.now)
                shown = replace(shown, text=text)
        return shown


def _shown(repo: Repository, chosen: Chosen, look: Look, *, named: bool) -> Iterator[CommitShown]:
    from gvstore.cli.chosen import cut

    options, shower = look.options, CommitShower(repo)
    graph = _graph() if options["graph"] else None
    above = ""
    with ExitStack() as stack:
        subjects = None
        if options["with_git"]:
            from gvstore.repo.git_subjects import GitSubjects

            subjects = stack.enter_context(GitSubjects(repo.path))
        for number, entry in enumerate(cut(chosen.entries(lines_apart=graph is not None), options)):
            changes = None
            if look.details and (len(entry.commit.parents) < 2 or options["first_parent"]):
                names = chosen.history.names(entry.oid) if chosen.history is not None and named else ()
                changes = shower.changes(entry.commit, look.diff, names)
            form = "oneline" if look.form == "oneline" else "full"
            shown = shower.show(
                entry.oid, entry.commit, form=form, changes=changes, details=look.details, separated=number > 0
            )
            shown = look.dressed(shown, shower, subjects)
            if graph is not None:
                rows = graph.rows(entry.oid, chosen.parents(entry))
                shown, above = replace(shown, rows=rows, above=above), rows.padding
            yield shown


def _graph() -> Graph:
    from gvstore.cli.graph import Graph

    return Graph()


def _with_call(repo: Journal, run: CommittedRun) -> CommittedRun:
    """Returns a run with what it called and how that ended."""
    from gvstore.cli.call_line import call_line
    from gvstore.cli.style import PLAIN

    try:
        found = repo.run_of(repo.resolve(run.run or run.oid.hex()))
        record = found.record
        call = record.target if record.root is None else call_line(found.invocation, PLAIN, names=False, width=_RUN_WIDTH)
        return replace(run, status=found.status, call=call)
    except BadRev:
        return replace(run, status="removed", call="it is not here any more")
    except Corrupt as e:
        return replace(run, status="damaged", call=str(e))
