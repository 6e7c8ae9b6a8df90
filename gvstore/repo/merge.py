"""Merges: another line of commits joined with HEAD's.

up to date     HEAD has all of it already
fast-forward   HEAD's line has nothing of its own: the branch moves
merged         a commit with both as parents
conflicts      the files are there, with markers; somebody has to decide
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from gvstore.compare.merge3 import Favour, Labels
from gvstore.errors import Conflict as ConflictFault
from gvstore.errors import UsageFault
from gvstore.objects.commit import Commit
from gvstore.objects.kind import Kind
from gvstore.objects.oid import ObjectId
from gvstore.objects.tag import Tag
from gvstore.refs.names import BRANCHES, HEAD, REMOTES, TAGS, short_name
from gvstore.refs.transaction import clean_text
from gvstore.repo.commit import clean_message, generation_after, named_values, subject
from gvstore.repo.files import read_files
from gvstore.repo.git import git_note
from gvstore.repo.history import is_ancestor, log, merge_bases
from gvstore.repo.landing import Landed, Recipe, check_ready, land, tree_of
from gvstore.repo.layout import MAIN_BRANCH
from gvstore.repo.merge_base import virtual_base
from gvstore.repo.merge_files import MergeWords, merge_trees
from gvstore.repo.merge_values import MergedValues, merge_named
from gvstore.repo.pending import Action, Pending, PickWords, State

if TYPE_CHECKING:
    from gvstore.repo.repository import Repository

NO_TREE = ObjectId(bytes(32))  # in a pending thing, until its files are judged


class FastForward(StrEnum):
    """Whether the branch may just move."""

    AUTO = "auto"
    ONLY = "only"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class MergeOptions:
    """How to merge: `message` "" is git's; without `commit` it stops before that; `squash` forgets where it came from."""

    fast_forward: FastForward = FastForward.AUTO
    commit: bool = True
    squash: bool = False
    message: str = ""
    favour: Favour | None = None
    unrelated: bool = False
    show_base: bool = False


class Outcome(StrEnum):
    """What a merge came to."""

    UP_TO_DATE = "up to date"
    FAST_FORWARD = "fast-forward"
    MERGED = "merged"
    STOPPED = "stopped"
    """As wanted, before the commit."""
    CONFLICTS = "conflicts"


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge did; `before` is where HEAD was."""

    outcome: Outcome
    before: ObjectId | None
    landed: Landed


class Unrelated(UsageFault):
    """Two commits without a common ancestor."""

    hint = "If they are to be one all the same: `gv merge --allow-unrelated-histories`."

    def __init__(self, label: str) -> None:
        super().__init__(f"{label} and HEAD have no commit in common")


class NotFastForward(ConflictFault):
    """Both lines have commits of their own, and only a fast-forward was wanted."""

    def __init__(self, label: str) -> None:
        super().__init__(
            f"HEAD has commits that {label} lacks: the branch cannot just move there",
            hint=f"`gv merge {label}` joins the two lines.",
        )


def merge(repo: Repository, theirs: ObjectId, ref: str, label: str, options: MergeOptions, recipe: Recipe) -> Merged:
    """Merges a commit into HEAD's line; `ref` is the one that was named, or "", and `label` what was typed.

    Raises:
        Unrelated, NotFastForward: see there; nothing was touched.
        InTheMiddle, CheckoutUnfinished: something else is to be ended first.
        WouldOverwrite, BadPath: unsaved work is in the way; nothing was touched.
        CannotWrite, RefMoved: it was cut off: `--continue` or `--abort`.
    """
    with repo.worktree_lock():
        check_ready(repo, f"`gv merge {label}`")
        head = repo.head
        if head is not None and is_ancestor(repo.objects, theirs, head):
            return Merged(Outcome.UP_TO_DATE, head, Landed(head))
        moving = repo.refs.head_ref() or HEAD
        message = clean_message(options.message) if options.message else merge_message(ref, label, moving) + _tag_message(repo, ref)
        pending = Pending(
            Action.MERGE, State.MOVING, label, moving, head, head, theirs, NO_TREE, NO_TREE, NO_TREE,
            message=message, parents=(theirs,), theirs_label=label, ours_label="HEAD",
        )  # fmt: skip
        ahead = head is None or is_ancestor(repo.objects, head, theirs)
        if ahead and options.fast_forward is not FastForward.NEVER and not options.squash:
            said = f"merge {label}: fast-forward"
            pending = replace(pending, result=theirs, parents=())
            landed = land(repo, pending, Commit.get(repo.objects, theirs).tree, command=f"merge {label}", said=said, recipe=recipe)  # fmt: skip
            return Merged(Outcome.FAST_FORWARD, head, landed)
        if options.fast_forward is FastForward.ONLY:
            raise NotFastForward(label)
        if head is None:
            raise UsageFault("there is no commit to merge with", hint=f"`gv merge {label}` alone brings its files.")
        return _merge(repo, head, pending, options, recipe)


def _merge(repo: Repository, head: ObjectId, pending: Pending, options: MergeOptions, recipe: Recipe) -> Merged:
    objects, theirs = repo.objects, pending.theirs
    with objects.batch():
        bases = merge_bases(objects, head, theirs)
        if not bases and not options.unrelated:
            raise Unrelated(pending.label)
        virtual = virtual_base(objects, bases)
        base = Commit.get(objects, virtual) if virtual is not None else None
        other = Commit.get(objects, theirs)
        shown = (bases[0].hex()[:8] if len(bases) == 1 else "merged bases") if options.show_base else None
        words = MergeWords(Labels(pending.ours_label, pending.theirs_label, shown), options.favour)
        merged = merge_trees(objects, base.tree if base else None, tree_of(repo, head), other.tree, words)
        values = merge_named(objects, base.values if base else {}, named_values(repo), other.values, options.favour)
        pending = replace(
            pending, conflicts=merged.conflicts, values=values.moved, value_conflicts=values.conflicts
        )  # fmt: skip
        if options.squash:
            message = options.message or squash_message(repo, head, theirs, pending.label)
            pending = replace(pending, parents=(), message=message, words=PickWords(no_commit=True))
        clean = not (merged.conflicts or values.conflicts)
        if clean and options.commit and not options.squash:
            result = put_commit(repo, pending, merged.tree, values, recipe)
            pending = replace(pending, result=result)
    landed = land(
        repo, pending, merged.tree, command=f"merge {pending.label}", said=f"merge {pending.label}", recipe=recipe
    )
    outcome = Outcome.CONFLICTS if not clean else Outcome.MERGED if pending.result is not None else Outcome.STOPPED
    return Merged(outcome, head, landed)


def put_commit(repo: Repository, pending: Pending, tree: ObjectId, values: MergedValues, recipe: Recipe) -> ObjectId:
    """Returns the commit that a merge makes, stored."""
    parents = (*((pending.head,) if pending.head is not None else ()), *pending.parents)
    return Commit(
        tree=tree,
        parents=parents,
        author=clean_text(pending.author or recipe.author),
        created_at=pending.created_at or recipe.now,
        message=pending.message,
        components=dict(recipe.components(read_files(repo.objects, tree))),
        values=named_values(repo) | values.moved,
        runs=tuple(dict.fromkeys(recipe.runs(pending.parents))) if pending.parents else (),
        generation=generation_after(repo, parents),
        git=git_note(repo.path),
    ).put(repo.objects)


def merge_message(ref: str, label: str, onto: str) -> str:
    """Returns what git says of a merge: `Merge branch 'x' into y`, `into` only where y is not the main branch."""
    kinds: Mapping[str, str] = {BRANCHES: "branch", TAGS: "tag", REMOTES: "remote-tracking branch"}
    kind = next((kind for prefix, kind in kinds.items() if ref.startswith(prefix)), "commit")
    name = short_name(ref) if kind != "commit" else label
    into = "" if onto == BRANCHES + MAIN_BRANCH else f" into {short_name(onto)}"
    return f"Merge {kind} '{name}'{into}"


def _tag_message(repo: Repository, ref: str) -> str:
    """Returns what an annotated tag says, as a further paragraph: as in git, a merge of it says so too."""
    oid = repo.refs.resolve(ref) if ref.startswith(TAGS) else None
    if oid is None or repo.objects.read(oid)[0] != Kind.TAG:
        return ""
    return f"\n\n{Tag.get(repo.objects, oid).message.strip()}"


def squash_message(repo: Repository, head: ObjectId, theirs: ObjectId, label: str) -> str:
    """Returns a message that tells which commits were made one."""
    lines = [f"Squash {label}", ""]
    for oid, commit in log(repo.objects, [theirs], without=[head]):
        lines.append(f"{oid.hex()[:8]} {subject(commit.message)}")
    return "\n".join(lines)
