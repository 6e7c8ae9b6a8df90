"""What refs.db tells about the past: reflog entries, operations, runs, as rows of its tables."""

from __future__ import annotations

from typing import NamedTuple

from gvstore.objects.oid import ObjectId

RECORDING = "recording"


class ReflogEntry(NamedTuple):
    """One move of a ref.

    `old` and `new` are textual values, "" where the ref was absent.  For HEAD
    they are resolved: what was checked out, whatever branch that was on.
    `operation` is None for what no command did (RUN moves at a run's start).
    """

    ref: str
    old: str
    new: str
    author: str
    created_at: int
    message: str
    operation: int | None


class OperationEntry(NamedTuple):
    """One command's effect on refs; the changes stand in the object `oid`."""

    number: int
    oid: ObjectId
    command: str
    author: str
    created_at: int


class RunRow(NamedTuple):
    """What refs.db knows of a run without reading its object.

    `status` is "recording" until the run is finished, then the word of the
    run object.  `oid` is None while it is recorded, and when it was removed.
    `journal` is the file name of its write-ahead journal, "" where there is none (any more).
    """

    number: int
    oid: ObjectId | None
    journal: str
    target: str
    status: str
    started_at: int
    ended_at: int | None

    @property
    def finished(self) -> bool:
        """Whether the run has been stored."""
        return self.status != RECORDING

    @property
    def removed(self) -> bool:
        """Whether the run was stored and then taken away."""
        return self.finished and self.oid is None


class TakenRun(NamedTuple):
    """A run from elsewhere, whole already; `number` is the one it asks for, None for the next."""

    oid: ObjectId
    target: str
    status: str
    started_at: int
    ended_at: int
    number: int | None = None
