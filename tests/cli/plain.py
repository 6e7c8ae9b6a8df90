"""A plain model of a repository: dicts of names and files, and the commands that stand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")
Files = dict[str, str]


@dataclass(frozen=True)
class Committed:
    """A commit: its files, parents (by number), message, and the runs that it took."""

    files: Files
    parents: tuple[int, ...]
    message: str
    runs: frozenset[int]


@dataclass(frozen=True)
class Names:
    """What refs say.  `branches` hold commits by number; tags a commit (`c`, 3) or run (`r`, 2); runs their outputs."""

    branch: str = "main"
    run: int | None = None
    branches: dict[str, int] = field(default_factory=dict)
    tags: dict[str, tuple[str, int]] = field(default_factory=dict)
    runs: dict[int, int] = field(default_factory=dict)
    notes: dict[int, tuple[str, ...]] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)

    @property
    def head(self) -> int | None:
        return self.branches.get(self.branch)


@dataclass(frozen=True)
class Done:
    """A command that stands: names before and after, and the files where it moved them."""

    before: Names
    after: Names
    files: tuple[Files, Files] | None = None


class Refused(Exception):
    """The command is refused with this exit status; nothing changes."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class Model:
    """The repository as it should be.  `status` of a refused command comes as Refused."""

    def __init__(self, files: Files) -> None:
        self.names, self.files = Names(), dict(files)
        self.commits: list[Committed] = []
        self.last_run = self.operations = 0
        self.standing: list[Done] = []
        self.undone: list[Done] = []
        self.begun_at: dict[int, int | None] = {}  # the commit that a run started from
        self.values_of: dict[int, dict[str, int]] = {}

    def _do(self, after: Names, files: Files | None = None) -> None:
        """Makes one operation; a new one takes away what could be redone."""
        moved = None if files is None or files == self.files else (self.files, files)
        self.standing.append(Done(self.names, after, moved))
        self.undone.clear()
        self.operations += 1
        self.names = after
        self.files = dict(files) if files is not None else self.files

    @property
    def head_files(self) -> Files:
        return {} if self.names.head is None else self.commits[self.names.head].files

    @property
    def clean(self) -> bool:
        return self.files == self.head_files

    def _line(self, at: int | None) -> set[int]:
        """Returns the commits that lead here."""
        found, todo = set[int](), [] if at is None else [at]
        while todo:
            one = todo.pop()
            if one not in found:
                found.add(one)
                todo += self.commits[one].parents
        return found

    def loose(self) -> frozenset[int]:
        """Returns the runs that the next commit takes: those begun on this line that no commit of it holds."""
        line = self._line(self.names.head)
        held = {run for at in line for run in self.commits[at].runs}
        return frozenset(
            run for run in self.names.runs
            if run not in held and (self.begun_at[run] is None or self.begun_at[run] in line)
        )  # fmt: skip

    def write(self, path: str, text: str) -> None:
        self.files = {**self.files, path: text}

    def commit(self, message: str) -> None:
        runs, head = self.loose(), self.names.head
        named = {} if head is None else self.values_of[head]
        if self.clean and not runs and named == self.names.values and head is not None:
            raise Refused(1)
        self.values_of[len(self.commits)] = dict(self.names.values)
        self.commits.append(Committed(dict(self.files), () if head is None else (head,), message, runs))
        branches = {**self.names.branches, self.names.branch: len(self.commits) - 1}
        self._do(replace(self.names, branches=branches))

    def branch(self, name: str) -> None:
        if name in self.names.branches:
            raise Refused(11)
        assert self.names.head is not None
        self._do(replace(self.names, branches={**self.names.branches, name: self.names.head}))

    def delete_branch(self, name: str) -> None:
        if name == self.names.branch:
            raise Refused(13)
        if name not in self.names.branches:
            raise Refused(12)
        self._do(replace(self.names, branches=_without(self.names.branches, name)))

    def switch(self, name: str) -> None:
        if name not in self.names.branches:
            raise Refused(12)
        if not self.clean:
            raise ValueError("the sequences switch from a clean work tree")
        if name == self.names.branch:
            return
        self._do(replace(self.names, branch=name), self.commits[self.names.branches[name]].files)

    def reset(self, *, hard: bool) -> None:
        """To the first parent."""
        head = self.names.head
        assert head is not None
        if not self.commits[head].parents:
            raise Refused(12)
        to = self.commits[head].parents[0]
        self._do(
            replace(self.names, branches={**self.names.branches, self.names.branch: to}),
            self.commits[to].files if hard else None,
        )

    def tag(self, name: str, target: tuple[str, int]) -> None:
        if name in self.names.tags:
            raise Refused(13)
        if target[0] == "r" and target[1] not in self.names.runs:
            raise Refused(12)
        self._do(replace(self.names, tags={**self.names.tags, name: target}))

    def delete_tag(self, name: str) -> None:
        if name not in self.names.tags:
            raise Refused(12)
        self._do(replace(self.names, tags=_without(self.names.tags, name)))

    def run(self, output: int) -> None:
        self.last_run += 1
        self.begun_at[self.last_run] = self.names.head
        self._do(replace(self.names, run=self.last_run, runs={**self.names.runs, self.last_run: output}))

    def _known(self, run: int) -> None:
        if run not in self.names.runs:
            raise Refused(12)

    def note(self, run: int, text: str) -> None:
        self._known(run)
        self._do(replace(self.names, notes={**self.names.notes, run: (*self.names.notes.get(run, ()), text)}))

    def score(self, run: int, value: float) -> None:
        self._known(run)
        self._do(replace(self.names, scores={**self.names.scores, run: value}))

    def remove(self, run: int) -> None:
        self._known(run)
        names = self.names
        self._do(replace(
            names, runs=_without(names.runs, run), notes=_without(names.notes, run), scores=_without(names.scores, run),
            run=None if names.run == run else names.run,
        ))  # fmt: skip

    def put(self, name: str, value: int) -> None:
        if self.names.values.get(name) == value:
            return
        self._do(replace(self.names, values={**self.names.values, name: value}))

    def undo(self, *, keep_files: bool = False) -> None:
        if not self.standing:
            raise Refused(2)
        done = self.standing[-1]
        files = None if done.files is None or keep_files else (done.files[1], done.files[0])
        self._back(done.after, done.before, files)
        self.undone.append(self.standing.pop())

    def redo(self) -> None:
        if not self.undone:
            raise Refused(2)
        done = self.undone[-1]
        self._back(done.before, done.after, done.files)
        self.standing.append(self.undone.pop())

    def _back(self, old: Names, new: Names, files: tuple[Files, Files] | None) -> None:
        if files is not None:
            was, now = files
            changed = {path for path in {*was, *now} if was.get(path) != now.get(path)}
            if any(self.files.get(path) not in (was.get(path), now.get(path)) for path in changed):
                raise Refused(13)
            self.files = {
                **{path: text for path, text in self.files.items() if path not in changed},
                **{path: now[path] for path in changed if path in now},
            }
        assert self.names == old
        self.operations += 1
        self.names = new


def _without(names: dict[K, V], key: K) -> dict[K, V]:
    return {name: value for name, value in names.items() if name != key}
