"""NAMES that move: refs, their history, and run numbers, in one SQLite file.

Every command's changes are one transaction with compare-and-swap, and one
Operation among the objects.
"""

from gvstore.refs.database import Refs
from gvstore.refs.fault import (
    BadRefName,
    CorruptRefs,
    RefClash,
    RefExists,
    RefMissing,
    RefMoved,
    RefsLocked,
    RefsReadOnly,
    RefsUnwritten,
)
from gvstore.refs.record import OperationEntry, ReflogEntry, RunRow

__all__ = [
    "BadRefName",
    "CorruptRefs",
    "OperationEntry",
    "RefClash",
    "RefExists",
    "RefMissing",
    "RefMoved",
    "ReflogEntry",
    "Refs",
    "RefsLocked",
    "RefsReadOnly",
    "RefsUnwritten",
    "RunRow",
]
