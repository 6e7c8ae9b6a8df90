"""The values of refs as text: what refs.db, operations and the reflog hold.

""                       no such ref (in changes only; a read gives None)
64 hex digits            an object
"ref: refs/heads/main"   another ref, which may not exist yet
"run: 7"                 a run by its number: it may have no object yet
"""

from __future__ import annotations

import re

from gvstore.objects.oid import ObjectId
from gvstore.refs.names import RUN_NUMBER, SYMBOLIC, check_ref_name

_HEX64 = re.compile(r"[0-9a-f]{64}")
_RUN = re.compile(r"run: [1-9][0-9]{0,17}")


def check_value(value: str) -> str:
    """Returns `value` if a ref can hold it.

    Raises:
        ValueError: it cannot; a caller's mistake.
    """
    if _HEX64.fullmatch(value) or _RUN.fullmatch(value):
        return value
    if value.startswith(SYMBOLIC):
        check_ref_name(value[len(SYMBOLIC) :])
        return value
    raise ValueError(f"{value[:80]!r} is no value of a ref")


def format_value(value: ObjectId | str | None) -> str:
    """Returns the textual value of an oid; text passes through, None is ""."""
    if value is None:
        return ""
    return check_value(value) if isinstance(value, str) else value.hex()


def value_oid(value: str | None) -> ObjectId | None:
    """Returns the oid that `value` is, or None where it is something else."""
    return ObjectId.from_hex(value) if value and _HEX64.fullmatch(value) else None


def value_target(value: str | None) -> str | None:
    """Returns the name that a symbolic `value` points to, or None."""
    return value[len(SYMBOLIC) :] if value and value.startswith(SYMBOLIC) else None


def value_run(value: str | None) -> int | None:
    """Returns the run's number that `value` holds, or None."""
    return int(value[len(RUN_NUMBER) :]) if value and _RUN.fullmatch(value) else None


def format_symbolic(name: str) -> str:
    """Returns the value that points to the ref `name`."""
    return SYMBOLIC + check_ref_name(name)


def format_run(number: int) -> str:
    """Returns the value that names run `number`."""
    return f"{RUN_NUMBER}{number}"
