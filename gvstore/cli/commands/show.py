"""gv show: a run's calls, one call, or a commit, file, component or value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

import click

from gvstore.cli.command import BEHIND, PathCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.history_options import ChangeOptions, change_options
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.value_text import value_block
from gvstore.errors import BadRev, UsageFault
from gvstore.objects.oid import ObjectId

if TYPE_CHECKING:
    from gvstore.cli.call_tree import Walk
    from gvstore.cli.file_diff import DiffOptions
    from gvstore.cli.shown_commit import CommitShown
    from gvstore.cli.subject import Subject
    from gvstore.journal.repository import Repository


@dataclass(frozen=True, slots=True)
class ValueShown:
    """A part of a call (its `oid` is null), a stored value, or the text of a file."""

    rev: str
    oid: ObjectId | None
    value: object
    full: bool = field(default=False, metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        value = self.value.removesuffix("\n") if isinstance(self.value, str) else self.value
        yield from value_block(value, full=self.full)


@click.command("show", cls=PathCommand)
@click.option("--depth", metavar="N", type=click.IntRange(min=0), help="Show N levels of calls below the first")
@click.option(
    "--calls", metavar="PATTERN", multiple=True, help="List the calls of these components only (can be repeated)"
)
@click.option("--full", is_flag=True, help="Show all calls, and values whole, however long")
@click.option("--code", is_flag=True, help="Show which code a run used: files, components, what was installed")
@click.option("-s", "--no-patch", is_flag=True, help="Show of a commit only who made it, when and why")
@change_options
@click.argument("revs", metavar="[REV...] [-- PATH...]", nargs=-1)
@pass_context
def command(
    cx: CommandContext, depth: int | None, calls: tuple[str, ...], full: bool, code: bool, no_patch: bool, revs: tuple[str, ...],
    **options: Unpack[ChangeOptions],
) -> None:  # fmt: skip
    """Show a run, a call, a commit, a file, a component or a value

    REV is a run (run/7 or 7), a call (run/7:0.2, run/7:llm.chat.3), a part of one (run/7:0.2/output), a commit, a file
    of a commit (main:agent.py), a component (main::agent.step, run/7::agent.step) or a named value.  Without REV it is RUN,
    the run that the last command in this work tree made or went to.

    A commit is shown with what it changed beside its first parent: of a merge, what it brought to the line that it was
    made on.  With paths, what it changed of these.

    PATTERN is a component's name as --live takes it: llm.chat, chat, llm.*

    \b
    Example:
      gv show run/7:0.2
      gv show run/7 --calls chat
      gv show run/7 --code
    """
    from gvstore.cli.call_tree import Walk
    from gvstore.cli.change_view import PATCH, details_of, diff_options_of
    from gvstore.repo.path import insides

    repo, context = cx.journal, click.get_current_context()
    behind = context.meta.get(BEHIND, 0)
    names, paths = revs[: len(revs) - behind], revs[len(revs) - behind :]
    with repo:
        inside = insides(repo.path, paths, cwd=cx.folder) or ()
        look = _Look(Walk(depth, full, calls), full, details_of(options, default=() if no_patch else (PATCH,)), diff_options_of(options), inside)
        for number, rev in enumerate(names or (_first(repo, commits=bool(paths) or no_patch or details_of(options) != ()),)):
            if number and not cx.json:
                cx.output.result(_Gap())
            _show(cx, rev, look, code=code, others=depth is not None or bool(calls))


def _first(repo: Repository, *, commits: bool) -> str:
    """Returns what is shown where nothing is named: RUN; where no run was made, or `commits` are asked for, HEAD."""
    from gvstore.refs.names import RUN

    return "HEAD" if repo.head is not None and (commits or repo.refs.read(RUN) is None) else "RUN"


@dataclass(frozen=True, slots=True)
class _Gap:
    """Between two things that are shown."""

    def lines(self, paint: Paint) -> Iterator[str]:
        yield ""


@dataclass(frozen=True, slots=True)
class _Look:
    """How things are shown: calls as `walk` says, values `full`, changes of commits in `details`, of `paths` alone."""

    walk: Walk
    full: bool
    details: tuple[str, ...]
    options: DiffOptions
    paths: tuple[str, ...]


def _show(cx: CommandContext, rev: str, look: _Look, *, code: bool, others: bool) -> None:
    from gvstore.cli.shown_component import component_of_run
    from gvstore.cli.shown_run import show_call, show_execution, show_run
    from gvstore.cli.shown_tag import annotated, shows
    from gvstore.cli.subject import open_subject
    from gvstore.journal.invocation import Invocation
    from gvstore.journal.mode import check_patterns
    from gvstore.repo.resolve import Found

    repo, walk = cx.journal, look.walk
    if not code and "::" in rev and (component := component_of_run(repo, rev)) is not None:
        cx.output.result(component, paged=True)
        return
    subject = open_subject(repo, rev)
    if code:
        _show_code(cx, subject, full=look.full, others=others)
        return
    if walk.calls and (found := subject.call or (subject.run and subject.run.invocation)):
        check_patterns(walk.calls, found)
    show = shows(cx.output, annotated(repo, subject))
    if isinstance(subject.value, Invocation):
        show(show_execution(subject.name, subject.value, rows=cx.json, walk=walk))
    elif subject.part or subject.found is Found.VALUE:
        show(ValueShown(subject.name, subject.oid, subject.value, look.full))
    elif subject.call is not None:
        show(show_call(subject, rows=cx.json, walk=walk))
    elif subject.run is not None:
        show(show_run(subject.run, rows=cx.json, walk=walk))
    elif subject.found is Found.COMMIT and subject.oid is not None:
        show(_commit(cx, subject.oid, look))
    elif subject.found is Found.COMPONENT:
        from gvstore.cli.shown_component import show_component

        show(show_component(repo, subject))
    else:
        show(ValueShown(subject.name, subject.oid, _content(cx, subject.resolved.oid, subject.found)))


def _commit(cx: CommandContext, oid: ObjectId, look: _Look) -> CommitShown:
    from gvstore.cli.shown_commit import CommitShower
    from gvstore.objects.commit import Commit

    cx.output.exact()
    shower, commit = CommitShower(cx.journal), Commit.get(cx.journal.objects, oid)
    changes = shower.changes(commit, look.options, look.paths)
    return shower.show(oid, commit, form="full", changes=changes, details=look.details)


def _show_code(cx: CommandContext, subject: Subject, *, full: bool, others: bool) -> None:
    from gvstore.cli.shown_code import show_code
    from gvstore.repo.resolve import Found

    if others:
        raise UsageFault("--code shows no calls", hint="Leave --depth and --calls out.")
    if subject.run is None or subject.found is not Found.RUN:
        raise BadRev(
            f"{subject.name} is a {subject.found.value}, and a run was asked for",
            hint="`gv show run/7 --code`; a commit's files are in `gv show` and `gv diff`.",
        )
    cx.output.result(show_code(cx.journal, subject.run, full=full), paged=True)


def _content(cx: CommandContext, oid: ObjectId | None, found: object) -> object:
    from gvstore.cli import units
    from gvstore.objects.blob import get_blob
    from gvstore.objects.tree import Mode, Tree
    from gvstore.repo.resolve import Found

    assert oid is not None
    objects = cx.journal.objects
    if found is Found.FOLDER:
        entries = Tree.get(objects, oid).entries
        return "".join(f"{name}/\n" if entry.mode == Mode.FOLDER else f"{name}\n" for name, entry in entries.items())
    data = get_blob(objects, oid) if found is Found.FILE else objects.read(oid)
    return f"{units.size(len(data))} of bytes" if b"\0" in data[:8000] else data.decode("utf-8", "replace")
