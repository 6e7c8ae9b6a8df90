"""Commits as `gv log` and `gv show` print them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import BRANCHES, HEAD, TAGS, run_ref, short_name
from gvstore.refs.value import value_oid
from gvstore.repo import Repository

if TYPE_CHECKING:
    from gvstore.cli.file_diff import ChangedFile


@dataclass(frozen=True, slots=True)
class CommittedRun:
    """A run that a commit holds; `run` is null where it has no number here."""

    run: str | None
    oid: ObjectId


@dataclass(frozen=True, slots=True)
class CommitShown:
    """A commit; `refs` are the full names that stand at it, `changes` (of `gv show`) its files beside its first parent's."""

    oid: ObjectId
    tree: ObjectId
    parents: tuple[ObjectId, ...]
    author: str
    created_at: datetime
    message: str
    git: str
    refs: tuple[str, ...]
    components: dict[str, ObjectId]
    values: dict[str, ObjectId]
    runs: tuple[CommittedRun, ...]
    changes: tuple[ChangedFile, ...] | None
    form: str = field(metadata=HIDDEN)
    short: str = field(metadata=HIDDEN)
    labels: tuple[str, ...] = field(metadata=HIDDEN)
    separated: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        label = f" ({', '.join(paint(_ref_role(each), each) for each in self.labels)})" if self.labels else ""
        runs = f"   {units.count(len(self.runs), 'run')}" if self.runs else ""
        if self.form == "oneline":
            yield f"{paint('oid', self.short)}{label} {self.message.partition(chr(10))[0]}{runs}"
            return
        if self.separated:
            yield ""
        yield f"{paint('oid', f'commit {self.oid.hex()}')}{label}"
        if len(self.parents) > 1:
            yield f"Merge:  {' '.join(parent.hex()[:8] for parent in self.parents)}"
        yield f"Author: {self.author}"
        yield f"Date:   {units.local(self.created_at)}"
        if self.git:
            yield f"Git:    {self.git}"
        if self.runs:
            yield f"Runs:   {' '.join(run.run or run.oid.hex()[:8] for run in self.runs)}"
        if self.values:
            yield f"Values: {' '.join(self.values)}"
        yield ""
        yield from (f"    {line}" if line else "" for line in self.message.split("\n"))
        yield from self._changes(paint)

    def _changes(self, paint: Paint) -> Iterator[str]:
        if not self.changes:
            return
        yield ""
        if self.form == "stat":
            from gvstore.cli.file_diff import stat_lines

            yield from stat_lines(self.changes, paint)
        else:
            for file in self.changes:
                yield from file.patch(paint)


def _ref_role(label: str) -> str:
    return "head" if label.startswith(HEAD) else "ref"


class CommitShower:
    """Makes commits ready to print; looks at refs once."""

    def __init__(self, repo: Repository) -> None:
        self._repo = repo

    def show(
        self,
        oid: ObjectId,
        commit: Commit,
        *,
        form: str,
        changes: tuple[ChangedFile, ...] | None = None,
        separated: bool = False,
    ) -> CommitShown:
        """Returns the commit ready to print: `form` is full, oneline, stat or patch."""
        refs = self._refs.get(oid, [])
        numbers = self._repo.refs.run_numbers(commit.runs) if commit.runs else {}
        return CommitShown(
            oid=oid,
            tree=commit.tree,
            parents=commit.parents,
            author=commit.author,
            created_at=units.moment(commit.created_at),
            message=commit.message,
            git=commit.git,
            refs=tuple(refs),
            components=commit.components,
            values=commit.values,
            runs=tuple(CommittedRun(_run_name(numbers.get(run)), run) for run in commit.runs),
            changes=changes,
            form=form,
            short=self._repo.resolver().shortest(oid) if form == "oneline" else "",
            labels=self._labels(refs),
            separated=separated,
        )

    def changes(self, commit: Commit) -> tuple[ChangedFile, ...]:
        """Returns the commit's files beside those of its first parent."""
        from gvstore.cli.file_diff import Stored, changed_file
        from gvstore.compare.trees import diff_trees

        reader = self._repo.objects
        before = Commit.get(reader, commit.parents[0]).tree if commit.parents else None
        content = Stored(reader)
        return tuple(changed_file(found, content, content) for found in diff_trees(reader, before, commit.tree))

    @cached_property
    def _refs(self) -> dict[ObjectId, list[str]]:
        """The full names that stand at commits: HEAD first, and behind it the branch that it is on."""
        refs = self._repo.refs
        found: dict[ObjectId, list[str]] = {}
        head = refs.resolve(HEAD)
        if head is not None:
            found[head] = [HEAD, self._branch] if self._branch else [HEAD]
        for prefix in (BRANCHES, TAGS):
            for name, value in refs.list(prefix).items():
                oid = value_oid(value)
                if oid is not None and name != self._branch:
                    found.setdefault(oid, []).append(name)
        return found

    @cached_property
    def _branch(self) -> str | None:
        """The full name of the branch that HEAD is on."""
        return self._repo.refs.head_ref()

    def _labels(self, refs: list[str]) -> tuple[str, ...]:
        """Returns refs as people read them: HEAD joined to its branch, tags marked."""
        names = [("tag: " if ref.startswith(TAGS) else "") + short_name(ref) for ref in refs]
        if refs[:1] == [HEAD] and self._branch:
            names[:2] = [f"{HEAD} → {names[1]}"]
        return tuple(names)


def _run_name(number: int | None) -> str | None:
    return None if number is None else short_name(run_ref(number))
