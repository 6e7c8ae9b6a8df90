"""Commits made from the work tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.refs.names import HEAD, VALUES
from gvstore.refs.transaction import clean_text
from gvstore.refs.value import value_oid
from gvstore.repo.checkout import write_mark
from gvstore.repo.fault import NoSuchPath, NothingToCommit
from gvstore.repo.files import Files, read_files, write_tree
from gvstore.repo.git import git_note
from gvstore.repo.path import under
from gvstore.repo.scan import Skipped, check_paths
from gvstore.repo.secrets import Stop
from gvstore.repo.worktree import Stops, Taken, Worktree

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


FindComponents = Callable[[Files], Mapping[str, ObjectId]]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The work tree, stored: its tree, and its files by path.

    `read` counts files whose content had to be read; `skipped` cannot be held by a
    tree (sockets, say); `left_out` were too large or held keys.
    """

    tree: ObjectId
    files: Files
    read: int
    skipped: tuple[Skipped, ...]
    left_out: tuple[Stop, ...]


def snapshot(
    worktree: Worktree, base: Files, *, stops: Stops, paths: Sequence[str] | None = None, leave_out: bool = False
) -> Snapshot:
    """Returns the work tree, stored; of a part of it, over what `base` has elsewhere.

    Raises:
        NoSuchPath: a path is neither in the work tree nor in `base`.
        Swallowed, UnreadableFile, FileChanged: as `Worktree.take`.
    """
    taken = worktree.take(base=base, paths=paths, stops=stops, leave_out=leave_out)
    files = taken.files
    if paths is not None:
        _check_taken(worktree, paths, taken, base)
        files = {path: entry for path, entry in base.items() if not under(path, paths)} | files
    return _stored(worktree.objects, files, taken)


def overlay(worktree: Worktree, base: Files, paths: Sequence[str], *, stops: Stops) -> Snapshot:
    """Returns `base` with the files at `paths` as they are now, ignored or not, stored; what would stop is left out."""
    taken = worktree.take(base=base, paths=paths, stops=stops, leave_out=True, exactly=True)
    return _stored(worktree.objects, dict(base) | taken.files, taken)


def _stored(objects: ObjectStore, files: Files, taken: Taken) -> Snapshot:
    return Snapshot(write_tree(objects, files), files, taken.read, taken.skipped, taken.left_out)


def _check_taken(worktree: Worktree, paths: Sequence[str], taken: Taken, base: Files) -> None:
    for path in paths:
        try:
            check_paths([path], taken.files, base)
        except NoSuchPath as e:
            if (worktree.root / path).is_file():
                raise NoSuchPath(path, hint="It is ignored: see .gvignore and .gitignore.") from e
            raise


def clean_message(message: str) -> str:
    """Returns the message without blank lines around it and blanks at the ends of lines.

    Raises:
        UsageFault: nothing is left.
    """
    lines = [line.rstrip() for line in clean_text(message).splitlines()]
    text = "\n".join(lines).strip("\n")
    if not text:
        raise UsageFault("the message is empty", hint='Say what changed: `gv commit -m "..."`.')
    return text


def subject(message: str) -> str:
    """Returns the first line of a message."""
    return message.partition("\n")[0]


def commit(
    repo: Repository,
    message: str,
    *,
    author: str,
    now: int,
    components: FindComponents,
    runs: Sequence[ObjectId],
    values: Mapping[str, ObjectId] | None,
    paths: Sequence[str] | None,
    stops: Stops,
    allow_empty: bool,
    allow_conflicts: bool = False,
) -> ObjectId:
    """Returns the new commit of the work tree, to which HEAD's branch (or HEAD, when detached) has moved.

    `components` is asked for those that the committed files define.  It concludes what is unfinished (a merge, a pick).

    Raises:
        Undecided: conflicts are left, and not `allow_conflicts`.
        NothingToCommit: nothing changed, and no run is to be added.
        RefMoved: another process committed meanwhile.
        Swallowed, NoSuchPath, UnreadableFile, FileChanged: as `snapshot`.
    """
    from gvstore.repo.conclude import conclusion

    with repo.worktree_lock(), repo.objects.batch():
        ending = conclusion(repo, allow_conflicts=allow_conflicts, paths=paths)
        message = clean_message(message or ending.message)
        ref = repo.refs.head_ref() or HEAD
        parent = repo.head
        before = Commit.get(repo.objects, parent) if parent else None
        base = read_files(repo.objects, before.tree) if before else Files()
        taken = snapshot(repo.worktree, base, stops=stops, paths=paths)
        named = {**(named_values(repo) if values is None else values), **ending.values}
        found = dict(components(taken.files))
        if not (runs or allow_empty or ending.parents) and _is_same(before, taken, found, named):
            raise NothingToCommit(first=before is None)
        parents = (parent, *ending.parents) if parent else ending.parents
        oid = Commit(
            tree=taken.tree,
            parents=parents,
            author=clean_text(author),
            created_at=now,
            message=message,
            components=found,
            values=named,
            runs=tuple(dict.fromkeys(runs)),
            generation=generation_after(repo, parents),
            git=git_note(repo.path),
        ).put(repo.objects)
        ending.announce(oid)
        said = f"commit{'' if before else ' (initial)'}: {subject(message)}"
        with repo.transaction(f"commit -m {subject(message)}", author=author, now=now) as transaction:
            transaction.update(ref, oid, expected=parent, message=said)
            ending.note(transaction, taken.tree, whole=paths is None)
        ending.finish(oid)
        if paths is None:
            write_mark(repo.gv, None)  # the work tree is HEAD's now, whatever was laid over it before
    return oid


def _is_same(before: Commit | None, taken: Snapshot, components: Mapping[str, ObjectId], values: Mapping[str, ObjectId]) -> bool:
    """Returns whether the commit before has all of it; before the first, whether there is nothing."""
    if before is None:
        return not (taken.files or values)
    return (before.tree, before.components, before.values) == (taken.tree, components, values)


def generation_after(repo: Repository, parents: Sequence[ObjectId]) -> int:
    """Returns the generation of a commit with these parents."""
    return 1 + max((Commit.get(repo.objects, each).generation for each in parents), default=0)


def named_values(repo: Repository) -> dict[str, ObjectId]:
    """Returns the values that have names now: what the next commit keeps."""
    found = {name[len(VALUES) :]: value_oid(value) for name, value in repo.refs.list(VALUES).items()}
    return {name: oid for name, oid in found.items() if oid is not None}
