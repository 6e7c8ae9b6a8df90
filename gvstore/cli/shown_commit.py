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
    from gvstore.cli.file_diff import ChangedFile, DiffOptions
    from gvstore.cli.graph import GraphRows


@dataclass(frozen=True, slots=True)
class CommittedRun:
    """A run that a commit holds; `run` is null where it has no number here, `status` and `call` without `--runs`."""

    run: str | None
    oid: ObjectId
    status: str | None = None
    call: str | None = None

    @property
    def name(self) -> str:
        """How to type it."""
        return self.run or self.oid.hex()[:8]


@dataclass(frozen=True, slots=True)
class CommitShown:
    """A commit; `refs` are the full names that stand at it, `changes` (null unless asked for) its files beside its first parent's.

    `git_subject` is git's word on the commit that `git` notes, null unless `--git` asks for it and git knows it.
    """

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
    details: tuple[str, ...] = field(default=(), metadata=HIDDEN)
    git_subject: str | None = None
    with_git: bool = field(default=False, metadata=HIDDEN)
    text: str | None = field(default=None, metadata=HIDDEN)
    rows: GraphRows | None = field(default=None, metadata=HIDDEN)
    above: str = field(default="", metadata=HIDDEN)
    date: str = field(default="", metadata=HIDDEN)

    @property
    def is_short(self) -> bool:
        """Whether it takes a line, or the few of a format."""
        return self.form == "oneline" or self.text is not None

    def lines(self, paint: Paint) -> Iterator[str]:
        if self.rows is not None:
            yield from self._beside(self.rows, self._lines(paint))
            return
        if self.separated and not self.is_short:
            yield ""
        yield from self._lines(paint)

    def _beside(self, rows: GraphRows, lines: Iterator[str]) -> Iterator[str]:
        """Yields the lines with the graph on their left."""
        if self.separated and not self.is_short:
            yield self.above.rstrip()
        yield from rows.before
        yield f"{rows.commit}{next(lines, '')}".rstrip()
        width = max(len(rows.commit), len(rows.padding))
        after = iter(rows.after)
        for line in lines:
            yield f"{next(after, rows.padding).ljust(width)}{line}".rstrip()
        yield from after

    def _lines(self, paint: Paint) -> Iterator[str]:
        if self.text is not None:
            yield from self.text.split("\n")
        elif self.form == "oneline":
            yield self._line(paint)
        else:
            yield from self._head(paint)
        detailed = [run for run in self.runs if run.call is not None]
        if detailed and not self.is_short:
            yield ""
        for run in detailed:
            yield f"  {paint('run', run.name)}  {run.status}  {run.call}"
        if self.changes:
            from gvstore.cli.change_view import change_lines

            if not self.is_short:
                yield ""
            yield from change_lines(self.changes, self.details, paint)

    def _line(self, paint: Paint) -> str:
        label = f" ({', '.join(paint(_ref_role(each), each) for each in self.labels)})" if self.labels else ""
        runs = f"   {units.count(len(self.runs), 'run')}" if self.runs else ""
        git = f"   git {self._git_line()}" if self.with_git and self.git else ""
        return f"{paint('oid', self.short)}{label} {self.message.partition(chr(10))[0]}{runs}{git}"

    def _head(self, paint: Paint) -> Iterator[str]:
        label = f" ({', '.join(paint(_ref_role(each), each) for each in self.labels)})" if self.labels else ""
        yield f"{paint('oid', f'commit {self.oid.hex()}')}{label}"
        if len(self.parents) > 1:
            yield f"Merge:  {' '.join(parent.hex()[:8] for parent in self.parents)}"
        yield f"Author: {self.author}"
        yield f"Date:   {self.date or units.local(self.created_at)}"
        if self.git:
            yield f"Git:    {self._git_line() if self.with_git else self.git}"
        if self.runs:
            yield f"Runs:   {' '.join(run.name for run in self.runs)}"
        if self.values:
            yield f"Values: {' '.join(self.values)}"
        yield ""
        yield from (f"    {line}" if line else "" for line in self.message.split("\n"))

    def _git_line(self) -> str:
        """Returns git's commit: abbreviated, dirty or not, and its subject."""
        sha, _, state = self.git.partition(" ")
        dirty = " (dirty)" if state == "dirty" else ""
        return f"{sha[:8]}{dirty}{f' {self.git_subject}' if self.git_subject else ''}"


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
        details: tuple[str, ...] = (),
        separated: bool = False,
    ) -> CommitShown:
        """Returns the commit ready to print: `form` is full or oneline, `details` what is shown of the changes."""
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
            short=self.shortest(oid) if form == "oneline" else "",
            labels=self._labels(refs),
            separated=separated,
            details=details,
        )

    def shortest(self, oid: ObjectId) -> str:
        """Returns the shortest abbreviation that names nothing else here."""
        return self._repo.resolver().shortest(oid)

    def changes(
        self, commit: Commit, options: DiffOptions | None = None, paths: tuple[str, ...] = ()
    ) -> tuple[ChangedFile, ...]:
        """Returns the commit's files beside those of its first parent; with `paths` those at or under them."""
        from gvstore.cli.file_diff import DiffOptions, Stored, changed_files
        from gvstore.compare.trees import diff_trees
        from gvstore.repo.path import under

        reader, chosen = self._repo.objects, options or DiffOptions()
        before = Commit.get(reader, commit.parents[0]).tree if commit.parents else None
        found = diff_trees(reader, before, commit.tree, renames=chosen.renames)
        wanted = [each for each in found if not paths or under(each.path, paths) or under(each.old_path, paths)]
        content = Stored(reader)
        return changed_files(wanted, content, content, chosen)

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
                if oid is not None and prefix == TAGS:
                    oid = self._behind_tag(oid)
                if oid is not None and name != self._branch:
                    found.setdefault(oid, []).append(name)
        return found

    def _behind_tag(self, oid: ObjectId) -> ObjectId:
        """Returns what an annotated tag was put on; of anything else the oid itself."""
        from gvstore.objects.fault import ObjectMissing
        from gvstore.objects.kind import Kind

        try:
            while self._repo.objects.read(oid)[0] == Kind.TAG:
                from gvstore.objects.tag import Tag

                oid = Tag.get(self._repo.objects, oid).target
        except ObjectMissing:  # pushed without it, or forgotten: it stands at no commit here
            pass
        return oid

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
