"""What `gv checkout` does: the work tree, HEAD and RUN together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore import fs
from gvstore.errors import BadRev
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId, short
from gvstore.objects.run import Run
from gvstore.refs.fault import RefExists
from gvstore.refs.names import BRANCHES, HEAD, branch_ref, short_name
from gvstore.refs.value import value_target
from gvstore.repo import layout
from gvstore.repo.checkout import Known, Mark, Plan, plan, write_mark
from gvstore.repo.fault import FileChanged, UnreadableFile
from gvstore.repo.files import NO_FILES, Files, read_files
from gvstore.repo.moved import Moved, move_files, present_mark
from gvstore.repo.path import under
from gvstore.repo.pending import State, check_none, read_pending
from gvstore.repo.resolve import Found, Resolved
from gvstore.repo.scan import check_paths

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


@dataclass(frozen=True, slots=True)
class Checkout:
    """What a checkout did.  `branch` is None where HEAD is detached now, `run` the run whose code was laid over the work tree.

    `missing` are files whose content was forgotten, and in words how; `gave_way` files that were overwritten or deleted
    although no commit has what they held: `gv undo` brings them back.
    """

    commit: ObjectId | None
    branch: str | None
    run: int | None
    written: tuple[str, ...]
    deleted: tuple[str, ...]
    missing: Mapping[str, str]
    gave_way: tuple[str, ...] = ()


class NoCode(BadRev):
    """The run kept no code."""

    hint = "A run keeps the files of this repository that it used: the program lies outside, or in a file with a key."

    def __init__(self, number: int, notes: Sequence[str] = ()) -> None:
        self.number = number
        left = [note for note in notes if "left out of the code snapshot" in note]
        super().__init__(f"run/{number} has no code to check out" + (f": {'; '.join(left)}" if left else ""))


def checkout(
    repo: Repository,
    rev: str,
    *,
    paths: Sequence[str] | None,
    create: str | None,
    reset: bool,
    detach: bool,
    force: bool,
    author: str,
    now: int,
) -> Checkout:
    """Moves the work tree, and HEAD, to what the rev names; see `Repository.checkout`."""
    found = repo.resolve(rev, wanted=frozenset({Found.COMMIT, Found.RUN}), now=now)
    if paths is not None:
        tree, words = _tree_of(repo, found, rev, now), " ".join(["checkout", rev, "--", *(each or "." for each in paths)])
        return checkout_paths(repo, tree, paths, command=words, force=force, author=author, now=now)
    if found.found is Found.RUN and found.run is not None and found.oid is not None:
        return checkout_run(repo, found.run, found.oid, force=force, author=author, now=now)
    oid = repo.resolver(now=now).commit(rev)
    branch = create or (short_name(found.ref) if found.ref.startswith(BRANCHES) and not detach else None)
    return checkout_commit(
        repo, oid, branch=branch, create=create is not None, reset=reset, label=branch or rev, force=force, author=author, now=now
    )  # fmt: skip


def restore(repo: Repository, paths: Sequence[str], source: str, *, author: str, now: int) -> Checkout:
    """Brings files and folders to what `source` has; see `Repository.restore`."""
    found = repo.resolve(source, wanted=frozenset({Found.COMMIT, Found.RUN}), now=now)
    tree = _tree_of(repo, found, source, now)
    given = "" if source == "HEAD" else f" --source {source}"
    command = f"restore{given} {' '.join(each or '.' for each in paths)}"
    is_run = found.found is Found.RUN  # a run's code is a part of the files: what it lacks is not gone
    return checkout_paths(repo, tree, paths, command=command, delete=not is_run, force=True, author=author, now=now)


def _tree_of(repo: Repository, found: Resolved, rev: str, now: int) -> ObjectId:
    """Returns the files of a commit, of ours or of git's, or the code of a run."""
    if found.ref.startswith("git:") and found.oid is not None and not found.path:
        return found.oid
    if found.found is Found.RUN and found.run is not None and found.oid is not None:
        run = Run.get(repo.objects, found.oid)
        if run.code is None:
            raise NoCode(found.run, run.notes)
        return run.code
    return Commit.get(repo.objects, repo.resolver(now=now).commit(rev)).tree


def checkout_commit(
    repo: Repository,
    oid: ObjectId,
    *,
    branch: str | None,
    create: bool,
    label: str,
    author: str,
    now: int,
    force: bool = False,
    reset: bool = False,
) -> Checkout:
    """Moves the work tree and HEAD to a commit: on `branch`, made if `create` (with `reset`, moved if it is there), or detached.

    With `force` every file is brought to the commit's, and unsaved ones give way; `gv undo` brings them back.

    A work tree that is empty gets all files, HEAD's too: it came here as a copy of `.gv`.
    The work tree comes first, HEAD last; what interrupts it is mended by doing it again.

    Raises:
        WouldOverwrite, BadPath, CannotWrite: as the plan says; at the first two nothing was touched.
        RefExists, RefMoved: the branch is there already, or not where it was.
    """
    commit = Commit.get(repo.objects, oid)
    ref = branch_ref(branch) if branch is not None else None
    with repo.worktree_lock():
        check_none(repo, f"`gv checkout {label}`")
        there = repo.refs.resolve(ref) if create and ref else None
        if there is not None and not reset:
            raise RefExists(short_name(ref or ""))
        target = read_files(repo.objects, commit.tree)
        copied = set(fs.list_folder(repo.path)) <= {layout.GV_FOLDER}  # nobody deleted these files: they never were here
        known = known_files(repo)
        lying = lying_files(repo) if force and not copied else NO_FILES
        todo = plan(repo.worktree, target, known=known, delete=True, every=copied or force, force=force, lying=lying)
        moved = move_files(repo, todo, label, commit.tree)
        before = repo.refs.read(HEAD)
        message = f"checkout: moving from {shown_place(before)} to {label}"
        with repo.transaction(f"checkout {label}", author=author, now=now) as transaction:
            if ref is None:
                transaction.update(HEAD, oid, expected=before, message=message)
            else:
                if there is not None:
                    transaction.update(ref, oid, expected=there, message=f"branch: reset to {short(oid)}")
                elif create:
                    transaction.create(ref, oid, message=f"branch: created at {short(oid)}")
                transaction.set_symbolic(HEAD, ref, expected=before, message=message)
            moved.note(transaction)
        write_mark(repo.gv, None)
    return Checkout(oid, branch, None, written(todo, moved), todo.delete, moved.missing, unsaved(todo, known))


def checkout_run(
    repo: Repository, number: int, oid: ObjectId, *, author: str, now: int, force: bool = False
) -> Checkout:
    """Lays the code that a run used over the work tree; HEAD is detached at the run's base commit, RUN is this run.

    Only the files of the run's snapshot are touched.

    Raises:
        NoCode: the run kept none.
        WouldOverwrite, BadPath, CannotWrite: as the plan says; at the first two nothing was touched.
    """
    run = Run.get(repo.objects, oid)
    if run.code is None:
        raise NoCode(number, run.notes)
    base = run.base if run.base is not None and repo.objects.has(run.base) else None
    label = f"run/{number}"
    with repo.worktree_lock():
        check_none(repo, f"`gv checkout {label}`")
        known = known_files(repo)
        todo = plan(repo.worktree, read_files(repo.objects, run.code), known=known, delete=False, every=True, force=force)
        trees = (run.code, *_known_trees(repo))
        moved = move_files(repo, todo, label, *trees)
        before = repo.refs.read(HEAD)
        message = f"checkout: moving from {shown_place(before)} to {label}"
        with repo.transaction(f"checkout {label}", author=author, now=now) as transaction:
            if base is not None:
                transaction.update(HEAD, base, expected=before, message=message)
            transaction.set_run(number, message=message)
            moved.note(transaction)
        write_mark(repo.gv, Mark(label, True, trees))
    branch = None if base is not None else repo.branch
    gave_way = unsaved(todo, known)
    return Checkout(base, branch, number, written(todo, moved), todo.delete, moved.missing, gave_way)


def checkout_paths(
    repo: Repository,
    tree: ObjectId,
    paths: Sequence[str],
    *,
    command: str,
    author: str,
    now: int,
    delete: bool = False,
    force: bool = False,
) -> Checkout:
    """Brings these files and folders to what the tree has; HEAD stays.

    `command` is what was typed, without "gv".  With `delete`, files that HEAD has there and the tree has not are
    deleted.  With `force` unsaved files give way, and `gv undo` brings them back.

    Raises:
        NoSuchPath: the tree has no such file.
        WouldOverwrite, BadPath, CannotWrite: as the plan says; at the first two nothing was touched.
    """
    files = read_files(repo.objects, tree)
    with repo.worktree_lock():
        known = known_files(repo)
        check_paths(paths, files, *((known.head,) if delete else ()))
        wanted = {path: entry for path, entry in files.items() if under(path, paths)}
        parts = [{path: entry for path, entry in each.items() if under(path, paths)} for each in known.all]
        part = Known(parts[0], tuple(parts[1:]), known.cut_off)
        lying = lying_files(repo, paths)
        todo = plan(repo.worktree, wanted, known=part, delete=delete, every=True, force=force, lying=lying)
        moved = move_files(repo, todo, f"gv {command}", apart=True)
        with repo.transaction(command, author=author, now=now) as transaction:
            moved.note(transaction)
        write_mark(repo.gv, moved.mark)
    gave_way = unsaved(todo, known)
    return Checkout(repo.head, repo.branch, None, written(todo, moved), todo.delete, moved.missing, gave_way)


def known_files(repo: Repository) -> Known:
    """Returns the files of HEAD, and those of other trees that may lie about in the work tree."""
    mark = present_mark(repo)
    trees = mark.trees if mark else ()
    pending = read_pending(repo.gv)
    if pending is not None:
        trees += (pending.after,) if pending.state is not State.MOVING else (pending.since, pending.after)
    others = tuple(read_files(repo.objects, tree) for tree in dict.fromkeys(trees) if repo.objects.has(tree))
    cut_off = (mark is not None and not mark.done) or (pending is not None and pending.state is State.MOVING)
    return Known(repo.head_files(), others, cut_off=cut_off)


def lying_files(repo: Repository, paths: Sequence[str] | None = None) -> Files:
    """Returns what lies in the work tree, what is ignored left out; nothing where a part of it cannot be read."""
    try:
        return repo.worktree.look(paths=paths).files
    except (UnreadableFile, FileChanged):
        return {}


def _known_trees(repo: Repository) -> tuple[ObjectId, ...]:
    """Returns the trees of `known_files`."""
    head, mark = repo.head, present_mark(repo)
    trees = (Commit.get(repo.objects, head).tree,) if head else ()
    return trees + (mark.trees if mark else ())


def written(todo: Plan, moved: Moved) -> tuple[str, ...]:
    """Returns the files that were brought: what was planned, but for what was forgotten."""
    return tuple(path for path in todo.write if path not in moved.missing)


def unsaved(todo: Plan, known: Known) -> tuple[str, ...]:
    """Returns the files that give way although no known tree has what they hold."""
    going = {*todo.write, *todo.delete}
    return tuple(
        path
        for path, present in sorted(todo.present.items())
        if path in going and all(files.get(path) != present for files in known.all)
    )


def shown_place(value: str | None) -> str:
    """Returns HEAD's value as messages tell it: a branch's name, or an abbreviated oid."""
    if value is None:
        return "nothing"
    target = value_target(value)
    return short_name(target) if target else value[:8]
