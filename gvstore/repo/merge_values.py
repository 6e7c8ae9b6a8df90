"""Named values of three commits made one set: name by name, and within a value part by part."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from gvstore.compare.merge3 import Favour
from gvstore.compare.merge_values import merge_values
from gvstore.errors import GvError
from gvstore.objects.decode import get_value
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
from gvstore.objects.value import put_value
from gvstore.repo.conflict import ValueConflict


@dataclass(frozen=True, slots=True)
class MergedValues:
    """The values that the merge moves, by name, and those it could not make."""

    moved: dict[str, ObjectId]
    conflicts: tuple[ValueConflict, ...]


def merge_named(
    objects: ObjectStore,
    base: Mapping[str, ObjectId],
    ours: Mapping[str, ObjectId],
    theirs: Mapping[str, ObjectId],
    favour: Favour | None = None,
) -> MergedValues:
    """Returns what `theirs` changed since `base` and `ours` has not; values have no deletion: a name that one side lacks stays."""
    moved: dict[str, ObjectId] = {}
    conflicts: list[ValueConflict] = []
    for name, their in sorted(theirs.items()):
        old, our = base.get(name), ours.get(name)
        if their in (our, old):
            continue
        if our == old or our is None or favour is Favour.THEIRS:
            moved[name] = their
        else:
            found, paths = _merged(objects, old, our, their, favour)
            if paths:
                conflicts.append(ValueConflict(name, paths, old, our, their))
            if found != our:
                moved[name] = found
    return MergedValues(moved, tuple(conflicts))


def _merged(
    objects: ObjectStore, old: ObjectId | None, our: ObjectId, their: ObjectId, favour: Favour | None
) -> tuple[ObjectId, tuple[str, ...]]:
    """Returns the value that both sides changed, merged and stored, and the paths where ours was kept."""
    whole = their if favour is Favour.THEIRS else our, () if favour else ("",)
    if old is None:
        return whole
    with suppress(
        GvError, TypeError, ValueError
    ):  # no value (a run has a name, say), or one that cannot be put together
        base, ours, theirs = (get_value(objects, each) for each in (old, our, their))
        merged = merge_values(base, ours, theirs, favour=favour)
        return put_value(objects, merged.value), merged.conflicts
    return whole
