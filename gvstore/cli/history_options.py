"""The options that choose commits, the same for `gv log` and `gv rev-list`; cli/chosen.py acts on them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypedDict, TypeVar

import click

_Function = TypeVar("_Function", bound=Callable[..., object])


class HistoryOptions(TypedDict):
    """What the options say, as click hands it over."""

    limit: int | None
    skip: int
    reverse: bool
    since: str | None
    until: str | None
    authors: tuple[str, ...]
    messages: tuple[str, ...]
    ignore_case: bool
    fixed: bool
    extended: bool
    merges: bool | None
    first_parent: bool
    text: str | None
    pattern: str | None


_OPTIONS = [
    click.option("-n", "--max-count", "limit", type=click.IntRange(min=0), metavar="N", help="Show the newest N only; -3 is -n 3"),
    click.option("--skip", type=click.IntRange(min=0), metavar="N", default=0, help="Leave the newest N out"),
    click.option("--reverse", is_flag=True, help="Show the oldest of them first"),
    click.option("--since", "--after", metavar="WHEN", help="Show those made since: yesterday, '2 days ago', 2026-11-20"),
    click.option("--until", "--before", metavar="WHEN", help="Show those made until then"),
    click.option("--author", "authors", metavar="PATTERN", multiple=True, help="Show those whose author matches (can be repeated)"),
    click.option("--grep", "messages", metavar="PATTERN", multiple=True, help="Show those whose message matches (can be repeated)"),
    click.option("-i", "--ignore-case", is_flag=True, help="Let patterns match in any case"),
    click.option("-F", "--fixed-strings", "fixed", is_flag=True, help="Take patterns as plain texts"),
    click.option("-E", "--extended-regexp", "extended", is_flag=True, hidden=True, help="Accepted: patterns are Python's"),
    click.option("--merges/--no-merges", "merges", default=None, help="Show merges only, or none"),
    click.option("--first-parent", is_flag=True, help="Follow only the first parent of merges"),
    click.option("-S", "text", metavar="TEXT", help="Show those that changed how often a file holds TEXT"),
    click.option("-G", "pattern", metavar="PATTERN", help="Show those that added or removed a line that matches"),
]  # fmt: skip


def history_options(function: _Function) -> _Function:
    """Gives a command the options that choose commits."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function
