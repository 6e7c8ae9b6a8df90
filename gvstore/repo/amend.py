"""The last commit made anew: `gv commit --amend`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.refs.names import HEAD
from gvstore.refs.transaction import clean_text
from gvstore.repo.checkout import write_mark
from gvstore.repo.commit import FindComponents, clean_message, named_values, snapshot, subject
from gvstore.repo.files import read_files
from gvstore.repo.git import git_note
from gvstore.repo.moved import keep_unfinished
from gvstore.repo.pending import check_none
from gvstore.repo.worktree import Stops

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository


class NothingToAmend(UsageFault):
    """There is no commit to make anew, or nothing would be left of it."""


def amend(
    repo: Repository,
    message: str | None,
    *,
    author: str | None,
    writer: str,
    now: int,
    components: FindComponents,
    runs: Sequence[ObjectId],
    values: Mapping[str, ObjectId] | None = None,
    paths: Sequence[str] | None,
    stops: Stops,
    allow_empty: bool,
) -> ObjectId:
    """Returns the commit that stands in the place of HEAD's: the work tree, or `paths` of it, over the same parents.

    Message and author are kept unless given; the runs and values that the commit
    had are kept, new ones added.  `writer` is who the operation names.

    Raises:
        InTheMiddle: a merge, revert or cherry-pick is not finished.
        NothingToAmend: there is no commit, or the new one would change nothing beside its parent, and not `allow_empty`.
        RefMoved, Swallowed, NoSuchPath, UnreadableFile, FileChanged: as a commit.
    """
    with repo.worktree_lock(), repo.objects.batch():
        check_none(repo, "`gv commit --amend`")
        ref, old = repo.refs.head_ref() or HEAD, repo.head
        if old is None:
            raise NothingToAmend("there is no commit yet to amend", hint='`gv commit -m "..."` makes the first.')
        before = Commit.get(repo.objects, old)
        taken = snapshot(repo.worktree, read_files(repo.objects, before.tree), stops=stops, paths=paths)
        kept = tuple(dict.fromkeys((*before.runs, *runs)))
        named = {**before.values, **(named_values(repo) if values is None else values)}
        new = Commit(
            tree=taken.tree,
            parents=before.parents,
            author=clean_text(author) if author is not None else before.author,
            created_at=now,
            message=before.message if message is None else clean_message(message),
            components=dict(components(taken.files)),
            values=named,
            runs=kept,
            generation=before.generation,
            git=git_note(repo.path),
        )
        if not allow_empty and _became_empty(repo, before, new):
            raise NothingToAmend(
                "nothing would be left of the commit: its files would be those of the one before",
                hint="`gv reset HEAD~1` takes it out; --allow-empty makes an empty one.",
            )
        oid = new.put(repo.objects)
        said = subject(new.message)
        with repo.transaction(f"commit --amend -m {said}", author=writer, now=now) as transaction:
            transaction.update(ref, oid, expected=old, message=f"commit (amend): {said}")
            if paths is None:
                keep_unfinished(repo, transaction)
        if paths is None:
            write_mark(repo.gv, None)
    return oid


def _became_empty(repo: Repository, before: Commit, new: Commit) -> bool:
    if len(new.parents) != 1 or new.runs:
        return False
    parent = Commit.get(repo.objects, new.parents[0])
    return new.tree == parent.tree != before.tree and new.values == parent.values
