"""The tree that two commits are merged over.

Mostly that of their best common ancestor.  Where lines were merged crosswise
there are several, none better: they are merged with each other first, conflicts
and all, and the result is the base (git's "recursive", "ort").  A conflict of
that merge stands in it with longer markers, and shows only where both sides
changed those lines again.
"""

from __future__ import annotations

from gvstore.compare.merge3 import MARKER_SIZE, Labels
from gvstore.objects.commit import Commit
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.repo.history import merge_bases
from gvstore.repo.merge_files import MergeWords, merge_trees


def base_tree(objects: ObjectStore, ours: ObjectId, theirs: ObjectId, *, depth: int = 0) -> ObjectId | None:
    """Returns the tree to merge two commits over; None if they have no common ancestor."""
    virtual = virtual_base(objects, merge_bases(objects, ours, theirs), depth=depth)
    return Commit.get(objects, virtual).tree if virtual is not None else None


def virtual_base(objects: ObjectStore, bases: list[ObjectId], *, depth: int = 0) -> ObjectId | None:
    """Returns a commit that stands for all of these; of several it is made, and nothing leads to it."""
    if not bases:
        return None
    merged, *others = sorted(bases, key=lambda oid: (Commit.get(objects, oid).created_at, oid))
    words = MergeWords(Labels("one base", "another base"), marker_size=MARKER_SIZE + 2 * (depth + 1))
    for other in others:
        one, two = Commit.get(objects, merged), Commit.get(objects, other)
        base = base_tree(objects, merged, other, depth=depth + 1)
        tree = merge_trees(objects, base, one.tree, two.tree, words).tree
        merged = Commit(
            tree=tree,
            parents=(merged, other),
            author="",
            created_at=max(one.created_at, two.created_at),
            message="merged bases",
            values=one.values | two.values,
            generation=1 + max(one.generation, two.generation),
        ).put(objects)
    return merged
