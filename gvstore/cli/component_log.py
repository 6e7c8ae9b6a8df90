"""`gv log -- ::NAME`: the commits that changed a component, and what of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from gvstore.cli.change_view import PATCH, WORDS
from gvstore.cli.commands.log import ComponentCommit
from gvstore.cli.shown_commit import CommitShower, CommitShown
from gvstore.errors import UsageFault
from gvstore.repo.history import LogEntry

if TYPE_CHECKING:
    from gvstore.cli.commands.log import LogOptions
    from gvstore.cli.context import CommandContext
    from gvstore.cli.log_view import Look
    from gvstore.journal.components import ComponentEntry

# What narrows commits down in a way that a component's history has no use for.
_OTHERS = {"graph": "--graph", "first_parent": "--first-parent", "text": "-S", "pattern": "-G", "with_runs": "--runs", "with_git": "--git"}


def component_commits(cx: CommandContext, words: tuple[str, ...], options: LogOptions, look: Look) -> Iterator[ComponentCommit]:
    """Returns the commits that changed the component that the words name.

    Raises:
        UsageFault: they name more than a rev and a component, or an option has no meaning here.
    """
    rev, name = _subject(words)
    for option, typed in _OTHERS.items():
        if options[option]:  # type: ignore[literal-required]
            raise UsageFault(f"{typed} does nothing for the history of a component", hint=f"Leave {typed} out: gv log -- ::{name}")
    return _commits(cx, rev, name, options, look)


def _subject(words: tuple[str, ...]) -> tuple[str, str]:
    """Returns (rev, component)."""
    revs = [word for word in words if "::" not in word]
    named = [word for word in words if "::" in word]
    if len(named) > 1 or len(revs) > 1 or (revs and not named[0].startswith("::")):
        raise UsageFault(
            "gv log takes a rev and a component", hint="As in: gv log main, gv log -- ::agent.roll_sum, gv log main::agent.roll_sum"
        )
    rev, _, component = named[0].partition("::")
    if not component:
        raise UsageFault(f"{named[0]} names no component", hint="As in: gv log -- ::agent.roll_sum")
    return (revs[0] if revs else rev) or "HEAD", component


def _commits(cx: CommandContext, rev: str, name: str, options: LogOptions, look: Look) -> Iterator[ComponentCommit]:
    from gvstore.cli.chosen import commit_tests, cut
    from gvstore.journal.components import component_log

    repo = cx.journal
    with repo:
        shower = CommitShower(repo)
        start = repo.resolve_commit(rev)
        tests = commit_tests(repo, (), options, look.now)
        entries = component_log(repo, start, name)
        first = next(entries, None)
        if first is None:
            repo.resolve(f"{rev}::{name}")  # which says that there is none, and which are like it
            return
        wanted = (each for each in chain([first], entries) if all(test(LogEntry(each.oid, each.commit)) for test in tests))
        for number, entry in enumerate(cut(wanted, options)):
            of_files = set(look.details) - {PATCH, WORDS}
            changes = shower.changes(entry.commit, look.diff) if of_files else None
            form = "oneline" if look.form == "oneline" else "full"
            shown = shower.show(entry.oid, entry.commit, form=form, changes=changes, details=look.details, separated=number > 0)
            yield _shown(entry, look.dressed(shown, shower, None))


def _shown(entry: ComponentEntry, shown: CommitShown) -> ComponentCommit:
    from gvstore.compare.text import diff_lines

    hunks = diff_lines(entry.old, entry.new).hunks if {PATCH, WORDS} & set(shown.details) else None
    return ComponentCommit(
        entry.oid, shown.author, shown.created_at, shown.message, entry.change, hunks, shown
    )
