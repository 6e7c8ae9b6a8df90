"""The components of commits, runs and the work tree, beside each other, and the history of one.

    component_changes(old, new)     how those of two states of a project differ
    component_log(repo, start, name)   the commits in which one changed, followed through renames

Everything is read, nothing imported.  What components reach is looked up in
the files of their own side, and only of those that differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from gvstore import fs
from gvstore.code.component_diff import (
    APPEARED,
    GONE,
    ComponentChange,
    compare_component,
    compare_components,
    renamed_change,
    renames,
)
from gvstore.code.discover import discover_project
from gvstore.code.project import Project
from gvstore.code.reach import Reached, trace
from gvstore.code.tree import TreeModules
from gvstore.code.unit import Module
from gvstore.errors import Corrupt
from gvstore.journal.component import stored_component
from gvstore.journal.repository import Repository
from gvstore.objects.blob import get_blob
from gvstore.objects.commit import Commit
from gvstore.objects.component import Component
from gvstore.objects.oid import ObjectId
from gvstore.objects.tree import EntryFinder, Mode
from gvstore.repo.files import read_files
from gvstore.repo.history import log

_PLAIN = (Mode.FILE, Mode.EXECUTABLE)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a component stands: a file of its side, first and last line."""

    path: str
    first_line: int
    last_line: int


class CodeSide:
    """One state of a project's code.

    `known` are its components where they are stored with it; else they are found by reading.
    """

    def __init__(self, repo: Repository, tree: ObjectId | None, known: Mapping[str, ObjectId] | None = None) -> None:
        self.repo, self._tree, self._stored = repo, tree, known
        self._read: dict[str, Component] = {}
        self.unreadable: set[str] = set()
        """Files that are no Python, of those that were looked at: what stands in them is unknown, not gone."""

    @classmethod
    def of_commit(cls, repo: Repository, oid: ObjectId) -> CodeSide:
        """Returns the state that a commit holds."""
        commit = Commit.get(repo.objects, oid)
        return cls(repo, commit.tree, commit.components)

    @classmethod
    def of_worktree(cls, repo: Repository) -> CodeSide:
        """Returns the state that lies in the work tree."""
        return _Lying(repo, None)

    @cached_property
    def oids(self) -> Mapping[str, ObjectId]:
        """The components by name; two are equal where these are."""
        if self._stored is not None:
            return self._stored
        discovery = discover_project(self.sources(), self.repo.facts)
        self.unreadable = {fault.path for fault in discovery.unparsable}
        found = discovery.named()
        self._read = {name: stored_component(each.identity) for name, each in found.items()}
        return {name: _oid_of(each) for name, each in self._read.items()}

    def component(self, name: str) -> Component:
        """Returns one of them."""
        oid = self.oids[name]
        if name not in self._read:
            self._read[name] = Component.get(self.repo.objects, oid)
        return self._read[name]

    def sources(self) -> Iterator[tuple[str, bytes]]:
        """Yields the path and content of its Python files."""
        for path in self.files:
            if path.endswith((".py", ".pyw")) and (data := self.read(path)) is not None:
                yield path, data

    @cached_property
    def files(self) -> dict[str, ObjectId]:
        """Its files by path."""
        try:
            files = read_files(self.repo.objects, self._tree) if self._tree is not None else {}
        except Corrupt:
            return {}
        return {path: entry.oid for path, entry in files.items() if entry.mode in _PLAIN}

    def read(self, path: str) -> bytes | None:
        """Returns the content of a file; None of one that is not there, damaged or forgotten.

        A stored tree is not listed for it: of two large projects that differ in a file, what that reaches is read.
        """
        try:
            if self._tree is None:
                return None
            entry = self._finder.find(self._tree, path)
            return get_blob(self.repo.objects, entry.oid) if entry is not None and entry.mode in _PLAIN else None
        except Corrupt:
            return None

    @cached_property
    def _finder(self) -> EntryFinder:
        return EntryFinder(self.repo.objects)

    @cached_property
    def project(self) -> Project:
        """Its modules as a graph."""
        return Project(TreeModules(self.read), self.repo.facts)

    def find(self, name: str) -> tuple[Module, int] | None:
        """Returns the module in which a component of this name stands, and its number there."""
        parts = name.split(".")
        for cut in range(len(parts) - 1, 0, -1):
            module = self.project.module(".".join(parts[:cut]))
            number = None if module is None else module.number(".".join(parts[cut:]))
            if module is not None and number is not None:
                return module, number
        return None

    def reached(self, name: str) -> Reached | None:
        """Returns what the component of this name reaches; None where it is not found."""
        found = self.find(name)
        if found is None:
            return None
        reach = trace(self.project, *found)
        self.project.keep()
        return reach

    def place(self, name: str) -> Place | None:
        """Returns where a component stands."""
        found = self.find(name)
        if found is None:
            return None
        module, number = found
        return Place(module.text.filename, *module.facts.sites[number][-2:])


class _Lying(CodeSide):
    @cached_property
    def files(self) -> dict[str, ObjectId]:
        found = self.repo.worktree.look().files
        return {path: entry.oid for path, entry in found.items() if entry.mode in _PLAIN}

    def read(self, path: str) -> bytes | None:
        if path not in self.files:
            return None
        try:
            return fs.read_bytes(self.repo.path / path)
        except OSError:
            return None


def _oid_of(component: Component) -> ObjectId:
    from gvstore.odb import MemoryDatabase

    return component.put(MemoryDatabase())


def component_changes(old: CodeSide, new: CodeSide) -> tuple[ComponentChange, ...]:
    """Returns how the components of two states differ, sorted by name; of files that one side cannot read, nothing."""
    names = [name for name in {**old.oids, **new.oids} if old.oids.get(name) != new.oids.get(name)]
    for here, there in ((old, new), (new, old)):
        if there.unreadable:
            places = {name: here.place(name) for name in names if name in here.oids and name not in there.oids}
            unknown = {name for name, place in places.items() if place is not None and place.path in there.unreadable}
            names = [name for name in names if name not in unknown]
    before, after = ({name: side.component(name) for name in names if name in side.oids} for side in (old, new))
    return compare_components(before, after, reached_then=old.reached, reached_now=new.reached)


@dataclass(frozen=True, slots=True)
class ComponentEntry:
    """A commit that changed a component, and how; its source before and after."""

    oid: ObjectId
    commit: Commit
    change: ComponentChange
    old: str = ""
    new: str = ""


def component_log(repo: Repository, start: ObjectId, name: str) -> Iterator[ComponentEntry]:
    """Yields the commits that lead to `start` and changed the component, the newest first.

    It is followed to the name that it had before it was renamed.  A merge
    counts where the component is another than in each of its parents.
    """
    following = {start: name}
    for oid, commit in log(repo.objects, [start]):
        name = following.pop(oid, name)
        entry = _change_at(repo, oid, commit, name)
        for parent in commit.parents:
            following.setdefault(parent, entry.change.old_name or name if entry is not None else name)
        if entry is not None:
            yield entry


def _change_at(repo: Repository, oid: ObjectId, commit: Commit, name: str) -> ComponentEntry | None:
    """Returns what a commit changed of the component beside its first parent; None where it is as in one of the parents."""
    now = commit.components.get(name)
    parents = [Commit.get(repo.objects, parent) for parent in commit.parents]
    if any(parent.components.get(name) == now for parent in parents) or (now is None and not parents):
        return None
    side = CodeSide(repo, commit.tree, commit.components)
    before = CodeSide(repo, parents[0].tree, parents[0].components) if parents else CodeSide(repo, None, {})
    if name in side.oids and name in before.oids:
        old, new = before.component(name), side.component(name)
        change = compare_component(old, new, before.reached, side.reached)
        return None if change is None else ComponentEntry(oid, commit, change, old.source, new.source)
    moved = renames(
        {each: before.component(each) for each in before.oids if each not in side.oids},
        {each: side.component(each) for each in side.oids if each not in before.oids},
    )
    if name in side.oids:
        was, now_ = next((then for then, after in moved.items() if after == name), None), name
        if was is None:
            told = ComponentChange(name, None, (APPEARED,))
            return ComponentEntry(oid, commit, told, "", side.component(name).source)
    else:
        was, now_ = name, moved.get(name, "")
        if not now_:
            told = ComponentChange(name, None, (GONE,))
            return ComponentEntry(oid, commit, told, before.component(name).source, "")
    old, new = before.component(was), side.component(now_)
    told = renamed_change(old, new, moved, before.reached, side.reached)
    return ComponentEntry(oid, commit, told, old.source, new.source)
