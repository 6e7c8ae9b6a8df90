"""gv diff: how the work tree, commits, runs, calls or values differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, Unpack

import click

from gvstore.cli.change_view import NAMES, PATCH, STAT, STATUS, change_lines, details_of, diff_options_of
from gvstore.cli.command import PathCommand, pass_context
from gvstore.cli.context import CommandContext
from gvstore.cli.file_diff import ChangedFile, Content, DiffOptions, Lying, Stored, changed_files, differing_files
from gvstore.cli.history_options import ChangeOptions, change_options
from gvstore.cli.output import HIDDEN, Result
from gvstore.cli.style import Paint
from gvstore.errors import BadRev, UsageFault

if TYPE_CHECKING:
    from gvstore.cli.shown_code import LibraryChange
    from gvstore.cli.subject import Subject
    from gvstore.cli.value_diff import ChangedValue
    from gvstore.code.component_diff import ComponentChange
    from gvstore.compare.trees import FileDiff
    from gvstore.journal.components import CodeSide
    from gvstore.journal.repository import Repository
    from gvstore.objects.component import Component
    from gvstore.objects.oid import ObjectId
    from gvstore.objects.tree import TreeEntry


class Difference(Result, Protocol):
    """How two things differ."""

    @property
    def differ(self) -> bool:
        """Whether there is a difference."""
        ...


@dataclass(frozen=True, slots=True)
class FilesDiffer:
    """The files that differ between two trees; `new` is null for the work tree, `old` before the first commit.

    `components` are those that differ, of whole trees or of the two that were named.
    """

    old: str | None
    new: str | None
    files: tuple[ChangedFile, ...]
    components: tuple[ComponentChange, ...]
    details: tuple[str, ...] = field(metadata=HIDDEN)
    libraries: tuple[LibraryChange, ...] = ()  # of the codes of two runs

    @property
    def differ(self) -> bool:
        """Whether there is a difference."""
        return bool(self.files or self.components or self.libraries)

    def lines(self, paint: Paint) -> Iterator[str]:
        if not {NAMES, STATUS} & set(self.details):
            yield from (f"library {each.line()}" for each in self.libraries)
            if self.components:
                from gvstore.cli.component_lines import component_lines

                yield from component_lines(self.components, paint)
            if self.components and self.files:
                yield ""
        yield from change_lines(self.files, self.details, paint)


@dataclass(frozen=True, slots=True)
class ValuesDiffer:
    """Where two values differ."""

    old: str
    new: str
    values: tuple[ChangedValue, ...]

    @property
    def differ(self) -> bool:
        """Whether there is a difference."""
        return bool(self.values)

    def lines(self, paint: Paint) -> Iterator[str]:
        from gvstore.cli.value_diff import value_lines

        yield from value_lines(self.values, paint)


@dataclass(frozen=True, slots=True)
class _Look:
    """How a difference is to be told: `details` of files, `rows` of calls as data, `full` without cuts."""

    details: tuple[str, ...]
    options: DiffOptions
    rows: bool
    full: bool


@click.command("diff", cls=PathCommand)
@click.argument("words", metavar="[REV [REV] | A..B | A...B] [-- PATH...]", nargs=-1)
@change_options
@click.option("--full", is_flag=True, help="Show every call of long rows")
@click.option("--code", is_flag=True, help="Of runs: compare the files and components of the code that they used")
@click.option("--exit-code", is_flag=True, help="End with status 1 if there is a difference")
@pass_context
def command(
    cx: CommandContext, words: tuple[str, ...], full: bool, code: bool, exit_code: bool, **options: Unpack[ChangeOptions]
) -> int:
    """Show how files, commits, runs or values differ

    Without REV: the work tree beside the last commit.  One commit: the work tree beside it.  Two revs of a kind:
    commits, runs, calls, files, components, or values beside each other; A..B is A beside B, A...B what B did since the
    two parted.  One run: beside the run it was derived from.  One component of a commit: beside that of the work tree.
    With --code the code that runs used: of one beside the work tree, of two beside each other; a commit may be one side.

    Patches are such as `git apply` and `patch -p1` take.  --stat of runs tells of calls, tokens, time and cost.

    \b
    Example:
      gv diff run/1 run/3
      gv diff --stat main...topic -- prompts
      gv diff run/1 run/3 --code
    """
    from gvstore.cli.rev_words import split_words
    from gvstore.repo.path import insides

    repo = cx.journal
    with repo:
        revs, paths = split_words(cx, repo, words)
        names = _sides(repo, revs)
        inside = insides(repo.path, paths or None, cwd=cx.folder)
        look = _Look(details_of(options, default=(PATCH,)), diff_options_of(options), cx.json, full)
        cx.output.exact()
        if code:
            result: Difference = _codes(repo, names, inside, look)
        else:
            result = _compare(repo, names, inside, look)
        if not code and isinstance(result, FilesDiffer) and not {NAMES, STATUS} & set(look.details):
            for name in names:
                if repo.resolve(name).run is not None:
                    cx.output.status(f"{name} is a run, and its counterpart a tree of files: the files of its code are compared")
        cx.output.result(result, paged=True)
    return 1 if exit_code and result.differ else 0


def _sides(repo: Repository, words: list[str]) -> list[str]:
    """Returns the revs to compare, at most two; of a range its ends.

    Raises:
        UsageFault: there are more.
    """
    from gvstore.repo.history import merge_bases
    from gvstore.repo.rev_range import range_sides

    if len(words) == 1 and (sides := range_sides(words[0])) is not None:
        old, new, dots = sides[0] or "HEAD", sides[1] or "HEAD", sides[2]
        if dots == 2:
            return [old, new]
        bases = merge_bases(repo.objects, repo.resolve_commit(old), repo.resolve_commit(new))
        if not bases:
            raise BadRev(f"{old} and {new} have no commit in common", hint=f"`gv diff {old} {new}` compares the two themselves.")
        return [repo.resolver().shortest(bases[0]), new]
    if len(words) == 1 and words[0].endswith("^!"):
        rev = words[0][:-2]
        return [f"{rev}^", rev]
    if len(words) > 2:
        raise UsageFault("gv diff takes two revs at most", hint="Paths stand behind --: `gv diff main -- agent.py`.")
    return words


def _compare(
    repo: Repository, names: list[str], paths: tuple[str, ...] | None, look: _Look
) -> Difference:
    from gvstore.cli.subject import open_subject
    from gvstore.journal.components import CodeSide
    from gvstore.repo.resolve import Found

    if not names:
        head = repo.head
        side = CodeSide(repo, None, {}) if head is None else CodeSide.of_commit(repo, head)
        old = _Tree("HEAD" if head else None, repo.head_files(), Stored(repo.objects), side)
        return _files(repo, old, _worktree(repo), paths, look)
    subjects = [open_subject(repo, name) for name in names]
    found = {subject.found for subject in subjects}
    if found & {Found.COMMIT, Found.FOLDER} and found <= {Found.COMMIT, Found.FOLDER, Found.RUN}:
        trees = [_tree(repo, subject) for subject in subjects]
        return _files(repo, trees[0], trees[1] if len(trees) == 2 else _worktree(repo), paths, look)
    if paths is not None:
        raise UsageFault("only trees of files can be narrowed to paths", hint="`gv diff COMMIT [COMMIT] -- PATH...`")
    if len(subjects) == 1 and found == {Found.COMPONENT}:
        return _component_now(repo, subjects[0], look)
    if len(subjects) == 1:
        subjects = [_before(repo, subjects[0]), subjects[0]]
    return _pair(repo, subjects[0], subjects[1], look)


def _codes(repo: Repository, names: list[str], paths: tuple[str, ...] | None, look: _Look) -> FilesDiffer:
    """Returns how the codes of two runs differ, or that of one from the work tree's; a commit may stand for one.

    Raises:
        BadRev: one of them is something else.
        UsageFault: no run is named.
    """
    from gvstore.cli.shown_code import libraries_of, library_changes
    from gvstore.cli.subject import open_subject
    from gvstore.journal.used import environment
    from gvstore.repo.resolve import Found

    subjects = [open_subject(repo, name) for name in names]
    for each in subjects:
        if each.found not in (Found.RUN, Found.COMMIT):
            raise BadRev(f"{each.name} is a {each.found.value}, and a run was asked for", hint="`gv diff run/1 run/3 --code`")
    if all(each.run is None for each in subjects):
        what = f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} no run" if names else "no run is named"
        plain = " ".join(["gv diff", *names])
        raise UsageFault(
            f"--code compares the code that runs used, and {what}",
            hint=f"As in `gv diff RUN --code` or `gv diff run/1 run/3 --code`; files of commits: `{plain}`.",
        )
    trees = [_tree(repo, subject) for subject in subjects]
    differ = _files(repo, trees[0], trees[1] if len(trees) == 2 else _worktree(repo), paths, look)
    sides = [None if each.run is None else libraries_of(repo, each.run) for each in subjects]
    old, new = sides if len(sides) == 2 else (sides[0], environment())
    if old is None or new is None or paths is not None:
        return differ
    return replace(differ, libraries=tuple(library_changes(old, new)))


def _before(repo: Repository, subject: Subject) -> Subject:
    """Returns what a single subject is compared with: a run with the run that it was derived from.

    Raises:
        BadRev: it was derived from none.
    """
    from gvstore.cli.subject import open_subject

    parent = subject.run.parent if subject.run is not None and subject.call is None else None
    if parent is None:
        hint = f"Name two: `gv diff {subject.name} OTHER`."
        raise BadRev(f"there is nothing to compare {subject.name} with", hint=hint)
    return open_subject(repo, parent.name)


def _pair(repo: Repository, old: Subject, new: Subject, look: _Look) -> Difference:
    """Returns how two subjects of a kind differ, files of trees aside.

    Raises:
        BadRev: they are not of a kind.
    """
    kinds = [_KINDS.get(each.found.value if not each.part else "value", "") for each in (old, new)]
    if kinds[0] != kinds[1] or not kinds[0]:
        words = [each.found.value if not each.part else "value" for each in (old, new)]
        raise BadRev(f"a {words[0]} and a {words[1]} cannot be compared", hint="Name two revs of a kind.")
    if kinds[0] == "value":
        from gvstore.cli.value_diff import changed_values

        return ValuesDiffer(old.name, new.name, changed_values(old.value, new.value))
    if kinds[0] == "call":
        from gvstore.cli.call_diff import diff_calls, stat_calls
        from gvstore.cli.step_line import ACTION

        form = set(look.details)
        if PATCH in form and all(each.call is not None and each.call.component.flavor == ACTION for each in (old, new)):
            return _states(old, new)
        if form & {NAMES, STATUS}:
            raise UsageFault("--name-only and --name-status list files, and these are runs or calls", hint="`--stat` tells how many calls differ.")
        if STAT in form:
            return stat_calls(old, new)
        return diff_calls(old, new, rows=look.rows, full=look.full)
    before, after = (_source(repo, each) for each in (old, new))
    # One file that changed, whatever its names were.
    renamed = dict(zip(after.files, before.files.values(), strict=True))
    differ = _files(repo, replace(before, files=renamed), after, None, look)
    return replace(differ, components=_components(repo, old, new))


def _states(old: Subject, new: Subject) -> ValuesDiffer:
    """Returns how the states after two steps of machines differ."""
    from gvstore.cli.machine_view import state_of
    from gvstore.cli.value_diff import changed_values

    before, after = state_of(old), state_of(new)
    return ValuesDiffer(f"{old.name}/state", f"{new.name}/state", changed_values(before.get_all(), after.get_all()))


def _component_now(repo: Repository, old: Subject, look: _Look) -> FilesDiffer:
    """Returns how a component differs from the one of its name in the work tree.

    Raises:
        BadRev: there is none.
    """
    from gvstore.code.component_diff import compare_component
    from gvstore.journal.components import CodeSide
    from gvstore.objects.component import Component

    before, lying = _source(repo, old), CodeSide.of_worktree(repo)
    name = next(iter(before.files))
    if name not in lying.oids:
        raise BadRev(f"the work tree has no {name}", hint=f"Name two: `gv diff {old.name} OTHER`.")
    now, at = lying.component(name), old.resolved.commit
    side = CodeSide.of_commit(repo, at) if at else CodeSide(repo, None)
    assert old.oid is not None
    change = compare_component(Component.get(repo.objects, old.oid), now, side.reached, lying.reached)
    differ = _files(repo, before, replace(_as_file(now), name=None), None, look)
    return replace(differ, components=() if change is None else (change,))


_KINDS = {"run": "call", "call": "call", "value": "value", "file": "file", "component": "file"}


@dataclass(frozen=True, slots=True)
class _Tree:
    """One side of a diff of files: a list of them, or a stored `tree`, which need not be read whole."""

    name: str | None
    files: Mapping[str, TreeEntry]
    content: Content
    side: CodeSide | None = None  # its components, where it is the code of a project
    tree: ObjectId | None = None

    def listing(self, repo: Repository) -> Mapping[str, TreeEntry]:
        """Returns all of its files."""
        from gvstore.repo.files import read_files

        return self.files if self.tree is None else read_files(repo.objects, self.tree)


def _worktree(repo: Repository) -> _Tree:
    from gvstore.journal.components import CodeSide

    return _Tree(None, repo.worktree.look().files, Lying(repo.path), CodeSide.of_worktree(repo))


def _tree(repo: Repository, subject: Subject) -> _Tree:
    """Returns the files of a commit, of a folder, or of the code that a run used."""
    from gvstore.journal.components import CodeSide
    from gvstore.objects.commit import Commit
    from gvstore.repo.resolve import Found

    tree, side = subject.oid, None
    if subject.found is Found.COMMIT and tree is not None:
        commit = repo.resolve_commit(tree.hex())
        tree, side = Commit.get(repo.objects, commit).tree, CodeSide.of_commit(repo, commit)
    elif subject.run is not None:
        tree = subject.run.record.code
        if tree is None:
            raise BadRev(
                f"{subject.name} kept no code, which could be compared with files",
                hint="Two runs are compared by their calls: `gv diff run/1 run/3`.",
            )
        side = CodeSide(repo, tree)
    elif subject.resolved.ref.startswith("git:"):
        side = CodeSide(repo, tree)
    return _Tree(subject.name, {}, Stored(repo.objects), side, tree)


def _components(repo: Repository, old: Subject, new: Subject) -> tuple[ComponentChange, ...]:
    """Returns how two components differ, as far as the commits are known in which they were named."""
    from gvstore.code.component_diff import compare_component
    from gvstore.journal.components import CodeSide
    from gvstore.objects.component import Component
    from gvstore.repo.resolve import Found

    if {old.found, new.found} != {Found.COMPONENT} or old.oid is None or new.oid is None:
        return ()
    sides = [CodeSide.of_commit(repo, at) if (at := each.resolved.commit) else CodeSide(repo, None) for each in (old, new)]
    before, after = Component.get(repo.objects, old.oid), Component.get(repo.objects, new.oid)
    change = compare_component(before, after, sides[0].reached, sides[1].reached)
    return () if change is None else (change,)


def _source(repo: Repository, subject: Subject) -> _Tree:
    """Returns a single file, or the source of a component as one."""
    from gvstore.objects.component import Component
    from gvstore.objects.tree import Mode, TreeEntry
    from gvstore.repo.resolve import Found

    assert subject.oid is not None
    if subject.found is Found.FILE:
        entry = TreeEntry(subject.resolved.mode or Mode.FILE, subject.oid)
        return _Tree(subject.name, {subject.resolved.path or "file": entry}, Stored(repo.objects))
    return replace(_as_file(Component.get(repo.objects, subject.oid)), name=subject.name)


def _as_file(component: Component) -> _Tree:
    """Returns the source of a component as a tree of one file."""
    from gvstore.objects.blob import put_blob
    from gvstore.objects.tree import Mode, TreeEntry
    from gvstore.odb import MemoryDatabase

    memory = MemoryDatabase()
    entry = TreeEntry(Mode.FILE, put_blob(memory, component.source.encode()))
    return _Tree(None, {component.name: entry}, Stored(memory))


def _files(repo: Repository, old: _Tree, new: _Tree, paths: tuple[str, ...] | None, look: _Look) -> FilesDiffer:
    from gvstore.compare.trees import diff_trees
    from gvstore.repo.path import under

    if old.tree is not None and new.tree is not None:
        found = diff_trees(repo.objects, old.tree, new.tree, renames=look.options.renames)
    else:
        found = differing_files(old.listing(repo), new.listing(repo), renames=look.options.renames)
    wanted = [each for each in found if paths is None or under(each.path, paths) or under(each.old_path, paths)]
    files = changed_files(wanted, old.content, new.content, look.options)
    components: tuple[ComponentChange, ...] = ()
    if paths is None and old.side is not None and new.side is not None and any(_is_source(each) for each in found):
        from gvstore.journal.components import component_changes

        components = component_changes(old.side, new.side)
    return FilesDiffer(old.name, new.name, files, components, look.details)


def _is_source(found: FileDiff) -> bool:
    return found.path.endswith((".py", ".pyw")) or found.old_path.endswith((".py", ".pyw"))
