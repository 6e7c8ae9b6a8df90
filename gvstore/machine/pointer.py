"""Where an application comes from: a step of another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParentPointer:
    """A step of an application: the one that another was forked from, or was started by."""

    app_id: str
    partition_key: str | None = None
    sequence_id: int | None = None
