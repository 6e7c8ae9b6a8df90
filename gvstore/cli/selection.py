"""Several runs, as a user names them: revs, ranges of numbers, groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from gvstore.cli.subject import named_run
from gvstore.errors import BadRev, Corrupt
from gvstore.journal.run import NoSuchRun

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository


def selected_runs(repo: Repository, revs: tuple[str, ...], group: str | None) -> list[RunOf]:
    """Returns the runs that revs, ranges `run/3..run/9` (both ends included) and a group name, each once; without any, RUN.

    Raises:
        BadRev: one of them names no run; nobody is in the group.
    """
    found: dict[object, RunOf] = {}
    for run in _named(repo, revs if revs or group is not None else ("RUN",)):
        found.setdefault(run.number or run.oid, run)
    for run in _in_group(repo, group) if group is not None else ():
        found.setdefault(run.number or run.oid, run)
    return list(found.values())


def _named(repo: Repository, revs: tuple[str, ...]) -> Iterator[RunOf]:
    for rev in revs:
        first, dots, last = rev.partition("..")
        if not dots or "{" in first:
            yield named_run(repo, rev)
            continue
        if not first or not last:
            raise BadRev(f"{rev} has no {'end' if first else 'beginning'}", hint="As in: run/3..run/9")
        low, high = named_run(repo, first).number, named_run(repo, last).number
        if low > high:
            raise BadRev(f"{rev} goes backwards: the older run stands first", hint=f"{last}..{first}")
        for row in reversed(repo.refs.runs()):
            if low <= row.number <= high:
                yield repo.runs[row.number]


def _in_group(repo: Repository, group: str) -> list[RunOf]:
    """Returns the runs of a group, the oldest first; damaged ones are in none."""
    groups: set[str] = set()
    found = []
    for row in reversed(repo.refs.runs()):
        with suppress(Corrupt):
            run = repo.runs[row.number]
            groups.add(run.record.group)
            if run.record.group == group and group:
                found.append(run)
    if not found:
        near = difflib.get_close_matches(group, sorted(groups - {""}), 3, 0.4) or sorted(groups - {""})[:5]
        hint = f"There is {', '.join(near)}." if near else "`gv run --group NAME TARGET` puts a run into one."
        raise NoSuchRun(f"no run is in the group {group!r}", hint=hint)
    return found
