"""The commits that `gv log` and `gv rev-list` were asked for: revs, paths and options, made one walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from gvstore.objects.oid import ObjectId
from gvstore.repo.commit_filter import CommitFilter, Pickaxe, Test, compile_pattern, moment_of
from gvstore.repo.history import Commits, LogEntry, log
from gvstore.repo.path_history import PathHistory
from gvstore.repo.rev_range import RevRange

if TYPE_CHECKING:
    from gvstore.cli.history_options import HistoryOptions
    from gvstore.repo import Repository


@dataclass(slots=True)
class Chosen:
    """A walk and what is wanted of it; `history` tells what the paths are called in each commit, where there are some."""

    repo: Repository
    range: RevRange
    history: PathHistory | None
    tests: list[Test]
    first_parent: bool
    commits: Commits
    _kept: dict[ObjectId, bool] = field(default_factory=dict)
    _inside: set[ObjectId] | None = None

    def entries(self, *, lines_apart: bool = False) -> Iterator[LogEntry]:
        """Yields the commits that are wanted, the newest first."""
        return (entry for entry in self.walk(lines_apart=lines_apart) if self.keeps(entry))

    def walk(self, *, lines_apart: bool = False) -> Iterator[LogEntry]:
        """Yields all commits that are gone through."""
        return log(
            self.repo.objects, self.range.starts, without=self.range.without, first_parent=self.first_parent,
            lines_apart=lines_apart, parents=self.history.parents if self.history else None, commits=self.commits,
        )  # fmt: skip

    def keeps(self, entry: LogEntry) -> bool:
        """Returns whether a commit is wanted."""
        kept = self._kept.get(entry.oid)
        if kept is None:
            changed = self.history is None or self.history.changed(entry.oid)
            kept = self._kept[entry.oid] = changed and all(test(entry) for test in self.tests)
        return kept

    def parents(self, entry: LogEntry) -> tuple[ObjectId, ...]:
        """Returns the wanted commits that come next before this one; those between, which are not wanted, are passed over."""
        if self._inside is None and self.range.without:
            self._inside = {each.oid for each in self.walk()}
        found: dict[ObjectId, None] = {}
        todo = list(reversed(self._next(entry)))
        seen = set(todo)
        while todo:
            oid = todo.pop()
            if self._inside is not None and oid not in self._inside:
                continue
            at = LogEntry(oid, self.commits[oid])
            below = self._next(at)
            if self.keeps(at):
                found[oid] = None
                continue
            todo += [parent for parent in reversed(below) if parent not in seen]
            seen.update(below)
        return tuple(found)

    def _next(self, entry: LogEntry) -> tuple[ObjectId, ...]:
        if self.history is not None:
            return self.history.parents(*entry)
        return entry.commit.parents[:1] if self.first_parent else entry.commit.parents


def choose(
    repo: Repository, words: RevRange, paths: Sequence[str], options: HistoryOptions, *, now: int, follow: bool = True
) -> Chosen:
    """Returns the walk that revs, paths (from the root) and options ask for.

    Raises:
        UsageFault: a time or a pattern is none.
    """
    first_parent = options["first_parent"]
    commits = Commits(repo.objects)
    history = None
    if paths:
        history = PathHistory(repo.objects, paths, follow=follow, first_parent=first_parent, commits=commits)
    return Chosen(repo, words, history, commit_tests(repo, paths, options, now), first_parent, commits)


_Item = TypeVar("_Item")


def cut(entries: Iterator[_Item], options: HistoryOptions) -> Iterator[_Item]:
    """Returns as many of the entries as are asked for, in the order asked for."""
    limit, skip = options["limit"], options["skip"] or 0
    found = islice(entries, skip, None if limit is None else skip + limit)
    return iter(list(found)[::-1]) if options["reverse"] else found


def commit_tests(repo: Repository, paths: Sequence[str], options: HistoryOptions, now: int) -> list[Test]:
    """Returns what the options ask of a commit alone, wherever it stands."""
    compiled: Callable[[str], object] = lambda each: compile_pattern(  # noqa: E731
        each, ignore_case=options["ignore_case"], fixed=options["fixed"]
    )
    wanted = CommitFilter(
        since=None if options["since"] is None else moment_of(options["since"], now),
        until=None if options["until"] is None else moment_of(options["until"], now),
        authors=tuple(map(compiled, options["authors"])),  # type: ignore[arg-type]
        messages=tuple(map(compiled, options["messages"])),  # type: ignore[arg-type]
        merges=True if options["merges"] else False if options["no_merges"] else None,
    )
    tests: list[Test] = [] if wanted == CommitFilter() else [wanted]
    if options["text"] is not None:
        tests.append(Pickaxe(repo.objects, text=options["text"], paths=paths))
    if options["pattern"] is not None:
        pattern = compile_pattern(options["pattern"], ignore_case=options["ignore_case"])
        tests.append(Pickaxe(repo.objects, pattern=pattern, paths=paths))
    return tests
