"""Options that commands about history share: which commits (cli/chosen.py acts on these), and what of their changes (cli/change_view.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., object])


class HistoryOptions(TypedDict):
    """What the options say, as click hands it over."""

    limit: int | None
    skip: int | None
    reverse: bool
    since: str | None
    until: str | None
    authors: tuple[str, ...]
    messages: tuple[str, ...]
    ignore_case: bool
    fixed: bool
    extended: bool
    merges: bool
    no_merges: bool
    first_parent: bool
    text: str | None
    pattern: str | None


class ChangeOptions(TypedDict):
    """How changes of files are shown, as click hands it over."""

    patch: bool
    stat: bool
    name_only: bool
    name_status: bool
    word_diff: bool
    unified: int | None
    all_blanks: bool
    some_blanks: bool
    no_renames: bool


_OPTIONS = [
    click.option("-n", "--max-count", "limit", type=click.IntRange(min=0), metavar="N", help="Show the newest N only; -3 is -n 3"),
    click.option("--skip", type=click.IntRange(min=0), metavar="N", help="Leave the newest N out"),
    click.option("--reverse", is_flag=True, help="Show the oldest of them first"),
    click.option("--since", "--after", metavar="WHEN", help="Show those made since: yesterday, '2 days ago', 2026-11-20"),
    click.option("--until", "--before", metavar="WHEN", help="Show those made until then"),
    click.option("--author", "authors", metavar="PATTERN", multiple=True, help="Show those whose author matches (can be repeated)"),
    click.option("--grep", "messages", metavar="PATTERN", multiple=True, help="Show those whose message matches (can be repeated)"),
    click.option("-i", "--ignore-case", is_flag=True, help="Let patterns match in any case"),
    click.option("-F", "--fixed-strings", "fixed", is_flag=True, help="Take patterns as plain texts"),
    click.option("-E", "--extended-regexp", "extended", is_flag=True, hidden=True, help="Accepted: patterns are Python's"),
    click.option("--merges", is_flag=True, help="Show merges only"),
    click.option("--no-merges", is_flag=True, help="Show no merges"),
    click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges"),
    click.option("-S", "text", metavar="TEXT", help="Show those that changed how often a file holds TEXT"),
    click.option("-G", "pattern", metavar="PATTERN", help="Show those that added or removed a line that matches"),
]  # fmt: skip


def history_options(function: _Function) -> _Function:
    """Gives a command the options that choose commits."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


_CHANGES = [
    click.option("-p", "-u", "--patch", is_flag=True, help="Show what changed, line by line"),
    click.option("--stat", is_flag=True, help="Show how many lines of each file came and went"),
    click.option("--name-only", is_flag=True, help="Show only the names of changed files"),
    click.option("--name-status", is_flag=True, help="Show the names of changed files and what happened to each"),
    click.option("--word-diff", is_flag=True, help="Show what changed within lines: [-old-]{+new+}"),
    click.option("-U", "--unified", type=click.IntRange(min=0), metavar="N", help="Show N lines around each change; 3 without it"),
    click.option("-w", "--ignore-all-space", "all_blanks", is_flag=True, help="Count no blanks as changes"),
    click.option("-b", "--ignore-space-change", "some_blanks", is_flag=True, help="Count no change of how many blanks there are"),
    click.option("--no-renames", is_flag=True, help="Show a moved file as one deleted and one added"),
]  # fmt: skip


def change_options(function: _Function) -> _Function:
    """Gives a command the options of how changes are shown."""
    for option in reversed(_CHANGES):
        function = option(function)
    return function
