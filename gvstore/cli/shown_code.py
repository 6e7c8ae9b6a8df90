"""Which code a run used: its files beside the work tree's, the components that it called, what was installed.

run/3  story.py at 256ca0fc   tree a3f4d6ce
4 files: 3 as in the work tree, 1 changed
  changed  words.py
  same     story.py
2 components
  story.ask     9f31c2ab
  story.write   11aa22bb   version 3
Python 3.12.4, 41 distributions: 1 is another now
  openai 1.2.0   now 2.0.0
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gvstore.cli import units
from gvstore.cli.output import HIDDEN
from gvstore.cli.style import Paint
from gvstore.cli.subject import run_name
from gvstore.code.libraries import PYTHON
from gvstore.journal.code_root import WithoutCode
from gvstore.journal.mode import components_of
from gvstore.journal.used import environment, read_environment
from gvstore.objects.oid import ObjectId
from gvstore.repo.fault import printable
from gvstore.repo.files import read_files

if TYPE_CHECKING:
    from gvstore.cli.subject import RunOf
    from gvstore.journal.repository import Repository

SAME, CHANGED, GONE = "same", "changed", "gone"
_ORDER = (CHANGED, GONE, SAME)
_MANY = 20
_ROLES = {CHANGED: "changed", GONE: "removed", SAME: "quiet"}


@dataclass(frozen=True, slots=True)
class FileState:
    """A file of the code: in the work tree it is the same, changed, or gone."""

    path: str
    state: str
    oid: ObjectId


@dataclass(frozen=True, slots=True)
class ComponentUsed:
    """A component that the run called; `version` is its pin, `library` the distribution that it is of."""

    name: str
    oid: ObjectId
    version: str
    library: str


@dataclass(frozen=True, slots=True)
class LibraryChange:
    """A distribution that is another there and here; null where it is not installed."""

    name: str
    old: str | None
    new: str | None

    def line(self, arrow: str = " → ") -> str:
        """Returns `openai 1.2.0 → 2.0.0`."""
        return f"{self.name} {self.old or 'not installed'}{arrow}{self.new or 'not installed'}"


@dataclass(frozen=True, slots=True)
class CodeShown:
    """The code of a run; `libraries` are the versions by distribution, null where they were not recorded."""

    run: str
    tree: ObjectId
    base: ObjectId | None
    files: list[FileState]
    components: list[ComponentUsed]
    python: str
    libraries: dict[str, str] | None
    libraries_now: list[LibraryChange]
    at: str = field(metadata=HIDDEN)
    notes: list[str] = field(metadata=HIDDEN)
    full: bool = field(metadata=HIDDEN)

    def lines(self, paint: Paint) -> Iterator[str]:
        yield f"{paint('run', self.run)}  {self.at}   tree {paint('oid', self.tree.hex()[:8])}"
        yield from self._file_lines(paint)
        yield paint("title", units.count(len(self.components), "component"))
        width = max((len(each.name) for each in self.components), default=0)
        for each in self.components:
            version = f"   version {each.version}" if each.version else f"   {each.library}" if each.library else ""
            yield f"  {each.name.ljust(width)}   {paint('oid', each.oid.hex()[:8])}{version}"
        yield from self._environment_lines(paint)
        for note in self.notes:
            yield paint("warning", f"note: {note}")

    def _file_lines(self, paint: Paint) -> Iterator[str]:
        states = [each.state for each in self.files]
        told = {SAME: "as in the work tree", CHANGED: "changed", GONE: "gone"}
        counts = [f"{states.count(state):,} {words}" for state, words in told.items() if state in states]
        yield paint("title", f"{units.count(len(states), 'file')}{': ' if counts else ''}{', '.join(counts)}")
        for state in _ORDER:
            rows = [each for each in self.files if each.state == state]
            shown = rows if self.full or len(rows) <= _MANY or state != SAME else rows[:_MANY]
            yield from (f"  {paint(_ROLES[state], state.ljust(7))}  {printable(each.path)}" for each in shown)
            if len(shown) < len(rows):
                yield paint("quiet", f"  … {len(rows) - len(shown):,} more; --full shows all")

    def _environment_lines(self, paint: Paint) -> Iterator[str]:
        if self.libraries is None:
            yield paint("title", f"Python {self.python}; what was installed is not recorded")
            return
        count = len([name for name in self.libraries if name != PYTHON])
        differ = len(self.libraries_now)
        now = f": {differ:,} {'is' if differ == 1 else 'are'} another now" if differ else ""
        yield paint("title", f"Python {self.python}, {units.count(count, 'distribution')}{now}")
        yield from (f"  {each.line('   now ')}" for each in self.libraries_now)
        if self.full:
            yield from (f"  {name} {version}" for name, version in sorted(self.libraries.items()))


def show_code(repo: Repository, run: RunOf, *, full: bool) -> CodeShown:
    """Returns which code a run used, ready to print.

    Raises:
        WithoutCode: it kept none.
    """
    record = run.record
    if record.code is None:
        raise WithoutCode(
            f"{run_name(run)} kept no code",
            hint="A run keeps the files of this repository that it used: its program lies outside, or in a file with a key.",
        )
    libraries = libraries_of(repo, run)
    root = run.invocation if record.root is not None else None
    return CodeShown(
        run=run_name(run),
        tree=record.code,
        base=record.base,
        files=_file_states(repo, record.code),
        components=[] if root is None else sorted(
            (ComponentUsed(each.name, oid, each.version, each.library) for oid, each in components_of(root).items()),
            key=lambda each: (each.name, each.oid.hex()),
        ),
        python=record.python,
        libraries=None if libraries is None else dict(libraries),
        libraries_now=[] if libraries is None else library_changes(libraries, environment()),
        at=f"{record.target.rpartition(':')[0] or record.target} at {run.code_name()}",
        notes=[note for note in record.notes if "code snapshot" in note],
        full=full,
    )  # fmt: skip


def _file_states(repo: Repository, tree: ObjectId) -> list[FileState]:
    worktree, rows = repo.worktree, []
    with worktree.caching():
        for path, entry in sorted(read_files(repo.objects, tree).items()):
            now = worktree.entry(path)
            rows.append(FileState(path, GONE if now is None else SAME if now == entry else CHANGED, entry.oid))
    return rows


def libraries_of(repo: Repository, run: RunOf) -> Mapping[str, str] | None:
    """Returns the versions of what was installed when a run was recorded; None where nobody wrote it down."""
    return None if run.record.environment is None else read_environment(repo.objects, run.record.environment)


def library_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[LibraryChange]:
    """Returns the distributions that differ, by name; none where one side tells of Python alone."""
    if min(len(old), len(new)) <= 1:
        old, new = ({name: side[name] for name in side if name == PYTHON} for side in (old, new))
    return [
        LibraryChange(name, old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
