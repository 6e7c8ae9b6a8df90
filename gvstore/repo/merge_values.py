"""Named values of three commits made one set: name by name, and within a value part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gvstore.compare.merge3 import Favour
from gvstore.objects.oid import ObjectId
from gvstore.objects.protocol import ObjectStore
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
        elif favour is None:
            conflicts.append(ValueConflict(name, ("",), old, our, their))
    return MergedValues(moved, tuple(conflicts))
